"""The keepers: how new public keys of the issuer come into use."""

import copy
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import HTTP_ROUTE, SECURITY_POLICY, Manifest, ObjectKey, key_of
from conecta_operator.plan import keepers
from conecta_operator.plan.keepers import KEEPERS, TURN, KeysPlan, KeysWorld
from conecta_operator.render.contexts import ApiPolicy, KeeperPolicy
from conecta_operator.render.forms import Forms
from tests.support.worlds import PLATFORM, accepted

FORMS = Forms.load()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW, NEWEST = ('{"keys":["old"]}', '{"keys":["new"]}', '{"keys":["newest"]}')
A, B = KEEPERS
COMMON: dict[str, Any] = {"name": "x", "namespace": "y", "labels": {}, "owner_references": ()}
SETTLES = PLATFORM.gateway_drain + timedelta(seconds=10)


class Scene:
    """What there is of the keepers, and what becomes of it step by step."""

    def __init__(self) -> None:
        self.objects: dict[ObjectKey, Manifest] = {}

    def plan(
        self, published: str | None, *, now: datetime = NOON, is_spare_needed: bool = False, times: int = 1
    ) -> KeysPlan:
        """The last of so many plans, each carried out."""
        for _ in range(times):
            world = KeysWorld(
                published=published,
                objects=copy.deepcopy(self.objects),
                is_spare_needed=is_spare_needed,
                platform=PLATFORM,
                now=now,
            )
            plan = keepers.desired(world, FORMS)
            for step in plan.steps:
                self._store(step.manifest)
        return plan

    def accept(self, at: datetime = NOON) -> None:
        self.objects = {key: accepted(manifest, at=at) for key, manifest in self.objects.items()}

    def kept(self) -> dict[str, tuple[str, str]]:
        """Keys and turn of each keeper."""
        policies = {key.name: policy for key, policy in self.objects.items() if key.kind == SECURITY_POLICY}
        return {name: (jwks_of(policy), policy["metadata"]["annotations"][TURN]) for name, policy in policies.items()}

    def _store(self, manifest: Manifest) -> None:
        """As an API server does it."""
        old = self.objects.get(key_of(manifest))
        generation = 1 if old is None else old["metadata"]["generation"] + (old["spec"] != manifest["spec"])
        metadata = {"managedFields": [], **manifest["metadata"], "generation": generation}
        if not metadata.get("ownerReferences"):
            metadata.pop("ownerReferences", None)
        status = {} if old is None else {"status": old["status"]} if "status" in old else {}
        self.objects[key_of(manifest)] = {**manifest, "metadata": metadata, **status}


def policy_key(name: str) -> ObjectKey:
    return ObjectKey(SECURITY_POLICY, PLATFORM.gateway_namespace, name)


def jwks_of(policy: Manifest) -> str:
    jwks: str = policy["spec"]["jwt"]["providers"][0]["localJWKS"]["inline"]
    return jwks


@pytest.fixture
def scene() -> Scene:
    """The first keys are in use, and the gateway has long known so."""
    made = Scene()
    made.plan(OLD)
    made.accept(NOON - timedelta(days=1))
    return made


def test_the_first_keys_are_in_use_at_once() -> None:
    scene = Scene()
    assert scene.plan(OLD).in_use == OLD
    assert scene.kept() == {A: (OLD, "1"), B: (OLD, "0")}


def test_nothing_is_written_before_the_issuer_has_published_keys() -> None:
    assert Scene().plan(None) == KeysPlan(None, ())


def test_a_policy_comes_before_the_route_that_it_closes() -> None:
    plan = Scene().plan(OLD)
    kinds = [key_of(step.manifest).kind for step in plan.steps]
    assert kinds == [SECURITY_POLICY, HTTP_ROUTE] * 2


@pytest.mark.parametrize("published", [OLD, None])
def test_nothing_is_written_when_all_is_well(scene: Scene, published: str | None) -> None:
    assert scene.plan(published) == KeysPlan(OLD, ())


