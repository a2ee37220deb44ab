"""What the admission policies let through, and whom they stop, before the real API server.

Whoever acts here has all rights that RBAC could ask for, so that nothing but a policy stands in the way. A write is a
trial (`dryRun`) where nothing else is said: the API server judges it like any other, and forgets it.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.changes import ABSENT, but
from tests.support.kubectl import agency_namespace, apply, eventually, find, get, kubectl
from tests.support.tenant_rows import KINDS
from tests.support.users import OPERATOR, ApiServer, User, done

ALMIGHTY: Final = {
    "apiGroups": ["", "gateway.networking.k8s.io", "gateway.envoyproxy.io", "networking.k8s.io"],
    "resources": ["*"],
    "verbs": ["*"],
}
"""All rights on whatever is guarded, and none on what the guards ask for."""
GENERATED_REFUSAL: Final = "in the namespace of an agency are written by the Conecta operator only"
OWNERSHIP_REFUSAL: Final = "a copy of your own goes without them"
AGENCIES_REFUSAL: Final = "are the platform team's to set"
LABELS: Final = {"conecta.gov.br/owner-kind": "ConectaGrant", "conecta.gov.br/owner-uid": "0"}


class Actors:
    """Who writes: some whom RBAC doesn't stop, and those whom the guards know."""

    def __init__(self, server: ApiServer) -> None:
        self.mighty = server.impersonated(f"mighty-{secrets.token_hex(3)}")
        """Has all rights on what is guarded."""
        self.entitled = server.impersonated(f"entitled-{secrets.token_hex(3)}")
        """Has these, and the rights that the guards ask for and that nothing else asks for."""
        self.administrator = server.administrator
        self.platform_team = server.impersonated("maria", "conecta:platform")
        self.operator = server.impersonated(OPERATOR)
        self.gateway = server.impersonated("system:serviceaccount:envoy-gateway-system:envoy-gateway")
        self.collector = server.impersonated(
            "system:serviceaccount:kube-system:generic-garbage-collector", "system:serviceaccounts:kube-system"
        )


@contextmanager
def bound(user: User, *rules: Manifest) -> Iterator[None]:
    """While this lasts, somebody has these rights everywhere."""
    group = "rbac.authorization.k8s.io"
    metadata = {"name": user.name}
    apply(
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": user.name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user.name}],
        },
    )
    eventually(lambda: user.create(made("v1", "ConfigMap", "default")).is_accepted)
    yield
    kubectl("delete", "clusterrole,clusterrolebinding", user.name)


@pytest.fixture(scope="module")
def actors(platform: Layout) -> Iterator[Actors]:
    server = ApiServer(platform)
    actors = Actors(server)
    asked = {"apiGroups": ["conecta.gov.br"], "resources": ["conectaapis/generated", "agencies"], "verbs": ["update"]}
    with bound(actors.mighty, ALMIGHTY), bound(actors.entitled, ALMIGHTY, asked):
        yield actors
    server.close()


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
    actors: Actors, home: str, nobodys: str, row: tuple[str, str, str, Manifest]
) -> None:
    version, kind, plural, spec = row
    manifest = made(version, kind, home, spec=spec)
    assert f"{plural} {GENERATED_REFUSAL}" in actors.mighty.create(manifest).words
    for actor in (actors.entitled, actors.administrator):
        # other policies and the kind's own rules may still find fault; not this one
        assert GENERATED_REFUSAL not in actor.create(manifest).words
    assert GENERATED_REFUSAL not in actors.mighty.create(but(manifest, {"metadata.namespace": nobodys})).words


def test_the_operator_writes_what_it_writes(actors: Actors, home: str) -> None:
    for version, kind, _, spec in KINDS:
        if kind in {"HTTPRoute", "BackendTLSPolicy", "SecurityPolicy", "Backend"}:
            assert GENERATED_REFUSAL not in actors.operator.create(made(version, kind, home, spec=spec)).words
    done(actors.operator.create(route(home)))


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
def test_of_what_the_operator_wrote_nobody_else_changes(actors: Actors, stored: Manifest, patch: Manifest) -> None:
    assert GENERATED_REFUSAL in actors.mighty.patch(stored, patch).words
    for actor in (actors.entitled, actors.administrator):
        done(actor.patch(stored, patch))
    changed = but(stored, {"spec.hostnames": ["c.example"]})
    assert GENERATED_REFUSAL in actors.mighty.put(changed).words
    done(actors.operator.put(changed))


def test_a_write_that_changes_nothing_passes(actors: Actors, stored: Manifest) -> None:
    done(actors.mighty.put(stored))


def test_the_gateway_reports_on_what_the_operator_wrote(actors: Actors, stored: Manifest) -> None:
    done(actors.gateway.put(but(stored, {"status": {"parents": []}}), part="status"))


def test_deletion_is_nobodys_concern(actors: Actors, stored: Manifest) -> None:
    done(actors.mighty.delete(stored))


