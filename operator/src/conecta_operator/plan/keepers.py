"""How new public keys of the issuer come into use at the gateway, without a call being refused for that.

Envoy Gateway names what a route asks of a token by a hash, in which the keys are. Envoy is told with its listener what
each name means, and with its routes which one counts; a call is refused if its connection's listener doesn't know the
name. The two come one after the other, and a connection goes on with the listener that it was opened at until that has
drained. So two routes that nobody can call, the keepers, hold two sets of keys: those in use, and those before or after
them. New keys go to the keeper that is spare. They come into use, by being copied to where the APIs are, when no
connection is left that doesn't know them (ADR 0002).

All there is to know is in the keepers' policies: their keys, and whose turn it is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import GROUP, HTTP_ROUTE, MANAGED_BY, SECURITY_POLICY, Manifest, ObjectKey, key_of
from conecta_operator.api.settings import Platform
from conecta_operator.plan.naming import JWKS_CONFIG_MAP
from conecta_operator.plan.plans import WriteObject
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.writing import write_if_different
from conecta_operator.render.contexts import KeeperPolicy, KeeperRoute
from conecta_operator.render.forms import Forms

__all__ = [
    "KEEPERS",
    "TURN",
    "KeysPlan",
    "KeysWorld",
    "desired",
    "jwks_in_use",
    "late",
    "objects_of_keepers",
    "served_namespaces",
    "takes_the_spare",
]

KEEPERS: Final = (f"{JWKS_CONFIG_MAP}-a", f"{JWKS_CONFIG_MAP}-b")
TURN: Final = f"{GROUP}/turn"
"""The keys of the keeper with the higher turn are in use. Turn 0 has not come yet."""

REACHES_EVERY_CALL: Final = timedelta(seconds=10)
"""From when the API server has a change, or the gateway's answer to one, until the last Envoy acts on it. Tenths of a
second were seen; the rest is for clocks that differ."""


@dataclass(frozen=True, kw_only=True)
class KeysWorld:
    """What decides over the keepers."""

    published: str | None
    """What the issuer publishes (JWKS, JSON text); None while it is away."""
    objects: Mapping[ObjectKey, Manifest]
    """Those of `objects_of_keepers` that exist."""
    is_spare_needed: bool
    """Whether some routes may still use the keys that were in use before."""
    platform: Platform
    now: datetime


@dataclass(frozen=True)
class KeysPlan:
    """`in_use` holds once the steps are done: what routes are to verify tokens with. None: nobody can tell yet."""

    in_use: str | None
    steps: tuple[WriteObject, ...]


@dataclass(frozen=True)
class _Kept:
    jwks: str
    turn: int


def objects_of_keepers(platform: Platform) -> tuple[ObjectKey, ...]:
    """A policy and a route each, where the Gateway is; the policy first, which closes the route."""
    kinds = (SECURITY_POLICY, HTTP_ROUTE)
    return tuple(ObjectKey(kind, platform.gateway_namespace, name) for name in KEEPERS for kind in kinds)


def desired(world: KeysWorld, forms: Forms) -> KeysPlan:
    """The keys in use, and the writes that bring those that are published nearer to it; none when all is well."""
    kept = _next(world, _kept(world.objects))
    writes = (write for name, held in sorted(kept.items()) for write in _writes(world, forms, name, held))
    return KeysPlan(_in_use(kept), tuple(writes))


def jwks_in_use(objects: Mapping[ObjectKey, Manifest]) -> str | None:
    """What routes are to verify tokens with, as the keepers say; None when one of them is not there or damaged."""
    return _in_use(_kept(objects))


def takes_the_spare(objects: Mapping[ObjectKey, Manifest], jwks: str) -> bool:
    """Whether these keys have to go where those are that were in use before."""
    kept = _kept(objects)
    return len(kept) == len(KEEPERS) and jwks not in {held.jwks for held in kept.values()}


def served_namespaces(apis: Iterable[ConectaApi]) -> frozenset[str]:
    """Where routes are that verify tokens: an API that isn't served has none."""
    return frozenset(api.metadata.namespace for api in apis if api.status.url)


