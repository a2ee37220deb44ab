"""Keys whose grant does not exist are ended, and no others, however little of the world can be seen."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from conecta_operator.api.conecta_api import MOST_REVOKED_KEYS
from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.api.objects import Manifest
from conecta_operator.errors import ClusterUnavailable, IssuerUnavailable
from conecta_operator.reconcile import sweep
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.sweep import Sweep
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.worlds import PLATFORM
from tests.unit.reconcile.stand_ins import api_key, api_manifest, grant_manifest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = SecretStr("s" * 43)
SCOPES = ("receita/cep", "api:uid-of-r", "grant:12345678", "agency:saude", "application:agendamento")


def key_of(grant_uid: str, number: int = 1, scopes: tuple[str, ...] = SCOPES) -> Key:
    return Key(
        client_id=f"saude-agendamento-12345678-{number}",
        grant="saude/uso",
        grant_uid=grant_uid,
        number=number,
        scopes=scopes,
        issued_at=NOW,
        fingerprint=fingerprint(SECRET),
    )


class Scene:
    """An API, a grant and whatever else there is; keys at the issuer; and who compares the two."""

    def __init__(self, *others: Manifest) -> None:
        self.cluster = FakeCluster(api_manifest("cep"), grant_manifest("uso"), *others)
        self.issuer = FakeIssuer()
        self.sweep = Sweep(
            cluster=self.cluster,
            issuer=self.issuer,
            steps=Steps(cluster=self.cluster, issuer=self.issuer),
            platform=PLATFORM,
            now=lambda: NOW,
        )

    async def issue(self, *keys: Key) -> None:
        for key in keys:
            await self.issuer.put(key, SECRET)

    async def look(self, *, between: Callable[[], None] = lambda: None) -> None:
        """As a resync does; `between` happens between the two looks."""
        keys = await self.sweep.keys()
        looking = asyncio.create_task(self.sweep.end_orphans(keys, {"uid-of-saude-uso"}))
        await asyncio.sleep(0)
        between()
        await looking

    @property
    def refused(self) -> dict[str, str]:
        """The client ids that the API refuses, and until when."""
        listed = self.cluster.manifest(api_key("cep")).get("status", {}).get("revokedKeys", [])
        return {entry["clientId"]: entry["until"] for entry in listed}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_BETWEEN_LOOKS", timedelta())


async def test_a_key_whose_grant_does_not_exist_is_refused_by_its_api_and_deleted() -> None:
    scene = Scene()
    await scene.issue(key_of("uid-of-saude-uso", 1), key_of("gone", 2))
    await scene.look()
    assert [*scene.issuer.clients] == ["saude-agendamento-12345678-1"]
    assert scene.refused == {"saude-agendamento-12345678-2": "2026-11-24T14:01:01Z"}
    assert [(write.verb, str(write.target)) for write in scene.issuer.journal.writes[2:]] == [
        ("remove", "saude-agendamento-12345678-2")
    ]


async def test_nothing_is_written_where_every_key_has_its_grant() -> None:
    scene = Scene()
    await scene.issue(key_of("uid-of-saude-uso"))
    await scene.look()
    assert (len(scene.issuer.journal.writes), scene.cluster.journal.writes) == (1, [])


@pytest.mark.parametrize(
    "scopes",
    [
        pytest.param((), id="no scopes"),
        pytest.param(("receita/other", *SCOPES[1:]), id="an API that does not exist"),
        pytest.param(("receita/cep", "api:00000000"), id="an API of that name that was deleted"),
    ],
)
async def test_a_key_that_opens_nothing_is_just_deleted(scopes: tuple[str, ...]) -> None:
    scene = Scene()
    await scene.issue(key_of("gone", scopes=scopes))
    await scene.look()
    assert (scene.issuer.clients, scene.refused) == ({}, {})


async def test_a_key_is_deleted_although_the_list_of_its_api_is_full() -> None:
    full = [{"clientId": f"x-{n}", "until": "2026-11-24T14:00:00Z"} for n in range(MOST_REVOKED_KEYS)]
    scene = Scene()
    scene.cluster.put(api_manifest("cep", status={"revokedKeys": full}))
    await scene.issue(key_of("gone"))
    await scene.look()
    assert (scene.issuer.clients, len(scene.refused)) == ({}, MOST_REVOKED_KEYS)


async def test_a_key_whose_grant_is_there_at_the_second_look_stays() -> None:
    scene = Scene()
    await scene.issue(key_of("uid-of-saude-late"))

    def create() -> None:
        scene.cluster.put(grant_manifest("late"))

    await scene.look(between=create)
    assert len(scene.issuer.clients) == 1


async def test_a_key_that_the_first_look_did_not_see_stays_until_another() -> None:
    scene = Scene()
    await scene.issue(key_of("gone", 1))
    new = key_of("gone too", 2)
    keys = await scene.sweep.keys()
    await scene.issue(new)
    await scene.sweep.end_orphans(keys, set())
    assert [*scene.issuer.clients.values()] == [new]


async def test_nothing_is_ended_when_the_grants_cannot_be_listed() -> None:
    scene = Scene()
    await scene.issue(key_of("gone"))

    def part() -> None:
        scene.cluster.outage = ClusterUnavailable("the second page did not come")

    with pytest.raises(ClusterUnavailable):
        await scene.look(between=part)
    assert len(scene.issuer.clients) == 1


async def test_an_issuer_that_is_away_is_no_failure() -> None:
    scene = Scene()
    await scene.issue(key_of("gone"))
    scene.issuer.outage = IssuerUnavailable("away")
    await scene.look()
    scene.issuer.outage = None
    assert len(scene.issuer.clients) == 1


async def test_a_key_that_cannot_be_ended_keeps_no_other_from_it() -> None:
    scene = Scene()
    await scene.issue(key_of("gone", 1), replace(key_of("gone", 2), grant_uid="gone too"))
    scene.cluster.journal.fail_at(1, ClusterUnavailable("away for a moment"), taken=False)
    await scene.look()
    assert [*scene.issuer.clients] == ["saude-agendamento-12345678-1"]
    await scene.look()
    assert scene.issuer.clients == {}