def test_what_is_being_deleted_is_let_go_by_whoever_held_it(actors: Actors, stored: Manifest) -> None:
    home = stored["metadata"]["namespace"]
    kubectl("patch", "httproute", "guarded", "-n", home, "--type=merge", "-p",
            json.dumps({"metadata": {"finalizers": ["a.example/held"]}}))  # fmt: skip
    kubectl("delete", "httproute", "guarded", "-n", home, "--wait=false")
    assert GENERATED_REFUSAL in actors.mighty.patch(stored, {"spec": {"hostnames": ["b.example"]}}).words
    done(actors.mighty.patch(stored, {"metadata": {"finalizers": None}}, for_good=True))
    eventually(lambda: find("httproute", home, "guarded") is None)


def test_kubernetes_own_controllers_say_whose_an_object_is(actors: Actors, stored: Manifest) -> None:
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1", "blockOwnerDeletion": False}]
    done(actors.collector.patch(stored, {"metadata": {"ownerReferences": owners}}))


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
    actors: Actors, home: str, nobodys: str, labels: dict[str, str]
) -> None:
    for kind in ("Secret", "ConfigMap"):
        manifest = but(made("v1", kind, home), {"metadata.labels": labels})
        assert OWNERSHIP_REFUSAL in actors.mighty.create(manifest).words
        for actor in (actors.operator, actors.entitled, actors.administrator):
            done(actor.create(manifest))
        done(actors.mighty.create(but(manifest, {"metadata.namespace": nobodys})))


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({}, id="none"),
        pytest.param({"app.kubernetes.io/managed-by": "Helm"}, id="somebody else who manages it"),
        pytest.param({"conecta.gov.br/team": "a"}, id="a label of ours that says nothing of owners"),
    ],
)
def test_other_labels_are_everybodys(actors: Actors, home: str, kind: str, labels: dict[str, str]) -> None:
    done(actors.mighty.create(but(made("v1", kind, home), {"metadata.labels": labels})))


def test_the_configmap_by_which_the_gateway_knows_tokens_is_the_operators(
    actors: Actors, home: str, nobodys: str
) -> None:
    manifest = but(made("v1", "ConfigMap", home, data={"jwks": "{}"}), {"metadata.name": "conecta-jwks"})
    assert OWNERSHIP_REFUSAL in actors.mighty.create(manifest).words
    done(actors.mighty.create(but(manifest, {"metadata.namespace": nobodys})))
    done(actors.mighty.create(but(manifest, {"kind": "Secret", "data": ABSENT})))
    for actor in (actors.operator, actors.entitled):
        done(actor.create(manifest))
    assert (
        OWNERSHIP_REFUSAL
        in actors.mighty.patch(but(manifest, {"metadata.namespace": "receita"}), {"data": {"jwks": "{}"}}).words
    )


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
def test_of_what_bears_the_labels_nobody_else_changes(actors: Actors, key: Manifest, patch: Manifest) -> None:
    assert OWNERSHIP_REFUSAL in actors.mighty.patch(key, patch).words
    done(actors.entitled.patch(key, patch))
    done(actors.mighty.delete(key))
    done(actors.operator.put(but(key, {"data": {}})))


# Whose a namespace is


def namespace(name: str = "nova", **labels: str) -> Manifest:
    names = {label.replace("_", "-"): value for label, value in labels.items()}
    full = {f"{'' if '/' in label else 'conecta.gov.br/'}{label}": value for label, value in names.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": full}}


@pytest.mark.parametrize("labels", [{"agency": "saude"}, {"cnpj": "00394460005887"}, {"siorg": "1"}])
def test_a_namespace_becomes_an_agencys_by_who_is_entitled(actors: Actors, labels: dict[str, str]) -> None:
    assert AGENCIES_REFUSAL in actors.mighty.create(namespace(**labels)).words
    for actor in (actors.entitled, actors.administrator, actors.platform_team):
        assert AGENCIES_REFUSAL not in actor.create(namespace(**labels)).words
    done(actors.entitled.create(namespace(**labels)))


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
def test_of_an_agencys_namespace_nobody_else_changes(actors: Actors, home: str, patch: Manifest) -> None:
    assert AGENCIES_REFUSAL in actors.mighty.patch(namespace(home), {"metadata": patch}).words
    for actor in (actors.entitled, actors.platform_team):
        done(actor.patch(namespace(home), {"metadata": patch}))


def test_namespaces_are_otherwise_everybodys_who_may_write_them(actors: Actors, home: str, nobodys: str) -> None:
    done(actors.mighty.create(namespace()))
    enforced = {"pod-security.kubernetes.io/enforce": "baseline"}
    done(actors.mighty.create(but(namespace(), {"metadata.labels": enforced})))
    team = {"metadata": {"labels": {"team": "a"}, "annotations": {"a": "b"}}}
    for name in (home, nobodys):
        done(actors.mighty.patch(namespace(name), team))
        done(actors.mighty.delete(namespace(name)))
