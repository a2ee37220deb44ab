"""Envoy Gateway's infrastructure provider: where a cluster would start pods for a Gateway, this starts one Envoy.

Envoy Gateway calls again at each change of a Gateway, so everything here may be done any number of times. Envoy runs
as a service of the sandbox like all others: it isn't this process's child, and outlives it.
"""

import argparse
import importlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_tools import protoc  # type: ignore[import-untyped]

from sandbox.commands import Commands
from sandbox.envoy_process import NODE_CLUSTER, envoy_service, write_bootstrap
from sandbox.gateway_install import NAMESPACE
from sandbox.layout import Layout
from sandbox.processes import Processes

__all__ = ["Provider", "main", "service_manifest"]

_log = logging.getLogger("sandbox.gateway_infra")
OWNER: Final = "gateway.envoyproxy.io/owning-gateway-"


class Provider:
    """What Envoy Gateway asks for, done."""

    def __init__(self, layout: Layout, commands: Commands) -> None:
        self._layout = layout
        self._processes = Processes(layout)
        self._commands = commands

    def create_or_update(self, proxy: Any) -> None:
        """Have Envoy run for this Gateway, and a Service that says where."""
        labels = dict(proxy.metadata.labels)
        gateway = f"{labels[f'{OWNER}namespace']}/{labels[f'{OWNER}name']}"
        if gateway != NODE_CLUSTER:
            raise ValueError(f"the sandbox has one Envoy, for the Gateway {NODE_CLUSTER}; there is none for {gateway}")
        ports = {port.service_port: port.container_port for listener in proxy.listeners for port in listener.ports}
        self._publish(service_manifest(proxy.name, labels, ports))
        write_bootstrap(self._layout)
        self._processes.start(envoy_service(self._layout))

    def delete(self, proxy: Any) -> None:
        """End this Gateway's Envoy, and withdraw its Service."""
        self._processes.stop(["envoy"])
        self._kubectl("delete", "service", _service_name(proxy.name), "--ignore-not-found")

    def _publish(self, service: dict[str, Any]) -> None:
        self._kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", standard_input=json.dumps(service))
        status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
        name = service["metadata"]["name"]
        self._kubectl("patch", "service", name, "--subresource=status", "--type=merge", "--patch", json.dumps(status))

    def _kubectl(self, *arguments: str, standard_input: str | None = None) -> None:
        kubeconfig = self._layout.service_kubeconfig("gateway-infra")
        self._commands.kubectl(
            "--kubeconfig", kubeconfig, "--namespace", NAMESPACE, *arguments, standard_input=standard_input
        )


def service_manifest(proxy_name: str, labels: dict[str, str], ports: dict[int, int]) -> dict[str, Any]:
    """Return the Service by whose labels Envoy Gateway finds a Gateway's address."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _service_name(proxy_name), "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "type": "LoadBalancer",
            "allocateLoadBalancerNodePorts": False,
            "ports": [
                {"name": f"port-{port}", "port": port, "targetPort": target, "protocol": "TCP"}
                for port, target in sorted(ports.items())
            ],
        },
    }


def main(arguments: list[str]) -> int:
    """Serve until asked to end."""
    parser = argparse.ArgumentParser(prog="sandbox.gateway_infra")
    parser.add_argument("--proto", type=Path, required=True, help="Envoy Gateway's remoteinfra/service.proto")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    layout = Layout()
    server = _server(Provider(layout, Commands(layout)), *_stubs(options.proto, layout.run / "stubs"))
    os.chdir(layout.infra_socket.parent)  # a socket's path may have 107 bytes at most
    server.add_insecure_port(f"unix:{layout.infra_socket.name}")
    server.start()
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_end.set())
    asked_to_end.wait()
    server.stop(grace=2).wait()
    return 0


def _logged(act: Callable[[Any], None], proxy: Any) -> None:
    """Act; Envoy Gateway hears of a failure as well, but says so only in a log of its own."""
    try:
        act(proxy)
    except Exception:
        _log.exception("%s failed for %s", act.__name__, proxy.name)
        raise
    _log.info("%s done for %s", act.__name__, proxy.name)


def _service_name(proxy_name: str) -> str:
    return f"envoy-{proxy_name.replace('/', '-')}"[:63].rstrip("-")


def _stubs(proto: Path, folder: Path) -> tuple[Any, Any]:
    """Return the modules that grpc_tools generates from the contract of the very Envoy Gateway that is run."""
    folder.mkdir(exist_ok=True)
    if protoc.main(
        ["protoc", f"-I{proto.parent}", f"--python_out={folder}", f"--grpc_python_out={folder}", str(proto)]
    ):
        raise RuntimeError(f"{proto} can't be compiled")
    sys.path.insert(0, str(folder))
    return importlib.import_module(f"{proto.stem}_pb2"), importlib.import_module(f"{proto.stem}_pb2_grpc")


def _server(provider: Provider, messages: Any, services: Any) -> grpc.Server:
    class Servicer(services.EnvoyGatewayRemoteInfrastructureProviderServicer):  # type: ignore[misc]  # generated
        def CreateOrUpdateProxyInfra(self, request: Any, _: grpc.ServicerContext) -> Any:  # noqa: N802 - the contract's name
            _logged(provider.create_or_update, request.infra.proxy)
            return messages.CreateOrUpdateProxyInfraResponse()

        def DeleteProxyInfra(self, request: Any, _: grpc.ServicerContext) -> Any:  # noqa: N802
            _logged(provider.delete, request.infra.proxy)
            return messages.DeleteProxyInfraResponse()

        def CreateOrUpdateRateLimitInfra(self, *_: Any) -> Any:  # noqa: N802
            return messages.CreateOrUpdateRateLimitInfraResponse()

        def DeleteRateLimitInfra(self, *_: Any) -> Any:  # noqa: N802
            return messages.DeleteRateLimitInfraResponse()

    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    services.add_EnvoyGatewayRemoteInfrastructureProviderServicer_to_server(Servicer(), server)
    return server


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