def test_new_keys_go_to_the_keeper_that_is_not_in_use(scene: Scene) -> None:
    assert scene.plan(NEW).in_use == OLD
    assert scene.kept() == {A: (OLD, "1"), B: (NEW, "0")}


def test_new_keys_wait_for_the_gateway_to_take_them_over(scene: Scene) -> None:
    later = NOON + timedelta(days=1)
    assert scene.plan(NEW, now=later, times=2).in_use == OLD


def test_new_keys_wait_until_connections_that_do_not_know_them_have_ended(scene: Scene) -> None:
    scene.plan(NEW)
    scene.accept(NOON)
    assert scene.plan(NEW, now=NOON + SETTLES - timedelta(seconds=1)).in_use == OLD
    assert scene.plan(NEW, now=NOON + SETTLES).in_use == NEW
    assert scene.kept() == {A: (OLD, "1"), B: (NEW, "2")}
    assert scene.plan(NEW, now=NOON + SETTLES) == KeysPlan(NEW, ())


def test_that_keys_come_into_use_changes_nothing_at_the_gateway(scene: Scene) -> None:
    """A policy's generation stays: both sets are known as they were."""
    scene.plan(NEW)
    scene.accept()
    before = {key: manifest["spec"] for key, manifest in scene.objects.items()}
    scene.plan(NEW, now=NOON + SETTLES)
    assert {key: manifest["spec"] for key, manifest in scene.objects.items()} == before


def test_keys_in_use_stay_so_when_the_gateway_answers_anew(scene: Scene) -> None:
    scene.plan(NEW)
    scene.accept()
    scene.plan(NEW, now=NOON + SETTLES)
    scene.accept(NOON + SETTLES)
    assert scene.plan(NEW, now=NOON + SETTLES).in_use == NEW


def test_the_keepers_take_turns(scene: Scene) -> None:
    now = NOON
    for published in (NEW, NEWEST, OLD):
        scene.plan(published, now=now)
        scene.accept(now)
        now += SETTLES
        assert scene.plan(published, now=now).in_use == published
    assert scene.kept() == {A: (NEWEST, "3"), B: (OLD, "4")}


def test_keys_that_routes_may_still_use_are_kept(scene: Scene) -> None:
    assert scene.plan(NEW, is_spare_needed=True) == KeysPlan(OLD, ())


def test_keys_that_change_again_before_they_came_into_use_are_replaced(scene: Scene) -> None:
    scene.plan(NEW)
    scene.accept()
    assert scene.plan(NEWEST, now=NOON + SETTLES).in_use == OLD
    assert scene.kept() == {A: (OLD, "1"), B: (NEWEST, "0")}
    assert scene.plan(NEWEST, now=NOON + SETTLES).in_use == OLD, "the gateway's answer was to other keys"


def test_keys_that_are_taken_back_are_not_brought_into_use(scene: Scene) -> None:
    scene.plan(NEW)
    scene.accept()
    assert scene.plan(OLD, now=NOON + SETTLES) == KeysPlan(OLD, ())


def test_an_issuer_that_goes_away_changes_nothing(scene: Scene) -> None:
    scene.plan(NEW)
    scene.accept()
    assert scene.plan(None, now=NOON + SETTLES) == KeysPlan(OLD, ())


def test_the_former_keys_can_come_back_at_once(scene: Scene) -> None:
    """The gateway has never forgotten them."""
    scene.plan(NEW)
    scene.accept()
    scene.plan(NEW, now=NOON + SETTLES)
    assert scene.plan(OLD, now=NOON + SETTLES).in_use == OLD


def test_a_keeper_that_was_deleted_is_replaced_and_what_the_issuer_publishes_counts(scene: Scene) -> None:
    """Which keys were in use nobody can say any more."""
    del scene.objects[policy_key(A)]
    assert scene.plan(None) == KeysPlan(None, ())
    assert scene.plan(NEW).in_use == NEW
    assert scene.kept() == {A: (NEW, "1"), B: (OLD, "0")}


