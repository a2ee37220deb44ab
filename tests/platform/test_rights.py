"""What the roles of an agency's people amount to on the platform, and whether the API server understands our policy."""

import json
from collections.abc import Iterator

import pytest

from sandbox.layout import Layout
from tests.support.kubectl import eventually, get, kubectl
from tests.support.users import ApiServer, done

pytestmark = pytest.mark.usefixtures("platform")


EVERYWHERE, OWN, OTHER = "", "receita", "saude"
ALL_VERBS = "get list watch create update patch delete deletecollection"
LOOK = "get list watch"
CAN = {
    # group: what its people can, each line as verbs, resource and where
    "receita:providers": (
        ("get list watch create update patch delete approve", "conectaapis", OWN),
        (LOOK, "events", OWN),
        (LOOK, "conectagrants", EVERYWHERE),
        ("get update patch", "conectagrants/status", EVERYWHERE),
    ),
    "receita:receivers": (
        ("get list watch create update patch delete", "conectagrants", OWN),
        ("get list watch delete", "secrets", OWN),
        (LOOK, "events", OWN),
    ),
    "platform": (
        ("get list watch update patch delete", "conectaapis", EVERYWHERE),
        ("get list watch update patch delete", "conectagrants", EVERYWHERE),
        ("update", "conectaapis/finalizers", EVERYWHERE),
        ("update", "conectagrants/finalizers", EVERYWHERE),
        ("get list watch update patch", "namespaces", EVERYWHERE),
        ("update", "agencies", EVERYWHERE),
        ("get list watch delete", "httproutes", EVERYWHERE),
        ("get list watch delete", "securitypolicies", EVERYWHERE),
        (LOOK, "resourcequotas", EVERYWHERE),
    ),
    "auditors": tuple(
        (LOOK, resource, EVERYWHERE)
        for resource in (
            "conectaapis", "conectagrants", "httproutes", "securitypolicies", "backends", "networkpolicies",
            "namespaces", "resourcequotas", "limitranges", "events", "rolebindings", "clusterroles",
            "validatingadmissionpolicies",
        )
    ),
}  # fmt: skip
GENERATED = ("httproutes", "securitypolicies", "backends", "backendtlspolicies", "networkpolicies")
CANNOT = {
    "receita:providers": (
        (ALL_VERBS, "conectaapis", OTHER),
        ("approve", "conectaapis", OTHER),
        ("create update patch delete", "conectagrants", OWN),
        ("create update patch delete", "conectagrants", OTHER),
        (ALL_VERBS, "secrets", OWN),
        (ALL_VERBS, "secrets", OTHER),
        ("update patch", "conectaapis/status", OWN),
        ("update", "conectaapis/finalizers", OWN),
        *((ALL_VERBS, resource, OWN) for resource in GENERATED),
        ("create update patch delete", "resourcequotas", OWN),
    ),
    "receita:receivers": (
        (ALL_VERBS + " approve", "conectaapis", OWN),
        (ALL_VERBS, "conectagrants", OTHER),
        ("update patch", "conectagrants/status", OWN),
        ("update", "conectagrants/finalizers", OWN),
        ("create update patch", "secrets", OWN),
        (ALL_VERBS, "secrets", OTHER),
        *((ALL_VERBS, resource, OWN) for resource in GENERATED),
    ),
    "platform": (
        (ALL_VERBS, "secrets", EVERYWHERE),
        (ALL_VERBS, "configmaps", EVERYWHERE),
        ("approve", "conectaapis", EVERYWHERE),
        ("update patch", "conectagrants/status", EVERYWHERE),
        ("update", "conectaapis/generated", EVERYWHERE),
        ("create delete", "namespaces", EVERYWHERE),
        ("create update patch", "httproutes", EVERYWHERE),
        ("create update patch delete", "clusterrolebindings", EVERYWHERE),
        ("impersonate", "users", EVERYWHERE),
    ),
    "auditors": (
        (ALL_VERBS, "secrets", EVERYWHERE),
        (ALL_VERBS, "configmaps", EVERYWHERE),
        ("get list", "pods/log", EVERYWHERE),
        ("create update patch delete deletecollection", "conectaapis", EVERYWHERE),
        ("create update patch delete deletecollection", "conectagrants", EVERYWHERE),
        ("update patch", "conectagrants/status", EVERYWHERE),
        ("create update patch delete", "namespaces", EVERYWHERE),
        ("create update patch delete", "rolebindings", EVERYWHERE),
        ("update", "agencies", EVERYWHERE),
    ),
}


