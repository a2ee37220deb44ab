"""A landscape to draw a truth table of: agencies, their APIs and grants, and pods in every namespace, from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any, Final

from conecta_operator.api.objects import Manifest
from infra.network import Policy, baseline, nobody_in
from infra.settings import from_mapping
from tests.support.network_evaluator import Pod, Port
from tests.support.network_intent import LISTENER, NETWORK, Api, Grant, Intent, Member, Other, Role, Shape

__all__ = [
    "Landscape",
    "generated",
    "later",
    "manifest_of_api",
    "manifest_of_grant",
    "manifest_of_policy",
    "manifest_of_service",
    "members",
    "platform_policies",
]

EG: Final = "envoy-gateway-system"
OWNER: Final = "gateway.envoyproxy.io/owning-gateway"
GATEWAY: Final = {f"{OWNER}-namespace": "conecta-gateway", f"{OWNER}-name": "conecta"}
PROXY: Final = {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway"}
DNS: Final = {"k8s-app": "kube-dns"}

CONTESTED: Final = "/api-orgao-00-api-0/v1"
"""The base path of the first API that is generated."""
WEB, OTHER_WEB, ALT, METRICS = Port(8080, "web"), Port(8888, "web"), Port(8081, "alt"), Port(9090, "metrics")
ASK: Final = (Port(53, "dns", "UDP"), Port(53, "dns-tcp"))
HTTPS: Final = (Port(443, "https"), Port(8443, "alt-https"))


@dataclass(frozen=True)
class Landscape:
    """All that agencies have written, and the pods that there are."""

    agencies: tuple[str, ...]
    """One namespace each, of the same name."""
    apis: tuple[Api, ...]
    grants: tuple[Grant, ...]
    members: tuple[Member, ...]

    @property
    def intent(self) -> Intent:
        """Who is meant to reach whom."""
        return Intent(self.apis, self.grants)

    @property
    def namespaces(self) -> dict[str, dict[str, str]]:
        """The labels of each namespace that has pods."""
        return {
            member.pod.namespace: {
                "kubernetes.io/metadata.name": member.pod.namespace,
                **({"conecta.gov.br/agency": member.pod.namespace} if member.pod.namespace in self.agencies else {}),
            }
            for member in self.members
        }

    @property
    def pods(self) -> list[Pod]:
        """All of them."""
        return [member.pod for member in self.members]


def generated(seed: int, *, agencies: int = 20, apis: int = 60, grants: int = 150) -> Landscape:
    """The landscape of a seed. Every shape of an API is there, names and labels are the same in many namespaces."""
    random = Random(seed)  # noqa: S311 - no secret
    names = tuple(f"orgao-{number:02}" for number in range(agencies))
    offered = tuple(_apis(names, apis, random))
    asked = tuple(_grants(names, offered, grants, random))
    return Landscape(names, offered, asked, tuple(members(names, offered, asked)))


def later(before: Landscape, seed: int) -> Landscape:
    """The same pods after much has changed: APIs and grants gone, new ones, and others as they were not."""
    random = Random(seed)  # noqa: S311 - no secret
    contested, *others = before.apis
    kept = [api for api in others if random.random() > 0.15]
    grants = [_other_grant(grant, random) for grant in before.grants if random.random() > 0.2]
    return replace(before, apis=(contested, *(_changed(api, random) for api in kept)), grants=tuple(grants))


def _changed(api: Api, random: Random) -> Api:
    if api.shape is Shape.CONFLICTED or random.random() > 0.4:
        return api
    shapes = [shape for shape in Shape if shape is not Shape.CONFLICTED]
    return replace(api, shape=random.choice(shapes), others=(), is_automatic=random.random() > 0.2)


def _other_grant(grant: Grant, random: Random) -> Grant:
    if random.random() > 0.3:
        return grant
    return replace(grant, is_suspended=not grant.is_suspended, app=random.choice([None, grant.app]))


def _apis(agencies: Sequence[str], number: int, random: Random) -> Iterator[Api]:
    shapes = [*Shape, *random.choices([*Shape], weights=[6, 4, 3, 3, 2, 1, 1, 1, 1], k=number)]
    for index, shape in enumerate(shapes[:number]):
        namespace = agencies[index % len(agencies)]
        others = tuple(_others(agencies, random)) if random.random() < 0.4 and shape is not Shape.URL else ()
        yield Api(
            namespace=namespace,
            name=f"api-{index // len(agencies)}",
            app=f"sistema-{random.randrange(3)}",
            shape=shape,
            others=others,
            is_automatic=random.random() < 0.85,
            url_port=random.choice([443, 8443]),
        )


def _others(agencies: Sequence[str], random: Random) -> Iterator[Other]:
    ports = random.choice([(), (9090,), (8080, 8888)])
    for _ in range(random.randrange(1, 4)):
        yield random.choice(
            [
                Other(namespace="monitoring", app="prometheus", ports=(9090,)),
                Other(namespace="monitoring", ports=ports),
                Other(app=f"sistema-{random.randrange(3)}", ports=ports),
                Other(namespace=random.choice(agencies), app="cliente-0"),
                Other(block="198.51.100.0/24", ports=ports),
                Other(block="0.0.0.0/0", but="10.0.0.0/8"),
                Other(block="fd00:10:244::/64", ports=(8081,)),
                Other(block="2000::/3", but="2001:db8:c::/48", ports=ports),
            ]
        )


def _grants(agencies: Sequence[str], apis: Sequence[Api], number: int, random: Random) -> Iterator[Grant]:
    for index in range(number):
        api = random.choice(apis)
        yield Grant(
            namespace=agencies[index % len(agencies)],
            name=f"uso-{index // len(agencies)}",
            api=(api.namespace, api.name) if random.random() > 0.04 else (api.namespace, "nao-existe"),
            app=random.choice([None, "sistema-0", *(f"cliente-{n}" for n in range(4))]),
            is_suspended=random.random() < 0.08,
            is_future=random.random() < 0.08,
        )


def members(agencies: Sequence[str], apis: Sequence[Api], grants: Sequence[Grant]) -> Iterator[Member]:
    """Pods of all that there is, with IPv4 and IPv6 addresses, and beside them some that only look like it."""
    addresses = _addresses()
    yield from _platform(addresses)
    for agency in agencies:
        for app in sorted({api.app for api in apis if api.namespace == agency}):
            for number, web in enumerate((WEB, OTHER_WEB)):
                yield _tenant(agency, f"{app}-{number}", {"app": app}, next(addresses), (web, ALT, METRICS))
        for app in sorted({grant.app for grant in grants if grant.namespace == agency and grant.app}):
            yield _tenant(agency, app, {"app": app}, next(addresses), (WEB, METRICS))
        yield _tenant(agency, "alheio", {"app": "alheio"}, next(addresses), (WEB, ALT, METRICS))
        yield _tenant(agency, "falso-gateway", GATEWAY | PROXY, next(addresses), (Port(LISTENER, "https"),))
        yield _tenant(agency, "falso-dns", DNS, next(addresses), ASK)


def _addresses() -> Iterator[str]:
    """Every third one is IPv6."""
    for number in count(10):
        yield f"fd00:10:244::{number:x}" if number % 3 == 0 else f"10.244.{number // 250}.{number % 250}"


def _tenant(agency: str, name: str, labels: Mapping[str, str], address: str, ports: tuple[Port, ...]) -> Member:
    return Member(Pod(agency, name, dict(labels), address, ports), Role.TENANT, labels.get("app", ""))


def _platform(addresses: Iterator[str]) -> Iterator[Member]:
    listener = (Port(LISTENER, "https"), Port(19001, "metrics"))
    control = tuple(Port(number, f"p{number}") for number in (9443, 18000, 18001, 18002, 19001))
    hydra, rate_limit = (Port(4444, "public"), Port(4445, "admin")), (Port(8081, "calls"), METRICS)
    rows: list[tuple[str, str, dict[str, str], tuple[Port, ...], Role]] = [
        (EG, "gateway-0", GATEWAY | PROXY, listener, Role.GATEWAY),
        (EG, "gateway-1", GATEWAY | PROXY, listener, Role.GATEWAY),
        (EG, "gateway-2", GATEWAY | PROXY, listener, Role.GATEWAY),
        (EG, "other-gateway", {**GATEWAY, **PROXY, f"{OWNER}-name": "outro"}, listener, Role.STRANGER),
        (EG, "envoy-gateway", {"control-plane": "envoy-gateway"}, control, Role.CONTROL_PLANE),
        (EG, "certgen", {"app": "certgen"}, (WEB,), Role.INSTALLER),
        ("conecta-gateway", "rate-limit", {"app.kubernetes.io/name": "conecta-ratelimit"}, rate_limit, Role.RATE_LIMIT),
        ("conecta-gateway", "stranger", GATEWAY, listener, Role.STRANGER),
        ("conecta-system", "operator", {"app.kubernetes.io/name": "conecta-operator"}, (Port(9810),), Role.OPERATOR),
        ("conecta-system", "stranger", {"app": "stranger"}, (Port(9810), WEB), Role.STRANGER),
        ("kube-system", "dns-0", DNS, (*ASK, METRICS), Role.DNS),
        ("kube-system", "dns-1", DNS, (*ASK, METRICS), Role.DNS),
        ("kube-system", "other", {"k8s-app": "metrics-server"}, (*ASK, *HTTPS), Role.BYSTANDER),
        ("ory", "hydra-0", {"app": "hydra"}, hydra, Role.ISSUER),
        ("ory", "hydra-1", {"app": "hydra"}, hydra, Role.ISSUER),
        ("ory", "other", {"app": "kratos"}, hydra, Role.BYSTANDER),
        ("redis", "redis", {"app": "redis"}, (Port(6379, "redis"),), Role.REDIS),
        ("monitoring", "prometheus", {"app": "prometheus"}, (METRICS,), Role.PROMETHEUS),
        ("monitoring", "other", {"app": "grafana"}, (WEB,), Role.BYSTANDER),
    ]
    for namespace, name, labels, ports, role in rows:
        yield Member(Pod(namespace, name, labels, next(addresses), ports), role, labels.get("app", ""))
    for name, address, role, is_public in (
        ("api-server", "192.0.2.10", Role.API_SERVER, True),
        ("client", "203.0.113.10", Role.BYSTANDER, True),
        ("client-v6", "2001:db8:c::10", Role.BYSTANDER, True),
        ("elsewhere", "198.51.100.5", Role.BYSTANDER, True),
        ("elsewhere-v6", "2804:14c::10", Role.BYSTANDER, True),
        ("metadata", "169.254.169.254", Role.BYSTANDER, False),
        ("private", "10.200.0.9", Role.BYSTANDER, False),
        ("private-v6", "fd12::9", Role.BYSTANDER, False),
        ("six-to-four", "2002:a00:1::1", Role.BYSTANDER, False),
    ):
        ports = (*HTTPS, *((Port(6443, "api"),) if role is Role.API_SERVER else ()))
        yield Member(Pod("outside", name, {}, address, ports), role, is_public=is_public)


def platform_policies(agencies: Sequence[str]) -> list[Policy]:
    """The policies that Pulumi makes with the settings of the intent."""
    cluster = {"context": "any", "network": NETWORK}
    tls = {"secretName": "any"}
    settings: dict[str, Any] = {
        "cluster": cluster,
        "gateway": {"url": "https://apigateway.conecta.example", "port": 443, "tls": tls},
        "issuer": {
            "publicUrl": "https://hydra.ory.svc",
            "adminUrl": "https://hydra-admin.ory.svc",
            "caConfigMap": "any",
        },
        "operator": {"workload": "Process"},
        "rates": {"mode": "Shared", "image": f"ratelimit@sha256:{'0' * 64}", "redis": "redis.redis.svc:6379"},
        "agencies": {},
    }
    return [*baseline(from_mapping(settings)), *map(nobody_in, agencies)]


def manifest_of_policy(policy: Policy) -> Manifest:
    """One of the platform's own policies, as Pulumi makes it."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": policy.name, "namespace": policy.namespace},
        "spec": policy.spec,
    }


