"""The whole program, for every stack file."""

import base64
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from conecta_operator.api.objects import SECRET
from conecta_operator.reconcile.mapping import WATCHED
from tests.infra.recorder import ROOT, STACK_FILES, Made, Project, Stack, deploy, settings_of, whole_program

SANDBOX = settings_of(ROOT / "environments" / "Pulumi.sandbox.yaml")

RATELIMIT = f"envoyproxy/ratelimit@sha256:{'0' * 64}"
CHART = "kubernetes:helm.sh/v4:Chart"


@pytest.fixture(params=STACK_FILES, ids=lambda file: file.name)
def stack_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return settings_of(request.param)


@pytest.fixture(params=[False, True], ids=["up", "preview"])
def stack(request: pytest.FixtureRequest, stack_settings: dict[str, Any], project: Project) -> Stack:
    """The program with one stack's settings, in an up and in a preview."""
    project.configure(stack_settings)
    return deploy(whole_program, preview=request.param)


@pytest.fixture
def sandbox(project: Project) -> Callable[..., Stack]:
    """The program with the sandbox's settings but for those given."""

    def run(**changes: object) -> Stack:
        project.configure({**SANDBOX, **{f"conecta:{key}": value for key, value in changes.items()}})
        return deploy(whole_program)

    return run


def is_child(made: Made) -> bool:
    return made.type.startswith("kubernetes:")


def test_there_is_a_stack_file_to_load() -> None:
    assert "Pulumi.sandbox.yaml" in [file.name for file in STACK_FILES]


def test_a_wrong_assertion_about_what_was_made_fails(stack: Stack) -> None:
    """The canary: were nothing recorded, `all(...)` would hold for anything."""
    assert not all(made.object_name == "wrong" for made in stack)
    assert len([made for made in stack if is_child(made)]) > 20


def test_every_object_has_a_layer_as_its_parent(stack: Stack) -> None:
    assert [made.name for made in stack if is_child(made) and not made.parent_type.startswith("conecta:")] == []


def test_nothing_is_made_but_layers_their_objects_and_one_provider(stack: Stack) -> None:
    others = [made.type for made in stack if not is_child(made) and not made.type.startswith("conecta:")]
    assert others == ["pulumi:providers:kubernetes"]


def test_every_object_is_for_the_stacks_own_cluster(stack: Stack) -> None:
    for made in filter(is_child, stack):
        provider = made.request.provider or made.request.providers["kubernetes"]
        assert provider.endswith("pulumi:providers:kubernetes::cluster::cluster-id"), made.name


def test_every_object_has_a_fixed_name(stack: Stack) -> None:
    assert [made.name for made in stack if is_child(made) and made.type != CHART and not made.object_name] == []


def test_no_two_objects_are_one(stack: Stack) -> None:
    identities = [
        (made.type, made.manifest["metadata"].get("namespace"), made.object_name)
        for made in stack
        if is_child(made) and made.type != CHART
    ]
    assert len(identities) == len(set(identities))


def test_waiting_has_a_limit_for_every_object(stack: Stack) -> None:
    assert [made.name for made in stack if is_child(made) and not made.request.customTimeouts.delete] == []


def test_the_provider_is_told_all_that_a_machine_could_decide_otherwise(stack: Stack) -> None:
    inputs = dict(stack["cluster"].inputs)
    context = inputs.pop("context")
    assert context
    assert inputs == {
        "clusterIdentifier": "conecta/test",
        "namespace": "default",
        "enableServerSideApply": "true",
        "enablePatchForce": "true",
        "upsertExistingObjects": "true",
        "enableConfigMapMutable": "true",
        "enableSecretMutable": "true",
    }


def test_the_gateways_private_key_is_a_secret_of_the_state(sandbox: Callable[..., Stack]) -> None:
    stack = sandbox()
    data = stack["gateway-certificate"].inputs["data"]
    assert rpc.is_rpc_secret(data)
    assert rpc.unwrap_rpc_secret(data)["tls.key"] == base64.b64encode(b"made-up private key").decode()
    assert "made-up private key" not in str([made.inputs for made in stack])


def test_the_certificate_that_backends_are_shown_is_the_proxys_and_its_key_a_secret(
    sandbox: Callable[..., Stack],
) -> None:
    stack = sandbox()
    data = stack["gateway-client-certificate"].inputs["data"]
    assert rpc.is_rpc_secret(data)
    assert rpc.unwrap_rpc_secret(data)["tls.key"] == base64.b64encode(b"made-up private key of a client").decode()
    shown = {"group": "", "kind": "Secret", "name": "conecta-client-tls"}
    assert stack["gateway-proxy"].inputs["spec"]["backendTLS"] == {"clientCertificateRef": shown}


def test_without_a_certificate_of_their_own_proxies_show_none(sandbox: Callable[..., Stack]) -> None:
    stack = sandbox(gateway={key: SANDBOX["conecta:gateway"][key] for key in ("url", "tls")})
    assert "backendTLS" not in stack["gateway-proxy"].inputs["spec"]


