"""The gateway: its class, its one door, what it logs, and that nothing is open until somebody opens it."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.layer import ENVOY_GATEWAY, GATEWAY_API, Layer
from infra.settings import GatewaySettings, TlsSettings

__all__ = ["GatewayArgs", "GatewayLayer"]

_JWT: Final = "envoy.filters.http.jwt_authn:conecta"
ACCESS_LOG: Final = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "source_ip": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    "client_id": f"%DYNAMIC_METADATA({_JWT}:client_id)%",
    "scopes": f"%DYNAMIC_METADATA({_JWT}:scp)%",
    "route": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "status_details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "backend": "%UPSTREAM_HOST%",
    "backend_us": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
}
"""No path, query or header of the client's making: they carry CPFs, and a path may (`/contas/{cpf}`)."""

READY_LISTENER: Final = "envoy-gateway-proxy-ready-0.0.0.0-19003"
"""Envoy Gateway adds it to every proxy for kubelet's probes."""


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """`protect` is for the namespace."""

    gateway: GatewaySettings
    protect: bool


class GatewayLayer(Layer):
    """The Gateway, made last, when all that restricts it is there."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:gateway:GatewayLayer", name, None, opts)
        labels = {names.AGENCY: names.PLATFORM_AGENCY}
        self._home = self._namespace("gateway-namespace", names.GATEWAY_NAMESPACE, protect=args.protect, labels=labels)
        self.namespace: pulumi.Output[str] = self._home.metadata["name"]
        """Where the Gateway is, and what is to be attached to it without a reference across namespaces."""
        needs = [
            self._in_namespace("gateway-proxy", (ENVOY_GATEWAY, "EnvoyProxy"), envoy_proxy()),
            self._in_namespace("gateway-clients", (ENVOY_GATEWAY, "ClientTrafficPolicy"), client_traffic()),
            self._in_namespace("gateway-closed", (ENVOY_GATEWAY, "SecurityPolicy"), closed()),
            self._gateway_class(),
        ]
        if args.gateway.bind_address is not None:
            kind = (ENVOY_GATEWAY, "EnvoyPatchPolicy")
            needs.append(self._in_namespace("gateway-address", kind, bound_to(args.gateway.bind_address)))
        spec = {
            "gatewayClassName": names.GATEWAY,
            "infrastructure": {"parametersRef": _reference(ENVOY_GATEWAY, "EnvoyProxy")},
            "listeners": [listener(port=args.gateway.port, secret=self._certificate(args.gateway.tls))],
        }
        self._in_namespace("gateway", (GATEWAY_API, "Gateway"), spec, after=needs)
        self.register_outputs({"namespace": self.namespace})

    def _in_namespace(
        self, logical_name: str, kind: tuple[str, str], spec: dict[str, Any], *, after: list[Any] | None = None
    ) -> k8s.apiextensions.CustomResource:
        return self._custom(logical_name, kind, names.GATEWAY, spec, namespace=self.namespace, after=after or ())

    def _gateway_class(self) -> k8s.apiextensions.CustomResource:
        spec = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
        return self._custom("gateway-class", (GATEWAY_API, "GatewayClass"), names.GATEWAY, spec)

    def _certificate(self, tls: TlsSettings) -> pulumi.Input[str]:
        if tls.certificate_file is None or tls.key_file is None:
            return tls.secret_name or ""
        secret = k8s.core.v1.Secret(
            "gateway-certificate",
            metadata={"name": "conecta-tls", "namespace": self.namespace},
            type="kubernetes.io/tls",
            data={
                "tls.crt": _base64("certificateFile", tls.certificate_file),
                "tls.key": pulumi.Output.secret(_base64("keyFile", tls.key_file)),
            },
            opts=self._child(),
        )
        return secret.metadata["name"]


def listener(*, port: int, secret: pulumi.Input[str]) -> dict[str, Any]:
    """HTTPS for every host name; open to the routes of agencies' namespaces, and of the platform's own."""
    return {
        "name": names.LISTENER,
        "protocol": "HTTPS",
        "port": port,
        "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": secret}]},
        "allowedRoutes": {
            "kinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
            "namespaces": {
                "from": "Selector",
                "selector": {"matchExpressions": [{"key": names.AGENCY, "operator": "Exists"}]},
            },
        },
    }


def envoy_proxy() -> dict[str, Any]:
    """What the proxies log and count. One series a route, not one a rule: series multiply with hundreds of APIs."""
    return {
        "telemetry": {
            "accessLog": {
                "settings": [
                    {
                        "format": {"type": "JSON", "json": ACCESS_LOG},
                        "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
                    }
                ]
            },
            "metrics": {"clusterStatName": "%ROUTE_KIND%/%ROUTE_NAMESPACE%/%ROUTE_NAME%"},
        }
    }


def client_traffic() -> dict[str, Any]:
    """What is done to every request before anything is decided on it.

    Headers of ours come from the token only. A path is decided on in one form only. The source address is the
    connection's: without `clientIPDetection` no `X-Forwarded-For` is believed. HTTP/1.1 only, as clients of the
    programme know it: by HTTP/2 a refusal may come before the request's body has gone, and curl 7.88 (Debian 12) then
    shows no answer at all.
    """
    return {
        "targetRefs": [_reference(GATEWAY_API, "Gateway")],
        "headers": {
            "earlyRequestHeaders": {"removeOnMatch": [{"type": "Prefix", "value": "x-conecta-"}]},
            "requestID": "Generate",
            "withUnderscoresAction": "RejectRequest",
        },
        "path": {"disableMergeSlashes": False, "escapedSlashesAction": "RejectRequest"},
        "tls": {"minVersion": "1.2", "alpnProtocols": ["http/1.1"]},
    }


def closed() -> dict[str, Any]:
    """A route without a policy of its own serves nobody."""
    return {"targetRefs": [_reference(GATEWAY_API, "Gateway")], "authorization": {"defaultAction": "Deny"}}


def bound_to(address: str) -> dict[str, Any]:
    """Replace the address on which Envoy listens; Envoy Gateway itself knows all addresses only."""
    listeners = (f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}/{names.LISTENER}", READY_LISTENER)
    return {
        "targetRef": _reference(GATEWAY_API, "Gateway"),
        "type": "JSONPatch",
        "jsonPatches": [
            {
                "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                "name": listener_name,
                "operation": {"op": "replace", "path": "/address/socket_address/address", "value": address},
            }
            for listener_name in listeners
        ],
    }


def _reference(api_version: str, kind: str) -> dict[str, str]:
    return {"group": api_version.partition("/")[0], "kind": kind, "name": names.GATEWAY}


def _base64(setting: str, file: str) -> str:
    try:
        return base64.b64encode(Path(file).read_bytes()).decode()
    except OSError as error:
        raise pulumi.RunError(f"conecta:gateway.tls.{setting}: {file}: {error.strerror}") from None
