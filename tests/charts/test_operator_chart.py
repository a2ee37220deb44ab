"""What the charts render, and what they refuse."""

import json
from typing import Any

import pytest
import yaml

from conecta_operator.reconcile.mapping import WATCHED
from conecta_operator.settings import PREFIX, Settings
from tests.support.rendered_charts import CHART, CHARTS, helm, one, rendered, rights

pytestmark = pytest.mark.tools

DEPLOYED = {
    "image": f"registry.example/conecta-operator:0.1.0@sha256:{'0' * 64}",
    "gateway": {"url": "https://apigateway.example.gov.br"},
    "issuer": {
        "url": "https://apigateway.example.gov.br",
        "publicUrl": "https://hydra-public.hydra.svc",
        "adminUrl": "https://hydra-admin.hydra.svc:4445",
        "caConfigMap": "hydra-ca",
    },
}
GENERATED = (
    *(("gateway.networking.k8s.io", kind) for kind in ("httproutes", "backendtlspolicies")),
    *(("gateway.envoyproxy.io", f"{kind}s") for kind in ("backend", "httproutefilter")),
    *(("gateway.envoyproxy.io", f"{kind}policies") for kind in ("security", "backendtraffic")),
    ("networking.k8s.io", "networkpolicies"),
)
OPERATOR_RIGHTS = {
    ("conecta.gov.br", "conectaapis"): "get list watch update",
    ("conecta.gov.br", "conectaapis/finalizers"): "update",
    ("conecta.gov.br", "conectaapis/status"): "patch",
    ("conecta.gov.br", "conectagrants"): "get list watch update",
    ("conecta.gov.br", "conectagrants/finalizers"): "update",
    ("conecta.gov.br", "conectagrants/status"): "patch",
    **dict.fromkeys(GENERATED, "get list watch create update delete"),
    ("", "configmaps"): "get list watch create update",
    ("", "secrets"): "get create update delete",
    ("rbac.authorization.k8s.io", "rolebindings"): "get",
    ("", "services"): "get list watch",
    ("", "namespaces"): "get list watch",
    ("discovery.k8s.io", "endpointslices"): "list watch",
    ("events.k8s.io", "events"): "create",
}
SECRETS_RIGHTS = {("", "secrets"): "list watch"}
PROVIDER_RIGHTS = {
    ("conecta.gov.br", "conectaapis"): "get list watch create update patch delete approve",
    ("", "events"): "get list watch",
}
APPROVER_RIGHTS = {
    ("conecta.gov.br", "conectagrants"): "get list watch",
    ("conecta.gov.br", "conectagrants/status"): "get patch update",
}
LOOK = "get list watch"
VIEW_RIGHTS = {
    ("conecta.gov.br", "conectaapis"): LOOK,
    ("conecta.gov.br", "conectagrants"): LOOK,
    **{("gateway.networking.k8s.io", resource): LOOK for resource in ("gateways", "httproutes", "backendtlspolicies")},
    **{
        ("gateway.envoyproxy.io", resource): LOOK
        for resource in (
            "securitypolicies",
            "backends",
            "backendtrafficpolicies",
            "clienttrafficpolicies",
            "envoyextensionpolicies",
            "envoypatchpolicies",
            "httproutefilters",
        )
    },
    ("networking.k8s.io", "networkpolicies"): LOOK,
    **{("", resource): LOOK for resource in ("namespaces", "resourcequotas", "limitranges", "events")},
    ("events.k8s.io", "events"): LOOK,
    **{
        ("rbac.authorization.k8s.io", resource): LOOK
        for resource in ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    },
    **{
        ("admissionregistration.k8s.io", resource): LOOK
        for resource in ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
    },
}
MANAGE_RIGHTS = {
    ("", "namespaces"): "update patch",
    ("conecta.gov.br", "agencies"): "update",
    ("conecta.gov.br", "conectaapis"): "update patch delete",
    ("conecta.gov.br", "conectagrants"): "update patch delete",
    ("conecta.gov.br", "conectaapis/finalizers"): "update",
    ("conecta.gov.br", "conectagrants/finalizers"): "update",
    **dict.fromkeys(GENERATED, "delete"),
}
RECEIVER_RIGHTS = {
    ("conecta.gov.br", "conectagrants"): "get list watch create update patch delete",
    ("", "secrets"): "get list watch delete",
    ("", "events"): "get list watch",
}


