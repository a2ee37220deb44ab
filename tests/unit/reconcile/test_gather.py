"""A world holds what is there now, not what the watches have seen."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from conecta_operator.api.objects import Manifest, ObjectKey
from conecta_operator.errors import ClusterUnavailable, IssuerUnavailable
from conecta_operator.plan import reads
from conecta_operator.reconcile.gather import Gather, fresh_secret
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.worlds import PLATFORM
from tests.unit.reconcile.stand_ins import (
    ListedLandscape,
    api_key,
    api_manifest,
    grant_key,
    grant_manifest,
    namespace_manifest,
    signing_keys_over,
)


class Scene:
    """A cluster, an issuer, and what the watches have seen."""

    def __init__(self, *live: Manifest, seen: tuple[Manifest, ...] | None = None) -> None:
        namespaces = (namespace_manifest(name) for name in ("receita", "saude", PLATFORM.gateway_namespace))
        self.cluster = FakeCluster(*namespaces, *live)
        self.issuer = FakeIssuer()
        landscape = ListedLandscape(*(live if seen is None else seen))
        self.gather = Gather(
            cluster=self.cluster,
            issuer=self.issuer,
            signing_keys=signing_keys_over(self.cluster, self.issuer),
            landscape=landscape,
            platform=PLATFORM,
        )

    def live(self, key: ObjectKey) -> Manifest:
        return self.cluster.objects[key]


async def test_an_apis_world_has_what_it_refers_to_and_what_was_written_for_it() -> None:
    bundle = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca", "namespace": "receita"}}
    backend = {"url": "https://x.example", "tls": {"caCertificateRef": {"name": "ca"}}}
    scene = Scene(api_manifest("cep", backend=backend), bundle)
    world = await scene.gather.api(scene.live(api_key("cep")))
    assert [key.name for key in world.objects] == ["ca", "receita"]
    assert world.agency is not None
    assert (world.agency.slug, world.jwks, world.platform) == ("receita", scene.issuer.public_keys, PLATFORM)


async def test_a_rival_that_is_seen_but_gone_does_not_count() -> None:
    api, ghost = api_manifest("cep"), api_manifest("fantasma", "correios", basePath="/api-cep/v1")
    rival = api_manifest("rival", "correios", basePath="/api-cep/v1")
    scene = Scene(api, rival, seen=(api, rival, ghost))
    world = await scene.gather.api(scene.live(api_key("cep")))
    assert [other.metadata.name for other in world.rivals] == ["rival"]


async def test_an_api_is_neither_its_own_rival_nor_its_own_sibling() -> None:
    scene = Scene(api_manifest("cep"), api_manifest("cpf-light"), api_manifest("other", "saude"))
    world = await scene.gather.api(scene.live(api_key("cep")))
    assert world.rivals == ()
    assert [sibling.metadata.name for sibling in world.siblings] == ["cpf-light"]


async def test_an_apis_world_is_whole_while_the_issuer_is_away_but_for_its_keys() -> None:
    scene = Scene(api_manifest("cep"))
    scene.issuer.outage = IssuerUnavailable("away")
    world = await scene.gather.api(scene.live(api_key("cep")))
    assert world.jwks is None


async def test_a_grants_world_has_its_api_its_keys_and_a_fresh_secret() -> None:
    scene = Scene(api_manifest("cep"), grant_manifest("g"))
    world = await scene.gather.grant(scene.live(grant_key("g")))
    assert world.api is not None
    assert (world.api.key, world.keys) == (api_key("cep"), ())
    assert world.agency is not None
    assert world.agency.slug == "saude"
    assert len(world.fresh_secret) == 43


async def test_a_grants_world_without_its_api_is_a_world() -> None:
    scene = Scene(grant_manifest("g"))
    world = await scene.gather.grant(scene.live(grant_key("g")))
    assert (world.api, [key.name for key in world.objects]) == (None, ["receita"])


async def test_a_namespace_of_no_agency_has_none() -> None:
    scene = Scene(api_manifest("cep", "default"))
    world = await scene.gather.api(scene.live(api_key("cep", "default")))
    assert world.agency is None


async def test_a_grants_world_is_whole_while_the_issuer_is_away_but_for_its_keys() -> None:
    scene = Scene(grant_manifest("g"))
    scene.issuer.outage = IssuerUnavailable("away")
    assert (await scene.gather.grant(scene.live(grant_key("g")))).keys is None


@pytest.mark.parametrize("of", ["api", "grant"])
async def test_a_failed_read_is_raised_as_itself(of: str) -> None:
    scene = Scene(api_manifest("cep"), grant_manifest("g"))
    key = {"api": api_key("cep"), "grant": grant_key("g")}[of]
    manifest = scene.live(key)
    scene.cluster.outage = ClusterUnavailable("away")
    read: Callable[[Manifest], Any] = getattr(scene.gather, of)
    with pytest.raises(ClusterUnavailable):
        await read(manifest)


async def test_reads_are_under_way_together() -> None:
    scene = Scene(api_manifest("cep"))
    manifest = scene.live(api_key("cep"))
    wanted = reads.of_api(ListedLandscape(manifest).all_apis[0])
    all_asked = asyncio.Barrier(len(wanted))
    answer = scene.cluster.get

    async def get(key: ObjectKey) -> Manifest | None:
        if key in wanted:
            await all_asked.wait()
        return await answer(key)

    scene.cluster.get = get  # type: ignore[method-assign]
    async with asyncio.timeout(5):
        await scene.gather.api(manifest)


def test_no_two_fresh_secrets_are_equal() -> None:
    secrets: set[SecretStr] = {fresh_secret() for _ in range(100)}
    assert len(secrets) == 100
