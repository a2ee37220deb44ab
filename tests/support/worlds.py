"""Worlds written as YAML, and plans written back: what the golden cases are made of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel

from conecta_operator.api.agency import Agency, agency_of
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.durations import timestamp
from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, NAMESPACE, Manifest, ObjectKey, key_of
from conecta_operator.api.settings import Platform
from conecta_operator.plan import api, grant, keepers, naming, reads
from conecta_operator.plan.grants_seen import GrantSeen
from conecta_operator.plan.keepers import KeysWorld
from conecta_operator.plan.plans import (
    AllowKeys,
    ApiPlan,
    DeleteObject,
    DenyKeys,
    GrantPlan,
    PutKey,
    RemoveKey,
    SetFinalizers,
    Step,
    WriteObject,
)
from conecta_operator.plan.world import ApiWorld, GrantWorld
from conecta_operator.render.forms import Forms

PLATFORM = Platform(
    gateway_namespace="conecta-gateway",
    gateway_name="conecta",
    gateway_listener="https",
    gateway_url="https://apigateway.conecta.example",
    issuer_url="https://apigateway.conecta.example",
    operator_user="system:serviceaccount:conecta-system:conecta-operator",
)
FRESH_SECRET = SecretStr("fresh-secret-of-43-characters-0123456789abcdef")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class IssuerKey(_Strict):
    """A key that the issuer holds; `secret` is what its fingerprint is of."""

    client_id: str
    number: int
    secret: str
    scopes: tuple[str, ...]
    issued_at: AwareDatetime
    retires_at: AwareDatetime | None = None
    serial: int = 0
    suspended: bool = False


class Case(_Strict):
    """One golden input."""

    about: str
    """`ConectaApi <namespace>/<name>` or `ConectaGrant <namespace>/<name>`."""
    now: AwareDatetime
    objects: list[Manifest]
    jwks: str | None = None
    keys: list[IssuerKey] | None = None
    """None: the issuer is away."""


def decide(case: Case, forms: Forms) -> ApiPlan | GrantPlan:
    """What the operator decides in this world."""
    kind, _, place = case.about.partition(" ")
    objects = {key_of(manifest): manifest for manifest in case.objects}
    subject = next(m for k, m in objects.items() if (k.kind.name, f"{k.namespace}/{k.name}") == (kind, place))
    if kind == CONECTA_API.name:
        return api.desired(_api_world(case, ConectaApi.parse(subject), objects), forms)
    return grant.desired(_grant_world(case, ConectaGrant.parse(subject), objects), forms)


def _api_world(case: Case, subject: ConectaApi, objects: dict[ObjectKey, Manifest]) -> ApiWorld:
    policies = naming.network_policies_of_api(subject, PLATFORM.network.proxy_namespace)
    others = [ConectaApi.parse(m) for k, m in objects.items() if k.kind == CONECTA_API and k != subject.key]
    return ApiWorld(
        api=subject,
        agency=_agency(objects, subject.metadata.namespace),
        rivals=tuple(other for other in others if other.base_path == subject.base_path),
        siblings=tuple(other for other in others if other.metadata.namespace == subject.metadata.namespace),
        objects={key: objects[key] for key in (*reads.of_api(subject), *policies) if key in objects}
        | _listed(subject, objects),
        jwks=case.jwks,
        grants=tuple(sorted(_grants_of(subject, objects), key=lambda grant: grant.key)),
        platform=PLATFORM,
        now=case.now,
    )


def _listed(subject: ConectaApi, objects: dict[ObjectKey, Manifest]) -> dict[ObjectKey, Manifest]:
    return {
        key: manifest
        for listing in reads.listed_for_api(subject)
        for key, manifest in objects.items()
        if (key.kind, key.namespace) == (listing.kind, listing.namespace)
        and listing.labels.items() <= (manifest["metadata"].get("labels") or {}).items()
    }


def _grant_world(case: Case, subject: ConectaGrant, objects: dict[ObjectKey, Manifest]) -> GrantWorld:
    policies = naming.network_policies_of_grant(subject, PLATFORM.network.proxy_namespace)
    named = objects.get(reads.api_of_grant(subject))
    return GrantWorld(
        grant=subject,
        api=ConectaApi.parse(named) if named else None,
        agency=_agency(objects, subject.metadata.namespace),
        objects={key: objects[key] for key in (*reads.of_grant(subject), *policies) if key in objects},
        keys=None
        if case.keys is None
        else tuple(
            Key(
                client_id=key.client_id,
                grant=f"{subject.metadata.namespace}/{subject.metadata.name}",
                grant_uid=subject.metadata.uid,
                number=key.number,
                scopes=key.scopes,
                issued_at=key.issued_at,
                retires_at=key.retires_at,
                serial=key.serial,
                suspended=key.suspended,
                fingerprint=fingerprint(SecretStr(key.secret)),
            )
            for key in case.keys
        ),
        fresh_secret=FRESH_SECRET,
        platform=PLATFORM,
        now=case.now,
    )


def _grants_of(subject: ConectaApi, objects: dict[ObjectKey, Manifest]) -> Iterator[GrantSeen]:
    for key, manifest in objects.items():
        if key.kind == CONECTA_GRANT:
            seen = GrantSeen.of(ConectaGrant.parse(manifest))
            if seen.api == subject.key:
                yield seen


def _agency(objects: dict[ObjectKey, Manifest], namespace: str) -> Agency | None:
    manifest = objects.get(ObjectKey(NAMESPACE, "", namespace))
    return agency_of(manifest) if manifest else None


@cache
def keepers_of(jwks: str) -> tuple[Manifest, ...]:
    """The keepers as they are when these keys have been in use from the start."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    world = KeysWorld(published=jwks, objects={}, is_spare_needed=False, platform=PLATFORM, now=now)
    return tuple(step.manifest for step in keepers.desired(world, Forms.load()).steps)


