"""The operator at work on the real platform: conflicts, damage, loss, withdrawal."""

import base64
import copy
import uuid

import pytest

from conecta_operator.api.objects import Manifest
from tests.support.application import Application, Gateway, key_in
from tests.support.kubectl import agency_namespace, apply, condition, eventually, find, get, kubectl, wait_ready
from tests.support.tokens import IssuerAdmin

REPAIR = 5
"""Seconds within which damage is repaired."""


pytestmark = pytest.mark.usefixtures("platform")


def an_api(namespace: str, *, name: str | None = None, base_path: str | None = None) -> Manifest:
    spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"])
    if base_path:
        spec["basePath"] = base_path
    name = name or f"cep-{uuid.uuid4().hex[:6]}"
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaApi",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def a_grant(namespace: str, api: Manifest, **credential: str) -> Manifest:
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {"name": f"uso-{uuid.uuid4().hex[:6]}", "namespace": namespace},
        "spec": {
            "apiRef": {"namespace": api["metadata"]["namespace"], "name": api["metadata"]["name"]},
            "application": {"name": "teste"},
            "credential": credential,
        },
    }


class Granted:
    """A fresh API, a grant on it, and the application that uses it."""

    def __init__(self, gateway: Gateway, provider: str, receiver: str, **credential: str) -> None:
        self.api = an_api(provider)
        self.grant = a_grant(receiver, self.api, **credential)
        apply(self.api, self.grant)
        self.name, self.receiver, self.provider = self.grant["metadata"]["name"], receiver, provider
        self.secret = credential.get("secretName", f"{self.name}-conecta")
        self.gateway = gateway
        wait_ready("conectaapi", provider, self.api["metadata"]["name"])
        wait_ready("conectagrant", receiver, self.name)

    @property
    def path(self) -> str:
        return f"/api-{self.api['metadata']['name']}/v1/consulta/cep/70040020"

    @property
    def application(self) -> Application:
        return Application(self.gateway, key_in(self.receiver, self.secret))

    def status(self, application: Application, token: str | None = None) -> int:
        return application.call("GET", self.path, token=token).status

    def delete_api_with_its_grants(self) -> None:
        name = self.api["metadata"]["name"]
        kubectl("annotate", "conectaapi", name, "-n", self.provider, "conecta.gov.br/withdraw-grants=true")
        kubectl("delete", "conectaapi", name, "-n", self.provider, "--timeout=30s")

    def delete_grant(self) -> None:
        kubectl("delete", "conectagrant", self.name, "-n", self.receiver, "--timeout=30s")


@pytest.fixture
def granted(gateway: Gateway, provider: str, receiver: str) -> Granted:
    made = Granted(gateway, provider, receiver)
    eventually(lambda: made.status(made.application) == 200)
    return made


def test_two_apis_claiming_one_base_path_the_oldest_wins(gateway: Gateway, granted: Granted, provider: str) -> None:
    """The other says Conflicted, serves nothing, and takes over when the oldest is gone."""
    path = f"/api-{granted.api['metadata']['name']}/v1"
    rival = an_api(provider, base_path=path)
    name = rival["metadata"]["name"]
    apply(rival)
    eventually(lambda: condition(get("conectaapi", provider, name), "Accepted").get("reason") == "Conflicted")
    assert condition(get("conectaapi", provider, name), "Ready")["status"] == "False"
    assert find("httproute", provider, name) is None
    assert granted.status(granted.application) == 200
    granted.delete_api_with_its_grants()
    wait_ready("conectaapi", provider, name)
    eventually(lambda: gateway.request("GET", f"{path}/consulta/cep/70040020").status == 401)


