"""Two agencies try everything against each other: a table of attempts, each refused in clear words."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.kubectl import kubectl
from tests.support.tenant_people import TenantPeople, tenant_people
from tests.support.tenant_rows import ATTEMPTS, Attempt


@pytest.fixture(scope="module")
def people(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TenantPeople]:
    with tenant_people(platform, tmp_path_factory.mktemp("people")) as people:
        yield people


@pytest.fixture(scope="module")
def eva_own(people: TenantPeople) -> Iterator[None]:
    """A Secret of Eva's own."""
    done = people["eva"].kubectl("create", "secret", "generic", "eva-own", "-n", "saude", "--from-literal=a=b")
    assert done.returncode == 0, done.stderr
    yield
    kubectl("delete", "secret", "eva-own", "-n", "saude")


def tried(people: TenantPeople, attempt: Attempt) -> subprocess.CompletedProcess[str]:
    """Run the command of a row; what it made, should it have, is taken away again."""
    user = people[attempt.who]
    command = [part.replace("{user}", user.name) for part in attempt.command]
    stdin = None if attempt.manifest is None else json.dumps(attempt.manifest)
    done = user.kubectl(*command, stdin=stdin)
    if done.returncode == 0 and attempt.manifest is not None:
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=stdin)
    return done


@pytest.fixture(scope="module")
def untouched(people: TenantPeople, eva_own: None) -> Iterator[None]:  # noqa: ARG001 - they change what is there, on purpose
    """Nothing of either agency, and nothing of the platform, is other afterwards than before."""
    before = _landscape()
    yield
    assert _landscape() == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("attempt", [pytest.param(each, id=each.words) for each in ATTEMPTS])
def test_nobody_can(people: TenantPeople, attempt: Attempt) -> None:
    done = tried(people, attempt)
    assert done.returncode != 0, done.stdout
    assert attempt.refusal in done.stderr


def test_the_table_has_a_row_for_everything_that_the_issue_names() -> None:
    assert len(ATTEMPTS) >= 40
    assert len({each.words for each in ATTEMPTS}) == len(ATTEMPTS)


PLACES = frozenset({"receita", "saude", "conecta-gateway", "conecta-system"})


def _landscape() -> Mapping[str, object]:
    """What the objects of both agencies and the platform say, but for status.

    Of a policy of the operator's only that it is there: it denies keys of other tests until their tokens run out.
    """
    kinds = (
        "conectaapis,conectagrants,secrets,configmaps,httproutes,securitypolicies,backends,backendtlspolicies,"
        "backendtrafficpolicies,networkpolicies,referencegrants,gateways,resourcequotas,limitranges,services,pods,"
        "roles,rolebindings"
    )
    listed = json.loads(kubectl("get", kinds, "-A", "-o", "json").stdout)["items"]
    found = [each for each in listed if each["metadata"]["namespace"] in PLACES]
    found += json.loads(kubectl("get", "clusterroles,clusterrolebindings", "-o", "json").stdout)["items"]
    found += json.loads(kubectl("get", "namespaces", *sorted(PLACES), "-o", "json").stdout)["items"]
    return {_place(each): _digest(each) for each in found}


def _place(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _digest(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    unsaid = {"metadata", "status", *(["spec"] if manifest["kind"] == "SecurityPolicy" else [])}
    said = {name: value for name, value in manifest.items() if name not in unsaid}
    said |= {name: metadata.get(name) for name in ("labels", "annotations", "finalizers", "ownerReferences")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
