"""The gateway: its class, its one door, what it logs, and that nothing is open until somebody opens it."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from infra import names
from infra.access_log import ACCESS_LOG
from infra.errors import MANAGER, listener_patches, patch
from infra.layer import ENVOY_GATEWAY, GATEWAY_API, POD_SECURITY, Layer
from infra.rates import CLUSTER, counting_service
from infra.settings import ClientAddressSettings, CpfKeySettings, GatewaySettings, TlsSettings

__all__ = ["GatewayArgs", "GatewayLayer"]

CALLERS: Final = Path(__file__).with_name("callers.lua")
CPF_PSEUDONYM: Final = Path(__file__).with_name("cpf_pseudonym.lua")
_CPF_KEY_FOLDER: Final = "/var/lib/conecta/cpf-key"
"""Where a pod of Envoy's finds the key."""
_SCRIPT: Final = f"envoyextensionpolicy/{names.GATEWAY_NAMESPACE}/{names.GATEWAY}/lua/0"
_VERIFIERS: Final = "$..http_filters[?(@.name=='envoy.filters.http.jwt_authn')].typed_config.providers[*]"
_REMEMBERED_TOKENS: Final = 2_000
"""By each thread of Envoy's: more than there are integrations that call at the same time."""
_CALLERS_FILTER: Final = f"$..http_filters[?(@.name=='envoy.filters.http.lua/{_SCRIPT}')].typed_config"

READY_LISTENER: Final = "envoy-gateway-proxy-ready-0.0.0.0-19003"
"""Envoy Gateway adds it to every proxy for kubelet's probes."""

IDENTITY_PREFIXES: Final = ("x-conecta-", "x-envoy-", "x-ssl-", "ssl-client-", "x-amzn-", "x-goog-", "x-ms-client-")
IDENTITY_HEADERS: Final = (
    "cf-connecting-ip",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "forwarded",
    "remote-user",
    "true-client-ip",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-forwarded-client-cert",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-user",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-request-id",
    "x-rewrite-url",
)
"""`x-request-id` as well: with trusted proxies, Envoy would keep the one that it is sent."""
HOP_BY_HOP_HEADERS: Final = ("keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer")
"""Of RFC 9110 (7.6.1), but for those that Envoy needs for reading the request, and takes off itself."""


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """`counter`: where the service is that counts calls for all replicas, if any. `protect` is for the namespace."""

    gateway: GatewaySettings
    counter: str | None
    protect: bool


