"""The way to the token issuer: the one route of the platform's own, and the only one that asks for no token."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi

from infra import names
from infra.layer import ENVOY_GATEWAY, GATEWAY_API, Layer
from infra.problems import MEDIA_TYPE, MEDIA_TYPE_NOT_ACCEPTED, METHOD_NOT_ALLOWED, Problem, members
from infra.settings import IssuerSettings

__all__ = ["IssuerArgs", "IssuerRoute"]

CREDENTIALS = Path(__file__).with_name("token_credentials.lua")


@dataclass(frozen=True, kw_only=True)
class IssuerArgs:
    """`namespace` is the Gateway's, and `url` is how clients reach it."""

    issuer: IssuerSettings
    namespace: pulumi.Input[str]
    url: str


class IssuerRoute(Layer):
    """`POST /oauth2/jwt-token`, as every client of the programme knows it, answered by Hydra over TLS.

    The route is made last, so that it is never there without what makes its answers right.
    """

    def __init__(self, name: str, args: IssuerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:issuer:IssuerRoute", name, None, opts)
        specs = {
            "Backend": (ENVOY_GATEWAY, backend(args.issuer)),
            "BackendTLSPolicy": (GATEWAY_API, verified_tls(args.issuer)),
            "SecurityPolicy": (ENVOY_GATEWAY, {"targetRefs": [_ROUTE], "authorization": {"defaultAction": "Allow"}}),
            "BackendTrafficPolicy": (ENVOY_GATEWAY, asked_again()),
            "EnvoyExtensionPolicy": (ENVOY_GATEWAY, credentials_in_one_place()),
            "HTTPRouteFilter": (ENVOY_GATEWAY, post_only(args.url)),
        }
        parts = [
            self._custom(f"token-{kind.lower()}", (api, kind), names.TOKEN_ROUTE, spec, namespace=args.namespace)
            for kind, (api, spec) in specs.items()
        ]
        kind, refusal = (ENVOY_GATEWAY, "HTTPRouteFilter"), forms_only(args.url)
        parts.append(self._custom("token-forms-only", kind, _FORMS_ONLY, refusal, namespace=args.namespace))
        http_route = (GATEWAY_API, "HTTPRoute")
        self._custom("token-route", http_route, names.TOKEN_ROUTE, route(), namespace=args.namespace, after=parts)
        self.register_outputs({})


_ROUTE = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": names.TOKEN_ROUTE}
_FORMS_ONLY: Final = f"{names.TOKEN_ROUTE}-forms-only"
_FORM: Final = "application/x-www-form-urlencoded"
_BACKEND = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": names.TOKEN_ROUTE}


def route() -> dict[str, Any]:
    """From the programme's path to Hydra's; POST of a form and nothing else, as OAuth 2 has it (RFC 6749, 4.4.2)."""
    path = {"type": "Exact", "value": names.TOKEN_PATH}
    form = {"type": "RegularExpression", "name": "content-type", "value": f"(?i){_FORM}([ \\t]*;.*)?"}
    rewrite = {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/oauth2/token"}}
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": names.GATEWAY}
    return {
        "parentRefs": [{**gateway, "sectionName": names.LISTENER}],
        "rules": [
            {
                "matches": [{"path": path, "method": "POST", "headers": [form]}],
                "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
                "backendRefs": [_BACKEND],
            },
            {"matches": [{"path": path, "method": "POST"}], "filters": [_answered_by(_FORMS_ONLY)]},
            {"matches": [{"path": path}], "filters": [_answered_by(names.TOKEN_ROUTE)]},
        ],
    }


def post_only(url: str) -> dict[str, Any]:
    """Answer other methods: 405, with the problem and the one method that there is."""
    return _answer(METHOD_NOT_ALLOWED, url, header=("allow", "POST"))


def forms_only(url: str) -> dict[str, Any]:
    """Answer other content: 415, with the problem and the one type that there is (RFC 9110, 15.5.16)."""
    return _answer(MEDIA_TYPE_NOT_ACCEPTED, url, header=("accept", _FORM))


def _answer(problem: Problem, url: str, *, header: tuple[str, str]) -> dict[str, Any]:
    body = json.dumps(members(problem, url), ensure_ascii=False).replace('"%RESPONSE_CODE%"', str(problem.status))
    name, value = header
    return {
        "directResponse": {
            "statusCode": problem.status,
            "contentType": MEDIA_TYPE,
            "header": {"set": [{"name": name, "value": value}]},
            "body": {"type": "Inline", "inline": body},
        }
    }


def _answered_by(filter_name: str) -> dict[str, Any]:
    reference = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": filter_name}
    return {"type": "ExtensionRef", "extensionRef": reference}


def backend(issuer: IssuerSettings) -> dict[str, Any]:
    """Where the issuer is."""
    return {"endpoints": [{"fqdn": {"hostname": issuer.host, "port": issuer.port}}]}


def verified_tls(issuer: IssuerSettings) -> dict[str, Any]:
    """Who it must prove to be."""
    authority = {"group": "", "kind": "ConfigMap", "name": issuer.ca_config_map}
    return {"targetRefs": [_BACKEND], "validation": {"caCertificateRefs": [authority], "hostname": issuer.host}}


def asked_again() -> dict[str, Any]:
    """A request for a token may be asked again at will: two tokens do no more than one.

    With SQLite, Hydra answers 500 when another request writes to its database at the same time; while it is started
    anew, nothing answers. Asking up to six times hides the former from clients, and of the latter what is short.
    """
    return {
        "targetRefs": [_ROUTE],
        "retry": {
            "numRetries": 5,
            "retryOn": {"triggers": ["connect-failure", "reset", "retriable-status-codes"], "httpStatusCodes": [500]},
            "perRetry": {"backOff": {"baseInterval": "50ms", "maxInterval": "500ms"}},
        },
    }


def credentials_in_one_place() -> dict[str, Any]:
    """Clients send their credentials by header, by body, or by both; Hydra takes one way only."""
    return {"targetRefs": [_ROUTE], "lua": [{"type": "Inline", "inline": CREDENTIALS.read_text(encoding="utf-8")}]}
