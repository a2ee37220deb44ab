"""The platform's own network policies."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.network import Policy, baseline, listener_pod_port, nobody_in
from infra.settings import from_mapping
from tests.infra.recorder import ROOT, Project, Stack, deploy, settings_of, whole_program
from tests.infra.test_settings import RIGHT, complaints

SANDBOX = settings_of(ROOT / "environments" / "Pulumi.sandbox.yaml")
GATEWAY = {
    "gateway.envoyproxy.io/owning-gateway-namespace": "conecta-gateway",
    "gateway.envoyproxy.io/owning-gateway-name": "conecta",
}
TCP = {"protocol": "TCP"}


def made(
    network: Mapping[str, Any] | None = None, *, rates: Mapping[str, Any] | None = None, **gateway: Any
) -> dict[tuple[str, str], Any]:
    """The specs of the baseline, by namespace and name."""
    cluster = {"context": "x", "network": dict(network or {})}
    parts = {"cluster": cluster, "gateway": {**RIGHT["gateway"], **gateway}, "rates": dict(rates or {})}
    settings = from_mapping({**RIGHT, **parts})
    policies = baseline(settings)
    found = {(policy.namespace, policy.name): policy.spec for policy in policies}
    assert len(found) == len(policies)
    return found


def anywhere(*ports: int, direction: str = "to") -> dict[str, Any]:
    blocks = [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]
    return {direction: blocks, "ports": [{**TCP, "port": port} for port in ports]}


def pods(namespace: str, **labels: str) -> dict[str, Any]:
    of = {"podSelector": {"matchLabels": labels}} if labels else {}
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, **of}


@pytest.mark.parametrize(("port", "expected"), [(443, 10443), (1023, 11023), (1024, 1024), (10443, 10443)])
def test_the_gateways_pods_listen_without_privileges(port: int, expected: int) -> None:
    assert listener_pod_port(port) == expected


@pytest.mark.parametrize("namespace", ["envoy-gateway-system", "conecta-gateway", "conecta-system"])
def test_in_the_platforms_own_namespaces_nobody_reaches_anybody(namespace: str) -> None:
    assert made()[namespace, "conecta-default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_that_is_so_where_the_gateways_pods_run_too() -> None:
    denied = {place for place, name in made({"proxyNamespace": "proxies"}) if name == "conecta-default-deny"}
    assert denied == {"proxies", "envoy-gateway-system", "conecta-gateway", "conecta-system"}


def test_everybody_reaches_the_listener_unless_the_settings_say_who() -> None:
    policy = made()["envoy-gateway-system", "conecta-listeners"]
    assert policy == {
        "podSelector": {"matchLabels": GATEWAY},
        "policyTypes": ["Ingress"],
        "ingress": [anywhere(10443, direction="from")],
    }
    clients = [{"ranges": ["203.0.113.0/24", "2001:db8::/32"]}, {"namespace": "ingress", "labels": "app=lb,tier=edge"}]
    [rule] = made({"clients": clients}, port=8443)["envoy-gateway-system", "conecta-listeners"]["ingress"]
    assert rule == {
        "from": [
            {"ipBlock": {"cidr": "203.0.113.0/24"}},
            {"ipBlock": {"cidr": "2001:db8::/32"}},
            pods("ingress", app="lb", tier="edge"),
        ],
        "ports": [{**TCP, "port": 8443}],
    }


def test_the_gateway_reaches_the_dns_the_issuer_and_its_control_plane() -> None:
    """Not the API server, and no quota where there is none."""
    issuer = {"issuer": {"namespace": "ory"}, "issuerPublicPort": 4444}
    policy = made(issuer)["envoy-gateway-system", "conecta-gateway-needs"]
    assert policy["podSelector"] == {"matchLabels": GATEWAY}
    assert policy["policyTypes"] == ["Egress"]
    assert policy["egress"] == [
        {
            "to": [pods("kube-system", **{"k8s-app": "kube-dns"})],
            "ports": [{"protocol": "UDP", "port": 53}, {**TCP, "port": 53}],
        },
        {"to": [pods("ory")], "ports": [{**TCP, "port": 4444}]},
        {
            "to": [pods("envoy-gateway-system", **{"control-plane": "envoy-gateway"})],
            "ports": [{**TCP, "port": 18000}, {**TCP, "port": 18002}],
        },
    ]


def test_envoy_gateway_and_the_jobs_of_its_chart_reach_the_dns_and_the_api_server() -> None:
    found = made({"apiServer": {"ranges": ["192.0.2.10/32"]}, "apiServerPorts": [6443]})
    server = [{"ipBlock": {"cidr": "192.0.2.10/32"}}]
    for name, labels in (
        ("conecta-control-plane-needs", {"control-plane": "envoy-gateway"}),
        ("conecta-installer-needs", {"app": "certgen"}),
    ):
        policy = found["envoy-gateway-system", name]
        assert policy["podSelector"] == {"matchLabels": labels}
        assert policy["egress"][1:] == [{"to": server, "ports": [{**TCP, "port": 6443}]}]
    [proxies, webhook] = found["envoy-gateway-system", "conecta-control-plane"]["ingress"]
    assert (proxies["from"], webhook["from"]) == ([pods("envoy-gateway-system", **GATEWAY)], server)
    assert webhook["ports"] == [{**TCP, "port": 9443}]


COUNTED = {"mode": "Shared", "image": f"ratelimit@sha256:{'0' * 64}", "redis": "redis.redis.svc:6380"}


def test_where_rates_are_shared_gateway_rate_limit_service_and_redis_find_one_another() -> None:
    found = made({"quota": {"namespace": "redis", "labels": "app=redis"}, "quotaPort": 6379}, rates=COUNTED)
    service = {"app.kubernetes.io/name": "conecta-ratelimit"}
    to_service = {"to": [pods("conecta-gateway", **service)], "ports": [{**TCP, "port": 8081}]}
    assert to_service in found["envoy-gateway-system", "conecta-gateway-needs"]["egress"]
    assert found["conecta-gateway", "conecta-ratelimit"]["podSelector"] == {"matchLabels": service}
    assert found["conecta-gateway", "conecta-ratelimit"]["ingress"] == [
        {"from": [pods("envoy-gateway-system", **GATEWAY)], "ports": [{**TCP, "port": 8081}]}
    ]
    assert found["conecta-gateway", "conecta-ratelimit-needs"]["egress"][1:] == [
        {"to": [pods("redis", app="redis")], "ports": [{**TCP, "port": 6379}]},
    ]
    anywhere_else = made(rates=COUNTED)["conecta-gateway", "conecta-ratelimit-needs"]["egress"][1:]
    assert anywhere_else == [anywhere(6380)]


def test_a_rate_limit_service_of_somebody_else_is_reached_where_the_settings_say() -> None:
    rates = {"mode": "Shared", "service": "ratelimit.contagem.svc:8081"}
    found = made({"quota": {"namespace": "contagem"}}, rates=rates)
    needs = found["envoy-gateway-system", "conecta-gateway-needs"]["egress"]
    assert needs[-1] == {"to": [pods("contagem")], "ports": [{**TCP, "port": 8081}]}
    assert ("conecta-gateway", "conecta-ratelimit") not in found


def test_the_operator_reaches_the_dns_the_api_server_and_the_issuer_and_nobody_reaches_it() -> None:
    found = made()
    policy = found["conecta-system", "conecta-operator-needs"]
    assert policy["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "conecta-operator"}}
    assert policy["egress"][1:] == [anywhere(443, 6443), anywhere(443, 4445)]
    assert {name for place, name in found if place == "conecta-system"} == {
        "conecta-default-deny",
        "conecta-operator-needs",
    }


def test_who_reads_metrics_reaches_gateway_control_plane_rate_limit_service_and_operator() -> None:
    found = made({"monitoring": {"namespace": "monitoring"}}, rates=COUNTED)
    reader = pods("monitoring")
    for place, name, port in (
        ("envoy-gateway-system", "conecta-listeners", 19001),
        ("envoy-gateway-system", "conecta-control-plane", 19001),
        ("conecta-gateway", "conecta-ratelimit", 9090),
        ("conecta-system", "conecta-operator", 9810),
    ):
        assert {"from": [reader], "ports": [{**TCP, "port": port}]} in found[place, name]["ingress"]


def test_no_rule_lets_everybody_or_every_port_through() -> None:
    """An empty list of peers or ports would mean all of them."""
    found = made({"quota": {"namespace": "redis"}, "monitoring": {"ranges": ["10.0.0.0/8"]}}, rates=COUNTED)
    for spec in found.values():
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
            assert rule["ports"]
            assert rule.get("from") or rule.get("to")


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        pytest.param({}, "give either namespace, perhaps with labels, or ranges", id="nowhere"),
        pytest.param(
            {"namespace": "a", "ranges": ["10.0.0.0/8"]},
            "give either namespace, perhaps with labels, or ranges",
            id="both",
        ),
        pytest.param(
            {"labels": "a=b", "ranges": ["10.0.0.0/8"]},
            "give either namespace, perhaps with labels, or ranges",
            id="labels",
        ),
    ],
)
def test_a_place_is_pods_or_addresses(place: dict[str, Any], complaint: str) -> None:
    settings = {**RIGHT, "cluster": {"context": "x", "network": {"issuer": place}}}
    assert complaints(settings) == [f"conecta:cluster.network.issuer: {complaint}"]


def test_the_program_makes_the_baseline_after_the_namespaces_and_denies_in_those_of_agencies(project: Project) -> None:
    project.configure(SANDBOX)
    stack: Stack = deploy(whole_program)
    policies = {
        (each.manifest["metadata"]["namespace"], each.object_name): each.manifest["spec"]
        for each in stack.of("NetworkPolicy")
    }
    assert policies["receita", "conecta-default-deny"] == nobody_in("receita").spec
    assert policies["saude", "conecta-default-deny"] == nobody_in("saude").spec
    assert ("conecta-system", "conecta-operator-needs") in policies
    assert {"gateway", "operator"} <= stack["network"].needs


def test_nobody_in_is_about_callers_only() -> None:
    """What an application may reach out to is its agency's business, until a grant names its pods."""
    assert nobody_in("saude") == Policy(
        "saude", "conecta-default-deny", {"podSelector": {}, "policyTypes": ["Ingress"]}
    )