class GatewayLayer(Layer):
    """The Gateway, made last, when all that restricts it is there."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:gateway:GatewayLayer", name, None, opts)
        labels = {names.AGENCY: names.PLATFORM_AGENCY, **POD_SECURITY}
        self._home = self._namespace("gateway-namespace", names.GATEWAY_NAMESPACE, protect=args.protect, labels=labels)
        self.namespace: pulumi.Output[str] = self._home.metadata["name"]
        """Where the Gateway is, and what is to be attached to it without a reference across namespaces."""
        traffic = client_traffic(args.gateway.client_address)
        needs = [
            self._in_namespace("gateway-proxy", (ENVOY_GATEWAY, "EnvoyProxy"), self._proxy(args.gateway)),
            self._in_namespace("gateway-clients", (ENVOY_GATEWAY, "ClientTrafficPolicy"), traffic),
            self._in_namespace("gateway-closed", (ENVOY_GATEWAY, "SecurityPolicy"), closed()),
            self._in_namespace(
                "gateway-callers", (ENVOY_GATEWAY, "EnvoyExtensionPolicy"), callers(args.gateway.cpf_key)
            ),
            self._patches(args.gateway, args.counter),
            self._custom(
                "gateway-tokens",
                (ENVOY_GATEWAY, "EnvoyPatchPolicy"),
                f"{names.GATEWAY}-tokens",
                tokens_remembered(),
                namespace=self.namespace,
            ),
            self._gateway_class(),
        ]
        secret = self._certificate("gateway-certificate", "conecta-tls", args.gateway.tls, setting="tls")
        spec = {
            "gatewayClassName": names.GATEWAY,
            "infrastructure": {"parametersRef": _reference(ENVOY_GATEWAY, "EnvoyProxy")},
            "listeners": [listener(port=args.gateway.port, secret=secret)],
        }
        self._in_namespace("gateway", (GATEWAY_API, "Gateway"), spec, after=needs)
        self.register_outputs({"namespace": self.namespace})

    def _in_namespace(
        self, logical_name: str, kind: tuple[str, str], spec: dict[str, Any], *, after: list[Any] | None = None
    ) -> k8s.apiextensions.CustomResource:
        return self._custom(logical_name, kind, names.GATEWAY, spec, namespace=self.namespace, after=after or ())

    def _patches(self, settings: GatewaySettings, counter: str | None) -> k8s.apiextensions.CustomResource:
        kind, spec = (ENVOY_GATEWAY, "EnvoyPatchPolicy"), patches(settings, counter)
        return self._custom(
            "gateway-patches", kind, names.GATEWAY, spec, namespace=self.namespace, formerly="gateway-address"
        )

    def _gateway_class(self) -> k8s.apiextensions.CustomResource:
        spec = {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
        return self._custom("gateway-class", (GATEWAY_API, "GatewayClass"), names.GATEWAY, spec)

    def _proxy(self, settings: GatewaySettings) -> dict[str, Any]:
        if settings.client_certificate is None:
            return envoy_proxy(settings.replicas, settings.cpf_key)
        secret = self._certificate(
            "gateway-client-certificate", "conecta-client-tls", settings.client_certificate, setting="clientCertificate"
        )
        return {
            **envoy_proxy(settings.replicas, settings.cpf_key),
            "backendTLS": {"clientCertificateRef": {"group": "", "kind": "Secret", "name": secret}},
        }

    def _certificate(self, logical_name: str, name: str, tls: TlsSettings, *, setting: str) -> pulumi.Input[str]:
        if tls.certificate_file is None or tls.key_file is None:
            return tls.secret_name or ""
        secret = k8s.core.v1.Secret(
            logical_name,
            metadata={"name": name, "namespace": self.namespace},
            type="kubernetes.io/tls",
            data={
                "tls.crt": _base64(f"{setting}.certificateFile", tls.certificate_file),
                "tls.key": pulumi.Output.secret(_base64(f"{setting}.keyFile", tls.key_file)),
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


def envoy_proxy(replicas: int, cpf_key: CpfKeySettings | None) -> dict[str, Any]:
    """How the proxies end, and what they log and count.

    One series a route, not one a rule: series multiply with hundreds of APIs.
    """
    several = {"replicas": replicas} if replicas > 1 else {}
    mounted = mounted_cpf_key(cpf_key.secret_name) if cpf_key is not None and cpf_key.secret_name else {}
    deployment = {**several, **mounted}
    return {
        **({"provider": {"type": "Kubernetes", "kubernetes": {"envoyDeployment": deployment}}} if deployment else {}),
        "shutdown": {"drainTimeout": f"{names.DRAIN_SECONDS}s"},
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
        },
    }


def mounted_cpf_key(secret: str) -> dict[str, Any]:
    """The key as a file in every pod of Envoy's. A Secret that isn't there must not keep the gateway from starting."""
    volume = {"name": "cpf-key", "secret": {"secretName": secret, "optional": True, "defaultMode": 0o444}}
    mount = {"name": "cpf-key", "mountPath": _CPF_KEY_FOLDER, "readOnly": True}
    return {"pod": {"volumes": [volume]}, "container": {"volumeMounts": [mount]}}


def client_traffic(clients: ClientAddressSettings) -> dict[str, Any]:
    """What is done to every request before anything is decided on it.

    What only we or a proxy of ours may say is taken off. A path is decided on in one form only. HTTP/1.1 only, as
    clients of the programme know it: by HTTP/2 a refusal may come before the request's body has gone, and curl 7.88
    (Debian 12) then shows no answer at all. No other protocol after it, either: what follows an upgrade nobody checks.
    Who takes more than a minute to send a request holds nothing any longer.
    """
    return {
        "targetRefs": [_reference(GATEWAY_API, "Gateway")],
        **client_address(clients),
        "headers": {
            "earlyRequestHeaders": headers_not_for_clients(clients),
            "requestID": "Generate",
            "withUnderscoresAction": "RejectRequest",
        },
        "http1": {"ignoredUpgradeTypes": [{"type": "RegularExpression", "value": ".*"}]},
        "path": {"disableMergeSlashes": False, "escapedSlashesAction": "RejectRequest"},
        "timeout": {"http": {"requestReceivedTimeout": "60s", "idleTimeout": "300s"}},
        "tls": {"minVersion": "1.2", "alpnProtocols": ["http/1.1"]},
    }


def client_address(clients: ClientAddressSettings) -> dict[str, Any]:
    """Whose `X-Forwarded-For` is believed. Without `clientIPDetection` it is nobody's."""
    if clients.trusted_proxies is not None:
        return {"clientIPDetection": {"xForwardedFor": {"numTrustedHops": clients.trusted_proxies}}}
    if clients.trusted_ranges:
        return {"clientIPDetection": {"xForwardedFor": {"trustedCIDRs": list(clients.trusted_ranges)}}}
    return {}


