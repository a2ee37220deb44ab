"""What the admission policies let through, and whom they stop, before the real API server.

Whoever acts here has all rights that RBAC could ask for, so that nothing but a policy stands in the way. A write is a
trial (`--dry-run=server`) where nothing else is said: the API server judges it like any other, and forgets it.
"""

import json
import secrets
from collections.abc import Iterator
from typing import Final

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.changes import ABSENT, but
from tests.support.kubectl import agency_namespace, apply, eventually, find, get, kubectl
from tests.support.tenant_rows import KINDS
from tests.support.users import OPERATOR, ApiServer, done

ROUTER: Final = "system:serviceaccount:envoy-gateway-system:envoy-gateway"
COLLECTOR: Final = "system:serviceaccount:kube-system:generic-garbage-collector"
ALMIGHTY: Final = [
    {"apiGroups": ["", "gateway.networking.k8s.io", "gateway.envoyproxy.io", "networking.k8s.io"],
     "resources": ["*"], "verbs": ["*"]},
]  # fmt: skip
"""All rights on whatever is guarded, and none on what the guards ask for."""
GENERATED_REFUSAL: Final = "in the namespace of an agency are written by the Conecta operator only"
OWNERSHIP_REFUSAL: Final = "a copy of your own goes without them"
AGENCIES_REFUSAL: Final = "are the platform team's to set"
LABELS: Final = {"conecta.gov.br/owner-kind": "ConectaGrant", "conecta.gov.br/owner-uid": "0"}


class Actor:
    """Somebody as whom the administrator writes."""

    def __init__(self, name: str, *groups: str) -> None:
        self.name = name
        self._identity = (f"--as={name}", *(f"--as-group={group}" for group in groups))

    def does(self, *command: str, stdin: Manifest | None = None, for_good: bool = False) -> str:
        """The API server's refusal; empty when it has none."""
        trial = () if for_good else ("--dry-run=server",)
        text = None if stdin is None else json.dumps(stdin)
        answer = kubectl(*self._identity, *command, *trial, stdin=text, check=False)
        return answer.stderr if answer.returncode else ""

    def creates(self, manifest: Manifest) -> str:
        """As `does`."""
        return self.does("create", "-f", "-", stdin=manifest)

    def replaces(self, manifest: Manifest) -> str:
        """As `does`."""
        return self.does("replace", "-f", "-", stdin=manifest)

    def patches(self, what: str, namespace: str, patch: Manifest, *more: str) -> str:
        """As `does`."""
        where = ("-n", namespace) if namespace else ()
        return self.does("patch", *what.split(), *where, "--type=merge", "-p", json.dumps(patch), *more)


def role(*, rules: object) -> Iterator[Actor]:
    """Somebody with these rights everywhere."""
    name = f"actor-{secrets.token_hex(3)}"
    group = "rbac.authorization.k8s.io"
    apply(
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        },
    )
    actor = Actor(name)
    eventually(lambda: not actor.does("create", "configmap", "a", "-n", "default"))
    yield actor
    kubectl("delete", "clusterrole,clusterrolebinding", name)


@pytest.fixture(scope="module")
def mighty(platform: Layout) -> Iterator[Actor]:  # noqa: ARG001 - it has to be up
    """Somebody with all rights on what is guarded."""
    yield from role(rules=ALMIGHTY)


@pytest.fixture(scope="module")
def entitled(platform: Layout) -> Iterator[Actor]:  # noqa: ARG001 - it has to be up
    """The same with the rights that the guards ask for, and that nothing else asks for."""
    asked = {"apiGroups": ["conecta.gov.br"], "resources": ["conectaapis/generated", "agencies"], "verbs": ["update"]}
    yield from role(rules=[*ALMIGHTY, asked])


@pytest.fixture(scope="module")
def home(platform: Layout) -> Iterator[str]:  # noqa: ARG001 - it has to be up
    """The namespace of an agency."""
    with agency_namespace("guarda") as name:
        yield name


@pytest.fixture(scope="module")
def nobodys(platform: Layout) -> Iterator[str]:  # noqa: ARG001 - it has to be up
    """A namespace of no agency."""
    name = f"nobodys-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


OPERATOR_ACTOR: Final = Actor(OPERATOR)
ADMINISTRATOR: Final = Actor("somebody", "system:masters")


