"""Conecta as a Pulumi program: settings → layers → exports."""

from pathlib import Path

import pulumi

from infra import settings
from infra.cluster import cluster
from infra.definitions import Definitions, DefinitionsArgs
from infra.gateway import GatewayArgs, GatewayLayer
from infra.issuer import IssuerArgs, IssuerRoute
from infra.network import NetworkBaseline, NetworkBaselineArgs
from infra.problem_pages import ProblemPages, ProblemPagesArgs
from infra.rate_service import RateService, RateServiceArgs, counter_of
from infra.release import OperatorRelease, ReleaseArgs
from infra.tenancy import Tenancy, TenancyArgs

stack = settings.load()
provider = cluster(stack.cluster)


def inside(*needs: pulumi.Resource) -> pulumi.ResourceOptions:
    """In the stack's cluster, made after what it needs, and unmade before that."""
    return pulumi.ResourceOptions(providers=[provider], depends_on=list(needs))


definitions = Definitions(
    "definitions", DefinitionsArgs(folder=Path("charts/conecta-crds/crds"), protect=stack.protect), inside()
)
counter = counter_of(stack.rates) if stack.rates.has_service else None
gateway = GatewayLayer("gateway", GatewayArgs(gateway=stack.gateway, counter=counter, protect=stack.protect), inside())
if counter is not None:
    RateService("rates", RateServiceArgs(rates=stack.rates, namespace=gateway.namespace), inside(gateway))
issuer = IssuerRoute(
    "issuer", IssuerArgs(issuer=stack.issuer, namespace=gateway.namespace, url=stack.gateway.url), inside(gateway)
)
problems = ProblemPages(
    "problems", ProblemPagesArgs(folder=Path("docs/reference/problems"), namespace=gateway.namespace), inside(gateway)
)
release = OperatorRelease(
    "release", ReleaseArgs(chart="./charts/conecta-operator", settings=stack), inside(definitions)
)
network = NetworkBaseline("network", NetworkBaselineArgs(settings=stack), inside(gateway, release))
# The operator must still have its rights when what agencies wrote goes with their namespaces: it lets go of it last.
tenancy = Tenancy(
    "tenancy",
    TenancyArgs(agencies=stack.agencies, limits=stack.limits, protect=stack.protect),
    inside(release, gateway),
)

pulumi.export("gatewayUrl", stack.gateway.url)
pulumi.export("agencies", sorted(stack.agencies))
