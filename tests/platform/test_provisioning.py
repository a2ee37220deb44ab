"""`pulumi` on the running platform: nothing to do, drift seen and mended."""

import json

import pytest

from sandbox.layout import Layout
from tests.support.kubectl import get, kubectl
from tests.support.pulumi import pulumi

pytestmark = pytest.mark.usefixtures("platform")


def test_a_second_up_changes_nothing() -> None:
    pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_preview_proposes_nothing() -> None:
    pulumi("preview", "--expect-no-changes")


def test_a_refresh_finds_no_drift() -> None:
    pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_drift_is_shown_by_a_preview_that_refreshes_and_mended_by_an_up_that_does() -> None:
    listener = '[{"op":"replace","path":"/spec/listeners/0/allowedRoutes/namespaces","value":{"from":"All"}}]'
    before = get("gateway", "conecta-gateway", "conecta")["spec"]
    kubectl("patch", "gateway", "conecta", "-n", "conecta-gateway", "--type=json", "-p", listener)
    assert pulumi("preview", "--refresh", "--expect-no-changes", check=False).returncode != 0
    pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert get("gateway", "conecta-gateway", "conecta")["spec"] == before
    pulumi("preview", "--refresh", "--expect-no-changes")


def test_the_state_holds_no_private_key_in_clear(platform: Layout) -> None:
    key = platform.key("gateway").read_text().splitlines()[1]
    exported = pulumi("stack", "export").stdout
    assert json.loads(exported)["deployment"]["resources"]
    assert key not in exported


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("customresourcedefinition", "conectaapis.conecta.gov.br"),
        ("customresourcedefinition", "conectagrants.conecta.gov.br"),
        ("gatewayclass", "conecta"),
        ("namespace", "conecta-system"),
        ("namespace", "conecta-gateway"),
    ],
)
def test_platform_objects_are_provisioned(kind: str, name: str) -> None:
    assert get(kind, "", name)


@pytest.mark.parametrize("namespace", ["receita", "saude"])
def test_agencies_have_name_cnpj_and_siorg_code(namespace: str) -> None:
    metadata = get("namespace", "", namespace)["metadata"]
    assert metadata["labels"]["conecta.gov.br/agency"] == namespace
    assert len(metadata["labels"]["conecta.gov.br/cnpj"]) == 14
    assert metadata["labels"]["conecta.gov.br/siorg"].isdigit()
    assert metadata["annotations"]["conecta.gov.br/agency-name"]