def made(version: str, kind: str, namespace: str, **rest: object) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"namespace": namespace, "name": "guarded", "labels": {}},
        **rest,
    }


def route(namespace: str) -> Manifest:
    return made("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, spec={"hostnames": ["a.example"]})


# What the operator writes


@pytest.mark.parametrize("row", [pytest.param(row, id=row[1]) for row in KINDS])
def test_a_generated_kind_is_written_by_who_is_entitled(
    mighty: Actor, entitled: Actor, home: str, nobodys: str, row: tuple[str, str, str, Manifest]
) -> None:
    version, kind, plural, spec = row
    manifest = made(version, kind, home, spec=spec)
    assert f"{plural} {GENERATED_REFUSAL}" in mighty.creates(manifest)
    for actor in (entitled, ADMINISTRATOR):
        # other policies and the kind's own rules may still find fault; not this one
        assert GENERATED_REFUSAL not in actor.creates(manifest)
    assert GENERATED_REFUSAL not in mighty.creates(but(manifest, {"metadata.namespace": nobodys}))


def test_the_operator_writes_what_it_writes(home: str) -> None:
    for version, kind, _, spec in KINDS:
        if kind in {"HTTPRoute", "BackendTLSPolicy", "SecurityPolicy", "Backend"}:
            assert GENERATED_REFUSAL not in OPERATOR_ACTOR.creates(made(version, kind, home, spec=spec))
    assert OPERATOR_ACTOR.creates(route(home)) == ""


@pytest.fixture
def stored(home: str) -> Iterator[Manifest]:
    """A route of the operator's that there is."""
    kubectl("create", "-f", "-", stdin=json.dumps(but(route(home), {"metadata.labels": LABELS})))
    yield get("httproute", home, "guarded")
    kubectl("delete", "httproute", "guarded", "-n", home, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"spec": {"hostnames": ["b.example"]}}, id="what it says"),
        pytest.param({"metadata": {"labels": {"conecta.gov.br/owner-uid": "1"}}}, id="whose it is"),
        pytest.param({"metadata": {"labels": {"conecta.gov.br/owner-uid": None}}}, id="whose it was"),
        pytest.param({"metadata": {"labels": {"team": "a"}}}, id="another label"),
        pytest.param({"metadata": {"annotations": {"a": "b"}}}, id="an annotation"),
        pytest.param({"metadata": {"finalizers": ["a.example/held"]}}, id="what keeps it from going"),
        pytest.param(
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}]}},
            id="what takes it along",
        ),
    ],
)
def test_of_what_the_operator_wrote_nobody_else_changes(
    mighty: Actor, entitled: Actor, stored: Manifest, patch: Manifest
) -> None:
    home = stored["metadata"]["namespace"]
    assert GENERATED_REFUSAL in mighty.patches("httproute guarded", home, patch)
    for actor in (entitled, ADMINISTRATOR):
        assert actor.patches("httproute guarded", home, patch) == ""
    changed = but(stored, {"spec.hostnames": ["c.example"]})
    assert GENERATED_REFUSAL in mighty.replaces(changed)
    assert OPERATOR_ACTOR.replaces(changed) == ""


def test_a_write_that_changes_nothing_passes(mighty: Actor, stored: Manifest) -> None:
    assert mighty.replaces(stored) == ""


def test_the_gateway_reports_on_what_the_operator_wrote(platform: Layout, stored: Manifest) -> None:
    server = ApiServer(platform)
    done(server.impersonated(ROUTER).put(but(stored, {"status": {"parents": []}}), part="status"))
    server.close()


def test_deletion_is_nobodys_concern(mighty: Actor, stored: Manifest) -> None:
    home = stored["metadata"]["namespace"]
    assert mighty.does("delete", "httproute", "guarded", "-n", home) == ""
    assert mighty.does("delete", "httproute", "--all", "-n", home) == ""


