"""How the gateway and a backend know each other, and how much of it the backend has to stand."""

import base64
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate
from sandbox.ports import ENVOY_ADMIN, OPERATOR_PROBE
from tests.support.application import Gateway
from tests.support.echo_backend import Echo, echo_backend
from tests.support.kubectl import apply, eventually, kubectl
from tests.support.published import published
from tests.support.routed import TRUST, Routed, backend

PLATFORM, OWN = "conecta-gateway", "cliente-da-receita"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backends")


@pytest.fixture(scope="module")
def open_backend(platform: Layout, folder: Path) -> Iterator[Echo]:
    with echo_backend(platform, folder, host="aberto.localhost") as echo:
        yield echo


@pytest.fixture(scope="module")
def careful(platform: Layout, folder: Path) -> Iterator[Echo]:
    """A backend that speaks only to who shows a certificate."""
    with echo_backend(platform, folder, host="mtls.localhost", callers=platform.ca_file) as echo:
        yield echo


@pytest.fixture(scope="module")
def api(gateway: Gateway, open_backend: Echo) -> Iterator[Routed]:
    with published(gateway, open_backend.url) as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        yield routed


def put_certificate(api: Routed, layout: Layout, name: str, lifetime: timedelta) -> None:
    now = datetime.now(UTC)
    wanted = Certificate(name=name, common_name=OWN, client=True)
    certificate, key = Authority.ensure(layout, now).issue(wanted, now, lifetime)
    data = {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()}
    put_secret(api, name, "kubernetes.io/tls", data)


def put_secret(api: Routed, name: str, type_: str, data: dict[str, str]) -> None:
    metadata = {"name": name, "namespace": api.api.namespace}
    apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type_, "data": data})


def put_credential(api: Routed, name: str, value: str) -> None:
    put_secret(api, name, "Opaque", {"credential": base64.b64encode(value.encode()).decode()})


def test_a_backend_that_asks_is_shown_the_platforms_certificate(api: Routed, careful: Echo) -> None:
    api.change(backend=backend(careful))
    eventually(lambda: api.answer()["caller"] == PLATFORM)


def test_an_api_may_have_a_certificate_of_its_own(api: Routed, careful: Echo, platform: Layout) -> None:
    put_certificate(api, platform, "cliente", timedelta(days=90))
    api.change(backend=backend(careful, tls={**TRUST, "clientCertificateRef": {"name": "cliente"}}))
    eventually(lambda: api.answer()["caller"] == OWN)
    assert api.says("ResolvedRefs")[0] == "ResolvedRefs"


def test_the_end_of_a_certificate_is_seen_thirty_days_ahead(api: Routed, careful: Echo, platform: Layout) -> None:
    put_certificate(api, platform, "vence", timedelta(days=29))
    tls = {**TRUST, "clientCertificateRef": {"name": "vence"}}
    api.change(backend=backend(careful, tls=tls))
    reason, message = api.says("ResolvedRefs")
    assert reason == "CertificateExpiring"
    assert "Secret vence" in message
    eventually(lambda: api.answer()["caller"] == OWN)
    metrics = urllib3.request("GET", f"http://127.0.0.1:{OPERATOR_PROBE}/metrics").data.decode()
    name = f'api="{api.api.namespace}/{api.api.name}",holder="Secret vence"'
    (line,) = [line for line in metrics.splitlines() if name in line]
    assert timedelta(days=28) < timedelta(seconds=float(line.split()[-1])) < timedelta(days=29)
    put_certificate(api, platform, "vence", timedelta(days=90))
    api.change(backend=backend(careful, tls=tls, timeout="14s"))
    assert api.says("ResolvedRefs")[0] == "ResolvedRefs"


def test_a_certificate_that_is_over_is_no_way_to_a_backend(api: Routed, careful: Echo, platform: Layout) -> None:
    put_certificate(api, platform, "vencido", timedelta(seconds=1))
    time.sleep(1)
    api.write(backend=backend(careful, tls={**TRUST, "clientCertificateRef": {"name": "vencido"}}))
    eventually(lambda: api.says("Ready")[0] == "CertificateExpired")


def test_a_certificate_that_is_not_there_is_missed_until_it_is(api: Routed, careful: Echo, platform: Layout) -> None:
    api.write(backend=backend(careful, tls={**TRUST, "clientCertificateRef": {"name": "depois"}}))
    eventually(lambda: api.says("Ready")[0] == "RefNotFound")
    assert "Secret depois does not exist" in api.says("ResolvedRefs")[1]
    put_certificate(api, platform, "depois", timedelta(days=90))
    eventually(lambda: api.says("Ready")[0] == "Ready")
    eventually(lambda: api.answer()["caller"] == OWN)


