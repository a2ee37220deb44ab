"""What an API and a grant draw into the network of the real platform, and what takes it away again."""

import uuid
from typing import Any

import pytest

from conecta_operator.api.objects import Manifest
from tests.support.kubectl import apply, condition, eventually, find, get, kubectl

pytestmark = pytest.mark.usefixtures("platform")

GATEWAY_NAMESPACE = "envoy-gateway-system"
GATEWAY = {
    "gateway.envoyproxy.io/owning-gateway-namespace": "conecta-gateway",
    "gateway.envoyproxy.io/owning-gateway-name": "conecta",
}
LISTENER = [{"protocol": "TCP", "port": 10443}]
REPAIR = 5
"""Seconds within which damage is repaired."""


def pods(namespace: str, labels: dict[str, str]) -> Manifest:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": labels},
    }


def a_service(namespace: str, name: str, **spec: Any) -> Manifest:
    port = {"name": "http", "port": 80, "targetPort": "web"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [port], **spec},
    }


def an_api(namespace: str, name: str, **backend: Any) -> Manifest:
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaApi",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "title": "Teste",
            "contacts": [{"name": "Teste", "email": "teste@example.gov.br"}],
            "version": "v1",
            "access": {"approval": "Automatic"},
            "backend": {"service": {"name": name, "port": 80}, **backend},
        },
    }


def a_grant(namespace: str, name: str, api: Manifest, **spec: Any) -> Manifest:
    reference = {"namespace": api["metadata"]["namespace"], "name": api["metadata"]["name"]}
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "apiRef": reference,
            "application": {"name": "teste"},
            "workload": {"podSelector": {"matchLabels": {"app": name}}},
            **spec,
        },
    }


def isolated(kind: str, namespace: str, name: str) -> tuple[Any, Any]:
    found = condition(get(kind, namespace, name), "Isolated")
    return found.get("status"), found.get("reason")


class Drawn:
    """An API by a Service and a grant on it with a workload; their policies by place and name."""

    def __init__(self, provider: str, receiver: str) -> None:
        self.provider, self.receiver = provider, receiver
        self.api, self.grant = f"api-{uuid.uuid4().hex[:6]}", f"uso-{uuid.uuid4().hex[:6]}"
        manifest = an_api(provider, self.api)
        apply(a_service(provider, self.api), manifest, a_grant(receiver, self.grant, manifest))
        self.backend = provider, f"{self.api}.{self.api}.backend"
        self.to_backend = GATEWAY_NAMESPACE, f"{provider}.{self.api}.to-backend"
        self.workload = receiver, f"{self.grant}.workload"
        self.from_workload = GATEWAY_NAMESPACE, f"{receiver}.{self.grant}.from-workload"
        self.all = self.backend, self.to_backend, self.workload, self.from_workload
        eventually(lambda: all(find("networkpolicy", *place) for place in self.all), 20)

    def spec(self, place: tuple[str, str]) -> Manifest:
        spec: Manifest = get("networkpolicy", *place)["spec"]
        return spec

    def left(self) -> list[tuple[str, str]]:
        return [place for place in self.all if find("networkpolicy", *place)]


@pytest.fixture
def drawn(provider: str, receiver: str) -> Drawn:
    return Drawn(provider, receiver)


def test_an_api_lets_the_gateway_alone_reach_its_backend(drawn: Drawn) -> None:
    """By the port of the pods, which the Service names, and not by its own."""
    port = [{"protocol": "TCP", "port": "web"}]
    assert drawn.spec(drawn.backend) == {
        "podSelector": {"matchLabels": {"app": drawn.api}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [pods(GATEWAY_NAMESPACE, GATEWAY)], "ports": port}],
    }
    assert drawn.spec(drawn.to_backend) == {
        "podSelector": {"matchLabels": GATEWAY},
        "policyTypes": ["Egress"],
        "egress": [{"to": [pods(drawn.provider, {"app": drawn.api})], "ports": port}],
    }
    eventually(lambda: isolated("conectaapi", drawn.provider, drawn.api) == ("True", "Isolated"))