def test_what_is_being_deleted_is_let_go_by_whoever_held_it(mighty: Actor, stored: Manifest) -> None:
    home = stored["metadata"]["namespace"]
    kubectl("patch", "httproute", "guarded", "-n", home, "--type=merge", "-p",
            json.dumps({"metadata": {"finalizers": ["a.example/held"]}}))  # fmt: skip
    kubectl("delete", "httproute", "guarded", "-n", home, "--wait=false")
    assert GENERATED_REFUSAL in mighty.patches("httproute guarded", home, {"spec": {"hostnames": ["b.example"]}})
    release = ("patch", "httproute", "guarded", "-n", home, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert mighty.does(*release, for_good=True) == ""
    eventually(lambda: find("httproute", home, "guarded") is None)


def test_kubernetes_own_controllers_say_whose_an_object_is_and_no_more(stored: Manifest) -> None:
    """The collector itself has no right to change a spec; the guard doesn't rely on that."""
    home = stored["metadata"]["namespace"]
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1", "blockOwnerDeletion": False}]
    collector = Actor(COLLECTOR, "system:serviceaccounts", "system:serviceaccounts:kube-system", "system:masters")
    assert collector.patches("httproute guarded", home, {"metadata": {"ownerReferences": owners}}) == ""


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_what_belongs_to_a_deleted_object_is_collected(home: str, cascade: str) -> None:
    owner = made("v1", "ConfigMap", home, data={})
    apply(owner)
    uid = get("configmap", home, "guarded")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "guarded", "uid": uid, "blockOwnerDeletion": True}
    owned = {"metadata.ownerReferences": [reference], "metadata.labels": LABELS}
    dependents = [
        but(route(home), owned),
        but(made("v1", "Secret", home, type="servicebinding.io/oauth2"), owned),
        but(made("networking.k8s.io/v1", "NetworkPolicy", home, spec={"podSelector": {}}), owned),
    ]
    apply(*dependents)
    kubectl("delete", "configmap", "guarded", "-n", home, f"--cascade={cascade}", "--wait=false")
    eventually(lambda: find("configmap", home, "guarded") is None, 20)
    for manifest in dependents:
        kind = manifest["kind"].lower()
        if cascade == "orphan":
            assert "ownerReferences" not in get(kind, home, "guarded")["metadata"]
            kubectl("delete", kind, "guarded", "-n", home)
        else:
            eventually(lambda kind=kind: find(kind, home, "guarded") is None, 20)  # type: ignore[misc]


def test_a_namespace_goes_with_all_in_it(platform: Layout) -> None:  # noqa: ARG001 - it has to be up
    with agency_namespace("partida") as name:
        secret = made("v1", "Secret", name, type="servicebinding.io/oauth2")
        apply(
            but(route(name), {"metadata.labels": LABELS}),
            but(secret, {"metadata.labels": LABELS}),
            made("networking.k8s.io/v1", "NetworkPolicy", name, spec={"podSelector": {}}),
        )
        kubectl("delete", "namespace", name, "--timeout=60s")
        assert find("namespace", "", name) is None


# Whose a Secret or a ConfigMap is

OURS = [
    pytest.param(LABELS, id="whose it is"),
    pytest.param({"conecta.gov.br/owner-name": "a"}, id="one label of an owner"),
    pytest.param({"app.kubernetes.io/managed-by": "conecta-operator"}, id="who manages it"),
]


@pytest.mark.parametrize("labels", OURS)
def test_labels_of_ownership_are_put_on_by_who_is_entitled(
    mighty: Actor, entitled: Actor, home: str, nobodys: str, labels: dict[str, str]
) -> None:
    for kind in ("Secret", "ConfigMap"):
        manifest = but(made("v1", kind, home), {"metadata.labels": labels})
        assert OWNERSHIP_REFUSAL in mighty.creates(manifest)
        for actor in (OPERATOR_ACTOR, entitled, ADMINISTRATOR):
            assert actor.creates(manifest) == ""
        assert mighty.creates(but(manifest, {"metadata.namespace": nobodys})) == ""


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({}, id="none"),
        pytest.param({"app.kubernetes.io/managed-by": "Helm"}, id="somebody else who manages it"),
        pytest.param({"conecta.gov.br/team": "a"}, id="a label of ours that says nothing of owners"),
    ],
)
def test_other_labels_are_everybodys(mighty: Actor, home: str, kind: str, labels: dict[str, str]) -> None:
    assert mighty.creates(but(made("v1", kind, home), {"metadata.labels": labels})) == ""


