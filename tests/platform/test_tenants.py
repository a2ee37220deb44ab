"""What people of agencies may write that comes to nothing, and how much they may write."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from conecta_operator.api.objects import Manifest
from infra.layer import POD_SECURITY
from infra.settings import LimitSettings
from infra.tenancy import quota
from sandbox.layout import Layout
from tests.support.kubectl import agency_namespace, apply, condition, eventually, find, get, kubectl, wait_ready
from tests.support.tenant_people import TenantPeople, tenant_people
from tests.support.tenant_rows import grant, provider_api


@pytest.fixture(scope="module")
def people(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TenantPeople]:
    with tenant_people(platform, tmp_path_factory.mktemp("people")) as people:
        yield people


@pytest.fixture
def written(platform: Layout) -> Iterator[list[tuple[str, str]]]:  # noqa: ARG001 - it has to be up
    """Kind and name of what a test writes in Saúde's namespace; taken away afterwards."""
    made: list[tuple[str, str]] = []
    yield made
    for kind, name in reversed(made):
        kubectl("delete", kind, name, "-n", "saude", "--ignore-not-found", "--timeout=60s")


def write(people: TenantPeople, who: str, manifest: Manifest, made: list[tuple[str, str]]) -> Manifest:
    done = people[who].kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(manifest))
    assert done.returncode == 0, done.stderr
    made.append((manifest["kind"].lower(), manifest["metadata"]["name"]))
    stored: Manifest = json.loads(done.stdout)
    return stored


def test_whoever_names_anothers_api_waits_for_its_provider(
    people: TenantPeople, written: list[tuple[str, str]]
) -> None:
    apply(provider_api("receita", "guarded"))
    try:
        asked = grant("saude", "hopeful", apiRef={"namespace": "receita", "name": "guarded"})
        write(people, "rui", asked | {"status": {"approval": {"decision": "Approved"}}}, written)
        eventually(lambda: condition(get("conectagrant", "saude", "hopeful"), "Approved").get("reason") == "Pending")
        assert "approval" not in get("conectagrant", "saude", "hopeful")["status"]
        assert find("secret", "saude", "hopeful-conecta") is None
    finally:
        kubectl("delete", "conectagrant", "hopeful", "-n", "saude", "--timeout=60s")
        kubectl("delete", "conectaapi", "guarded", "-n", "receita", "--timeout=60s")


def test_whoever_takes_anothers_base_path_serves_nothing(people: TenantPeople, written: list[tuple[str, str]]) -> None:
    write(people, "bia", provider_api("saude", "cep", basePath="/api-cep/v1"), written)
    eventually(lambda: condition(get("conectaapi", "saude", "cep"), "Accepted").get("reason") == "Conflicted")
    assert find("httproute", "saude", "cep") is None
    assert condition(get("conectaapi", "receita", "cep"), "Ready")["status"] == "True"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://backend.receita.svc.cluster.local", id="a Service of another by its name in the cluster"),
        pytest.param("https://kubernetes.default.svc", id="the API server"),
        pytest.param("https://169.254.169.254/latest/meta-data", id="the cloud's metadata"),
    ],
)
def test_whoever_points_a_backend_at_anothers_service_serves_nothing(
    people: TenantPeople, written: list[tuple[str, str]], url: str
) -> None:
    write(people, "bia", provider_api("saude", "pointer", backend={"url": url}), written)
    eventually(lambda: condition(get("conectaapi", "saude", "pointer"), "Accepted").get("status") == "False")
    assert find("httproute", "saude", "pointer") is None


def test_a_secret_of_ones_own_that_has_the_type_of_ours_is_left_alone_and_stands_in_for_nothing(
    people: TenantPeople, written: list[tuple[str, str]]
) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": "saude", "name": "lookalike-conecta"},
        "type": "servicebinding.io/oauth2",
        "stringData": {"type": "oauth2", "provider": "conecta", "client-id": "a", "client-secret": "b"},
    }
    stored = write(people, "eva", secret, written)
    write(people, "rui", grant("saude", "lookalike"), written)
    eventually(
        lambda: condition(get("conectagrant", "saude", "lookalike"), "CredentialsReady").get("reason") == "Conflicted"
    )
    assert get("secret", "saude", "lookalike-conecta")["data"] == stored["data"]