def container() -> tuple[dict[str, Any], dict[str, Any]]:
    pod = one(rendered(**DEPLOYED), "Deployment")["spec"]["template"]["spec"]
    [only] = pod["containers"]
    return pod, only


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("conecta-operator", OPERATOR_RIGHTS, id="operator"),
        pytest.param("conecta-operator-secrets", SECRETS_RIGHTS, id="operator in an agency's namespace"),
        pytest.param("conecta-provider", PROVIDER_RIGHTS, id="provider"),
        pytest.param("conecta-approver", APPROVER_RIGHTS, id="approver"),
        pytest.param("conecta-receiver", RECEIVER_RIGHTS, id="receiver"),
        pytest.param("conecta-view", VIEW_RIGHTS, id="part of auditor and platform"),
        pytest.param("conecta-manage", MANAGE_RIGHTS, id="part of platform"),
    ],
)
def test_a_role_gives_exactly_these_rights(name: str, expected: dict[tuple[str, str], str]) -> None:
    role = one(rendered(workload="Process"), "ClusterRole", name)
    assert rights(role) == expected
    assert len(rights(role)) == sum(len(rule["apiGroups"]) * len(rule["resources"]) for rule in role["rules"])
    assert all(set(rule) - {"resourceNames"} == {"apiGroups", "resources", "verbs"} for rule in role["rules"])
    named = {
        resource: rule["resourceNames"]
        for rule in role["rules"]
        if "resourceNames" in rule
        for resource in rule["resources"]
    }
    assert named == ({"rolebindings": ["conecta-operator"]} if name == "conecta-operator" else {})
    assert "aggregationRule" not in role


@pytest.mark.parametrize(
    ("name", "label", "parts"),
    [
        pytest.param("conecta-auditor", "auditor", {"conecta-view"}, id="auditor"),
        pytest.param("conecta-platform", "platform", {"conecta-view", "conecta-manage"}, id="platform"),
    ],
)
def test_a_role_is_the_sum_of_its_parts(name: str, label: str, parts: set[str]) -> None:
    objects = rendered(workload="Process")
    role, marked = one(objects, "ClusterRole", name), {f"conecta.gov.br/aggregate-to-{label}": "true"}
    assert role["aggregationRule"] == {"clusterRoleSelectors": [{"matchLabels": marked}]}
    assert "rules" not in role, "Kubernetes fills them in"
    roles = [each for each in objects if each["kind"] == "ClusterRole"]
    assert {each["metadata"]["name"] for each in roles if marked.items() <= each["metadata"]["labels"].items()} == parts


def test_whoever_only_looks_can_change_nothing_and_sees_no_secret() -> None:
    assert set(VIEW_RIGHTS.values()) == {LOOK}
    assert {("", "secrets"), ("", "configmaps")}.isdisjoint(VIEW_RIGHTS)


def test_the_operator_may_see_all_that_it_watches() -> None:
    granted = rights(one(rendered(workload="Process"), "ClusterRole"))
    for kind in WATCHED:
        assert {"list", "watch"} <= set(granted[kind.group, kind.plural].split()), kind


def test_the_operator_lists_secrets_in_no_namespace_by_itself() -> None:
    """Pulumi binds the role that lets it, namespace by namespace; the chart binds it nowhere."""
    objects = rendered(workload="Process")
    assert {"list", "watch"}.isdisjoint(rights(one(objects, "ClusterRole"))["", "secrets"].split())
    bound = [each["roleRef"]["name"] for each in objects if each["kind"].endswith("RoleBinding")]
    assert bound == ["conecta-operator"]


def test_no_role_has_a_wildcard() -> None:
    roles = [each for each in rendered(workload="Process") if each["kind"] in ("ClusterRole", "Role")]
    assert len(roles) == 9
    assert "*" not in json.dumps(roles)


def test_an_operator_that_runs_as_a_process_has_the_same_rights_and_no_workload() -> None:
    deployed = rendered(**DEPLOYED)
    process = rendered(workload="Process")
    assert [each for each in deployed if each["kind"] != "Deployment"] == process
    assert {each["kind"] for each in process} == {
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


def test_only_the_operators_service_account_has_the_operators_rights() -> None:
    [binding] = [each for each in rendered(workload="Process") if each["kind"] == "ClusterRoleBinding"]
    assert binding["roleRef"]["name"] == "conecta-operator"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "conecta-operator", "namespace": "conecta-system"}
    ]


