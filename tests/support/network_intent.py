"""Who is meant to reach whom: said of APIs and grants, and never of the policies that are written for them.

The pods here are models, each with a role. `Intent.allows` is the specification that the truth table compares with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import ip_address, ip_network
from typing import Final

from conecta_operator.api.objects import Manifest
from tests.support.network_evaluator import Pod, Port

__all__ = ["CLIENTS", "LISTENER", "NETWORK", "Api", "Grant", "Intent", "Member", "Other", "Role", "Shape"]

LISTENER: Final = 10443
CLIENTS: Final = ("203.0.113.0/24", "2001:db8:c::/48")
NETWORK: Final = {
    "clients": [{"ranges": list(CLIENTS)}],
    "apiServer": {"ranges": ["192.0.2.10/32"]},
    "issuer": {"namespace": "ory", "labels": "app=hydra"},
    "issuerPublicPort": 4444,
    "issuerAdminPort": 4445,
    "quota": {"namespace": "redis", "labels": "app=redis"},
    "monitoring": {"namespace": "monitoring", "labels": "app=prometheus"},
}
"""The stack's settings below `cluster.network`, as tight as can be."""


class Role(Enum):
    """What a pod is for."""

    TENANT = auto()
    """Of an agency."""
    GATEWAY = auto()
    CONTROL_PLANE = auto()
    """Envoy Gateway."""
    INSTALLER = auto()
    """A job of Envoy Gateway's chart."""
    RATE_LIMIT = auto()
    OPERATOR = auto()
    STRANGER = auto()
    """In one of the platform's own namespaces, and of no use there."""
    DNS = auto()
    ISSUER = auto()
    REDIS = auto()
    PROMETHEUS = auto()
    API_SERVER = auto()
    BYSTANDER = auto()
    """In a namespace without policies, or outside."""


CLOSED: Final = {
    Role.GATEWAY,
    Role.CONTROL_PLANE,
    Role.INSTALLER,
    Role.RATE_LIMIT,
    Role.OPERATOR,
    Role.STRANGER,
}
"""Roles of the platform's own namespaces, in which everything is denied that is not needed."""


NEEDED: Final[Mapping[Role, Sequence[tuple[Role, int]]]] = {
    Role.GATEWAY: (
        (Role.DNS, 53),
        (Role.ISSUER, 4444),
        (Role.CONTROL_PLANE, 18000),
        (Role.CONTROL_PLANE, 18002),
        (Role.RATE_LIMIT, 8081),
    ),
    Role.CONTROL_PLANE: ((Role.DNS, 53), (Role.API_SERVER, 443), (Role.API_SERVER, 6443)),
    Role.INSTALLER: ((Role.DNS, 53), (Role.API_SERVER, 443), (Role.API_SERVER, 6443)),
    Role.RATE_LIMIT: ((Role.DNS, 53), (Role.REDIS, 6379)),
    Role.OPERATOR: (
        (Role.DNS, 53),
        (Role.API_SERVER, 443),
        (Role.API_SERVER, 6443),
        (Role.ISSUER, 4444),
        (Role.ISSUER, 4445),
    ),
}
"""Whom the platform's own call, and by which port, whatever APIs and grants there are."""
ADMITTED: Final[Mapping[tuple[Role, int], Sequence[Role]]] = {
    (Role.CONTROL_PLANE, 18000): (Role.GATEWAY,),
    (Role.CONTROL_PLANE, 18002): (Role.GATEWAY,),
    (Role.CONTROL_PLANE, 9443): (Role.API_SERVER,),
    (Role.RATE_LIMIT, 8081): (Role.GATEWAY,),
    (Role.RATE_LIMIT, 9090): (Role.PROMETHEUS,),
    (Role.GATEWAY, 19001): (Role.PROMETHEUS,),
    (Role.CONTROL_PLANE, 19001): (Role.PROMETHEUS,),
    (Role.OPERATOR, 9810): (Role.PROMETHEUS,),
}
"""By whom the platform's own are called, by port."""


@dataclass(frozen=True)
class Member:
    """A pod and what it is for; hosts outside of the cluster are members, too."""

    pod: Pod
    role: Role
    app: str = ""
    """Which application it belongs to."""
    is_public: bool = False
    """Whether it is a host on the Internet."""