@pytest.mark.parametrize("damage", [{"spec": {}}, {"spec": {"jwt": {"providers": []}}}])
def test_a_keeper_that_was_damaged_is_replaced(scene: Scene, damage: Manifest) -> None:
    scene.objects[policy_key(A)] |= damage
    assert scene.plan(OLD).in_use == OLD
    assert jwks_of(scene.objects[policy_key(A)]) == OLD


def test_a_route_that_was_deleted_or_edited_is_put_right(scene: Scene) -> None:
    routes = [ObjectKey(HTTP_ROUTE, PLATFORM.gateway_namespace, name) for name in KEEPERS]
    right = copy.deepcopy(scene.objects[routes[1]]["spec"])
    del scene.objects[routes[0]]
    scene.objects[routes[1]]["spec"]["hostnames"] = ["apigateway.conecta.example"]
    assert [key_of(step.manifest) for step in scene.plan(OLD).steps] == routes
    assert scene.objects[routes[1]]["spec"] == right


def test_nobody_may_call_a_keeper(scene: Scene) -> None:
    for name in KEEPERS:
        assert scene.objects[policy_key(name)]["spec"]["authorization"] == {"defaultAction": "Deny"}
        route = scene.objects[ObjectKey(HTTP_ROUTE, PLATFORM.gateway_namespace, name)]
        assert route["spec"]["hostnames"] == [f"{name}.invalid"]


def test_a_keeper_asks_the_same_of_a_token_as_an_api_does() -> None:
    """But for where the keys are: else the gateway would know the two by different names."""
    api = ApiPolicy(
        **COMMON,
        issuer="https://issuer.example",
        jwks_config_map="conecta-jwks",
        revoked_client_ids=(),
        placed_grants=(),
        consumers={},
    )
    keeper = KeeperPolicy(**COMMON, annotations={}, issuer="https://issuer.example", jwks=OLD)
    asked = [FORMS.write(context)["spec"]["jwt"] for context in (api, keeper)]
    for jwt in asked:
        del jwt["providers"][0]["localJWKS"]
    assert asked[0] == asked[1]


def copies(*jwks: tuple[str, str], written: datetime = NOON - timedelta(days=1)) -> Iterable[Manifest]:
    for namespace, text in jwks:
        yield {
            "metadata": {
                "name": "conecta-jwks",
                "namespace": namespace,
                "managedFields": [{"time": written.isoformat()}],
            },
            "data": {"jwks": text},
        }


def test_late_is_who_is_served_and_has_other_keys() -> None:
    found = [*copies(("inss", OLD), ("receita", NEW), ("gone", OLD))]
    assert keepers.late(found, {"receita", "inss"}, NEW, NOON) == ("inss",)


def test_late_is_who_has_had_the_keys_for_a_moment_only() -> None:
    found = [*copies(("receita", NEW), written=NOON)]
    assert keepers.late(found, {"receita"}, NEW, NOON + timedelta(seconds=9)) == ("receita",)
    assert keepers.late(found, {"receita"}, NEW, NOON + timedelta(seconds=10)) == ()


def test_an_api_without_an_address_is_not_served() -> None:
    def api(namespace: str, url: str | None) -> ConectaApi:
        metadata = {"name": "cep", "namespace": namespace, "uid": "u", "resourceVersion": "1"}
        return ConectaApi.parse(
            {
                "metadata": {**metadata, "creationTimestamp": "2026-11-20T00:00:00Z"},
                "spec": {
                    "title": "CEP",
                    "version": "v1",
                    "contacts": [{"name": "CEP", "email": "cep@receita.example"}],
                    "backend": {"url": "https://cep.receita.example"},
                },
                "status": {"url": url} if url else {},
            }
        )

    apis = [api("receita", "https://gateway.example/api-cep/v1"), api("inss", None)]
    assert keepers.served_namespaces(apis) == {"receita"}


def test_the_spare_is_taken_by_keys_that_nobody_keeps(scene: Scene) -> None:
    assert keepers.takes_the_spare(scene.objects, NEW)
    assert not keepers.takes_the_spare(scene.objects, OLD)
    assert not keepers.takes_the_spare({}, NEW)
