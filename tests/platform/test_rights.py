"""What the roles of an agency's people amount to on the platform, and whether the API server understands our policy."""

import pytest

from tests.support.kubectl import eventually, get, kubectl

pytestmark = pytest.mark.usefixtures("platform")


@pytest.mark.parametrize(
    ("group", "verb", "resource", "namespace", "expected"),
    [
        ("receita:providers", "approve", "conectaapis", "receita", "yes"),
        ("receita:providers", "approve", "conectaapis", "saude", "no"),
        ("receita:providers", "list", "conectagrants", "saude", "yes"),
        ("receita:providers", "create", "conectagrants", "saude", "no"),
        ("receita:providers", "get", "secrets", "saude", "no"),
        ("receita:receivers", "approve", "conectaapis", "receita", "no"),
        ("receita:receivers", "patch", "conectagrants/status", "receita", "no"),
        ("receita:receivers", "update", "conectagrants/status", "receita", "no"),
    ],
)
def test_a_group_of_an_agency_has_these_rights(
    group: str, verb: str, resource: str, namespace: str, expected: str
) -> None:
    plural, _, part = resource.partition("/")
    asked = (verb, plural, "-n", namespace, *([f"--subresource={part}"] if part else []))
    answer = kubectl("auth", "can-i", *asked, "--as=x", f"--as-group=conecta:{group}", check=False)
    assert answer.stdout.strip() == expected


@pytest.mark.parametrize("name", ["approval", "finalizers", "generated", "ownership", "agencies"])
def test_the_api_server_finds_nothing_wrong_with_a_policy(name: str) -> None:
    """It checks the types of expressions against the definitions of what they look at."""

    def checked() -> bool:
        policy = get("validatingadmissionpolicy", "", f"conecta-{name}")
        status = policy.get("status", {})
        assert "expressionWarnings" not in status.get("typeChecking", {}), status
        return bool(status.get("observedGeneration") == policy["metadata"]["generation"])

    eventually(checked)
