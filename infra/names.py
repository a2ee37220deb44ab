"""The fixed names of the platform. Agencies' manifests, the operator and people rely on them."""

from typing import Final

__all__ = [
    "AGENCY",
    "AGENCY_CNPJ",
    "AGENCY_NAME",
    "AGENCY_SIORG",
    "DRAIN_SECONDS",
    "ENVOY_GATEWAY_NAMESPACE",
    "GATEWAY",
    "GATEWAY_NAMESPACE",
    "LISTENER",
    "OPERATOR",
    "OPERATOR_SECRETS",
    "PLATFORM_AGENCY",
    "PROBLEMS",
    "PROBLEMS_PATH",
    "RATELIMIT",
    "SYSTEM_NAMESPACE",
    "TOKEN_PATH",
    "TOKEN_ROUTE",
]

DRAIN_SECONDS: Final = 60
"""How long a call that is under way may go on when the gateway's listener changes, or a proxy ends."""
GATEWAY: Final = "conecta"
"""Of the Gateway, its GatewayClass and what configures them."""
GATEWAY_NAMESPACE: Final = "conecta-gateway"
ENVOY_GATEWAY_NAMESPACE: Final = "envoy-gateway-system"
"""Of Envoy Gateway itself, by its own chart; there it starts a Gateway's pods, too, unless it is told otherwise."""
LISTENER: Final = "https"
OPERATOR: Final = "conecta-operator"
"""Of the operator's service account and workload."""
OPERATOR_SECRETS: Final = "conecta-operator-secrets"
"""Of the chart's ClusterRole by which the operator watches the Secrets of an agency."""
PROBLEMS: Final = "conecta-problems"
"""Of the route to the pages that problem details lead to."""
PROBLEMS_PATH: Final = "/problemas"
RATELIMIT: Final = "conecta-ratelimit"
"""Of what counts calls for all replicas of the gateway, and of its settings."""
SYSTEM_NAMESPACE: Final = "conecta-system"
TOKEN_ROUTE: Final = "conecta-token"  # noqa: S105 - a name
TOKEN_PATH: Final = "/oauth2/jwt-token"  # noqa: S105 - a path

AGENCY: Final = "conecta.gov.br/agency"
"""Label that says whose a namespace is; only such namespaces may attach routes to the Gateway."""
AGENCY_CNPJ: Final = "conecta.gov.br/cnpj"
AGENCY_SIORG: Final = "conecta.gov.br/siorg"
AGENCY_NAME: Final = "conecta.gov.br/agency-name"
PLATFORM_AGENCY: Final = "conecta"
"""Value of the label for the platform's own routes. It has no CNPJ: the platform is nobody's provider or receiver."""
