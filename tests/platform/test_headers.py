"""What a client says about itself in headers: nothing of it is believed, and nothing of it reaches a backend."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.gateway import HOP_BY_HOP_HEADERS, IDENTITY_HEADERS
from infra.settings import ClientAddressSettings
from sandbox.layout import Layout
from tests.support.application import Application, Gateway
from tests.support.echo_backend import echo_backend
from tests.support.kubectl import eventually
from tests.support.published import Published, published

CEP = "/api-cep/v1/consulta/cep/70040020"
FORGED = "forjado"
SPOOFED = (
    *IDENTITY_HEADERS,
    *HOP_BY_HOP_HEADERS,
    "x-conecta-agency",
    "x-conecta-scope",
    "x-envoy-original-path",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-retry-on",
    "x-envoy-max-retries",
    "x-envoy-decorator-operation",
    "x-ssl-client-s-dn",
    "ssl-client-subject-dn",
    "x-amzn-oidc-identity",
)


@pytest.fixture(scope="module")
def api(platform: Layout, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with (
        echo_backend(platform, tmp_path_factory.mktemp("echo")) as echo,
        published(gateway, echo.url) as api,
    ):
        eventually(lambda: api.application.call("GET", api.path()).status == 200)
        yield api


def received(api: Published, headers: dict[str, str]) -> list[tuple[str, str]]:
    answer = api.application.call("GET", api.path(), headers=headers)
    assert answer.status == 200, answer.data
    return [(name, value) for name, value in answer.json()["headers"]]


@pytest.mark.parametrize("name", sorted(SPOOFED))
def test_a_header_that_only_the_platform_may_send_never_passes(api: Published, name: str) -> None:
    assert [value for _, value in received(api, {name: FORGED}) if FORGED in value] == []


def test_a_backend_hears_of_the_connections_address_only(api: Published) -> None:
    headers = received(api, {"x-forwarded-for": "203.0.113.9, 198.51.100.7"})
    assert [value for name, value in headers if name == "x-forwarded-for"] == ["127.0.0.1"]


def test_a_request_has_a_new_id_whatever_the_client_says(api: Published) -> None:
    (told,) = [value for name, value in received(api, {"x-request-id": FORGED}) if name == "x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", told)


def test_headers_of_a_connection_stay_on_it(api: Published) -> None:
    names = {name for name, _ in received(api, {"connection": "x-secret, keep-alive", "x-secret": "1", "te": "gzip"})}
    assert names.isdisjoint({"connection", "x-secret", "keep-alive", "te"})


def test_no_other_protocol_gets_through(api: Published) -> None:
    names = {name for name, _ in received(api, {"connection": "upgrade", "upgrade": "websocket"})}
    assert names.isdisjoint({"connection", "upgrade"})


def test_a_client_can_not_take_the_gateways_own_headers_off(api: Published) -> None:
    answer = api.application.call("GET", api.path(), headers={"connection": "authorization"})
    assert answer.status in {400, 401}


def test_what_a_client_sends_besides_passes(api: Published) -> None:
    sent = {"x-cpf-usuario": "11144477735", "accept-language": "pt-BR", "x-orgao": "abc"}
    assert set(sent.items()) <= set(received(api, sent))


def seen_as(application: Application, forwarded: str) -> str:
    """The address that a refusal names."""
    answer = application.call("GET", CEP, headers={"x-forwarded-for": forwarded})
    assert answer.status == 403, answer.data
    (address,) = re.findall(r"sua chamada veio de (\S+)\. ", answer.json()["detail"])
    return str(address)


def test_a_forged_x_forwarded_for_changes_nothing(cpf_light: Application) -> None:
    for forged in ("203.0.113.9", "203.0.113.9, 10.0.0.1", "::1", "nonsense", ""):
        assert seen_as(cpf_light, forged) == "127.0.0.1"


@pytest.mark.parametrize(
    ("settings", "forwarded", "address"),
    [
        pytest.param({"trustedProxies": 1}, "198.51.100.1, 203.0.113.9", "203.0.113.9", id="one proxy"),
        pytest.param({"trustedProxies": 2}, "192.0.2.1, 198.51.100.1, 203.0.113.9", "198.51.100.1", id="two proxies"),
        pytest.param({"trustedProxies": 1}, "2001:db8::7", "2001:db8::7", id="IPv6 behind a proxy"),
        pytest.param(
            {"trustedRanges": ["127.0.0.0/8"]}, "198.51.100.1, 203.0.113.9", "203.0.113.9", id="a proxy in the range"
        ),
        pytest.param(
            {"trustedRanges": ["127.0.0.0/8", "203.0.113.0/24"]},
            "198.51.100.1, 203.0.113.9",
            "198.51.100.1",
            id="two proxies in ranges",
        ),
        pytest.param({"trustedRanges": ["192.0.2.0/24"]}, "203.0.113.9", "127.0.0.1", id="no proxy at all"),
    ],
)
def test_proxies_are_believed_as_the_setting_says(
    cpf_light: Application,
    believing: Callable[[ClientAddressSettings], None],
    settings: dict[str, Any],
    forwarded: str,
    address: str,
) -> None:
    clients = ClientAddressSettings.model_validate_json(json.dumps(settings))
    believing(clients)
    eventually(lambda: seen_as(cpf_light, forwarded) == address)


def test_nothing_else_of_a_client_is_believed_behind_a_proxy(
    api: Published, believing: Callable[[ClientAddressSettings], None]
) -> None:
    believing(ClientAddressSettings.model_validate({"trustedProxies": 1}))
    eventually(lambda: any("203.0.113.9" in value for _, value in received(api, {"x-forwarded-for": "203.0.113.9"})))
    for name in ("x-request-id", "x-forwarded-client-cert", "x-forwarded-proto", "x-envoy-original-path"):
        assert [value for _, value in received(api, {name: FORGED}) if FORGED in value] == []
