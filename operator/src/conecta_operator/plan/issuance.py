"""A grant's key: issued ahead of use, restored when the issuer lost it, replaced without a cut when it is due or lost.

Each look at the world yields the next steps that are safe, and a crash between any two of them leaves a world from
which the next look goes on (write-ahead): the pending credential is in the Secret before the issuer hears of it, the
issuer holds it before it becomes the current one, and only then do older keys begin to retire.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from conecta_operator.api.conecta_grant import KeyState
from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.api.objects import Manifest
from conecta_operator.plan import naming
from conecta_operator.plan.credentials import Credential, context_of, current_in, pending_in, secrets_of
from conecta_operator.plan.plans import DeleteObject, PutKey, SetFinalizers, Step
from conecta_operator.plan.retirement import retirement
from conecta_operator.plan.right import Right
from conecta_operator.plan.world import GrantWorld
from conecta_operator.plan.writing import write_if_different
from conecta_operator.render.forms import Forms

__all__ = ["Issuance", "issuance"]

_POLICY_UNDER_WAY: Final = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Issuance:
    """The next steps, the keys that the issuer holds after them, and which of these the application then uses.

    `current` is None while there is none yet.
    """

    steps: tuple[Step, ...]
    keys: tuple[Key, ...]
    current: Key | None
    look_again_in: timedelta | None = timedelta(0)
    """When there is more to do about these keys; None: when somebody wants something."""
    is_settled: bool = False
    """Whether these keys are those that go on: none of them is about to be replaced."""


def issuance(world: GrantWorld, right: Right, *, keys: Sequence[Key], forms: Forms) -> Issuance:
    """What brings an approved grant's Secret and the issuer to one current key; older ones retire after the overlap."""
    held = _held(world, right, keys)
    if held is not None and not _is_due(world, held.key):
        wanted = forms.write(context_of(right, world.platform, current=held.credential))
        return _settle(world, right, held, keys, wanted)
    secret = world.objects.get(naming.secret_key(world.grant))
    pending = pending_in(secret)
    if pending is not None and _is_next(world, right, keys, pending):
        key = _key(world, right, pending)
        promoted = forms.write(context_of(right, world.platform, current=pending))
        steps: tuple[Step, ...] = (PutKey(key, pending.secret), *write_if_different(promoted, secret))
        return Issuance(steps, (*_without(keys, key), key), key)
    fresh = Credential(
        naming.client_id(right.agency.slug, world.grant, _last_number(world, keys) + 1), world.fresh_secret
    )
    current = held.credential if held is not None else None
    ahead = forms.write(context_of(right, world.platform, current=current, pending=fresh))
    steps = (*_finalizer(world), *write_if_different(ahead, secret))
    return Issuance(steps, tuple(keys), held.key if held is not None else None)


@dataclass(frozen=True)
class _Held:
    """A true credential from the Secret, its key, and what the issuer must be told so that it holds exactly that."""

    credential: Credential
    key: Key
    correction: tuple[Step, ...] = ()


def _held(world: GrantWorld, right: Right, keys: Sequence[Key]) -> _Held | None:
    by_id = {key.client_id: key for key in keys}
    reported = {key.client_id for key in world.grant.status.keys if key.state is KeyState.ACTIVE}
    for secret in secrets_of(world):
        credential = current_in(secret)
        if credential is None:
            continue
        key = by_id.get(credential.client_id)
        if key is not None and credential.opens(key) and key.retires_at is None:
            lasting = replace(key, scopes=right.scopes, suspended=False)
            return _Held(credential, lasting, () if lasting == key else (PutKey(lasting, None),))
        if key is None and credential.client_id in reported:
            restored = _key(world, right, credential)
            return _Held(credential, restored, (PutKey(restored, credential.secret),))
    return None


def _is_due(world: GrantWorld, key: Key) -> bool:
    wanted = world.grant.spec.credential
    is_old = wanted.rotates and world.now >= key.issued_at + wanted.rotate_every
    return is_old or key.serial < wanted.serial


def _settle(world: GrantWorld, right: Right, held: _Held, keys: Sequence[Key], wanted: Manifest) -> Issuance:
    grant = world.grant
    writes = write_if_different(wanted, world.objects.get(naming.secret_key(grant)))
    moved = tuple(
        DeleteObject(secret) for secret in secrets_of(world) if secret["metadata"]["name"] != grant.secret_name
    )
    others = retirement(world, _without(keys, held.key), right.scopes)
    steps = (*_finalizer(world), *held.correction, *writes, *moved, *others.steps)
    rotation = grant.spec.credential
    waits = [
        key.retires_at - world.now for key in others.keys if key.retires_at is not None and key.retires_at > world.now
    ]
    waits += [held.key.issued_at + rotation.rotate_every - world.now] if rotation.rotates else []
    waits += [] if others.is_settled else [_POLICY_UNDER_WAY]
    return Issuance(steps, (*others.keys, held.key), held.key, min(waits, default=None), is_settled=True)


def _finalizer(world: GrantWorld) -> tuple[Step, ...]:
    present = naming.REVOKE_FINALIZER in world.grant.metadata.finalizers
    return () if present else (SetFinalizers((naming.REVOKE_FINALIZER,)),)


def _is_next(world: GrantWorld, right: Right, keys: Sequence[Key], pending: Credential) -> bool:
    """Whether a credential written ahead may still be used: no later key, no revocation has overtaken it."""
    key = next((key for key in keys if key.client_id == pending.client_id), None)
    if key is not None:
        return pending.opens(key) and key.retires_at is None and not _is_due(world, key)
    return pending.client_id == naming.client_id(right.agency.slug, world.grant, _last_number(world, keys) + 1)


def _last_number(world: GrantWorld, keys: Sequence[Key]) -> int:
    revoked = world.api.status.revoked_keys if world.api else ()
    known = (
        *(key.client_id for key in keys),
        *(key.client_id for key in world.grant.status.keys),
        *(key.client_id for key in world.grant.status.ended_keys),
        *(entry.client_id for entry in revoked),
    )
    return naming.last_key_number(world.grant, known)


def _key(world: GrantWorld, right: Right, credential: Credential) -> Key:
    grant = world.grant
    return Key(
        client_id=credential.client_id,
        grant=f"{grant.metadata.namespace}/{grant.metadata.name}",
        grant_uid=grant.metadata.uid,
        number=naming.key_number(grant, credential.client_id) or 0,
        scopes=right.scopes,
        issued_at=_issued_at(world, credential.client_id),
        fingerprint=fingerprint(credential.secret),
        serial=grant.spec.credential.serial,
    )


def _issued_at(world: GrantWorld, client_id: str) -> datetime:
    reported = (key.issued_at for key in world.grant.status.keys if key.client_id == client_id)
    return next(reported, world.now)


def _without(keys: Iterable[Key], key: Key) -> tuple[Key, ...]:
    return tuple(other for other in keys if other.client_id != key.client_id)