def test_a_definition_is_made_for_every_file_of_the_chart(stack: Stack) -> None:
    files = list((ROOT / "charts" / "conecta-crds" / "crds").glob("*.yaml"))
    assert len(stack.of("CustomResourceDefinition")) == len(files) > 0


def test_agencies_come_after_the_rights_by_which_the_operator_lets_go_of_what_they_wrote(stack: Stack) -> None:
    """`pulumi destroy` goes the other way: the operator's rights must outlive the agencies' namespaces."""
    assert {"operator", "gateway"} <= stack["tenancy"].needs
    assert {made.name for made in stack.of("CustomResourceDefinition")} <= stack["release"].needs


def test_a_route_comes_after_its_policies_and_the_gateway_after_its_own(stack: Stack) -> None:
    assert {"token-securitypolicy", "token-envoyextensionpolicy", "token-backendtlspolicy"} <= stack[
        "token-route"
    ].needs
    assert {"gateway-closed", "gateway-clients", "gateway-proxy", "gateway-patches"} <= stack.of("Gateway")[0].needs
    pages = {made.name for made in stack.of("HTTPRouteFilter") if not made.name.startswith("token-")}
    assert {"problems-open"} | pages <= stack["problems-route"].needs


def test_an_agencys_namespace_says_whose_it_is_and_lets_its_people_in(sandbox: Callable[..., Stack]) -> None:
    agency = {
        "name": "Receita Federal do Brasil",
        "cnpj": "12ABC34501DE35",
        "siorg": "2041",
        "namespaces": ["rfb", "rfb-h"],
    }
    stack = sandbox(agencies={"receita": agency})
    for namespace in ("rfb", "rfb-h"):
        assert stack[namespace].manifest["metadata"] == {
            "name": namespace,
            "labels": {
                "conecta.gov.br/agency": "receita",
                "conecta.gov.br/cnpj": "12ABC34501DE35",
                "conecta.gov.br/siorg": "2041",
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "latest",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/audit-version": "latest",
                "pod-security.kubernetes.io/warn": "restricted",
                "pod-security.kubernetes.io/warn-version": "latest",
            },
            "annotations": {"conecta.gov.br/agency-name": "Receita Federal do Brasil"},
        }
    bound = {
        (made.manifest["metadata"]["namespace"], made.manifest["roleRef"]["name"], made.manifest["subjects"][0]["name"])
        for made in stack.of("RoleBinding")
    }
    assert bound == {
        (namespace, role, subject)
        for namespace in ("rfb", "rfb-h")
        for role, subject in (
            ("conecta-provider", "conecta:receita:providers"),
            ("conecta-receiver", "conecta:receita:receivers"),
            ("conecta-operator-secrets", "conecta-operator"),
        )
    }


def test_every_namespace_of_an_agency_is_limited_as_the_stack_or_the_agency_says(sandbox: Callable[..., Stack]) -> None:
    agencies = {
        "receita": {
            "name": "Receita", "cnpj": "00394460005887", "siorg": "2041", "namespaces": ["rfb", "rfb-h"],
            "limits": {"apis": 9, "memory": "8Gi"},
        },
        "saude": {"name": "Saúde", "cnpj": "00394544012787", "siorg": "304"},
    }  # fmt: skip
    stack = sandbox(agencies=agencies, limits={"apis": 3, "grants": 4})
    hard = {made.manifest["metadata"]["namespace"]: made.manifest["spec"]["hard"] for made in stack.of("ResourceQuota")}
    assert hard.keys() == {"rfb", "rfb-h", "saude"}
    assert hard["rfb"] == hard["rfb-h"]
    assert hard["rfb"] == hard["saude"] | {
        "count/conectaapis.conecta.gov.br": "9",
        "requests.memory": "8Gi",
        "limits.memory": "8Gi",
    }
    assert hard["saude"] == {
        "count/conectaapis.conecta.gov.br": "3",
        "count/conectagrants.conecta.gov.br": "4",
        "pods": "100",
        "requests.cpu": "20",
        "requests.memory": "40Gi",
        "limits.memory": "40Gi",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    ranges = stack.of("LimitRange")
    assert {made.manifest["metadata"]["namespace"] for made in ranges} == hard.keys()
    for made in ranges:
        assert made.manifest["spec"] == {
            "limits": [
                {
                    "type": "Container",
                    "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
                    "default": {"memory": "256Mi"},
                }
            ]
        }


def test_nothing_that_the_operator_writes_is_counted(sandbox: Callable[..., Stack]) -> None:
    """A full namespace must still get its keys, its routes, and its revocations."""
    written = {f"{kind.plural}.{kind.group}".rstrip(".") for kind in (*WATCHED, SECRET)} - {
        "conectaapis.conecta.gov.br",
        "conectagrants.conecta.gov.br",
    }
    for made in sandbox().of("ResourceQuota"):
        counted = {name.removeprefix("count/") for name in made.manifest["spec"]["hard"]}
        assert counted.isdisjoint(written - {"services", "namespaces"})
        assert all(
            name.startswith(("count/", "pods", "requests.", "limits.", "services."))
            for name in made.manifest["spec"]["hard"]
        )


def test_an_agencys_providers_reach_grants_everywhere_and_its_receivers_do_not(sandbox: Callable[..., Stack]) -> None:
    """Which of these grants they decide over is up to the admission policy of the operator's chart."""
    bound = {
        made.object_name: (made.manifest["roleRef"], made.manifest["subjects"])
        for made in sandbox().of("ClusterRoleBinding")
    }
    assert bound == {
        f"conecta-{agency}-approvers": (
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "conecta-approver"},
            [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"conecta:{agency}:providers"}],
        )
        for agency in ("receita", "saude")
    } | {
        f"conecta-{group}": (
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"conecta:{group}"}],
        )
        for group, role in (("platform", "conecta-platform"), ("auditors", "conecta-auditor"))
    }


