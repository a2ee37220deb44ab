"""Kopf is told to watch and to index, and to do nothing else."""

import inspect
from collections.abc import Callable
from typing import Any

import kopf
import pytest

from conecta_operator.api.objects import ObjectKey
from conecta_operator.apply.access import ApiServer
from conecta_operator.handlers.indices import IndexedLandscape
from conecta_operator.handlers.registry import build_registry
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.mapping import WATCHED
from conecta_operator.reconcile.workqueue import WorkQueue
from tests.unit.reconcile.stand_ins import FakeClock, api_key, api_manifest, seeded

SERVER = ApiServer(
    url="https://api.example:6443",
    ca_file="/etc/ca.crt",
    token="t0ken",
    certificate_file=None,
    private_key_file=None,
    proxy=None,
    is_unverified=False,
)


async def access() -> ApiServer:
    return SERVER


class Wired:
    """A registry and what it reports to."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.landscape = IndexedLandscape()
        self.queue: WorkQueue[ObjectKey] = WorkQueue(clock=clock, random=seeded())
        self.intake = Intake(queue=self.queue, landscape=self.landscape, clock=clock)
        self.ended: list[str] = []
        self.registry = build_registry(
            intake=self.intake, landscape=self.landscape, access=access, at_the_end=lambda: self.ended.append("all")
        )

    def handlers(self, room: str) -> list[Any]:
        return list(getattr(self.registry, room).get_all_handlers())

    def handler(self, room: str, name: str) -> Callable[..., Any]:
        found: list[Callable[..., Any]] = [handler.fn for handler in self.handlers(room) if name in handler.id]
        return found[0]


@pytest.fixture
def wired() -> Wired:
    return Wired()


async def test_other_watches_end_with_kopfs_own(wired: Wired) -> None:
    await wired.handler("_activities", "end")()
    assert wired.ended == ["all"]


def test_every_watched_kind_has_a_watch_of_its_exact_version(wired: Wired) -> None:
    watched = {(h.selector.group, h.selector.version, h.selector.plural) for h in wired.handlers("_watching")}
    assert watched == {(kind.group, kind.version, kind.plural) for kind in WATCHED}


def test_nothing_is_handled_by_kopfs_own_bookkeeping(wired: Wired) -> None:
    """Its high-level handlers write annotations and finalizers; daemons and timers cost a task for each object."""
    assert [wired.handlers(room) for room in ("_changing", "_spawning", "_webhooks")] == [[], [], []]


def test_no_handler_runs_in_a_thread(wired: Wired) -> None:
    handlers = [handler.fn for room in ("_watching", "_indexing", "_activities") for handler in wired.handlers(room)]
    assert handlers
    assert all(inspect.iscoroutinefunction(handler) for handler in handlers)


@pytest.mark.parametrize("type_", [None, "ADDED", "MODIFIED", "DELETED"])
async def test_an_event_becomes_work_and_yields_nothing_that_kopf_could_store(wired: Wired, type_: str | None) -> None:
    notice = wired.handler("_watching", "conectaapis")
    assert await notice(event={"type": type_, "object": api_manifest("cep")}, logger=None) is None
    assert await wired.queue.take() == api_key("cep")


async def test_kopf_logs_in_as_the_operator(wired: Wired) -> None:
    connection = await wired.handler("_activities", "log_in")()
    assert isinstance(connection, kopf.ConnectionInfo)
    assert (connection.server, connection.ca_path, connection.token) == (
        "https://api.example:6443",
        "/etc/ca.crt",
        "t0ken",
    )
    assert connection.as_http_headers() == {"Authorization": "Bearer t0ken"}


async def test_kopf_hands_its_indices_over_at_the_start(wired: Wired) -> None:
    names = ("apis_by_namespace", "apis_by_base_path", "grants_by_namespace", "grants_by_api")
    given: dict[str, Any] = {name: {} for name in names}
    given["grants_by_api"] = {api_key("cep"): ()}
    await wired.handler("_activities", "hand_over_indices")(**given, settings=None, memo=None)
    assert wired.landscape._grants_by_api is given["grants_by_api"]
    assert {handler.id for handler in wired.handlers("_indexing")} == set(names)