@pytest.mark.parametrize("kind", ["httproute", "securitypolicy", "backend", "backendtlspolicy"])
def test_a_deleted_object_is_back(granted: Granted, kind: str) -> None:
    name = granted.api["metadata"]["name"]
    uid = get(kind, granted.provider, name)["metadata"]["uid"]
    kubectl("delete", kind, name, "-n", granted.provider, "--wait=false")
    eventually(
        lambda: (find(kind, granted.provider, name) or {}).get("metadata", {}).get("uid") not in {None, uid}, REPAIR
    )
    wait_ready("conectaapi", granted.provider, name)
    eventually(lambda: granted.status(granted.application) == 200)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        pytest.param("securitypolicy", '{"spec":{"authorization":{"defaultAction":"Allow","rules":[]}}}', id="opened"),
        pytest.param("securitypolicy", '{"spec":{"jwt":{"optional":true}}}', id="token made optional"),
        pytest.param("httproute", '{"spec":{"hostnames":["elsewhere.example"]}}', id="host added"),
        pytest.param(
            "httproute",
            '{"spec":{"rules":[{"matches":[{"path":{"type":"Exact","value":"/x"}}]}]}}',
            id="rules replaced",
        ),
        pytest.param("httproute", '{"metadata":{"labels":null}}', id="labels removed"),
        pytest.param(
            "backend", '{"spec":{"endpoints":[{"fqdn":{"hostname":"evil.example.com","port":443}}]}}', id="elsewhere"
        ),
        pytest.param("backendtlspolicy", '{"spec":{"validation":{"hostname":"evil.example.com"}}}', id="renamed"),
    ],
)
def test_an_edited_object_is_as_it_was(granted: Granted, kind: str, patch: str) -> None:
    name = granted.api["metadata"]["name"]
    before = get(kind, granted.provider, name)
    kubectl("patch", kind, name, "-n", granted.provider, "--type=merge", "-p", patch)

    def restored() -> bool:
        now = get(kind, granted.provider, name)
        return (now["spec"], now["metadata"].get("labels")) == (before["spec"], before["metadata"]["labels"])

    eventually(restored, REPAIR)
    wait_ready("conectaapi", granted.provider, name)


def test_a_client_that_the_issuer_lost_is_back_with_the_same_id_and_secret(
    granted: Granted, issuer: IssuerAdmin
) -> None:
    application = granted.application
    issuer.delete_client(application.key.client_id)
    kubectl("annotate", "conectagrant", granted.name, "-n", granted.receiver, "look=again")
    eventually(lambda: issuer.client(application.key.client_id) is not None, 40)
    assert granted.application.key == application.key
    assert granted.status(application) == 200


@pytest.mark.parametrize("damage", ["deleted", "secret altered", "id altered", "emptied"])
def test_a_secret_that_is_lost_or_altered_gets_a_new_key_and_the_old_one_goes_on(granted: Granted, damage: str) -> None:
    old = granted.application
    _damage(granted, damage)

    def replaced() -> bool:
        key = key_in(granted.receiver, granted.secret) if find("secret", granted.receiver, granted.secret) else None
        return key is not None and key.client_id.endswith("-2")

    eventually(lambda: _no_error(replaced), REPAIR)
    assert granted.status(granted.application) == 200
    assert granted.status(old) == 200, "the old key works for the overlap"
    keys = get("conectagrant", granted.receiver, granted.name)["status"]["keys"]
    assert [(key["clientId"][-2:], key["state"]) for key in keys] == [("-1", "Retiring"), ("-2", "Active")]


def _no_error(check: object) -> bool:
    try:
        return bool(check())  # type: ignore[operator]
    except KeyError:
        return False


def _damage(granted: Granted, damage: str) -> None:
    text = base64.b64encode(b"x" * 43).decode()
    if damage == "deleted":
        kubectl("delete", "secret", granted.secret, "-n", granted.receiver)
        return
    patches = {
        "secret altered": f'{{"data":{{"client-secret":"{text}"}}}}',
        "id altered": f'{{"data":{{"client-id":"{text}"}}}}',
        "emptied": '{"data":null}',
    }
    kubectl("patch", "secret", granted.secret, "-n", granted.receiver, "--type=merge", "-p", patches[damage])


def test_a_replaced_key_ends_with_the_overlap(
    gateway: Gateway, provider: str, receiver: str, issuer: IssuerAdmin
) -> None:
    granted = Granted(gateway, provider, receiver, overlap="4s")
    old = granted.application
    kubectl("delete", "secret", granted.secret, "-n", receiver)
    eventually(lambda: issuer.client(old.key.client_id) is None, 20)
    assert granted.status(granted.application) == 200


