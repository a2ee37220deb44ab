"""The arguments of the provider."""

from typing import Any

import pytest
from pulumi.runtime.rpc import wrap_rpc_secret as secret

from sandbox.pulumi.settings import Settings, problems


def test_arguments_are_read_from_json_in_strings_and_from_variables() -> None:
    assert Settings.of(
        {
            "enablePatchForce": "true",
            "enableSecretMutable": "false",
            "kubernetes:config:upsertExistingObjects": "true",
            "kubeconfig": secret("apiVersion: v1"),
            "clusterIdentifier": "conecta/sandbox",
            "context": "",
        }
    ) == Settings(kubeconfig="apiVersion: v1", cluster_identifier="conecta/sandbox", force=True, upsert=True)


def test_the_defaults_are_the_careful_ones_of_the_official_provider() -> None:
    assert Settings.of({}) == Settings(
        force=False, upsert=False, config_maps_are_mutable=False, secrets_are_mutable=False
    )


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        pytest.param({"renderYamlToDirectory": "out"}, ["renderYamlToDirectory"], id="render mode"),
        pytest.param({"cluster": "other"}, ["cluster"], id="another cluster of the kubeconfig"),
        pytest.param({"enableServerSideApply": "false"}, ["enableServerSideApply"], id="client-side apply"),
        pytest.param({"enableServerSideApply": "true", "context": "x"}, [], id="what is known"),
    ],
)
def test_what_only_the_official_provider_can_is_refused_by_name(arguments: dict[str, Any], wrong: list[str]) -> None:
    assert [name for name, _ in problems(arguments)] == wrong