def test_the_configmap_by_which_the_gateway_knows_tokens_is_the_operators(
    mighty: Actor, entitled: Actor, home: str, nobodys: str
) -> None:
    manifest = but(made("v1", "ConfigMap", home, data={"jwks": "{}"}), {"metadata.name": "conecta-jwks"})
    assert OWNERSHIP_REFUSAL in mighty.creates(manifest)
    assert mighty.creates(but(manifest, {"metadata.namespace": nobodys})) == ""
    assert mighty.creates(but(manifest, {"kind": "Secret", "data": ABSENT})) == ""
    for actor in (OPERATOR_ACTOR, entitled):
        assert actor.creates(manifest) == ""
    assert OWNERSHIP_REFUSAL in mighty.patches("configmap conecta-jwks", "receita", {"data": {"jwks": "{}"}})


@pytest.fixture
def key(home: str) -> Iterator[Manifest]:
    """A Secret of the operator's that there is."""
    apply(but(made("v1", "Secret", home, stringData={"a": "b"}), {"metadata.labels": LABELS}))
    yield get("secret", home, "guarded")
    kubectl("delete", "secret", "guarded", "-n", home, "--ignore-not-found")


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"stringData": {"a": "c"}}, id="what it holds"),
        pytest.param({"metadata": {"labels": {"conecta.gov.br/owner-uid": "1"}}}, id="whose it is"),
        pytest.param({"metadata": {"labels": None}}, id="whose it was"),
        pytest.param({"metadata": {"finalizers": ["a.example/held"]}}, id="what keeps it from going"),
    ],
)
def test_of_what_bears_the_labels_nobody_else_changes(
    mighty: Actor, entitled: Actor, key: Manifest, patch: Manifest
) -> None:
    home = key["metadata"]["namespace"]
    assert OWNERSHIP_REFUSAL in mighty.patches("secret guarded", home, patch)
    assert entitled.patches("secret guarded", home, patch) == ""
    assert mighty.does("delete", "secret", "guarded", "-n", home) == ""
    assert OPERATOR_ACTOR.replaces(but(key, {"data": {}})) == ""


# Whose a namespace is


def namespace(name: str = "nova", **labels: str) -> Manifest:
    names = {label.replace("_", "-"): value for label, value in labels.items()}
    full = {f"{'' if '/' in label else 'conecta.gov.br/'}{label}": value for label, value in names.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": full}}


@pytest.mark.parametrize("labels", [{"agency": "saude"}, {"cnpj": "00394460005887"}, {"siorg": "1"}])
def test_a_namespace_becomes_an_agencys_by_who_is_entitled(
    mighty: Actor, entitled: Actor, labels: dict[str, str]
) -> None:
    assert AGENCIES_REFUSAL in mighty.creates(namespace(**labels))
    for actor in (entitled, ADMINISTRATOR, Actor("maria", "conecta:platform")):
        assert AGENCIES_REFUSAL not in actor.creates(namespace(**labels))
    assert entitled.creates(namespace(**labels)) == ""


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"labels": {"conecta.gov.br/agency": "saude"}}, id="another agency"),
        pytest.param({"labels": {"conecta.gov.br/agency": None}}, id="no agency"),
        pytest.param({"labels": {"conecta.gov.br/suspended": "true"}}, id="suspended"),
        pytest.param({"labels": {"conecta.gov.br/anything": "a"}}, id="another label of ours"),
        pytest.param({"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}, id="any pod"),
        pytest.param({"labels": {"pod-security.kubernetes.io/warn": "baseline"}}, id="fewer warnings"),
        pytest.param({"annotations": {"conecta.gov.br/agency-name": "Outro"}}, id="another name"),
    ],
)
def test_of_an_agencys_namespace_nobody_else_changes(
    mighty: Actor, entitled: Actor, home: str, patch: Manifest
) -> None:
    assert AGENCIES_REFUSAL in mighty.patches(f"namespace {home}", "", {"metadata": patch})
    for actor in (entitled, Actor("maria", "conecta:platform")):
        assert actor.patches(f"namespace {home}", "", {"metadata": patch}) == ""


def test_namespaces_are_otherwise_everybodys_who_may_write_them(mighty: Actor, home: str, nobodys: str) -> None:
    assert mighty.creates(namespace()) == ""
    assert (
        mighty.creates(but(namespace(), {"metadata.labels": {"pod-security.kubernetes.io/enforce": "baseline"}})) == ""
    )
    team = {"metadata": {"labels": {"team": "a"}, "annotations": {"a": "b"}}}
    for name in (home, nobodys):
        assert mighty.patches(f"namespace {name}", "", team) == ""
        assert mighty.does("delete", "namespace", name) == ""