def manifest_of_service(api: Api) -> Manifest | None:
    """The Service that an API names, if there is one."""
    ports: dict[Shape, dict[str, Any]] = {
        Shape.NAME: {"port": 80, "targetPort": "web"},
        Shape.SAME: {"port": 8081},
        Shape.METRICS: {"port": 80, "targetPort": 9090},
    }
    if api.shape in {Shape.URL, Shape.NO_SERVICE}:
        return None
    selector = {} if api.shape is Shape.NO_SELECTOR else {"selector": {"app": api.app}}
    port = {"name": "http", "protocol": "TCP", **ports.get(api.shape, {"port": 80, "targetPort": 8080})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": api.name, "namespace": api.namespace},
        "spec": {**selector, "ports": [port]},
    }


def manifest_of_api(api: Api) -> Manifest:
    """The API as its agency writes it."""
    number = 8081 if api.shape is Shape.SAME else 80
    policy: dict[str, Any] = {"enabled": api.shape is not Shape.SWITCHED_OFF}
    if api.others:
        policy["alsoAllowFrom"] = [other.manifest for other in api.others]
    backend: dict[str, Any] = {"service": {"name": api.name, "port": number}, "networkPolicy": policy}
    if api.shape is Shape.URL:
        backend = {"url": f"https://dados.{api.namespace}.example:{api.url_port}"}
    path = f"/api-{api.namespace}-{api.name}/v1"
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaApi",
        "metadata": {"name": api.name, "namespace": api.namespace},
        "spec": {
            "title": api.name,
            "contacts": [{"name": "Dados", "email": "dados@orgao.example"}],
            "version": "v1",
            "basePath": CONTESTED if api.shape is Shape.CONFLICTED else path,
            "access": {"approval": "Automatic" if api.is_automatic else "Manual"},
            "backend": backend,
        },
    }


def manifest_of_grant(grant: Grant) -> Manifest:
    """The grant as its agency writes it."""
    workload = {"workload": {"podSelector": {"matchLabels": {"app": grant.app}}}} if grant.app else {}
    future = {"validFrom": "2099-01-01T00:00:00Z"} if grant.is_future else {}
    return {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {"name": grant.name, "namespace": grant.namespace},
        "spec": {
            "apiRef": {"namespace": grant.api[0], "name": grant.api[1]},
            "application": {"name": "sistema"},
            "suspended": grant.is_suspended,
            **workload,
            **future,
        },
    }
