"""Which templates an accepted ConectaApi fills in, and with what."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from conecta_operator.api.backend import Backend, BackendTls
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.lifecycle import Stage
from conecta_operator.api.objects import CONECTA_API, MANAGED_BY
from conecta_operator.plan import naming
from conecta_operator.plan.backends import target_of
from conecta_operator.plan.grants_seen import GrantSeen
from conecta_operator.plan.problems import MEDIA_TYPE
from conecta_operator.plan.rates import annotations_of
from conecta_operator.plan.refusals import refusals_of
from conecta_operator.plan.routing import backends_by_prefix, calls_of, rules_of
from conecta_operator.plan.source_ranges import common
from conecta_operator.plan.world import ApiWorld
from conecta_operator.plan.writing import ROUTE_METADATA
from conecta_operator.render.contexts import (
    ApiPolicy,
    ApiRoute,
    ConnectionLimits,
    Context,
    InjectedCredential,
    JwksConfigMap,
    MutualTlsBackend,
    PlacedGrant,
    PrivateCaTls,
    PublicCaTls,
    RouteRefusal,
    UrlBackend,
)

__all__ = ["contexts_of"]

_VALUES_PER_CLAIM: Final = 128
"""The most values that a SecurityPolicy takes for one claim (Envoy Gateway API, JWTClaim.values)."""


def contexts_of(
    world: ApiWorld, *, jwks: str, revoked_client_ids: Sequence[str], network: Sequence[Context]
) -> tuple[Context, ...]:
    """The contexts in the order of writing: what tightens comes before the route that it protects."""
    return (
        _jwks(world, jwks),
        _policy(world, revoked_client_ids),
        *network,
        *_url_backends(world.api),
        *_credentials(world.api),
        *_refusals(world),
        _route(world),
        *_connection_limits(world.api),
    )


def _common(api: ConectaApi) -> dict[str, Any]:
    return {
        "name": api.metadata.name,
        "namespace": api.metadata.namespace,
        "labels": naming.labels_of(CONECTA_API, api.metadata),
        "owner_references": (naming.owner_reference(CONECTA_API, api.metadata),),
    }


def _jwks(world: ApiWorld, jwks: str) -> JwksConfigMap:
    owners = sorted((world.api, *world.siblings), key=lambda api: api.metadata.uid)
    return JwksConfigMap(
        name=naming.JWKS_CONFIG_MAP,
        namespace=world.api.metadata.namespace,
        labels={"app.kubernetes.io/managed-by": MANAGED_BY},
        owner_references=tuple(
            naming.owner_reference(CONECTA_API, owner.metadata, is_controller=False) for owner in owners
        ),
        jwks=jwks,
    )


def _policy(world: ApiWorld, revoked_client_ids: Sequence[str]) -> ApiPolicy:
    demanded, ranges = naming.scopes_demanded(world.api), sorted(world.api.spec.source_ranges)
    ids = iter(sorted(revoked_client_ids))
    groups = tuple(iter(lambda: tuple(islice(ids, _VALUES_PER_CLAIM)), ()))
    return ApiPolicy(
        **_common(world.api),
        issuer=world.platform.issuer_url,
        jwks_config_map=naming.JWKS_CONFIG_MAP,
        revoked_client_ids=groups,
        placed_grants=tuple(
            _placed(demanded, ranges, grant)
            for grant in sorted(world.grants, key=lambda grant: grant.uid)
            if grant.source_ranges
        ),
        consumers={
            **({"clientCIDRs": ranges} if ranges else {}),
            "jwt": {"provider": "conecta", "scopes": demanded},
        },
    )


def _placed(demanded: Sequence[str], ranges: Sequence[str], grant: GrantSeen) -> PlacedGrant:
    admitted = common(ranges, grant.source_ranges) if ranges else grant.source_ranges
    return PlacedGrant(scopes=(*demanded, grant.scope), scope=(grant.scope,), admitted=(admitted,) if admitted else ())


def _url_backends(api: ConectaApi) -> tuple[Context, ...]:
    if api.spec.lifecycle.stage is Stage.RETIRED:  # of what no route refers to, the gateway says nothing
        return ()
    by_name = {
        naming.backend_name(api, backend): backend
        for backends in backends_by_prefix(api).values()
        for backend in backends
        if backend.url is not None
    }
    return tuple(context for name, backend in by_name.items() for context in _url_backend(api, name, backend))


def _url_backend(api: ConectaApi, name: str, backend: Backend) -> tuple[Context, ...]:
    target, tls = target_of(backend.url or ""), backend.tls or BackendTls()
    common = {**_common(api), "name": name}
    place = {**common, "hostname": target.hostname, "port": target.port}
    hostname = tls.hostname or target.hostname
    if tls.ca_certificate_ref is None:
        trust: Context = PublicCaTls(**common, hostname=hostname)
    else:
        trust = PrivateCaTls(**common, hostname=hostname, ca_config_map=tls.ca_certificate_ref.name)
    if tls.client_certificate_ref is None:
        return UrlBackend(**place), trust
    return MutualTlsBackend(**place, client_certificate=tls.client_certificate_ref.name), trust


def _credentials(api: ConectaApi) -> tuple[Context, ...]:
    headers = {
        naming.credential_name(api, header): header
        for backends in backends_by_prefix(api).values()
        for backend in backends
        for header in backend.headers_from_secret
    }
    return tuple(
        InjectedCredential(**{**_common(api), "name": name}, header=header.name, secret=header.secret_ref.name)
        for name, header in headers.items()
    )


def _connection_limits(api: ConectaApi) -> Iterator[Context]:
    for prefix, backends in backends_by_prefix(api).items():
        limits = [backend.connections for backend in backends if backend.connections is not None]
        if limits:
            yield ConnectionLimits(
                **{**_common(api), "name": naming.limits_name(api, prefix)},
                route=api.metadata.name,
                rule=naming.rule_name(prefix),
                most_connections=min(limit.max for limit in limits),
                most_waiting=min(limit.max_waiting for limit in limits),
            )


def _refusals(world: ApiWorld) -> tuple[Context, ...]:
    api, gateway_url = world.api, world.platform.gateway_url
    return tuple(
        RouteRefusal(
            **{**_common(api), "name": naming.refusal_name(api, refusal.name)},
            status=refusal.problem.status,
            content_type=MEDIA_TYPE,
            body=refusal.problem.body(gateway_url),
        )
        for refusal in refusals_of(api, calls_of(api))
    )


def _route(world: ApiWorld) -> ApiRoute:
    platform = world.platform
    return ApiRoute(
        **_common(world.api),
        gateway_namespace=platform.gateway_namespace,
        gateway_name=platform.gateway_name,
        gateway_listener=platform.gateway_listener,
        annotations=_annotations(world.api),
        rules=rules_of(world.api, world.now),
    )


def _annotations(api: ConectaApi) -> Mapping[str, str]:
    """What Envoy is told of the API: its rates, and where it is, for the access log."""
    told = {**annotations_of(api), f"{ROUTE_METADATA}path-template": f"{api.base_path}/*"}
    return {name: told[name] for name in sorted(told)}