def test_a_foreign_secret_is_never_touched(granted: Granted, receiver: str) -> None:
    foreign = f"minha-{uuid.uuid4().hex[:6]}"
    kubectl("create", "secret", "generic", foreign, "-n", receiver, "--from-literal=a=b")
    before = get("secret", receiver, foreign)
    grant = a_grant(receiver, granted.api, secretName=foreign)
    apply(grant)
    name = grant["metadata"]["name"]
    eventually(lambda: condition(get("conectagrant", receiver, name), "CredentialsReady").get("reason") == "Conflicted")
    assert get("secret", receiver, foreign) == before
    kubectl("delete", "conectagrant", name, "-n", receiver, "--timeout=30s")
    assert get("secret", receiver, foreign) == before


def test_a_grant_gets_its_key_soon_after_a_foreign_secret_is_gone(granted: Granted, receiver: str) -> None:
    """Also one of a type that nobody watches."""
    foreign = f"minha-{uuid.uuid4().hex[:6]}"
    kubectl("create", "secret", "generic", foreign, "-n", receiver, "--from-literal=a=b")
    grant = a_grant(receiver, granted.api, secretName=foreign)
    apply(grant)
    name = grant["metadata"]["name"]
    eventually(lambda: condition(get("conectagrant", receiver, name), "CredentialsReady").get("reason") == "Conflicted")
    kubectl("delete", "secret", foreign, "-n", receiver)
    wait_ready("conectagrant", receiver, name, seconds=45)
    assert key_in(receiver, foreign).secret


def test_deleting_a_grant_ends_client_secret_and_access(granted: Granted, issuer: IssuerAdmin) -> None:
    """Also the access of a token that is still valid."""
    application = granted.application
    token = application.token()
    granted.delete_grant()
    assert issuer.client(application.key.client_id) is None
    eventually(lambda: find("secret", granted.receiver, granted.secret) is None)
    eventually(lambda: granted.status(application, token) == 403, 2)
    answer = granted.gateway.token_answer(
        {"grant_type": "client_credentials"}, {"authorization": application.key.basic}
    )
    assert answer.status == 401


def test_deleting_an_api_ends_client_secret_and_access(granted: Granted, issuer: IssuerAdmin) -> None:
    application = granted.application
    token = application.token()
    granted.delete_api_with_its_grants()
    eventually(lambda: issuer.client(application.key.client_id) is None)
    eventually(lambda: find("secret", granted.receiver, granted.secret) is None)
    eventually(lambda: granted.status(application, token) == 404)
    grant = get("conectagrant", granted.receiver, granted.name)
    assert condition(grant, "Approved")["reason"] == "ApiDeleted"
    assert condition(grant, "Ready")["status"] == "False"


def test_deleting_an_api_with_live_grants_waits_and_names_them(granted: Granted) -> None:
    """Calls go on meanwhile; when the last grant is gone, so is the API."""
    name = granted.api["metadata"]["name"]
    kubectl("delete", "conectaapi", name, "-n", granted.provider, "--wait=false")
    eventually(lambda: condition(get("conectaapi", granted.provider, name), "Ready").get("reason") == "Deleting")
    message = condition(get("conectaapi", granted.provider, name), "Ready")["message"]
    assert f"{granted.receiver}/{granted.name}" in message
    assert granted.status(granted.application) == 200
    granted.delete_grant()
    eventually(lambda: find("conectaapi", granted.provider, name) is None)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_is_taken_by_either_spelling_of_its_type_and_by_nothing_else(granted: Granted, scheme: str) -> None:
    """The token endpoint itself spells it `bearer`. A token in a URL would be logged, so it counts for nothing."""
    token = granted.application.token()
    headers = {"authorization": f"{scheme} {token}"}
    assert granted.gateway.request("GET", granted.path, headers=headers).status == 200
    assert granted.gateway.request("GET", f"{granted.path}?access_token={token}").status == 401


def test_an_api_deleted_in_the_foreground_waits_all_the_same(granted: Granted) -> None:
    """Kubernetes takes away what was written for it, once; the operator puts it back until the last grant is gone."""
    name = granted.api["metadata"]["name"]
    kubectl("delete", "conectaapi", name, "-n", granted.provider, "--cascade=foreground", "--wait=false")
    eventually(lambda: condition(get("conectaapi", granted.provider, name), "Ready").get("reason") == "Deleting")
    eventually(lambda: granted.status(granted.application) == 200, 30)
    granted.delete_grant()
    eventually(lambda: find("conectaapi", granted.provider, name) is None, 30)
    eventually(lambda: find("httproute", granted.provider, name) is None)


