"""Whatever is applied and deleted, and in whatever order: the network ends as the last state of all means it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, NETWORK_POLICY, SERVICE, Manifest, ObjectKey
from tests.support.fake_cluster import FakeCluster
from tests.support.network_intent import Api, Grant, Other, Shape
from tests.support.network_landscape import (
    Landscape,
    generated,
    later,
    manifest_of_api,
    manifest_of_grant,
    manifest_of_policy,
    manifest_of_service,
    members,
    platform_policies,
)
from tests.support.operator_in_memory import InMemory
from tests.support.truth_table import by_intent, by_policies, difference

AGENCIES: Final = ("cedente", "outra", "recebedora")
APIS: Final = (("cedente", "a"), ("outra", "b"))
GRANTS: Final = (("recebedora", "g"), ("cedente", "h"), ("recebedora", "i"))
"""Each names the API of the same index, and the last one the first."""
APPS: Final = ("sistema-0", "cliente-0")
SHAPES: Final = tuple(shape for shape in Shape if shape is not Shape.CONFLICTED)
OTHERS: Final = (
    Other(namespace="monitoring", app="prometheus", ports=(9090,)),
    Other(namespace="recebedora"),
    Other(app="cliente-0"),
    Other(block="0.0.0.0/0", but="10.0.0.0/8"),
)

apis = st.builds(
    lambda place, **fields: Api(namespace=place[0], name=place[1], **fields),
    place=st.sampled_from(APIS),
    app=st.sampled_from(APPS),
    shape=st.sampled_from(SHAPES),
    others=st.lists(st.sampled_from(OTHERS), max_size=2).map(tuple),
    is_automatic=st.booleans(),
)
grants = st.builds(
    lambda index, **fields: Grant(
        namespace=GRANTS[index][0], name=GRANTS[index][1], api=APIS[index % len(APIS)], **fields
    ),
    index=st.integers(min_value=0, max_value=len(GRANTS) - 1),
    app=st.sampled_from([None, *APPS]),
    is_suspended=st.booleans(),
    is_future=st.booleans(),
)
gone = st.sampled_from(
    [ObjectKey(CONECTA_API, *place) for place in APIS] + [ObjectKey(CONECTA_GRANT, *place) for place in GRANTS]
)
changes = st.lists(apis | grants | gone | st.none(), max_size=12)


@dataclass
class Scene:
    """An operator, and the people who write and delete what it reads."""

    operator: InMemory = field(default_factory=lambda: InMemory(*map(_namespace, AGENCIES)))
    apis: dict[ObjectKey, Api] = field(default_factory=dict)
    grants: dict[ObjectKey, Grant] = field(default_factory=dict)

    @property
    def cluster(self) -> FakeCluster:
        return self.operator.cluster

    async def change(self, change: Api | Grant | ObjectKey | None) -> None:
        """Apply an API or a grant, delete one, or (None) let the operator catch up."""
        match change:
            case Api():
                self.apis[ObjectKey(CONECTA_API, change.namespace, change.name)] = change
                self._apply_service(change)
                self._apply(manifest_of_api(change), ObjectKey(CONECTA_API, change.namespace, change.name))
            case Grant():
                self.grants[ObjectKey(CONECTA_GRANT, change.namespace, change.name)] = change
                self._apply(manifest_of_grant(change), ObjectKey(CONECTA_GRANT, change.namespace, change.name))
            case ObjectKey():
                await self._delete(change)
            case None:
                await self.operator.converge()

    def landscape(self) -> Landscape:
        """What has been written in the end, with pods of every app in every namespace."""
        everywhere = [Api(namespace=a, name="x", app=app, shape=Shape.NUMBER) for a in AGENCIES for app in APPS]
        pods = tuple(members(AGENCIES, everywhere, ()))
        return Landscape(AGENCIES, tuple(self.apis.values()), tuple(self.grants.values()), pods)

    def policies(self) -> list[Manifest]:
        own = [self.cluster.manifest(key) for key in self.cluster.keys if key.kind == NETWORK_POLICY]
        return [*own, *map(manifest_of_policy, platform_policies(AGENCIES))]

    def difference(self) -> str:
        landscape = self.landscape()
        return difference(by_intent(landscape), by_policies(landscape, self.policies()))

    def _apply(self, manifest: Manifest, key: ObjectKey) -> None:
        """As kubectl does, which leaves finalizers alone."""
        if key in self.cluster.keys:
            manifest["metadata"]["finalizers"] = self.cluster.manifest(key)["metadata"].get("finalizers", [])
        self.cluster.put(manifest)

    def _apply_service(self, api: Api) -> None:
        key, manifest = ObjectKey(SERVICE, api.namespace, api.name), manifest_of_service(api)
        if manifest is not None:
            self.cluster.put(manifest)
        elif key in self.cluster.keys:
            self.cluster.drop(key)

    async def _delete(self, key: ObjectKey) -> None:
        """As `kubectl delete` does, which waits; an API takes its grants' rights along."""
        if key not in self.cluster.keys:
            return
        self.apis.pop(key, None)
        self.grants.pop(key, None)
        manifest = self.cluster.manifest(key)
        manifest["metadata"]["annotations"] = {"conecta.gov.br/withdraw-grants": "true"}
        await self.cluster.delete(self.cluster.put(manifest))
        await self.operator.converge()
        assert key not in self.cluster.keys