def test_the_name_in_a_certificate_may_be_another_than_the_hosts(api: Routed, platform: Layout, folder: Path) -> None:
    with echo_backend(platform, folder, host="servidor.localhost") as echo:
        elsewhere = f"https://outro.localhost:{echo.port}/"
        api.change(backend={"url": elsewhere, "tls": {**TRUST, "hostname": "servidor.localhost"}})
        eventually(lambda: dict(api.answer()["headers"])["host"] == "outro.localhost")
        api.change(backend={"url": elsewhere, "tls": TRUST})
        eventually(lambda: api.call().status == 503)


def headers_at(api: Routed, name: str, **sent: str) -> list[str]:
    """What the backend gets of a header."""
    response = api.call(headers=sent)
    assert response.status == 200, response.data
    return [value for header, value in response.json()["headers"] if header == name]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
def test_a_header_from_a_secret_reaches_the_backend_and_no_clients_does(
    api: Routed, open_backend: Echo, name: str
) -> None:
    value = f"Basic {uuid.uuid4().hex}"
    put_credential(api, "legado", value)
    api.change(backend=backend(open_backend, headersFromSecret=[{"name": name, "secretRef": {"name": "legado"}}]))
    eventually(lambda: headers_at(api, name.lower()) == [value])
    assert headers_at(api, name.lower(), **{"X-Api-Key": "forged"}) == [value]
    put_credential(api, "legado", "Bearer outro")
    eventually(lambda: headers_at(api, name.lower()) == ["Bearer outro"])


def test_the_value_of_a_header_stays_in_its_secret(api: Routed, open_backend: Echo) -> None:
    value = f"chave-{uuid.uuid4().hex}"
    put_credential(api, "guardado", value)
    header = {"name": "X-Api-Key", "secretRef": {"name": "guardado"}}
    api.change(backend=backend(open_backend, headersFromSecret=[header]))
    eventually(lambda: headers_at(api, "x-api-key") == [value])
    kinds = "conectaapis,httproutes,httproutefilters,backends.gateway.envoyproxy.io,backendtlspolicies,events"
    written = kubectl("get", kinds, "-n", api.api.namespace, "-o", "yaml").stdout
    assert "guardado" in written
    assert value not in written
    assert base64.b64encode(value.encode()).decode() not in written


def test_a_header_without_its_secret_is_missed_and_no_call_goes_without_it(api: Routed, open_backend: Echo) -> None:
    header = {"name": "X-Api-Key", "secretRef": {"name": "falta"}}
    api.write(backend=backend(open_backend, headersFromSecret=[header]))
    eventually(lambda: api.says("Ready")[0] == "RefNotFound")
    eventually(lambda: api.call().status == 500)
    put_credential(api, "falta", "uma linha\n")
    eventually(lambda: "one line" in api.says("ResolvedRefs")[1])
    put_credential(api, "falta", "chave")
    eventually(lambda: api.says("Ready")[0] == "Ready")
    eventually(lambda: headers_at(api, "x-api-key") == ["chave"])


def test_a_backend_has_the_time_that_its_api_says(api: Routed, open_backend: Echo) -> None:
    api.change(backend=backend(open_backend, timeout="1s"))

    def gave_up_in_time() -> bool:
        started = time.monotonic()
        answer = api.call("slow")
        assert (answer.status, answer.json()["type"].rpartition("/")[2]) == (504, "tempo-esgotado")
        return 0.9 < time.monotonic() - started < 5

    eventually(gave_up_in_time)


def test_a_backend_has_no_more_calls_at_once_than_it_stands(api: Routed, open_backend: Echo) -> None:
    limits = {"max": 2, "maxWaiting": 1}
    api.change(backend=backend(open_backend, timeout="2s", connections=limits))

    def statuses() -> Counter[int]:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: api.call("slow"), range(8)))
        assert {answer.json()["type"].rpartition("/")[2] for answer in answers if answer.status == 503} <= {
            "api-indisponivel"
        }
        return Counter(answer.status for answer in answers)

    eventually(lambda: statuses() == {504: 3, 503: 5}, seconds=20)


def test_no_change_of_a_backend_touches_the_listener(api: Routed, open_backend: Echo, careful: Echo) -> None:
    """Where all APIs are: a filter of one API's own there would break every open connection."""

    def changes() -> str:
        url = f"http://127.0.0.1:{ENVOY_ADMIN}/stats?filter=listener_manager.listener_(modified|in_place_updated|added)"
        return urllib3.request("GET", url).data.decode()

    before = changes()
    put_credential(api, "neutro", "chave")
    header = {"name": "X-Novo", "secretRef": {"name": "neutro"}}
    api.change(
        backend=backend(open_backend, headersFromSecret=[header], connections={"max": 3}, timeout="3s"),
        routes=[{"pathPrefix": "/outra", "backend": backend(careful, headersFromSecret=[header], weight=3)}],
    )
    eventually(lambda: headers_at(api, "x-novo") == ["chave"])
    eventually(lambda: api.answer("outra")["caller"] == PLATFORM)
    api.change(backend=backend(open_backend), routes=[])
    eventually(lambda: headers_at(api, "x-novo") == [])
    assert changes() == before