def test_withdrawn_consent_ends_access_and_new_consent_gives_a_new_key(granted: Granted) -> None:
    old, name = granted.application, granted.api["metadata"]["name"]
    token = old.token()
    manual, automatic = ('{"spec":{"access":{"approval":"' + word + '"}}}' for word in ("Manual", "Automatic"))
    kubectl("patch", "conectaapi", name, "-n", granted.provider, "--type=merge", "-p", manual)
    eventually(lambda: granted.status(old, token) == 403)
    eventually(lambda: find("secret", granted.receiver, granted.secret) is None)
    kubectl("patch", "conectaapi", name, "-n", granted.provider, "--type=merge", "-p", automatic)
    wait_ready("conectagrant", granted.receiver, granted.name)
    assert granted.application.key.client_id != old.key.client_id
    eventually(lambda: granted.status(granted.application) == 200)
    assert granted.status(old, token) == 403


def test_a_grant_on_an_api_with_manual_approval_waits(provider: str, receiver: str, granted: Granted) -> None:
    api = an_api(provider)
    api["spec"]["access"]["approval"] = "Manual"
    grant = a_grant(receiver, api)
    apply(api, grant)
    name = grant["metadata"]["name"]
    eventually(lambda: condition(get("conectagrant", receiver, name), "Approved").get("reason") == "Pending")
    assert find("secret", receiver, f"{name}-conecta") is None
    assert granted.status(granted.application) == 200


def test_an_api_waits_for_what_it_refers_to(provider: str) -> None:
    api = an_api(provider)
    api["spec"]["backend"]["tls"]["caCertificateRef"]["name"] = "ca-da-receita"
    name = api["metadata"]["name"]
    apply(api)
    eventually(lambda: condition(get("conectaapi", provider, name), "ResolvedRefs").get("reason") == "RefNotFound")
    ca = get("configmap", provider, "kube-root-ca.crt")["data"]["ca.crt"]
    apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "ca-da-receita", "namespace": provider},
            "data": {"ca.crt": ca},
        }
    )
    wait_ready("conectaapi", provider, name)


def test_an_api_in_a_namespace_of_no_agency_is_told_so() -> None:
    namespace = f"ninguem-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", namespace)
    api = an_api(namespace)
    apply(api)
    name = api["metadata"]["name"]
    eventually(lambda: condition(get("conectaapi", namespace, name), "Accepted").get("reason") == "NotAnAgency")
    kubectl("delete", "namespace", namespace, "--wait=false")


def test_deleting_a_namespace_ends_its_grants_and_never_hangs(
    gateway: Gateway, provider: str, issuer: IssuerAdmin
) -> None:
    with agency_namespace("breve") as namespace:
        granted = Granted(gateway, provider, namespace)
        client_id = granted.application.key.client_id
        kubectl("delete", "namespace", namespace, "--timeout=60s")
    assert issuer.client(client_id) is None


def test_a_converged_platform_writes_nothing(granted: Granted) -> None:
    """Looking again, which a relabelled grant and API bring about, changes no object."""
    kinds = (
        "conectaapis,conectagrants,httproutes,httproutefilters,securitypolicies,backends,backendtlspolicies,secrets,"
        "configmaps"
    )

    def versions() -> str:
        template = "{range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}\n{end}"
        return "\n".join(
            kubectl("get", kinds, "-n", namespace, "-o", f"jsonpath={template}").stdout
            for namespace in (granted.provider, granted.receiver)
        )

    eventually(lambda: condition(get("conectagrant", granted.receiver, granted.name), "Ready")["status"] == "True")
    kubectl("label", "conectagrant", granted.name, "-n", granted.receiver, "look=again")
    kubectl("label", "conectaapi", granted.api["metadata"]["name"], "-n", granted.provider, "look=again")
    before = versions()
    with pytest.raises(AssertionError, match="still not so"):
        eventually(lambda: versions() != before, 3)