def headers_not_for_clients(clients: ClientAddressSettings) -> dict[str, Any]:
    """Headers that a backend, or Envoy itself, could take for the platform's word: ours, proxies', hop-by-hop ones."""
    proxied = clients != ClientAddressSettings()
    return {
        "remove": [*IDENTITY_HEADERS, *HOP_BY_HOP_HEADERS, *(() if proxied else ("x-forwarded-for",))],
        "removeOnMatch": [{"type": "Prefix", "value": prefix} for prefix in IDENTITY_PREFIXES],
    }


def closed() -> dict[str, Any]:
    """A route without a policy of its own serves nobody."""
    return {"targetRefs": [_reference(GATEWAY_API, "Gateway")], "authorization": {"defaultAction": "Deny"}}


def callers(cpf_key: CpfKeySettings | None) -> dict[str, Any]:
    """Every call says whose it is, before anything is decided on it. The token route has another script instead."""
    scripts = [CALLERS.read_text(encoding="utf-8"), *([] if cpf_key is None else [pseudonyms_by(cpf_key)])]
    lua = [{"type": "Inline", "inline": script} for script in scripts]
    return {"targetRefs": [_reference(GATEWAY_API, "Gateway")], "lua": lua}


def pseudonyms_by(cpf_key: CpfKeySettings) -> str:
    """The script that tells the access log for whom a call is made (docs/adr/0010)."""
    file = f"{_CPF_KEY_FOLDER}/key" if cpf_key.file is None else str(Path(cpf_key.file).absolute())
    quoted = file.replace("\\", "\\\\").replace('"', '\\"')
    return CPF_PSEUDONYM.read_text(encoding="utf-8").replace("@KEY_FILE@", quoted)


def patches(settings: GatewaySettings, counter: str | None) -> dict[str, Any]:
    """What Envoy is told past Envoy Gateway's own kinds; all in one object, since the order of several is nobody's."""
    address = () if settings.bind_address is None else bound_to(settings.bind_address)
    return {
        "targetRef": _reference(GATEWAY_API, "Gateway"),
        "type": "JSONPatch",
        "jsonPatches": [
            *address,
            *(() if counter is None else [counted_by(counter)]),
            *listener_patches(
                url=settings.url, max_body_bytes=settings.max_body_bytes, counts_together=counter is not None
            ),
            http_1_only(),
            route_chosen_once(),
        ],
    }


def counted_by(counter: str) -> dict[str, Any]:
    """Let Envoy know the service that counts calls."""
    host, _, port = counter.rpartition(":")
    return {
        "type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": CLUSTER,
        "operation": {"op": "add", "path": "", "value": counting_service(host, int(port))},
    }


def http_1_only() -> dict[str, Any]:
    """Without ALPN, a client could speak HTTP/2 all the same (docs/adr/0005)."""
    return patch({"op": "add", "jsonPath": MANAGER, "path": "codec_type", "value": "HTTP1"})


def route_chosen_once() -> dict[str, Any]:
    """The script asks for another choice of the route when it needs one; by default each call's is made twice."""
    return patch({"op": "add", "jsonPath": _CALLERS_FILTER, "path": "clear_route_cache", "value": False})


def tokens_remembered() -> dict[str, Any]:
    """Verify a token's signature once, rather than at each call (`tests.bench.gateway --by-part` tells what it costs).

    What is remembered is forgotten when the token ends, and when the issuer's keys change. An object of its own, since
    it can't be programmed before the operator has written the first policy that asks for tokens.
    """
    remembered = {"jwt_cache_size": _REMEMBERED_TOKENS}
    return {
        "targetRef": _reference(GATEWAY_API, "Gateway"),
        "type": "JSONPatch",
        "jsonPatches": [patch({"op": "add", "jsonPath": _VERIFIERS, "path": "jwt_cache_config", "value": remembered})],
    }


def bound_to(address: str) -> list[dict[str, Any]]:
    """Replace the address on which Envoy listens; Envoy Gateway itself knows all addresses only."""
    listeners = (f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}/{names.LISTENER}", READY_LISTENER)
    return [
        {
            "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": listener_name,
            "operation": {"op": "replace", "path": "/address/socket_address/address", "value": address},
        }
        for listener_name in listeners
    ]


def _reference(api_version: str, kind: str) -> dict[str, str]:
    return {"group": api_version.partition("/")[0], "kind": kind, "name": names.GATEWAY}


def _base64(setting: str, file: str) -> str:
    try:
        return base64.b64encode(Path(file).read_bytes()).decode()
    except OSError as error:
        raise pulumi.RunError(f"conecta:gateway.{setting}: {file}: {error.strerror}") from None