def late(copies: Iterable[Manifest], namespaces: Collection[str], jwks: str | None, now: datetime) -> tuple[str, ...]:
    """The namespaces whose routes have other keys than these, or had until a moment ago."""
    return tuple(
        sorted(
            copy["metadata"]["namespace"]
            for copy in copies
            if copy["metadata"]["name"] == JWKS_CONFIG_MAP
            and copy["metadata"]["namespace"] in namespaces
            and ((copy.get("data") or {}).get("jwks") != jwks or _written(copy, now) + REACHES_EVERY_CALL > now)
        )
    )


def _next(world: KeysWorld, kept: Mapping[str, _Kept]) -> Mapping[str, _Kept]:
    if world.published is None:
        return kept
    missing = [name for name in KEEPERS if name not in kept]
    if missing:
        # The first start, or damage: which keys are in use nobody can say any more, and the issuer's are right.
        turn = max((held.turn for held in kept.values()), default=0) + 1
        fresh = dict.fromkeys(missing, _Kept(world.published, 0))
        return {**kept, **fresh, missing[0]: _Kept(world.published, turn)}
    spare, used = sorted(kept, key=lambda name: kept[name].turn)
    if world.published == kept[used].jwks:
        return kept
    if world.published != kept[spare].jwks:
        return kept if world.is_spare_needed else {**kept, spare: _Kept(world.published, 0)}
    if not _is_known_to_every_connection(world, spare):
        return kept
    return {**kept, spare: _Kept(world.published, kept[used].turn + 1)}


def _is_known_to_every_connection(world: KeysWorld, name: str) -> bool:
    """Whether the gateway has taken the keeper over, and connections from before have come to their end."""
    keys = [key for key in objects_of_keepers(world.platform) if key.name == name]
    written = [world.objects[key] for key in keys if key in world.objects]
    if len(written) < len(keys) or verdict(written, world.platform).answer is not Answer.ACCEPTED:
        return False
    policy = world.objects[ObjectKey(SECURITY_POLICY, world.platform.gateway_namespace, name)]
    taken_over = max(_writes_of(policy, subresource="status"), default=world.now)
    return taken_over + world.platform.gateway_drain + REACHES_EVERY_CALL <= world.now


def _kept(objects: Mapping[ObjectKey, Manifest]) -> dict[str, _Kept]:
    found = {
        key.name: _held_by(policy)
        for key, policy in objects.items()
        if key.kind == SECURITY_POLICY and key.name in KEEPERS
    }
    return {name: held for name, held in found.items() if held is not None}


def _held_by(policy: Manifest) -> _Kept | None:
    try:
        jwks = policy["spec"]["jwt"]["providers"][0]["localJWKS"]["inline"]
        return _Kept(str(jwks), int(policy["metadata"]["annotations"][TURN]))
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _in_use(kept: Mapping[str, _Kept]) -> str | None:
    if len(kept) < len(KEEPERS):
        return None
    return max(kept.values(), key=lambda held: held.turn).jwks


def _writes(world: KeysWorld, forms: Forms, name: str, held: _Kept) -> Iterator[WriteObject]:
    platform = world.platform
    common: dict[str, Any] = {
        "name": name,
        "namespace": platform.gateway_namespace,
        "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
        "owner_references": (),
    }
    policy = KeeperPolicy(**common, annotations={TURN: str(held.turn)}, issuer=platform.issuer_url, jwks=held.jwks)
    route = KeeperRoute(
        **common,
        gateway_namespace=platform.gateway_namespace,
        gateway_name=platform.gateway_name,
        gateway_listener=platform.gateway_listener,
        hostname=f"{name}.invalid",
    )
    for context in (policy, route):
        manifest = forms.write(context)
        yield from write_if_different(manifest, world.objects.get(key_of(manifest)))


def _written(manifest: Manifest, now: datetime) -> datetime:
    return max(_writes_of(manifest), default=now - REACHES_EVERY_CALL)


def _writes_of(manifest: Manifest, subresource: str | None = None) -> Iterator[datetime]:
    for write in manifest["metadata"].get("managedFields") or []:
        if write.get("subresource") == subresource and "time" in write:
            yield datetime.fromisoformat(write["time"])
