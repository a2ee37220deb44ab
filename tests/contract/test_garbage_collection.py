"""What happens behind the operator's back in a real cluster, and in the fake when a test says so."""

from typing import Any

import pytest

from conecta_operator.api.objects import Manifest, key_of
from conecta_operator.errors import ClusterUnavailable
from tests.contract.conftest import ClusterBench, namespace_manifest
from tests.contract.manifests import config_map


def _reference(owner: Manifest) -> dict[str, Any]:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


async def test_an_object_goes_away_with_the_last_of_its_owners(bench: ClusterBench) -> None:
    cluster = bench.cluster
    first, second = [await cluster.create(config_map(bench.namespace, name)) for name in ("first", "second")]
    references = [_reference(first), _reference(second)]
    owned = await cluster.create(config_map(bench.namespace, "owned", ownerReferences=references))

    async def owned_by(*owners: Manifest) -> bool:
        found = await cluster.get(key_of(owned))
        return found is not None and found["metadata"]["ownerReferences"] == [_reference(owner) for owner in owners]

    async def gone() -> bool:
        return await cluster.get(key_of(owned)) is None

    await cluster.delete(first)
    await bench.settle(lambda: owned_by(second))
    await cluster.delete(second)
    await bench.settle(gone)


async def test_an_owner_of_the_same_name_but_another_uid_is_not_the_owner(bench: ClusterBench) -> None:
    owner = await bench.cluster.create(config_map(bench.namespace, "owner"))
    owned = await bench.cluster.create(config_map(bench.namespace, "owned", ownerReferences=[_reference(owner)]))
    await bench.cluster.delete(owner)
    await bench.cluster.create(config_map(bench.namespace, "owner"))

    async def gone() -> bool:
        return await bench.cluster.get(key_of(owned)) is None

    await bench.settle(gone)


async def test_a_namespace_takes_its_objects_along(bench: ClusterBench) -> None:
    name = f"{bench.namespace}-ending"
    namespace = await bench.cluster.create(namespace_manifest(name))
    inside = await bench.cluster.create(config_map(name, "inside"))
    await bench.cluster.delete(namespace)
    with pytest.raises(ClusterUnavailable):
        await bench.cluster.create(config_map(name, "late"))

    async def gone() -> bool:
        objects = [await bench.cluster.get(key) for key in (key_of(inside), key_of(namespace))]
        return objects == [None, None]

    await bench.settle(gone)
