"""A clock that moves when it is told to, a landscape made of lists, and objects as an API server returns them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from typing_extensions import override

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.issuer import Issuer
from conecta_operator.plan.grants_seen import GrantSeen
from conecta_operator.reconcile.landscape import Landscape
from conecta_operator.reconcile.signing_keys import SigningKeys
from conecta_operator.reconcile.workqueue import Clock, Timer
from conecta_operator.render.forms import Forms
from tests.support.worlds import PLATFORM

FORMS = Forms.load()


def seeded() -> Random:
    """The same randomness every time."""
    return Random(7)  # noqa: S311 - jitter, no secret


class AlwaysLongest(Random):
    """Jitter that takes nothing away."""

    @override
    def random(self) -> float:
        return 1.0


async def until(happened: Callable[[], bool]) -> None:
    """Let others run until it has happened."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 - any number of turns, but no time
            await asyncio.sleep(0)


@dataclass(eq=False)
class FakeTimer:
    """What FakeClock was asked to do later."""

    due: float
    callback: Callable[[], Any]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class FakeClock:
    """Time passes in `advance` only."""

    now: float = 1000.0
    timers: list[FakeTimer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> Timer:
        timer = FakeTimer(self.now + delay, callback)
        self.timers.append(timer)
        return timer

    @property
    def pending(self) -> list[FakeTimer]:
        return sorted((timer for timer in self.timers if not timer.is_cancelled), key=lambda timer: timer.due)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.pending and self.pending[0].due <= end:
            timer = self.pending[0]
            self.now = max(self.now, timer.due)
            self.timers.remove(timer)
            timer.callback()
        self.now = end


class ListedLandscape:
    """What some watches have seen, given as objects."""

    def __init__(self, *manifests: Manifest) -> None:
        self.all_apis = [ConectaApi.parse(m) for m in manifests if m["kind"] == "ConectaApi"]
        self.all_grants = [GrantSeen.of(ConectaGrant.parse(m)) for m in manifests if m["kind"] == "ConectaGrant"]
        self.buried: set[str] = set()

    def bury(self, uids: Iterable[str]) -> None:
        self.buried.update(uids)

    def apis(self) -> Sequence[ConectaApi]:
        return [api for api in self.all_apis if api.metadata.uid not in self.buried]

    def grants(self) -> Sequence[GrantSeen]:
        return [grant for grant in self.all_grants if grant.uid not in self.buried]

    def apis_in(self, namespace: str) -> Sequence[ConectaApi]:
        return [api for api in self.apis() if api.metadata.namespace == namespace]

    def apis_claiming(self, base_path: str) -> Sequence[ConectaApi]:
        return [api for api in self.apis() if api.base_path == base_path]

    def grants_in(self, namespace: str) -> Sequence[GrantSeen]:
        return [grant for grant in self.grants() if grant.key.namespace == namespace]

    def grants_of(self, api: ObjectKey) -> Sequence[GrantSeen]:
        return [grant for grant in self.grants() if grant.api == api]


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def signing_keys_over(
    cluster: Cluster,
    issuer: Issuer,
    *,
    landscape: Landscape | None = None,
    clock: Clock | None = None,
    now: Callable[[], datetime] = lambda: NOON,
) -> SigningKeys:
    """What asks for the issuer's keys."""
    return SigningKeys(
        issuer=issuer,
        cluster=cluster,
        landscape=landscape or ListedLandscape(),
        platform=PLATFORM,
        forms=FORMS,
        clock=clock or FakeClock(),
        now=now,
    )


def api_manifest(name: str, namespace: str = "receita", *, status: Manifest | None = None, **spec: Any) -> Manifest:
    """A ConectaApi; its uid is made of its place and name."""
    return {
        "apiVersion": CONECTA_API.api_version,
        "kind": CONECTA_API.name,
        "metadata": metadata(name, namespace),
        "spec": {
            "title": "CEP",
            "contacts": [{"name": "Equipe", "email": "equipe@receita.example"}],
            "version": "v1",
            "backend": {"url": "https://servicos.receita.example"},
            "access": {"approval": "Automatic"},
            **spec,
        },
        "status": status or {},
    }


def grant_manifest(
    name: str, namespace: str = "saude", *, api: str = "cep", status: Manifest | None = None
) -> Manifest:
    """A ConectaGrant on an API of namespace receita."""
    return {
        "apiVersion": CONECTA_GRANT.api_version,
        "kind": CONECTA_GRANT.name,
        "metadata": metadata(name, namespace),
        "spec": {"apiRef": {"namespace": "receita", "name": api}, "application": {"name": "agendamento"}},
        "status": status or {},
    }


def metadata(name: str, namespace: str) -> Manifest:
    """What the API server says of a new object."""
    return {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-of-{namespace}-{name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-24T08:00:00Z",
    }


def being_deleted(manifest: Manifest) -> Manifest:
    """The same object once somebody has deleted it and a finalizer holds it."""
    return {**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": "2026-11-24T09:00:00Z"}}


def api_key(name: str, namespace: str = "receita") -> ObjectKey:
    """The key of a ConectaApi."""
    return ObjectKey(CONECTA_API, namespace, name)


def grant_key(name: str, namespace: str = "saude") -> ObjectKey:
    """The key of a ConectaGrant."""
    return ObjectKey(CONECTA_GRANT, namespace, name)


def namespace_manifest(name: str) -> Manifest:
    """The namespace of an agency of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"conecta.gov.br/agency": name}},
    }