GROUP_OF = {
    **dict.fromkeys(("conectaapis", "conectagrants", "agencies"), "conecta.gov.br"),
    **dict.fromkeys(("httproutes", "backendtlspolicies"), "gateway.networking.k8s.io"),
    **dict.fromkeys(("securitypolicies", "backends"), "gateway.envoyproxy.io"),
    **dict.fromkeys(("rolebindings", "clusterroles", "clusterrolebindings"), "rbac.authorization.k8s.io"),
    "networkpolicies": "networking.k8s.io",
    "validatingadmissionpolicies": "admissionregistration.k8s.io",
}
"""The API group of a resource that isn't Kubernetes' core."""


@pytest.fixture(scope="module")
def server(platform: Layout) -> Iterator[ApiServer]:
    server = ApiServer(platform)
    yield server
    server.close()


def rows(table: dict[str, tuple[tuple[str, str, str], ...]]) -> list[object]:
    return [
        pytest.param(group, *row, id=f"{group}: {' '.join(row)}".rstrip())
        for group, lines in table.items()
        for row in lines
    ]


def can(server: ApiServer, group: str, verbs: str, resource: str, where: str) -> set[bool]:
    """What the API server answers somebody of the group who asks as `kubectl auth can-i` does, verb by verb."""
    plural, _, part = resource.partition("/")
    asked = {"group": GROUP_OF.get(plural, ""), "resource": plural, "subresource": part, "namespace": where}
    somebody = server.impersonated("x", f"conecta:{group}")
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked | {"verb": verb}},
        }
        for verb in verbs.split()
    ]
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answers = [done(somebody.call("POST", path, review, for_good=True)) for review in reviews]
    return {answer.body["status"]["allowed"] for answer in answers}


@pytest.mark.parametrize(("group", "verbs", "resource", "where"), rows(CAN))
def test_people_of_a_group_can(server: ApiServer, group: str, verbs: str, resource: str, where: str) -> None:
    assert can(server, group, verbs, resource, where) == {True}


@pytest.mark.parametrize(("group", "verbs", "resource", "where"), rows(CANNOT))
def test_people_of_a_group_cannot(server: ApiServer, group: str, verbs: str, resource: str, where: str) -> None:
    assert can(server, group, verbs, resource, where) == {False}


@pytest.mark.parametrize(("table", "expected"), [(CAN, "yes"), (CANNOT, "no")], ids=["yes", "no"])
@pytest.mark.parametrize("group", CAN)
def test_kubectl_tells_people_the_same(
    table: dict[str, tuple[tuple[str, str, str], ...]], expected: str, group: str
) -> None:
    for verbs, resource, where in (table[group][0], table[group][-1]):
        plural, _, part = resource.partition("/")
        place = f"--namespace={where}" if where else "--all-namespaces"
        asked = (verbs.split()[-1], plural, place, *([f"--subresource={part}"] if part else []))
        if plural != "agencies":  # kubectl knows no group of a resource that the API server doesn't serve
            answer = kubectl("auth", "can-i", *asked, "--as=x", f"--as-group=conecta:{group}", check=False)
            assert answer.stdout.strip() == expected


def test_the_tables_name_all_groups_that_have_roles() -> None:
    bound = json.loads(kubectl("get", "rolebindings,clusterrolebindings", "-A", "-o", "json").stdout)["items"]
    groups = {subject["name"] for each in bound for subject in each.get("subjects") or () if subject["kind"] == "Group"}
    of_one_agency = {name.removeprefix("conecta:") for name in groups if name.startswith("conecta:")} - {
        "saude:providers",
        "saude:receivers",
    }
    assert of_one_agency - {"administrators"} == CAN.keys() == CANNOT.keys()


@pytest.mark.parametrize("name", ["approval", "finalizers", "generated", "ownership", "agencies"])
def test_the_api_server_finds_nothing_wrong_with_a_policy(name: str) -> None:
    """It checks the types of expressions against the definitions of what they look at."""

    def checked() -> bool:
        policy = get("validatingadmissionpolicy", "", f"conecta-{name}")
        status = policy.get("status", {})
        assert "expressionWarnings" not in status.get("typeChecking", {}), status
        return bool(status.get("observedGeneration") == policy["metadata"]["generation"])

    eventually(checked)
