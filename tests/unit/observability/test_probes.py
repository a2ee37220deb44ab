"""What a kubelet and a Prometheus get."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from conecta_operator.observability import probes
from conecta_operator.observability.metrics import Metrics
from conecta_operator.observability.probes import Page


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ask(port: int, request: bytes) -> bytes:
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return answer


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where two pages are served."""
    number = free_port()
    pages = {
        "/healthz": lambda: Page(HTTPStatus.OK, "application/json", b"{}"),
        "/bad": lambda: Page(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"no"),
    }
    server = asyncio.create_task(probes.serve(address="127.0.0.1", port=number, pages=pages))
    await _listening(number)
    yield number
    server.cancel()
    with suppress(asyncio.CancelledError):
        await server


async def _listening(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            with suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("request_line", "status_line"),
    [
        ("GET /healthz HTTP/1.1", "HTTP/1.1 200 OK"),
        ("GET /healthz?verbose HTTP/1.1", "HTTP/1.1 200 OK"),
        ("GET /bad HTTP/1.1", "HTTP/1.1 503 Service Unavailable"),
        ("GET / HTTP/1.1", "HTTP/1.1 404 Not Found"),
        ("POST /healthz HTTP/1.1", "HTTP/1.1 400 Bad Request"),
        ("nonsense", "HTTP/1.1 400 Bad Request"),
        ("GET /\xff HTTP/1.1", "HTTP/1.1 404 Not Found"),
    ],
)
async def test_a_request_gets_its_answer(port: int, request_line: str, status_line: str) -> None:
    answer = await ask(port, f"{request_line}\r\nHost: x\r\n\r\n".encode("latin-1"))
    assert answer.decode().splitlines()[0] == status_line


async def test_an_answer_is_whole_http(port: int) -> None:
    head, _, body = (await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")).partition(b"\r\n\r\n")
    assert body == b"{}"
    assert {b"Content-Type: application/json", b"Content-Length: 2", b"Connection: close"} <= set(head.split(b"\r\n"))


@pytest.mark.parametrize("request_", [b"", b"GET /healthz HTTP/1.1\r\n", b"x" * 100_000], ids=["none", "half", "huge"])
async def test_a_client_that_asks_nothing_sensible_ends_nothing(
    port: int, request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_PATIENCE", 0.05)
    with suppress(ConnectionError):
        assert await ask(port, request_) == b""
    assert (await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_port_that_is_taken_is_an_error(port: int) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await probes.serve(address="127.0.0.1", port=port, pages={})


def test_metrics_tell_how_long_certificates_last_while_their_api_is_there() -> None:
    metrics = Metrics()
    metrics.certificates_seen(api="receita/cep", ends={"Secret cliente": datetime.now(UTC) + timedelta(days=2)})
    name = 'conecta_operator_certificate_remaining_seconds{api="receita/cep",holder="Secret cliente"} '
    (line,) = [line for line in metrics.exposition().decode().splitlines() if line.startswith(name)]
    assert timedelta(days=1.9) < timedelta(seconds=float(line.removeprefix(name))) < timedelta(days=2)
    metrics.api_gone("receita/cep")
    assert name not in metrics.exposition().decode()


def test_metrics_tell_of_reconciles_retries_issuer_and_queue() -> None:
    metrics = Metrics()
    metrics.watch_queue(depth=lambda: 3, age_of_oldest=lambda: timedelta(seconds=1.5))
    metrics.reconciled(kind="ConectaApi", outcome="done", seconds=0.02)
    metrics.retried(kind="ConectaGrant")
    metrics.issuer_failed()
    text = metrics.exposition().decode()
    for line in (
        'conecta_operator_reconciles_total{kind="ConectaApi",outcome="done"} 1.0',
        'conecta_operator_reconcile_duration_seconds_bucket{kind="ConectaApi",le="0.025"} 1.0',
        'conecta_operator_retries_total{kind="ConectaGrant"} 1.0',
        "conecta_operator_issuer_failures_total 1.0",
        "conecta_operator_queue_depth 3.0",
        "conecta_operator_queue_oldest_seconds 1.5",
    ):
        assert line in text.splitlines()


def test_two_sets_of_metrics_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.issuer_failed()
    assert b"conecta_operator_issuer_failures_total 0.0" in second.exposition()
