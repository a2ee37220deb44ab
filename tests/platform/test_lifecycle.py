"""An API's way out: its answers say that it is deprecated, then the gateway says that it is gone."""

import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.support.application import Application, Gateway, key_in
from tests.support.echo_backend import Echo, echo_backend
from tests.support.kubectl import apply, eventually, get, wait_ready
from tests.support.published import published
from tests.support.routed import Routed

SUCCESSOR = "https://apigateway.conecta.example/api-eco/v2?idioma=pt%20br"
PAGE = "https://docs.receita.example/encerramento"


@pytest.fixture(scope="module")
def echo(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("echo")) as backend:
        yield backend


@pytest.fixture
def api(gateway: Gateway, echo: Echo) -> Iterator[Routed]:
    with published(gateway, echo.url, api={"documentation": {"url": PAGE}}) as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        yield routed


def test_a_published_api_says_nothing_of_its_end(api: Routed) -> None:
    assert api.call().headers.keys().isdisjoint({"deprecation", "sunset", "link"})


def test_every_answer_of_a_deprecated_api_says_since_when_until_when_and_what_instead(api: Routed) -> None:
    api.change(
        lifecycle={
            "stage": "Deprecated",
            "deprecatedAt": "2026-10-01T00:00:00-03:00",
            "sunset": "2027-07-01T00:00:00-03:00",
            "successor": SUCCESSOR,
        }
    )
    eventually(lambda: "deprecation" in api.call().headers)
    for rest, status in (("x", 200), ("status/404", 404), ("status/500", 500)):
        answer = api.call(rest)
        assert answer.status == status
        assert answer.headers["deprecation"] == f"@{int(datetime(2026, 10, 1, 3, tzinfo=UTC).timestamp())}"
        assert answer.headers["sunset"] == "Thu, 01 Jul 2027 03:00:00 GMT"
        assert email.utils.parsedate_to_datetime(answer.headers["sunset"]) == datetime(2027, 7, 1, 3, tzinfo=UTC)
        page, successor = answer.headers["link"].split(", ")
        assert page == f'<{PAGE}>; rel="deprecation sunset"; type="text/html"'
        assert successor == f'<{SUCCESSOR}>; rel="successor-version"'


def test_an_api_without_a_date_is_deprecated_since_it_was_first_seen_so(api: Routed) -> None:
    before = int(datetime.now(UTC).timestamp())
    api.change(lifecycle={"stage": "Deprecated"})
    eventually(lambda: "deprecation" in api.call().headers)
    since = int(api.call().headers["deprecation"].removeprefix("@"))
    assert before - 1 <= since <= int(datetime.now(UTC).timestamp())
    api.change(title="Outro título")
    assert api.call().headers["deprecation"] == f"@{since}"
    api.change(lifecycle={})
    eventually(lambda: "deprecation" not in api.call().headers)
    assert "deprecatedAt" not in api.manifest["status"]


def test_a_retired_api_is_gone_for_who_had_access_and_closed_for_others(
    api: Routed, echo: Echo, cep: Application
) -> None:
    api.change(lifecycle={"stage": "Retired", "successor": SUCCESSOR})
    eventually(lambda: api.call().status == 410)
    heard = len(echo.received)
    for answer in (api.call(), api.call("consulta/qualquer")):
        assert (answer.status, answer.headers["content-type"]) == (410, "application/problem+json")
        assert answer.json()["type"] == f"{GATEWAY_URL}/problemas/versao-encerrada"
        assert SUCCESSOR in answer.json()["detail"]
        assert f'<{SUCCESSOR}>; rel="successor-version"' in answer.headers["link"]
    assert api.api.application.gateway.request("GET", api.api.path()).status == 401
    assert cep.call("GET", api.api.path()).status == 403
    assert len(echo.received) == heard
    api.change(lifecycle={"stage": "Published"})
    eventually(lambda: api.call().status == 200)


def test_a_new_major_version_is_an_api_of_its_own_beside_the_old_one(api: Routed, echo: Echo) -> None:
    manifest, namespace = api.manifest, api.api.namespace
    name = f"{api.api.name}-v2"
    path = f"/api-{api.api.name}/v2"
    kind = {"apiVersion": "conecta.gov.br/v1alpha1"}
    spec = {**manifest["spec"], "version": "v2", "basePath": path}
    grant = {**get("conectagrant", namespace, api.api.name)["spec"], "apiRef": {"namespace": namespace, "name": name}}
    grant["application"] = {"name": "teste-v2"}
    grant.pop("credential", None)
    metadata = {"name": name, "namespace": namespace}
    apply(
        {**kind, "kind": "ConectaApi", "metadata": metadata, "spec": spec},
        {**kind, "kind": "ConectaGrant", "metadata": metadata, "spec": grant},
    )
    wait_ready("conectaapi", namespace, name)
    wait_ready("conectagrant", namespace, name)
    new = Application(api.api.application.gateway, key_in(namespace, f"{name}-conecta"))
    eventually(lambda: new.call("GET", f"{path}/x").status == 200)
    assert api.call().status == 200
    assert new.call("GET", api.api.path()).status == 403, "each version has keys of its own"
    api.change(lifecycle={"stage": "Retired", "successor": f"{GATEWAY_URL}{path}"})
    eventually(lambda: api.call().status == 410)
    assert new.call("GET", f"{path}/x").status == 200
    assert echo.received
