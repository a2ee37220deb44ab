"""How kopf is set up, and what is waited for before it starts."""

import asyncio
import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from typing_extensions import override

from conecta_operator.api.objects import HTTP_ROUTE, SECRET, Kind, Manifest
from conecta_operator.apply.access import ApiServer
from conecta_operator.errors import ClusterUnavailable
from conecta_operator.handlers import lifecycle
from conecta_operator.handlers.lifecycle import EndlessBackoffs, connection, kopf_settings, until_served
from conecta_operator.reconcile.mapping import WATCHED
from tests.support.fake_cluster import FakeCluster


async def access() -> ApiServer:
    return ApiServer(
        url="https://api.example:6443",
        ca_file="/etc/ca.crt",
        token="t0ken",
        certificate_file=None,
        private_key_file=None,
        proxy=None,
        is_unverified=False,
    )


def test_requests_to_an_api_server_that_is_away_are_repeated_for_ever() -> None:
    """Kopf's own default gives up after a minute, and the event is lost."""
    backoffs = kopf_settings().networking.error_backoffs
    assert isinstance(backoffs, EndlessBackoffs)
    for _ in range(2):  # each request starts anew
        waits = list(itertools.islice(backoffs, 1000))
        assert waits[0] == 0.5
        assert set(waits[2:]) == {2.0}


def test_kopf_writes_nothing_and_reads_no_definitions() -> None:
    settings = kopf_settings()
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled


def test_a_watch_that_falls_silent_is_opened_anew() -> None:
    watching = kopf_settings().watching
    assert watching.server_timeout is not None
    assert watching.client_timeout is not None
    assert watching.inactivity_timeout < watching.server_timeout < watching.client_timeout


def test_kopf_watches_no_secrets() -> None:
    """It would have to read those of all namespaces."""
    assert SECRET not in WATCHED
    assert kopf_settings().watching.field_selectors == {}


class Unfinished(FakeCluster):
    """Serves a kind only after it was asked for it some times."""

    asked = 0

    @override
    async def list(self, kind: Kind, *, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Manifest]:
        if kind == HTTP_ROUTE:
            self.asked += 1
            if self.asked < 3:
                raise ClusterUnavailable("the API server answers 404")
        return await super().list(kind, namespace=namespace, labels=labels)


async def test_the_watches_wait_until_all_that_they_watch_is_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifecycle, "_BETWEEN_LOOKS", 0)
    cluster = Unfinished()
    async with asyncio.timeout(5):
        await until_served(cluster)
    assert cluster.asked == 3
    assert "httproutes.gateway.networking.k8s.io: the API server answers 404" in caplog.text


async def test_the_watches_wait_until_the_api_server_names_all_that_they_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It serves a new kind a moment before it says so, and kopf would never watch what isn't named at its start."""
    monkeypatch.setattr(lifecycle, "_BETWEEN_LOOKS", 0)
    cluster = FakeCluster()
    cluster.not_offered = {HTTP_ROUTE.name}
    waiting = asyncio.create_task(until_served(cluster))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert "httproutes.gateway.networking.k8s.io: the API server does not name it" in caplog.text
    cluster.not_offered = set()
    async with asyncio.timeout(5):
        await waiting


async def test_credentials_that_the_api_server_refused_are_given_to_kopf_as_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Kopf ends when it is given the same again, and the API server may refuse anybody while it starts."""
    monkeypatch.setattr(lifecycle, "_BETWEEN_LOOKS", 0)
    first, second = await connection(access), await connection(access, 1)
    assert first != second
    assert dataclasses.replace(second, priority=first.priority) == first
    assert "refuses the operator's credentials" in caplog.text


async def test_credentials_that_cannot_be_read_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifecycle, "_BETWEEN_LOOKS", 0)
    failures = [ClusterUnavailable("no such file")]

    async def sometimes() -> ApiServer:
        if failures:
            raise failures.pop()
        return await access()

    assert await connection(sometimes) == await connection(access)
    assert "waiting for credentials: no such file" in caplog.text


async def test_no_object_is_read_to_learn_whether_a_kind_is_served() -> None:
    asked: list[Any] = []

    class Asked(FakeCluster):
        @override
        async def list(
            self, kind: Kind, *, namespace: str = "", labels: Mapping[str, str] | None = None
        ) -> list[Manifest]:
            asked.append(labels)
            return await super().list(kind, namespace=namespace, labels=labels)

    await until_served(Asked())
    assert all(labels == {"conecta.gov.br/matches": "nothing"} for labels in asked)
