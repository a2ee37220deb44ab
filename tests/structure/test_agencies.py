"""What the demo's agencies apply is what the operator takes, and every grant is for an API that is offered there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_operator.api.conecta_api import Approval, ConectaApiSpec
from conecta_operator.api.conecta_grant import ConectaGrantSpec


@pytest.fixture(scope="module")
def manifests(root: Path) -> list[dict[str, Any]]:
    paths = sorted((root / "environments" / "agencies").glob("*/*.yaml"))
    manifests = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    assert [manifest["metadata"]["namespace"] for manifest in manifests] == [path.parent.name for path in paths]
    assert [manifest["metadata"]["name"] for manifest in manifests] == [path.stem for path in paths]
    return manifests


@pytest.fixture(scope="module")
def apis(manifests: list[dict[str, Any]]) -> dict[tuple[str, str], ConectaApiSpec]:
    return {
        (manifest["metadata"]["namespace"], manifest["metadata"]["name"]): ConectaApiSpec.model_validate(
            manifest["spec"]
        )
        for manifest in manifests
        if manifest["kind"] == "ConectaApi"
    }


@pytest.fixture(scope="module")
def grants(manifests: list[dict[str, Any]]) -> list[ConectaGrantSpec]:
    return [
        ConectaGrantSpec.model_validate(manifest["spec"])
        for manifest in manifests
        if manifest["kind"] == "ConectaGrant"
    ]


def test_the_agencies_hold_nothing_but_apis_and_grants(manifests: list[dict[str, Any]]) -> None:
    kinds = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}
    assert kinds == {("conecta.gov.br/v1alpha1", "ConectaApi"), ("conecta.gov.br/v1alpha1", "ConectaGrant")}


def test_the_provider_offers_both_services_of_the_demo_backend(apis: dict[tuple[str, str], ConectaApiSpec]) -> None:
    assert {name: (spec.version, spec.access.approval) for (_, name), spec in apis.items()} == {
        "cep": ("v1", Approval.AUTOMATIC),
        "cpf-light": ("v2", Approval.AUTOMATIC),
    }


def test_one_application_has_a_grant_on_each_api(
    grants: list[ConectaGrantSpec], apis: dict[tuple[str, str], ConectaApiSpec]
) -> None:
    assert {grant.application.name for grant in grants} == {"agendamento"}
    assert sorted((grant.api_ref.namespace, grant.api_ref.name) for grant in grants) == sorted(apis)
