"""Every port of the sandbox in one table, and whether it is free."""

import errno
import socket
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import psutil
from typing_extensions import override

__all__ = [
    "APISERVER", "DEMO_BACKEND", "ENVOY_ADMIN", "ETCD", "ETCD_PEER", "GATEWAY", "GATEWAY_ADMIN", "GATEWAY_HEALTH",
    "GATEWAY_XDS", "HYDRA_ADMIN", "HYDRA_PUBLIC", "KCM", "OPERATOR_PROBE", "PORTS", "QUOTA", "RATELIMIT",
    "RATELIMIT_DEBUG", "RATELIMIT_HEALTH", "REDIS", "Port", "Taken", "taken",
]  # fmt: skip

APISERVER: Final = 6443
ETCD: Final = 2379
ETCD_PEER: Final = 2380
KCM: Final = 10257
QUOTA: Final = 10258
HYDRA_PUBLIC: Final = 4444
HYDRA_ADMIN: Final = 4445
DEMO_BACKEND: Final = 9543
GATEWAY: Final = 10443
ENVOY_ADMIN: Final = 19000
GATEWAY_XDS: Final = 18000
GATEWAY_ADMIN: Final = 18900
GATEWAY_HEALTH: Final = 18081
OPERATOR_PROBE: Final = 9810
REDIS: Final = 16379
RATELIMIT: Final = 18091
RATELIMIT_HEALTH: Final = 18092
RATELIMIT_DEBUG: Final = 18093


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port that a service listens on."""

    number: int
    service: str
    use: str
    everywhere: bool = False
    """Listens on every address, because the program can't be told otherwise."""


PORTS: Final = (
    Port(number=ETCD, service="etcd", use="clients"),
    Port(number=ETCD_PEER, service="etcd", use="peers"),
    Port(number=APISERVER, service="kube-apiserver", use="API"),
    Port(number=KCM, service="kube-controller-manager", use="health"),
    Port(number=QUOTA, service="quota-controller", use="health"),
    Port(number=HYDRA_PUBLIC, service="hydra", use="tokens"),
    Port(number=HYDRA_ADMIN, service="hydra", use="administration"),
    Port(number=DEMO_BACKEND, service="demo-backend", use="the provider's API"),
    Port(number=GATEWAY_ADMIN, service="envoy-gateway", use="administration"),
    Port(number=GATEWAY_HEALTH, service="envoy-gateway", use="health"),
    Port(number=GATEWAY_XDS, service="envoy-gateway", use="xDS", everywhere=True),
    Port(number=18002, service="envoy-gateway", use="Wasm modules", everywhere=True),
    Port(number=8080, service="envoy-gateway", use="controller metrics", everywhere=True),
    Port(number=9443, service="envoy-gateway", use="webhook", everywhere=True),
    Port(number=19001, service="envoy-gateway", use="metrics", everywhere=True),
    Port(number=ENVOY_ADMIN, service="envoy", use="administration"),
    Port(number=GATEWAY, service="envoy", use="the gateway, HTTPS"),
    Port(number=19003, service="envoy", use="readiness"),
    Port(number=REDIS, service="redis", use="counters"),
    Port(number=RATELIMIT, service="ratelimit", use="the gateway's questions"),
    Port(number=RATELIMIT_HEALTH, service="ratelimit", use="health"),
    Port(number=RATELIMIT_DEBUG, service="ratelimit", use="debugging"),
    Port(number=OPERATOR_PROBE, service="operator", use="probes and metrics"),
)


@dataclass(frozen=True)
class Taken:
    """A port that somebody else holds."""

    port: Port
    holder: str

    @override
    def __str__(self) -> str:
        """Say which port, what for, and who holds it."""
        return f"port {self.port.number} ({self.port.service}, {self.port.use}) is held by {self.holder}"


def taken(ports: Iterable[Port]) -> list[Taken]:
    """Return those ports on which we could not listen now, each with its holder."""
    return [Taken(port, _holder(port.number)) for port in ports if not _is_free(port)]


def _is_free(port: Port) -> bool:
    if not port.everywhere:
        return _can_listen(socket.AF_INET, "127.0.0.1", port.number)
    return _can_listen(socket.AF_INET, "0.0.0.0", port.number) and (  # noqa: S104 - as the service will
        not socket.has_dualstack_ipv6() or _can_listen(socket.AF_INET6, "::", port.number)
    )


def _can_listen(family: socket.AddressFamily, host: str, number: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            if family == socket.AF_INET6:
                return True
            raise
    return True


def _holder(number: int) -> str:
    pids = sorted(
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.laddr and connection.laddr.port == number and connection.pid
    )
    for pid in pids:
        try:
            process = psutil.Process(pid)
            command = " ".join(" ".join(process.cmdline()).split()) or process.name()
            return f"pid {pid} ({textwrap.shorten(command, 100, placeholder=' …')})"
        except psutil.Error:
            continue
    return "a process that this user may not look at (try as root: ss -ltnp)"
