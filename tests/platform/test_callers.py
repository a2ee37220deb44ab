"""Who a call is from: the gateway finds it in the verified token, and tells rules, log and backend; nobody else can."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from infra.gateway import callers
from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN
from tests.support.application import Application, Gateway
from tests.support.echo_backend import echo_backend
from tests.support.kubectl import apply, eventually, get
from tests.support.published import Published, published
from tests.support.tokens import claims_of


@pytest.fixture(scope="module")
def api(platform: Layout, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with (
        echo_backend(platform, tmp_path_factory.mktemp("echo")) as echo,
        published(gateway, echo.url) as api,
    ):
        eventually(lambda: api.application.call("GET", api.path()).status == 200)
        yield api


def received(api: Published, *sent: tuple[str, str]) -> dict[str, list[str]]:
    answer = api.application.call("GET", api.path(), headers=dict(sent))
    assert answer.status == 200, answer.data
    values: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        values.setdefault(name, []).append(value)
    return values


def test_the_backend_is_told_agency_application_grant_and_request_id(api: Published) -> None:
    answer = api.application.call("GET", api.path())
    told = {name: value for name, value in answer.json()["headers"] if name.startswith("x-")}
    grant = get("conectagrant", api.namespace, api.name)["metadata"]["uid"][:8]
    expected = {"agency": api.namespace, "application": "teste", "grant": grant}
    assert {name: told[f"x-conecta-{name}"] for name in expected} == expected
    assert uuid.UUID(told["x-request-id"]).version == 4


def test_the_backend_gets_neither_the_token_nor_what_filters_tell_each_other(api: Published) -> None:
    names = set(received(api))
    assert {name for name in names if name.startswith("x-conecta-")} == {
        "x-conecta-agency",
        "x-conecta-application",
        "x-conecta-grant",
    }
    assert "authorization" not in names


@pytest.mark.parametrize("name", ["agency", "application", "grant", "scope", "repeated", "anything"])
def test_what_a_client_says_about_itself_is_not_passed_on(api: Published, name: str) -> None:
    values = received(api, (f"X-Conecta-{name.title()}", "forjado"))
    assert "forjado" not in str(values)


def test_a_call_that_nobody_tells_of_is_denied(api: Published) -> None:
    """Scopes of a token may be narrowed by who asks for it, and then say less than rules and log need."""
    scopes = scopes_of(api.application)
    for kind in ("agency:", "application:", "grant:"):
        kept = [scope for scope in scopes if not scope.startswith(kind)]
        token = narrowed(api.application, kept)
        assert api.application.call("GET", api.path(), token=token).status == 403, kind
    assert api.application.call("GET", api.path(), token=narrowed(api.application, scopes)).status == 200


def scopes_of(application: Application) -> list[str]:
    return str(claims_of(application.token())["scope"]).split()


def narrowed(application: Application, scopes: list[str]) -> str:
    form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
    answer = application.gateway.token_answer(form, {"authorization": application.key.basic})
    assert answer.status == 200, answer.data
    return str(answer.json()["access_token"])


def test_the_script_comes_after_the_token_is_verified_and_before_anything_is_decided(api: Published) -> None:
    assert api.name
    (manager,) = connection_managers()
    filters = [part["name"].removeprefix("envoy.filters.http.") for part in manager["http_filters"]]
    script = filters.index("lua/envoyextensionpolicy/conecta-gateway/conecta/lua/0")
    deciding = [index for index, name in enumerate(filters) if name == "rbac" or "ratelimit" in name]
    assert filters.index("jwt_authn") < script < min(deciding)


def test_a_route_is_chosen_once_for_a_call(api: Published) -> None:
    """By default, Envoy would choose again for each call whose headers a script changes."""
    assert api.name
    (manager,) = connection_managers()
    (script,) = [part["typed_config"] for part in manager["http_filters"] if part["name"].endswith("/conecta/lua/0")]
    assert script["clear_route_cache"] is False


def test_tokens_that_were_verified_are_remembered(api: Published) -> None:
    assert api.name
    (manager,) = connection_managers()
    (verifier,) = [part["typed_config"] for part in manager["http_filters"] if part["name"].endswith("jwt_authn")]
    assert verifier["providers"]
    for provider in verifier["providers"].values():
        assert provider["jwt_cache_config"] == {"jwt_cache_size": 2000}


def connection_managers() -> list[dict[str, Any]]:
    """What Envoy goes by in the listeners that take routes."""
    address = f"http://127.0.0.1:{ENVOY_ADMIN}/config_dump?resource=dynamic_listeners"
    listeners = json.loads(urllib3.request("GET", address, timeout=10).data)["configs"]
    chains = [chain for listener in listeners for chain in listener["active_state"]["listener"]["filter_chains"]]
    managers = [part["typed_config"] for chain in chains for part in chain["filters"]]
    return [manager for manager in managers if "rds" in manager]


def test_a_script_that_fails_lets_nobody_in(api: Published) -> None:
    before = get("envoyextensionpolicy", "conecta-gateway", "conecta")
    token = api.application.token()
    broken = callers(None)
    broken["lua"][0]["inline"] = 'function envoy_on_request(request)\n  error("broken")\nend\n'
    try:
        put(before, broken)
        eventually(lambda: api.application.call("GET", api.path(), token=token).status == 403)
        forged = {"x-conecta-grant": "0a1b2c3d", "x-conecta-agency": "saude", "x-conecta-application": "x"}
        assert api.application.call("GET", api.path(), token=token, headers=forged).status == 403
    finally:
        put(before, before["spec"])
    eventually(lambda: api.application.call("GET", api.path(), token=token).status == 200)


def put(policy: dict[str, Any], spec: Any) -> None:
    metadata = {"name": "conecta", "namespace": "conecta-gateway"}
    apply({"apiVersion": policy["apiVersion"], "kind": policy["kind"], "metadata": metadata, "spec": spec})
