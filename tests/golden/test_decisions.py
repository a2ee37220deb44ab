"""Each case: a whole world in, the steps and the status out."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typing_extensions import override

from conecta_operator.render.forms import Forms
from tests.support.worlds import Case, decide, written

CASES = Path(__file__).parent / "cases"


class _Plain(yaml.SafeDumper):
    """No anchors: each object stands there whole."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


@pytest.fixture(scope="session")
def forms() -> Forms:
    return Forms.load()


@pytest.mark.parametrize("name", sorted(folder.name for folder in CASES.iterdir()))
def test_decision(name: str, forms: Forms, request: pytest.FixtureRequest) -> None:
    """What the case's name says is what the operator decides."""
    folder = CASES / name
    case = Case.model_validate(yaml.safe_load((folder / "in.yaml").read_text()))
    text = yaml.dump(written(decide(case, forms)), Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True)
    if request.config.getoption("--regenerate", default=False):
        (folder / "out.yaml").write_text(text)
    assert yaml.safe_load(text) == yaml.safe_load((folder / "out.yaml").read_text())