def test_what_agencies_wrote_is_protected_unless_settings_say_otherwise(sandbox: Callable[..., Stack]) -> None:
    def protected(stack: Stack) -> set[bool]:
        return {made.request.protect for kind in ("Namespace", "CustomResourceDefinition") for made in stack.of(kind)}

    assert protected(sandbox(protect=True)) == {True}
    assert protected(sandbox(protect=False)) == {False}


def test_the_operators_chart_is_told_where_everything_is(sandbox: Callable[..., Stack]) -> None:
    chart = sandbox().of("Chart")[0].manifest
    assert (chart["name"], chart["namespace"], chart["chart"]) == (
        "conecta-operator",
        "conecta-system",
        "./charts/conecta-operator",
    )
    assert chart["values"] == {
        "workload": "Process",
        "gateway": {
            "namespace": "conecta-gateway",
            "name": "conecta",
            "listener": "https",
            "url": "https://localhost:10443",
            "drainSeconds": 60,
            "proxyNamespace": "envoy-gateway-system",
            "proxyPort": 10443,
        },
        "dns": {"namespace": "kube-system", "labels": "k8s-app=kube-dns", "port": 53},
        "privateBackendRanges": [],
        "issuer": {
            "url": "https://localhost:10443",
            "publicUrl": "https://hydra.localhost:4444",
            "adminUrl": "https://hydra.localhost:4445",
            "caConfigMap": "kube-root-ca.crt",
        },
    }


def test_what_counts_for_all_is_made_only_where_it_is_asked_for(sandbox: Callable[..., Stack]) -> None:
    assert all("conecta_ratelimit" not in str(patches.manifest) for patches in sandbox().of("EnvoyPatchPolicy"))
    somebodys = sandbox(rates={"mode": "Shared", "service": "quota.example:8081"})
    assert [made.object_name for made in somebodys if made.parent_type == "conecta:rates:RateService"] == [
        "conecta-ratelimit"
    ]
    assert any("quota.example" in str(patches.manifest) for patches in somebodys.of("EnvoyPatchPolicy"))
    ours = sandbox(rates={"mode": "Shared", "image": RATELIMIT, "redis": "redis.quota:6379"})
    made = [made.type.rpartition(":")[2] for made in ours if made.parent_type == "conecta:rates:RateService"]
    assert sorted(made) == ["ConfigMap", "Deployment", "Service"]


def test_a_deployed_operator_has_its_image(sandbox: Callable[..., Stack]) -> None:
    image = f"registry.example/x@sha256:{'0' * 64}"
    values = sandbox(operator={"image": image}).of("Chart")[0].manifest["values"]
    assert (values["workload"], values["image"]) == ("Deployment", image)


def test_a_certificate_of_somebody_elses_is_only_referred_to(sandbox: Callable[..., Stack]) -> None:
    stack = sandbox(gateway={"url": "https://a.example", "tls": {"secretName": "from-cert-manager"}})
    assert stack.of("Secret") == []
    listener = stack.of("Gateway")[0].manifest["spec"]["listeners"][0]
    assert listener["port"] == 443
    assert listener["tls"]["certificateRefs"] == [{"group": "", "kind": "Secret", "name": "from-cert-manager"}]
    patches = str([made.manifest for made in stack.of("EnvoyPatchPolicy")])
    assert "socket_address" not in patches, "a gateway in a pod listens on all of the pod's addresses"


def test_a_certificate_file_that_is_not_there_is_named_with_its_setting(
    sandbox: Callable[..., Stack], project: Project
) -> None:
    (project.folder / ".sandbox" / "pki" / "gateway.key").unlink()
    with pytest.raises(pulumi.RunError, match=r"conecta:gateway.tls.keyFile: .*gateway.key: No such file"):
        sandbox()


def test_a_chart_without_definitions_is_an_error(sandbox: Callable[..., Stack], project: Project) -> None:
    (project.folder / "charts").unlink()
    with pytest.raises(pulumi.RunError, match="holds no definitions"):
        sandbox()


def test_the_program_itself_is_short_and_makes_no_object() -> None:
    text = (ROOT / "__main__.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "kubernetes" not in text
