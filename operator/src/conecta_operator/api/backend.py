"""What answers an API's calls: a Service of the cluster or an https URL, and how the gateway speaks to it."""

from typing import Final

from pydantic import ConfigDict, Field

from conecta_operator.api.fields import DnsLabel, DnsSubdomain, HttpsUrl, Written, rules
from conecta_operator.api.network import BackendNetworkPolicy

__all__ = [
    "MOST_ROUTES",
    "Backend",
    "BackendService",
    "BackendTls",
    "ConfigMapReference",
    "Connections",
    "HeaderFromSecret",
    "Route",
    "SecretReference",
]

MOST_ROUTES: Final = 8
"""An HTTPRoute has 16 rules: one for each path prefix, the default one, and those that refuse calls."""

_NOT_FOR_PROVIDERS: Final = (
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-cpf-usuario",
    "x-request-id",
)
_RESERVED_PREFIXES: Final = ("proxy-", "x-conecta-", "x-envoy-", "x-forwarded-")
_DURATION: Final = "^[1-9][0-9]{0,2}[ms]$"
_CANONICAL_PREFIX: Final = r"^/$|^(/[A-Za-z0-9._~!$&'()*+,=:@-]+)+$"


class BackendService(Written):
    """A Service of the cluster."""

    name: DnsLabel = Field(description="Name of a Service in the namespace of the ConectaApi. Example: cep.")
    port: int = Field(
        ge=1,
        le=65535,
        description=(
            "Port of the Service (not of its pods), 1 to 65535. The gateway speaks plain HTTP to it. Example: 8080."
        ),
    )


class ConfigMapReference(Written):
    """A ConfigMap of the same namespace."""

    name: DnsSubdomain = Field(
        description="Name of a ConfigMap in the namespace of the ConectaApi. Example: receita-ca."
    )


class SecretReference(Written):
    """A Secret of the same namespace."""

    name: DnsSubdomain = Field(
        description="Name of a Secret in the namespace of the ConectaApi. Example: sistema-legado."
    )