def test_one_operator_runs_at_a_time() -> None:
    spec = one(rendered(**DEPLOYED), "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_its_pod_is_allowed_where_pod_security_is_restricted() -> None:
    pod, only = container()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(set(volume) <= {"name", "configMap"} for volume in pod["volumes"])


def test_what_scanners_find_and_we_mean_has_a_reason_beside_it() -> None:
    annotations = one(rendered(**DEPLOYED), "Deployment")["metadata"]["annotations"]
    meant = {name: text for name, text in annotations.items() if name.startswith(("checkov.io/", "ignore-check."))}
    assert meant == annotations
    for name, text in meant.items():
        reason = text.partition("=")[2] if name.startswith("checkov.io/") else text
        assert len(reason.split()) >= 2, name


def test_nothing_that_needs_no_token_gets_one() -> None:
    """The operator needs one, and its pod says so; whatever else would run under its account gets none by itself."""
    assert one(rendered(**DEPLOYED), "ServiceAccount")["automountServiceAccountToken"] is False
    pod, _ = container()
    assert pod["automountServiceAccountToken"] is True


def test_its_probes_ask_the_port_that_it_is_told() -> None:
    _, only = container()
    environment = {each["name"]: each["value"] for each in only["env"]}
    [port] = only["ports"]
    assert str(port["containerPort"]) == environment["CONECTA_OPERATOR_PROBE_PORT"]
    assert {only[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")} == {
        port["name"]
    }


def test_its_settings_are_those_of_the_values() -> None:
    _, only = container()
    environment = {each["name"].removeprefix(PREFIX): each["value"] for each in only["env"]}
    issuer = DEPLOYED["issuer"]
    assert isinstance(issuer, dict)
    assert (
        environment.items()
        >= {
            "GATEWAY_NAMESPACE": "conecta-gateway",
            "GATEWAY_NAME": "conecta",
            "GATEWAY_LISTENER": "https",
            "GATEWAY_URL": "https://apigateway.example.gov.br",
            "ISSUER_URL": issuer["url"],
            "ISSUER_PUBLIC_URL": issuer["publicUrl"],
            "ISSUER_ADMIN_URL": issuer["adminUrl"],
            "ISSUER_CA_FILE": "/etc/conecta/issuer/ca.crt",
            "ALLOW_LOCAL_BACKENDS": "false",
            "GATEWAY_PROXY_NAMESPACE": "envoy-gateway-system",
            "GATEWAY_PROXY_PORT": "10443",
            "DNS_LABELS": "k8s-app=kube-dns",
            "PRIVATE_BACKEND_RANGES": "[]",
        }.items()
    )


def test_every_variable_of_its_environment_is_a_setting_that_it_knows() -> None:
    _, only = container()
    assert {each["name"].removeprefix(PREFIX).lower() for each in only["env"]} <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"workload": "Pod"}, "/workload", id="an unknown workload"),
        pytest.param({"image": ""}, "/image", id="a deployment without an image"),
        pytest.param({"image": "registry.example/conecta-operator"}, "/image", id="an image without a digest"),
        pytest.param({"image": "registry.example/conecta-operator:0.1.0"}, "/image", id="an image that may change"),
        pytest.param({"workloads": "Process"}, "workloads", id="a misspelt value"),
        pytest.param({"issuer": {"adminURL": "https://a"}}, "adminURL", id="a misspelt value further in"),
        pytest.param({"issuer": {"adminUrl": "http://a"}}, "/issuer/adminUrl", id="an issuer without TLS"),
        pytest.param({"issuer": {"caConfigMap": ""}}, "/issuer/caConfigMap", id="nobody who signs for the issuer"),
        pytest.param({"gateway": {"url": "https://a/"}}, "/gateway/url", id="a URL with a slash at its end"),
        pytest.param({"gateway": {"namespace": "A"}}, "/gateway/namespace", id="no name of a namespace"),
        pytest.param({"gateway": {"proxyPort": 0}}, "/gateway/proxyPort", id="no port"),
        pytest.param({"dns": {"labels": "kube-dns"}}, "/dns/labels", id="no labels to know the DNS by"),
        pytest.param({"resyncInterval": 0}, "/resyncInterval", id="no time between comparisons"),
        pytest.param({"workers": "8"}, "/workers", id="a text for a number"),
        pytest.param({"allowLocalBackends": "yes"}, "/allowLocalBackends", id="a text for a truth"),
        pytest.param({"logLevel": "LOUD"}, "/logLevel", id="an unknown level"),
    ],
)
def test_the_schema_refuses(values: dict[str, Any], named: str) -> None:
    merged = {key: {**was, **values.get(key, {})} if isinstance(was, dict) else was for key, was in DEPLOYED.items()}
    merged |= {key: value for key, value in values.items() if not isinstance(value, dict) or key not in DEPLOYED}
    result = helm("template", "any-name", CHART, values=json.dumps(merged))
    assert result.returncode != 0
    assert named in result.stderr


@pytest.mark.parametrize("image", [f"{name}@sha256:{'0' * 64}" for name in ("r.example:5000/a/b:1", "r.example/a")])
def test_the_schema_accepts_an_image_by_digest(image: str) -> None:
    values = json.dumps({**DEPLOYED, "image": image})
    assert helm("template", "any-name", CHART, values=values).returncode == 0


@pytest.mark.parametrize("chart", ["conecta-operator", "conecta-crds"])
def test_helm_finds_nothing_wrong(chart: str) -> None:
    values = json.dumps(DEPLOYED) if chart == "conecta-operator" else "{}"
    result = helm("lint", CHARTS / chart, values=values)
    assert result.returncode == 0, result.stdout
    assert "[ERROR]" not in result.stdout


def test_every_default_is_in_the_schema_and_the_other_way_round() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert set(schema["properties"]) - {"global"} == set(defaults)
