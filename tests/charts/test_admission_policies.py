"""What the admission policies of the chart look at, and that none of them lets through what it can't judge."""

import re
from typing import Any

import pytest
import yaml

from tests.support.rendered_charts import CHARTS, one, rendered, rights

pytestmark = pytest.mark.tools


def policy() -> dict[str, Any]:
    spec: dict[str, Any] = one(rendered(workload="Process"), "ValidatingAdmissionPolicy", "conecta-approval")["spec"]
    return spec


def grant_definition() -> dict[str, Any]:
    file = CHARTS / "conecta-crds" / "crds" / "conectagrants.conecta.gov.br.yaml"
    spec: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
    return spec


def test_the_policy_over_approvals_is_in_force_everywhere_and_refuses_when_it_fails() -> None:
    spec = policy()
    assert spec["failurePolicy"] == "Fail"
    constraints = spec["matchConstraints"]
    assert (constraints["namespaceSelector"], constraints["objectSelector"]) == ({}, {})
    assert "excludeResourceRules" not in constraints
    binding = one(rendered(workload="Process"), "ValidatingAdmissionPolicyBinding", "conecta-approval")["spec"]
    assert binding == {"policyName": "conecta-approval", "validationActions": ["Deny", "Audit"]}


def test_the_policy_over_approvals_sees_every_way_to_write_a_grant_and_no_deletion() -> None:
    definition = grant_definition()
    [rule] = policy()["matchConstraints"]["resourceRules"]
    assert rule["apiVersions"] == [version["name"] for version in definition["versions"] if version["served"]]
    assert {resource for version in definition["versions"] for resource in version["subresources"]} == {"status"}
    assert rule["resources"] == ["conectagrants", "conectagrants/status"]
    assert rule["operations"] == ["CREATE", "UPDATE"]


def test_the_policy_over_approvals_compares_all_terms() -> None:
    [version] = grant_definition()["versions"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    [compared] = [each["expression"] for each in policy()["variables"] if each["name"] == "otherTerms"]
    assert set(re.findall(r"\['(\w+)'\]", compared)) == set(status["approval"]["properties"]["terms"]["properties"])


def test_the_policy_over_approvals_knows_the_operator_by_its_service_account() -> None:
    account = one(rendered(workload="Process"), "ServiceAccount")["metadata"]
    [known] = [each["expression"] for each in policy()["variables"] if each["name"] == "isOperator"]
    assert known == f"variables.user == 'system:serviceaccount:{account['namespace']}:{account['name']}'"


POLICIES = ("approval", "finalizers", "generated", "addresses", "ownership", "agencies")


def test_there_are_these_policies_and_no_other() -> None:
    objects = rendered(workload="Process")
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        assert {each["metadata"]["name"] for each in objects if each["kind"] == kind} == {
            f"conecta-{name}" for name in POLICIES
        }


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_refuses_when_it_fails_and_never_looks_at_a_deletion(name: str) -> None:
    objects = rendered(workload="Process")
    spec = one(objects, "ValidatingAdmissionPolicy", f"conecta-{name}")["spec"]
    assert spec["failurePolicy"] == "Fail"
    assert "excludeResourceRules" not in spec["matchConstraints"]
    assert spec["matchConstraints"]["objectSelector"] == {}
    for rule in spec["matchConstraints"]["resourceRules"]:
        assert set(rule["operations"]) <= {"CREATE", "UPDATE"}
    binding = one(objects, "ValidatingAdmissionPolicyBinding", f"conecta-{name}")["spec"]
    assert binding == {"policyName": f"conecta-{name}", "validationActions": ["Deny", "Audit"]}


def test_whatever_the_operator_writes_for_the_gateway_is_guarded() -> None:
    """And in all of these groups, so that a kind which the gateway learns to read later is guarded from the start."""
    spec = one(rendered(workload="Process"), "ValidatingAdmissionPolicy", "conecta-generated")["spec"]
    rules = spec["matchConstraints"]["resourceRules"]
    guarded = {group for rule in rules if rule["resources"] == ["*"] for group in rule["apiGroups"]}
    ours = ("", "conecta.gov.br")
    role = one(rendered(workload="Process"), "ClusterRole")
    written = {group for (group, _), verbs in rights(role).items() if "create" in verbs} - {*ours, "events.k8s.io"}
    assert written - {"networking.k8s.io", "cilium.io"} <= guarded
    assert {"networkpolicies", "ciliumnetworkpolicies"} <= {each for rule in rules for each in rule["resources"]}


def test_the_policy_over_finalizers_is_in_force_everywhere_and_covers_both_kinds() -> None:
    spec = one(rendered(workload="Process"), "ValidatingAdmissionPolicy", "conecta-finalizers")["spec"]
    assert spec["failurePolicy"] == "Fail"
    constraints = spec["matchConstraints"]
    assert (constraints["namespaceSelector"], constraints["objectSelector"]) == ({}, {})
    [rule] = constraints["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["conectaapis", "conectagrants"], ["UPDATE"])
    binding = one(rendered(workload="Process"), "ValidatingAdmissionPolicyBinding", "conecta-finalizers")["spec"]
    assert binding == {"policyName": "conecta-finalizers", "validationActions": ["Deny", "Audit"]}


def test_no_tenant_may_take_finalizers_off() -> None:
    for role in ("conecta-provider", "conecta-receiver", "conecta-approver"):
        rules = one(rendered(workload="Process"), "ClusterRole", role)["rules"]
        assert not [each for rule in rules for each in rule["resources"] if each.endswith("/finalizers")]