@dataclass(frozen=True, kw_only=True)
class Other:
    """Somebody beside the gateway who may reach a backend: pods by namespace and app, or addresses."""

    namespace: str | None = None
    app: str | None = None
    block: str | None = None
    but: str | None = None
    ports: tuple[int, ...] = ()

    def is_met_by(self, member: Member, home: str) -> bool:
        """Whether the member is one of those; `home` is the API's namespace."""
        if self.block is not None:
            ip = ip_address(member.pod.ip)
            return ip in ip_network(self.block) and (self.but is None or ip not in ip_network(self.but))
        return member.pod.namespace == (self.namespace or home) and self.app in {None, member.app}

    @property
    def manifest(self) -> Manifest:
        """As an API names it."""
        written: Manifest = {"ports": list(self.ports)} if self.ports else {}
        if self.block is not None:
            return written | {"ipBlock": {"cidr": self.block, **({"except": [self.but]} if self.but else {})}}
        if self.namespace is not None:
            written["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        if self.app is not None:
            written["podSelector"] = {"matchLabels": {"app": self.app}}
        return written


class Shape(Enum):
    """What an API's backend is like. The first four are drawn: the value is the port of the pods."""

    NUMBER = 8080
    NAME = "web"
    SAME = 8081
    """The Service's port, which names no other for the pods."""
    METRICS = 9090
    """Another port of pods that another API may have as its backend."""
    URL = "url"
    SWITCHED_OFF = "off"
    NO_SELECTOR = "no selector"
    NO_SERVICE = "no service"
    CONFLICTED = "conflicted"
    """An older API has its base path."""


DRAWN: Final = frozenset({Shape.NUMBER, Shape.NAME, Shape.SAME, Shape.METRICS})


@dataclass(frozen=True, kw_only=True)
class Api:
    """A ConectaApi, as far as the network goes."""

    namespace: str
    name: str
    app: str
    shape: Shape
    others: tuple[Other, ...] = ()
    is_automatic: bool = True
    """Whether every grant is approved."""
    url_port: int = 443

    def is_backend(self, member: Member) -> bool:
        """Whether calls of the API are answered by this pod, and policies say so."""
        return self.shape in DRAWN and (member.pod.namespace, member.app) == (self.namespace, self.app)

    def is_called_by(self, port: Port) -> bool:
        """Whether calls come by this port of the pod."""
        return port.protocol == "TCP" and self.shape.value in {port.number, port.name}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A ConectaGrant, as far as the network goes."""

    namespace: str
    name: str
    api: tuple[str, str]
    app: str | None
    """Of the workload; None: the grant names none."""
    is_suspended: bool = False
    is_future: bool = False


class Intent:
    """What is to be so while there are these APIs and grants."""

    def __init__(self, apis: Sequence[Api], grants: Sequence[Grant]) -> None:
        self._apis: Final = tuple(apis)
        self._url_ports: Final = {api.url_port for api in apis if api.shape is Shape.URL}
        by_name = {(api.namespace, api.name): api for api in apis}
        self._workloads: Final = {
            (grant.namespace, grant.app)
            for grant in grants
            # Suspended or not: what was approved is in force.
            if grant.api in by_name and by_name[grant.api].is_automatic and not grant.is_future
        }

    def allows(self, source: Member, target: Member, port: Port) -> bool:
        """Whether the source is meant to reach this port of the target."""
        return self._may_call(source, target, port) and self._may_be_called(target, source, port)

    def _may_call(self, source: Member, target: Member, port: Port) -> bool:
        if source.role in CLOSED:
            needed = any(_is(target, *need, port) for need in NEEDED.get(source.role, ()))
            return needed or (source.role is Role.GATEWAY and self._is_for_the_gateway(target, port))
        if self._is_workload(source):
            return _is(target, Role.DNS, 53, port) or _is(target, Role.GATEWAY, LISTENER, port)
        return True

    def _may_be_called(self, target: Member, source: Member, port: Port) -> bool:
        if target.role is Role.TENANT:
            return any(api.is_backend(target) and _admits(api, source, port) for api in self._apis)
        if target.role is Role.GATEWAY and port.number == LISTENER:
            return _is_client(source) or self._is_workload(source)
        return target.role not in CLOSED or source.role in ADMITTED.get((target.role, port.number), ())

    def _is_for_the_gateway(self, target: Member, port: Port) -> bool:
        """Whether an API's calls lead there. Policies can't name hosts: any on the Internet may be that of a URL."""
        if target.is_public:
            return port.number in self._url_ports
        return any(api.is_backend(target) and api.is_called_by(port) for api in self._apis)

    def _is_workload(self, member: Member) -> bool:
        return member.role is Role.TENANT and (member.pod.namespace, member.app) in self._workloads


def _admits(api: Api, source: Member, port: Port) -> bool:
    if source.role is Role.GATEWAY and api.is_called_by(port):
        return True
    return any(
        other.is_met_by(source, api.namespace)
        and (port.number in other.ports and port.protocol == "TCP" if other.ports else api.is_called_by(port))
        for other in api.others
    )


def _is(target: Member, role: Role, number: int, port: Port) -> bool:
    return (target.role, port.number) == (role, number)


def _is_client(member: Member) -> bool:
    return any(ip_address(member.pod.ip) in ip_network(block) for block in CLIENTS)