def _namespace(name: str) -> Manifest:
    labels = {"conecta.gov.br/agency": name, "conecta.gov.br/cnpj": "00394460005887", "conecta.gov.br/siorg": "1929"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def played(play: Callable[[Scene], Awaitable[None]]) -> Scene:
    """The scene after the play, once the operator has caught up."""

    async def run() -> Scene:
        scene = Scene()
        await play(scene)
        await scene.operator.converge()
        return scene

    return asyncio.run(run())


@settings(max_examples=60, deadline=None)
@given(changes)
def test_any_sequence_of_applies_and_deletes_ends_in_the_table_of_the_final_intent(
    sequence: list[Api | Grant | ObjectKey | None],
) -> None:
    async def play(scene: Scene) -> None:
        for change in sequence:
            await scene.change(change)

    assert played(play).difference() == ""


def test_nothing_is_left_when_everything_is_deleted() -> None:
    """Not in the gateway's namespace either."""

    async def play(scene: Scene) -> None:
        for place in APIS:
            await scene.change(Api(namespace=place[0], name=place[1], app="sistema-0", shape=Shape.NAME))
        for index, place in enumerate(GRANTS):
            await scene.change(Grant(namespace=place[0], name=place[1], api=APIS[index % 2], app="cliente-0"))
        await scene.change(None)
        assert len(scene.policies()) == len(platform_policies(AGENCIES)) + 2 * len(APIS) + 2 * len(GRANTS)
        for key in [*scene.grants, *scene.apis]:
            await scene.change(key)

    assert len(played(play).policies()) == len(platform_policies(AGENCIES))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_yields_the_same_landscape(seed: int) -> None:
    first, second = generated(seed), generated(seed)
    assert (first, later(first, 9)) == (second, later(second, 9))
    assert (len(first.agencies), len(first.apis), len(first.grants)) == (20, 60, 150)


def test_a_missing_policy_and_one_too_many_are_both_found() -> None:
    """The table itself is worth something: a difference in either direction is named."""

    async def play(scene: Scene) -> None:
        await scene.change(Api(namespace="cedente", name="a", app="sistema-0", shape=Shape.NUMBER))

    scene = played(play)
    landscape, policies = scene.landscape(), scene.policies()
    intended = by_intent(landscape)
    for policy in policies[:2]:
        missing = by_policies(landscape, [other for other in policies if other is not policy])
        assert "allowed" in difference(intended, missing), policy["metadata"]["name"]
    open_spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    more = {"metadata": {"name": "open", "namespace": "cedente"}, "spec": open_spec}
    assert "allowed all the same" in difference(intended, by_policies(landscape, [*policies, more]))
