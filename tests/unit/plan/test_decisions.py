"""What holds for every decision, whatever the case."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_operator.api.objects import Manifest, key_of
from conecta_operator.plan.plans import DeleteObject, SetFinalizers, WriteObject
from conecta_operator.render.forms import Forms
from tests.support.worlds import Case, decide, written

CASES = sorted((Path(__file__).parents[2] / "golden" / "cases").iterdir())
API_CASES = [folder for folder in CASES if folder.name.startswith("api-")]
FORMS = Forms.load()


def _case(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "in.yaml").read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_order_in_which_the_world_is_read_decides_nothing(folder: Path) -> None:
    case = _case(folder)
    turned = {**case, "objects": case["objects"][::-1]}
    assert written(decide(Case.model_validate(case), FORMS)) == written(decide(Case.model_validate(turned), FORMS))


@pytest.mark.parametrize("folder", API_CASES, ids=lambda folder: folder.name)
def test_what_was_written_is_not_written_again(folder: Path) -> None:
    case = _case(folder)
    plan = decide(Case.model_validate(copy.deepcopy(case)), FORMS)
    writes = {key_of(step.manifest): step.manifest for step in plan.steps if isinstance(step, WriteObject)}
    gone = {key_of(step.manifest) for step in plan.steps if isinstance(step, DeleteObject)}
    after = {key_of(manifest): manifest for manifest in case["objects"]} | writes
    again = {**case, "objects": [_stored(manifest) for key, manifest in after.items() if key not in gone]}
    steps = decide(Case.model_validate(again), FORMS).steps
    assert [step for step in steps if not isinstance(step, SetFinalizers)] == []


def _stored(manifest: Manifest) -> Manifest:
    metadata = {"uid": "made", "resourceVersion": "9", **manifest["metadata"]}
    if not metadata.get("ownerReferences"):
        metadata.pop("ownerReferences", None)
    return {**manifest, "metadata": metadata}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_no_secret_reaches_a_status(folder: Path) -> None:
    case = Case.model_validate(_case(folder))
    status = json.dumps(decide(case, FORMS).status)
    assert not [key.secret for key in case.keys or () if key.secret in status]
    assert "fresh-secret" not in status
