"""How Pulumi names Kubernetes objects."""

import pytest

from sandbox.pulumi.names import autoname, child_name, object_id, split_id, token_of, type_of


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        pytest.param("v1", "Secret", "kubernetes:core/v1:Secret", id="core group"),
        pytest.param("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment", id="named group"),
        pytest.param(
            "conecta.gov.br/v1alpha1",
            "ConectaApi",
            "kubernetes:conecta.gov.br/v1alpha1:ConectaApi",
            id="custom resource",
        ),
    ],
)
def test_a_kind_has_one_token_and_a_token_one_kind(api_version: str, kind: str, token: str) -> None:
    assert token_of(api_version, kind) == token
    assert type_of(token) == (api_version, kind)


@pytest.mark.parametrize(
    ("metadata", "identifier"),
    [
        pytest.param({"namespace": "receita", "name": "cep"}, "receita/cep", id="namespaced"),
        pytest.param({"name": "receita"}, "receita", id="of the cluster"),
    ],
)
def test_an_id_holds_namespace_and_name(metadata: dict[str, str], identifier: str) -> None:
    assert object_id(metadata) == identifier
    assert split_id(identifier) == metadata


def test_a_name_made_up_twice_from_one_seed_is_the_same() -> None:
    assert autoname("settings", b"\x01\xab\xcd\xef\x99") == "settings-01abcdef"


def test_a_child_is_named_after_its_component_and_object() -> None:
    assert child_name("operator", {"namespace": "conecta-system", "name": "x"}) == "operator:conecta-system/x"