def test_a_grant_lets_its_workload_reach_the_gateway_and_the_dns(drawn: Drawn) -> None:
    labels = {"app": drawn.grant}
    dns = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert drawn.spec(drawn.workload) == {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [pods(GATEWAY_NAMESPACE, GATEWAY)], "ports": LISTENER},
            {"to": [pods("kube-system", {"k8s-app": "kube-dns"})], "ports": dns},
        ],
    }
    assert drawn.spec(drawn.from_workload) == {
        "podSelector": {"matchLabels": GATEWAY},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [pods(drawn.receiver, labels)], "ports": LISTENER}],
    }
    eventually(lambda: isolated("conectagrant", drawn.receiver, drawn.grant) == ("True", "Isolated"))


def test_what_is_drawn_goes_with_its_cause(drawn: Drawn) -> None:
    """First the grant's, then the API's: in their own namespaces and in the gateway's."""
    kubectl("delete", "conectagrant", drawn.grant, "-n", drawn.receiver, "--timeout=30s")
    eventually(lambda: drawn.left() == [drawn.backend, drawn.to_backend])
    kubectl("delete", "conectaapi", drawn.api, "-n", drawn.provider, "--timeout=30s")
    eventually(lambda: drawn.left() == [])


def test_a_grant_that_is_suspended_keeps_its_network_and_one_that_ends_loses_it(drawn: Drawn) -> None:
    patch = ["patch", "conectagrant", drawn.grant, "-n", drawn.receiver, "--type=merge", "-p"]
    kubectl(*patch, '{"spec":{"suspended":true}}')
    eventually(
        lambda: (
            condition(get("conectagrant", drawn.receiver, drawn.grant), "CredentialsReady").get("reason") == "Suspended"
        ),
        20,
    )
    assert len(drawn.left()) == 4
    kubectl(*patch, '{"spec":{"suspended":false,"validFrom":"2099-01-01T00:00:00Z"}}')
    eventually(lambda: drawn.left() == [drawn.backend, drawn.to_backend])
    assert isolated("conectagrant", drawn.receiver, drawn.grant) == ("False", "Pending")
    kubectl(*patch, '{"spec":{"validFrom":null}}')
    eventually(lambda: len(drawn.left()) == 4)
    kubectl(*patch, '{"spec":{"workload":null}}')
    eventually(lambda: drawn.left() == [drawn.backend, drawn.to_backend])
    assert isolated("conectagrant", drawn.receiver, drawn.grant) == (None, None)


def test_a_deleted_or_edited_policy_is_as_it_was(drawn: Drawn) -> None:
    before = {place: drawn.spec(place) for place in drawn.all}
    for namespace, name in drawn.all:
        kubectl("delete", "networkpolicy", name, "-n", namespace)
    eventually(lambda: len(drawn.left()) == 4, REPAIR)
    for namespace, name in drawn.all:
        kubectl(
            *("patch", "networkpolicy", name, "-n", namespace, "--type=merge", "-p"),
            '{"metadata":{"labels":{"conecta.gov.br/owner-uid":null}},"spec":{"ingress":[{}],"egress":[{}],'
            '"policyTypes":["Ingress","Egress"]}}',
        )
    eventually(lambda: {place: drawn.spec(place) for place in drawn.all} == before, REPAIR)
    eventually(
        lambda: all(
            "conecta.gov.br/owner-uid" in get("networkpolicy", *place)["metadata"]["labels"] for place in drawn.all
        ),
        REPAIR,
    )


def test_others_may_be_let_in_and_the_whole_be_switched_off(drawn: Drawn) -> None:
    others: list[Manifest] = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}, "ports": [9090]},
        {"podSelector": {"matchLabels": {"app": "testes"}}},
        {"ipBlock": {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]}},
    ]
    apply(an_api(drawn.provider, drawn.api, networkPolicy={"alsoAllowFrom": others}))
    web = [{"protocol": "TCP", "port": "web"}]
    eventually(
        lambda: (
            drawn.spec(drawn.backend)["ingress"][1:]
            == [
                {
                    "from": [{"namespaceSelector": others[0]["namespaceSelector"]}],
                    "ports": [{"protocol": "TCP", "port": 9090}],
                },
                {"from": [others[1]], "ports": web},
                {"from": [others[2]], "ports": web},
            ]
        )
    )
    apply(an_api(drawn.provider, drawn.api, networkPolicy={"enabled": False}))
    eventually(lambda: drawn.left() == [drawn.workload, drawn.from_workload])
    assert isolated("conectaapi", drawn.provider, drawn.api) == ("False", "SwitchedOff")
    apply(an_api(drawn.provider, drawn.api, networkPolicy={"enabled": True}))
    eventually(lambda: len(drawn.left()) == 4)
    assert len(drawn.spec(drawn.backend)["ingress"]) == 1