class BackendTls(Written):
    """How the gateway and a backend outside of the cluster know each other."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.caCertificateRef) || has(self.hostname) || has(self.clientCertificateRef)",
                "must say something: caCertificateRef, hostname or clientCertificateRef",
            ),
        ),
    )

    ca_certificate_ref: ConfigMapReference | None = Field(
        default=None,
        description=(
            "ConfigMap whose key ca.crt holds the certificate authorities (PEM) that may sign the backend's "
            "certificate. Default: the public ones that the gateway's system trusts. Example: {name: receita-ca}."
        ),
    )
    hostname: DnsSubdomain | None = Field(
        default=None,
        description=(
            "The name that the backend's certificate must have, and that the gateway asks for when it connects (SNI). "
            "Default: the host of url. Example: servicos.receita.example."
        ),
    )
    client_certificate_ref: SecretReference | None = Field(
        default=None,
        description=(
            "Secret of type kubernetes.io/tls with the certificate that the gateway shows to the backend (mutual TLS). "
            "Default: the platform's own, if it has one. Example: {name: conecta-cliente}."
        ),
    )


class Connections(Written):
    """What the backend stands at once."""

    max: int = Field(
        ge=1,
        le=10_000,
        description=(
            "Connections that each replica of the gateway has to the backend, and calls that it has in progress there, "
            "1 to 10000. Of backends with the same path prefix, the fewest count for each. Example: 50."
        ),
    )
    max_waiting: int = Field(
        default=1024,
        ge=1,
        le=10_000,
        description=(
            "Calls that wait for one of these connections, 1 to 10000; further ones get 503 at once. Default: 1024. "
            "Example: 100."
        ),
    )


class HeaderFromSecret(Written):
    """A header by which the backend knows the gateway."""

    name: str = Field(
        default="Authorization",
        max_length=64,
        pattern="^[A-Za-z][A-Za-z0-9-]*$",
        json_schema_extra=rules(
            (
                f"!(self.lowerAscii() in {list(_NOT_FOR_PROVIDERS)!r})",
                "must not be a header that the gateway or HTTP itself has a use for",
            ),
            (
                f"!{list(_RESERVED_PREFIXES)!r}.exists(prefix, self.lowerAscii().startsWith(prefix))",
                "must not begin as the platform's own headers do",
            ),
        ),
        description=(
            "Name of the header, up to 64 letters, digits and hyphens. What a client sends under it doesn't pass. "
            "Default: Authorization. Example: X-Api-Key."
        ),
    )
    secret_ref: SecretReference = Field(
        description=(
            "Secret whose key credential holds the whole value of the header: for basic authentication the word Basic, "
            "a space, and user:password in base64. It is read by the gateway alone. Example: {name: sistema-legado}."
        ),
    )


class Backend(Written):
    """Where calls are sent: a Service of the cluster, or an https URL."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.service) != has(self.url)", "must have exactly one of service and url"),
            ("!has(self.tls) || has(self.url)", "is for url only: a service is called by plain HTTP", ".tls"),
            (
                "has(self.service) || !has(self.networkPolicy) || !has(self.networkPolicy.alsoAllowFrom)",
                "must not name others who may reach it: that is for service only",
                ".networkPolicy",
            ),
        ),
    )

    service: BackendService | None = Field(
        default=None,
        description=(
            "Service of the cluster that answers the calls. Exactly one of service and url is given. "
            "Example: {name: cep, port: 8080}."
        ),
    )
    url: HttpsUrl | None = Field(
        default=None,
        description=(
            "Where a backend outside of the cluster answers; https only, without user, password, query and fragment. "
            "Its path takes the place of the API's base path: with https://servicos.receita.example/cep, a call of "
            "/api-cep/v1/consulta/cep/70040020 goes to https://servicos.receita.example/cep/consulta/cep/70040020. "
            "Exactly one of service and url is given."
        ),
        json_schema_extra=rules(
            ("!self.contains('?') && !self.contains('#')", "must not have a query or a fragment"),
            ("!self.matches('^https://[^/?#]*@')", "must not carry a user name or password"),
            ("self.matches('^[!-~]+$')", "must be plain ASCII without spaces: write other characters percent-encoded"),
        ),
    )
    tls: BackendTls | None = Field(
        default=None,
        description=(
            "How the gateway and the backend know each other; for url only. Default: the backend's certificate is "
            "verified by the public certificate authorities that the gateway's system trusts. "
            "Example: {caCertificateRef: {name: receita-ca}}."
        ),
    )
    network_policy: BackendNetworkPolicy | None = Field(
        default=None,
        description=(
            "Who may reach the backend's pods, beside the gateway. Default: nobody. "
            "Example: {alsoAllowFrom: [{podSelector: {matchLabels: {app: cep-tests}}}]}."
        ),
    )
    weight: int = Field(
        default=1,
        ge=0,
        le=1_000_000,
        description=(
            "Share of the calls, beside the weights of the other backends with the same path prefix: 0 to 1000000, "
            "where 0 gets none. For a gradual move. Default: 1. Example: 9."
        ),
    )
    timeout: str = Field(
        default="15s",
        max_length=4,
        pattern=_DURATION,
        json_schema_extra=rules(("duration(self) <= duration('120s')", "must be at most 120s")),
        description=(
            "How long a call may take, from its last byte to the last byte of the answer, up to 120s; after that the "
            "caller gets 504. Of backends with the same path prefix, the longest counts. A number and m or s. "
            "Default: 15s. Example: 60s."
        ),
    )
    connections: Connections | None = Field(
        default=None,
        description="What the backend stands at once. Default: 1024 connections. Example: {max: 50, maxWaiting: 100}.",
    )
    headers_from_secret: tuple[HeaderFromSecret, ...] = Field(
        default=(),
        max_length=1,
        description=(
            "Header, one at most, that the gateway adds to each call so that the backend knows it. "
            "Example: [{name: X-Api-Key, secretRef: {name: sistema-legado}}]."
        ),
    )

    @property
    def authority(self) -> str:
        """Host and port of the URL as they are written; empty without one."""
        return (self.url or "").partition("://")[2].partition("/")[0]


class Route(Written):
    """A backend for a part of the API's paths."""

    path_prefix: str = Field(
        max_length=200,
        pattern=_CANONICAL_PREFIX,
        description=(
            "Which paths, below the API's base path: this one and all below it. The longest prefix that fits counts; "
            "/ means all that no other has. It starts with / and doesn't end with it, and has no empty, relative or "
            "encoded segments. It stays in the path that the backend is asked for: with a backend of "
            "https://novo.receita.example/cep and the prefix /consulta, a call of /api-cep/v1/consulta/cep/70040020 "
            "goes to https://novo.receita.example/cep/consulta/cep/70040020. Example: /consulta."
        ),
        json_schema_extra=rules(
            ("self.split('/').all(segment, segment != '.' && segment != '..')", "must not have relative segments")
        ),
    )
    backend: Backend = Field(
        description="What answers these calls. Example: {url: 'https://novo.receita.example/cep', weight: 1}."
    )