@pytest.mark.usefixtures("platform")
def test_a_route_in_a_namespace_of_no_agency_is_not_attached() -> None:
    """Where no guard stands, the Gateway itself lets nobody in."""
    name = f"nobodys-{secrets.token_hex(3)}"
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"namespace": name, "name": "intruder"},
        "spec": {"parentRefs": [{"name": "conecta", "namespace": "conecta-gateway"}]},
    }
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, route)
    try:

        def refused() -> bool:
            parents = get("httproute", name, "intruder").get("status", {}).get("parents", [])
            return [condition({"status": each}, "Accepted").get("reason") for each in parents] == [
                "NotAllowedByListeners"
            ]

        eventually(refused)
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


# Limits


@pytest.fixture(scope="module")
def small(platform: Layout) -> Iterator[str]:  # noqa: ARG001 - it has to be up
    """A namespace of an agency that may hold one API and one grant."""
    with agency_namespace("pequena") as name:
        kubectl("label", "namespace", name, *(f"{label}={value}" for label, value in POD_SECURITY.items()))
        hard = quota(LimitSettings(apis=1, grants=1))
        metadata = {"namespace": name, "name": "conecta"}
        apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}})
        eventually(
            lambda: get("resourcequota", name, "conecta").get("status", {}).get("used", {}).keys() == hard.keys()
        )
        yield name


def test_a_full_namespace_takes_no_further_object_and_gets_all_that_the_operator_writes(small: str) -> None:
    tls = {"caCertificateRef": {"name": "kube-root-ca.crt"}}
    url = "https://demo-backend.localhost:9543/cep"
    apply(provider_api(small, "one", backend={"url": url, "tls": tls}, access={"approval": "Automatic"}))
    apply(grant(small, "one", apiRef={"namespace": small, "name": "one"}))
    for kind, manifest in (("conectaapis", provider_api(small, "two")), ("conectagrants", grant(small, "two"))):
        refused = kubectl("create", "-f", "-", stdin=json.dumps(manifest), check=False)
        assert f"exceeded quota: conecta, requested: count/{kind}.conecta.gov.br=1" in refused.stderr
        assert f"limited: count/{kind}.conecta.gov.br=1" in refused.stderr
    wait_ready("conectaapi", small, "one")
    wait_ready("conectagrant", small, "one")
    assert get("secret", small, "one-conecta")["type"] == "servicebinding.io/oauth2"


def test_what_goes_makes_room(small: str) -> None:
    kubectl("delete", "conectagrant", "--all", "-n", small, "--timeout=60s")
    eventually(lambda: kubectl("create", "-f", "-", stdin=json.dumps(grant(small, "other"))))


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("namespace", ["receita", "saude"])
def test_every_agencys_namespace_has_the_limits_of_the_settings(namespace: str) -> None:
    found = get("resourcequota", namespace, "conecta")
    assert found["status"]["hard"] == quota(LimitSettings())
    assert found["status"]["used"].keys() == quota(LimitSettings()).keys()
    assert get("limitrange", namespace, "conecta")["spec"]["limits"][0]["default"]["memory"] == "256Mi"


def test_a_harmless_pod_that_says_nothing_of_its_size_gets_one(people: TenantPeople) -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": "saude", "name": "harmless"},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "image": "a.example/a", "securityContext": context}],
        },
    }
    done = people["eva"].kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(pod))
    assert (done.returncode, done.stderr) == (0, "")
    [container] = json.loads(done.stdout)["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"memory": "256Mi"},
        "requests": {"cpu": "100m", "memory": "256Mi"},
    }


def test_people_of_an_agency_do_what_is_theirs(people: TenantPeople, tmp_path: Path) -> None:
    """The table would be worth nothing if nobody could do anything."""
    for who, manifest in (("bia", provider_api("saude", "own")), ("rui", grant("saude", "own"))):
        file = tmp_path / "own.json"
        file.write_text(json.dumps(manifest))
        done = people[who].kubectl("create", "--dry-run=server", "-f", str(file))
        assert done.returncode == 0, done.stderr
    assert people["rui"].kubectl("get", "secret", "agendamento-cep-conecta", "-n", "saude").returncode == 0
    assert people["ana"].kubectl("get", "conectagrants", "-n", "saude").returncode == 0
