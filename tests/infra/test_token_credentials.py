"""The script of the token route, run by a real Envoy."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from infra.issuer import CREDENTIALS
from tests.support.scripted_envoy import ScriptedEnvoy, scripted_envoy

FORM = "application/x-www-form-urlencoded"
GRANT = "grant_type=client_credentials"
SECRET = "a secret+/:%&=ç"
ENCODED = quote(SECRET, safe="")


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedEnvoy]:
    with scripted_envoy(tmp_path_factory.mktemp("g"), CREDENTIALS.read_text(encoding="utf-8")) as running:
        yield running


def asked(gateway: ScriptedEnvoy, body: str, **headers: str) -> tuple[list[str], str]:
    """What reaches the issuer: the Authorization headers, and the body."""
    received = gateway.post(body.encode(), [*{"content-type": FORM, **headers}.items()])
    return received.values("authorization"), received.body


def test_credentials_of_the_body_become_the_header(gateway: ScriptedEnvoy) -> None:
    """They stay form-encoded, as the header wants them."""
    sent = f"{GRANT}&client_id=app-1&client_secret={ENCODED}"
    assert asked(gateway, sent) == ([basic("app-1", ENCODED)], GRANT)


def test_a_header_alone_stays_as_it_is(gateway: ScriptedEnvoy) -> None:
    assert asked(gateway, GRANT, authorization=basic("app-1", ENCODED)) == ([basic("app-1", ENCODED)], GRANT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{GRANT}&client_id=app-1&client_secret={ENCODED}", id="the same in the body"),
        pytest.param(f"client_id=app-1&{GRANT}&client_secret={ENCODED}", id="in another order"),
        pytest.param(f"client_secret=other&client_id=other&{GRANT}", id="others in the body"),
        pytest.param(f"client_id=app-1&{GRANT}", id="the id alone in the body"),
    ],
)
def test_with_both_the_header_counts_and_the_body_has_none(gateway: ScriptedEnvoy, body: str) -> None:
    assert asked(gateway, body, authorization=basic("app-1", ENCODED)) == ([basic("app-1", ENCODED)], GRANT)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(GRANT, id="no credentials"),
        pytest.param(f"{GRANT}&client_id=app-1", id="an id without a secret"),
        pytest.param(f"{GRANT}&client_id=a&client_id=b&client_secret=s", id="an id sent twice"),
        pytest.param(f"{GRANT}&client_id=a&client_secret=s&client_secret=t", id="a secret sent twice"),
        pytest.param(f"client_id=a&client_secret=s&x={'x' * 8192}", id="longer than any true request"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_incomplete_or_ambiguous_is_left_to_the_issuer_to_refuse(gateway: ScriptedEnvoy, body: str) -> None:
    assert asked(gateway, body) == ([], body)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-Urlencoded"]
)
def test_a_form_is_one_however_its_type_is_written(gateway: ScriptedEnvoy, content_type: str) -> None:
    body = f"{GRANT}&client_id=a&client_secret=s"
    assert asked(gateway, body, **{"content-type": content_type}) == ([basic("a", "s")], GRANT)


def test_what_is_no_form_is_left_alone(gateway: ScriptedEnvoy) -> None:
    body = f"{GRANT}&client_id=a&client_secret=s"
    assert asked(gateway, body, **{"content-type": "text/plain"}) == ([], body)


def test_other_parameters_are_kept_in_their_order(gateway: ScriptedEnvoy) -> None:
    body = f"b=2&client_id=a&scope=receita%2Fcep&client_secret=s&{GRANT}&a=1"
    assert asked(gateway, body) == ([basic("a", "s")], f"b=2&scope=receita%2Fcep&{GRANT}&a=1")