def accepted(manifest: Manifest, *, at: datetime) -> Manifest:
    """A policy or a route after the gateway has said that it accepts it."""
    generation = manifest["metadata"]["generation"]
    conditions = [
        {"type": type_, "status": "True", "observedGeneration": generation} for type_ in ("Accepted", "ResolvedRefs")
    ]
    listener = {
        "namespace": PLATFORM.gateway_namespace,
        "name": PLATFORM.gateway_name,
        "sectionName": PLATFORM.gateway_listener,
    }
    status = {
        "parents": [{"parentRef": listener, "conditions": conditions}],
        "ancestors": [{"ancestorRef": listener, "conditions": conditions}],
    }
    answer = {"operation": "Update", "subresource": "status", "time": timestamp(at)}
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [answer]}, "status": status}


def written(plan: ApiPlan | GrantPlan) -> dict[str, Any]:
    """The plan as plain data, as it stands in out.yaml."""
    return {
        "steps": [step for planned in plan.steps for step in _step(planned)],
        "status": plan.status,
        "lookAgainInSeconds": plan.look_again_in / timedelta(seconds=1) if plan.look_again_in is not None else None,
    }


def _step(step: Step) -> Iterator[dict[str, Any]]:
    match step:
        case SetFinalizers(finalizers):
            yield {"setFinalizers": list(finalizers)}
        case WriteObject(manifest, None):
            yield {"create": manifest}
        case WriteObject(manifest, _):
            yield {"replace": manifest}
        case DeleteObject(manifest):
            yield {"delete": str(key_of(manifest))}
        case PutKey() | RemoveKey() | DenyKeys() | AllowKeys():
            yield _step_about_keys(step)


def _step_about_keys(step: PutKey | RemoveKey | DenyKeys | AllowKeys) -> dict[str, Any]:
    match step:
        case PutKey(key, secret):
            return {"putKey": _key(key), "withSecret": secret.get_secret_value() if secret else None}
        case RemoveKey(client_id):
            return {"removeKey": client_id}
        case DenyKeys(_, until):
            return {"denyKeys": {client_id: timestamp(moment) for client_id, moment in until.items()}}
        case AllowKeys(_, client_ids):
            return {"allowKeys": sorted(client_ids)}


def _key(key: Key) -> dict[str, Any]:
    return {
        "clientId": key.client_id,
        "grant": key.grant,
        "number": key.number,
        "scopes": list(key.scopes),
        "issuedAt": timestamp(key.issued_at),
        "retiresAt": timestamp(key.retires_at) if key.retires_at else None,
        "fingerprint": key.fingerprint,
        "serial": key.serial,
        "suspended": key.suspended,
    }
