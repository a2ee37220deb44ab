"""What is kept of each object that kopf sees, and how it is found again."""

from types import MappingProxyType
from typing import Any

import pytest

from conecta_operator.handlers import indices
from conecta_operator.handlers.indices import IndexedLandscape
from tests.unit.reconcile.stand_ins import api_key, api_manifest, being_deleted, grant_key, grant_manifest

CEP, CPF = api_manifest("cep"), api_manifest("cpf-light")
RIVAL = api_manifest("correios", "correios", basePath="/api-cep/v1")
GRANT, OTHER = grant_manifest("g"), grant_manifest("h", "fazenda", api="cpf-light")


async def indexed(*indexers: Any) -> list[dict[Any, list[Any]]]:
    """What kopf makes of the indexers' answers."""
    filled: list[dict[Any, list[Any]]] = []
    for indexer, manifests in indexers:
        index: dict[Any, list[Any]] = {}
        for manifest in manifests:
            for key, value in (await indexer(body=MappingProxyType(manifest), name="ignored")).items():
                index.setdefault(key, []).append(value)
        filled.append(index)
    return filled


@pytest.fixture
async def landscape() -> IndexedLandscape:
    apis, grants = (CEP, CPF, RIVAL), (GRANT, OTHER)
    by_namespace, by_base_path, grants_by_namespace, grants_by_api = await indexed(
        (indices.apis_by_namespace, apis),
        (indices.apis_by_base_path, apis),
        (indices.grants_by_namespace, grants),
        (indices.grants_by_api, grants),
    )
    landscape = IndexedLandscape()
    landscape.look_at(
        apis_by_namespace=by_namespace,
        apis_by_base_path=by_base_path,
        grants_by_namespace=grants_by_namespace,
        grants_by_api=grants_by_api,
    )
    return landscape


async def test_apis_are_found_by_namespace_and_by_base_path(landscape: IndexedLandscape) -> None:
    assert [api.key for api in landscape.apis_in("receita")] == [api_key("cep"), api_key("cpf-light")]
    claiming = [api.key for api in landscape.apis_claiming("/api-cep/v1")]
    assert claiming == [api_key("cep"), api_key("correios", "correios")]


async def test_grants_are_found_by_namespace_and_by_api(landscape: IndexedLandscape) -> None:
    assert [grant.key for grant in landscape.grants_in("saude")] == [grant_key("g")]
    assert [grant.key for grant in landscape.grants_of(api_key("cpf-light"))] == [grant_key("h", "fazenda")]


async def test_all_are_found(landscape: IndexedLandscape) -> None:
    assert {api.key.name for api in landscape.apis()} == {"cep", "cpf-light", "correios"}
    assert {grant.key.name for grant in landscape.grants()} == {"g", "h"}


async def test_what_is_buried_is_found_no_more(landscape: IndexedLandscape) -> None:
    landscape.bury([CEP["metadata"]["uid"], GRANT["metadata"]["uid"]])
    assert [api.key for api in landscape.apis_claiming("/api-cep/v1")] == [api_key("correios", "correios")]
    assert [api.key for api in landscape.apis_in("receita")] == [api_key("cpf-light")]
    assert list(landscape.grants_of(api_key("cep"))) == []
    assert {grant.key.name for grant in landscape.grants()} == {"h"}


def test_before_kopf_hands_its_indices_over_nothing_is_seen() -> None:
    landscape = IndexedLandscape()
    assert (list(landscape.apis()), list(landscape.grants())) == ([], [])
    assert (list(landscape.apis_claiming("/api-cep/v1")), list(landscape.grants_of(api_key("cep")))) == ([], [])


async def test_a_grant_that_is_being_deleted_is_known_to_be_revoked() -> None:
    answers = await indices.grants_by_api(body=being_deleted(GRANT))
    assert answers[api_key("cep")].awaits_policy
    assert not (await indices.grants_by_api(body=GRANT))[api_key("cep")].awaits_policy