def test_the_policies_follow_the_service(drawn: Drawn) -> None:
    """Its port, its selector, and that it has none: then no policy can name its pods, and the API says so."""
    number = [{"name": "http", "port": 80, "targetPort": 8080}]
    apply(a_service(drawn.provider, drawn.api, ports=number, selector={"app": "outro"}))
    eventually(
        lambda: (
            drawn.spec(drawn.backend)["podSelector"] == {"matchLabels": {"app": "outro"}}
            and drawn.spec(drawn.to_backend)["egress"][0]["ports"] == [{"protocol": "TCP", "port": 8080}]
        )
    )
    apply(a_service(drawn.provider, drawn.api, ports=number, selector=None))
    eventually(lambda: drawn.left() == [drawn.workload, drawn.from_workload])
    assert isolated("conectaapi", drawn.provider, drawn.api) == ("False", "NoSelector")
    assert "has no selector" in condition(get("conectaapi", drawn.provider, drawn.api), "Isolated")["message"]
    kubectl("delete", "service", drawn.api, "-n", drawn.provider)
    eventually(lambda: isolated("conectaapi", drawn.provider, drawn.api) == ("False", "BackendNotFound"))


def test_a_backend_by_url_is_reached_by_address_and_says_so() -> None:
    namespace, name = GATEWAY_NAMESPACE, "receita.cep.to-backend"
    [rule] = get("networkpolicy", namespace, name)["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 9543}]
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    assert [block["cidr"] for block in blocks] == ["0.0.0.0/0", "2000::/3"]
    assert {"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"} <= set(blocks[0]["except"])
    assert isolated("conectaapi", "receita", "cep") == ("False", "ByAddressOnly")
    assert find("networkpolicy", "receita", "cep.cep.backend") is None


def test_a_foreign_policy_is_never_touched(provider: str, receiver: str) -> None:
    """The API serves nothing then; the grant gets its key, and says that its network is not drawn."""
    api, grant = f"api-{uuid.uuid4().hex[:6]}", f"uso-{uuid.uuid4().hex[:6]}"
    places = (GATEWAY_NAMESPACE, f"{provider}.{api}.to-backend"), (receiver, f"{grant}.workload")
    for namespace, name in places:
        apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"podSelector": {}},
            }
        )
    before = [get("networkpolicy", *place) for place in places]
    manifest = an_api(provider, api)
    apply(a_service(provider, api), manifest, a_grant(receiver, grant, get("conectaapi", "receita", "cep")))
    eventually(lambda: condition(get("conectaapi", provider, api), "Accepted").get("reason") == "Conflicted")
    eventually(lambda: isolated("conectagrant", receiver, grant) == ("False", "Conflicted"))
    for kind, namespace, name in (("conectaapi", provider, api), ("conectagrant", receiver, grant)):
        kubectl("delete", kind, name, "-n", namespace, "--timeout=30s")
    assert [get("networkpolicy", *place) for place in places] == before
    kubectl("delete", "networkpolicy", places[0][1], "-n", places[0][0])


@pytest.mark.parametrize("namespace", ["receita", "saude"])
def test_nobody_reaches_a_pod_of_an_agency(namespace: str) -> None:
    assert get("networkpolicy", namespace, "conecta-default-deny")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
    }


@pytest.mark.parametrize("namespace", ["envoy-gateway-system", "conecta-gateway", "conecta-system"])
def test_the_platforms_own_pods_are_reached_and_reach_out_as_they_need(namespace: str) -> None:
    assert get("networkpolicy", namespace, "conecta-default-deny")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
