"""Every name, label and scope that the operator makes up."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from conecta_operator.api.backend import Backend, HeaderFromSecret
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.metadata import Metadata
from conecta_operator.api.objects import (
    BACKEND,
    BACKEND_TLS_POLICY,
    BACKEND_TRAFFIC_POLICY,
    CONECTA_API,
    CONECTA_GRANT,
    CONFIG_MAP,
    GROUP,
    HTTP_ROUTE,
    HTTP_ROUTE_FILTER,
    MANAGED_BY,
    NETWORK_POLICY,
    SECRET,
    SECURITY_POLICY,
    Kind,
    Manifest,
    ObjectKey,
)

__all__ = [
    "GENERATED_FOR_API",
    "JWKS_CONFIG_MAP",
    "REVOKE_FINALIZER",
    "SEVERAL_FOR_API",
    "agency_scope",
    "api_named_by",
    "api_of_generated",
    "api_scope",
    "api_uid_scope",
    "application_scope",
    "backend_name",
    "backend_policy_key",
    "client_id",
    "credential_name",
    "gateway_policy_key",
    "generated_for_api",
    "grant_scope",
    "is_ours",
    "jwks_key",
    "key_number",
    "labels_of",
    "labels_of_far",
    "last_key_number",
    "limits_name",
    "network_policies_of_api",
    "network_policies_of_grant",
    "owner_of_network_policy",
    "owner_reference",
    "owner_uid",
    "plan_code",
    "plan_code_scope",
    "plan_scope",
    "refusal_name",
    "rule_name",
    "scopes",
    "scopes_demanded",
    "secret_key",
    "selector_of",
    "short_uid",
]

GENERATED_FOR_API: Final = (
    SECURITY_POLICY,
    BACKEND,
    BACKEND_TLS_POLICY,
    HTTP_ROUTE_FILTER,
    HTTP_ROUTE,
    BACKEND_TRAFFIC_POLICY,
)
"""Kinds that an API becomes, in the order of writing: what tightens comes before the route that it protects, but for
what speaks of one of its rules, which has to be there."""

SEVERAL_FOR_API: Final = (BACKEND, BACKEND_TLS_POLICY, HTTP_ROUTE_FILTER, BACKEND_TRAFFIC_POLICY)
"""Those of them of which an API has any number."""

JWKS_CONFIG_MAP: Final = "conecta-jwks"
REVOKE_FINALIZER: Final = f"{GROUP}/revoke"

_OWNER_NAMESPACE: Final = f"{GROUP}/owner-namespace"
_UID_LENGTH: Final = 8
_DIGEST_LENGTH: Final = 8
_LONGEST_RULE_NAME: Final = 63
_DEFAULT_RULE: Final = "call"


def generated_for_api(api: ConectaApi) -> tuple[ObjectKey, ...]:
    """Where the objects are that have the name of their API."""
    kinds = (SECURITY_POLICY, BACKEND, BACKEND_TLS_POLICY, HTTP_ROUTE)
    return tuple(ObjectKey(kind, api.metadata.namespace, api.metadata.name) for kind in kinds)


def api_of_generated(key: ObjectKey) -> ObjectKey:
    """The API that an object of one of these kinds is for, by its name: that of the API, or `<API>.<digest>`.

    An API's own name has no dot, so that it is nobody else's.
    """
    return ObjectKey(CONECTA_API, key.namespace, key.name.partition(".")[0])


def backend_name(api: ConectaApi, backend: Backend) -> str:
    """The name of the objects for one of an API's `url` backends.

    The default one has the API's name. Another has the name that its content gives it, so that two routes to one place
    have one Backend, and that a change becomes a new Backend beside the old one.
    """
    if backend is api.spec.backend:
        return api.metadata.name
    tls = backend.tls.model_dump_json(exclude_none=True) if backend.tls else ""
    return f"{api.metadata.name}.{_digest(backend.authority, tls)}"


def credential_name(api: ConectaApi, header: HeaderFromSecret) -> str:
    """The name of the filter that adds a header from a Secret."""
    return f"{api.metadata.name}.{_digest(header.name.lower(), header.secret_ref.name)}"


def limits_name(api: ConectaApi, prefix: str) -> str:
    """The name of the policy that limits the connections of a path prefix's backends."""
    return f"{api.metadata.name}.{_digest(prefix)}"


def refusal_name(api: ConectaApi, refusal: str) -> str:
    """The name of the object that holds what is said to calls that a rule of this name refuses."""
    return f"{api.metadata.name}.{refusal}"


def rule_name(prefix: str) -> str:
    """The name of the rule for a path prefix, for life: `call` for all paths, `call-<what people read>-<digest>`."""
    if prefix == "/":
        return _DEFAULT_RULE
    digest = _digest(prefix)
    words = "-".join((_DEFAULT_RULE, *re.findall("[a-z0-9]+", prefix.lower())))
    return f"{words[: _LONGEST_RULE_NAME - 1 - len(digest)].rstrip('-')}-{digest}"


def _digest(*content: str) -> str:
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:_DIGEST_LENGTH]


def network_policies_of_api(api: ConectaApi, proxy_namespace: str) -> tuple[ObjectKey, ...]:
    """Where an API's network policies are: those of its backends' pods, one a Service, and the one of the gateway's."""
    services = [placed.backend.service.name for placed in api.placed_backends if placed.backend.service is not None]
    near = (backend_policy_key(api, service) for service in dict.fromkeys(services))
    return (*near, gateway_policy_key(api, proxy_namespace))


def backend_policy_key(api: ConectaApi, service: str) -> ObjectKey:
    """The network policy of the pods of one Service."""
    return ObjectKey(NETWORK_POLICY, api.metadata.namespace, f"{api.metadata.name}.{service}.backend")


def gateway_policy_key(api: ConectaApi, proxy_namespace: str) -> ObjectKey:
    """The network policy by which the gateway's pods reach the API's backends."""
    return ObjectKey(NETWORK_POLICY, proxy_namespace, f"{api.metadata.namespace}.{api.metadata.name}.to-backend")


def network_policies_of_grant(grant: ConectaGrant, proxy_namespace: str) -> tuple[ObjectKey, ObjectKey]:
    """Where a grant's network policies are: the one of the application's pods, and the one of the gateway's."""
    namespace, name = grant.metadata.namespace, grant.metadata.name
    return (
        ObjectKey(NETWORK_POLICY, namespace, f"{name}.workload"),
        ObjectKey(NETWORK_POLICY, proxy_namespace, f"{namespace}.{name}.from-workload"),
    )


def owner_of_network_policy(key: ObjectKey) -> ObjectKey | None:
    """Whose a network policy of this name would be; None for a name that is none of ours.

    Only the names of grants may have dots.
    """
    match key.name.split("."):
        case [name, _, "backend"]:
            return ObjectKey(CONECTA_API, key.namespace, name)
        case [namespace, name, "to-backend"]:
            return ObjectKey(CONECTA_API, namespace, name)
        case [namespace, *name, "from-workload"] if name:
            return ObjectKey(CONECTA_GRANT, namespace, ".".join(name))
        case [*name, "workload"] if name:
            return ObjectKey(CONECTA_GRANT, key.namespace, ".".join(name))
        case _:
            return None


def jwks_key(namespace: str) -> ObjectKey:
    """The ConfigMap with the issuer's public keys, one for each namespace that has APIs."""
    return ObjectKey(CONFIG_MAP, namespace, JWKS_CONFIG_MAP)


def secret_key(grant: ConectaGrant) -> ObjectKey:
    """The Secret from which the application takes its key."""
    return ObjectKey(SECRET, grant.metadata.namespace, grant.secret_name)


def short_uid(metadata: Metadata) -> str:
    """The part of an object's uid that names have room for."""
    return metadata.uid[:_UID_LENGTH]


def labels_of(kind: Kind, owner: Metadata) -> dict[str, str]:
    """The labels of all that is written for one owner."""
    return {
        "app.kubernetes.io/managed-by": MANAGED_BY,
        f"{GROUP}/owner-kind": kind.name,
        f"{GROUP}/owner-name": owner.name,
        f"{GROUP}/owner-uid": owner.uid,
    }


def selector_of(kind: Kind, owner: Metadata) -> dict[str, str]:
    """The labels that find what was written for one owner, or for a former one of the same name."""
    return {f"{GROUP}/owner-kind": kind.name, f"{GROUP}/owner-name": owner.name}


def labels_of_far(kind: Kind, owner: Metadata) -> dict[str, str]:
    """The labels of what is written for an owner into another namespace, where no owner reference can reach."""
    return {**labels_of(kind, owner), _OWNER_NAMESPACE: owner.namespace}


def owner_reference(kind: Kind, owner: Metadata, *, is_controller: bool = True) -> dict[str, Any]:
    """What makes Kubernetes delete an object when its owner goes, without the owner having to wait for that."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "name": owner.name,
        "uid": owner.uid,
        "controller": is_controller,
        "blockOwnerDeletion": False,
    }


def owner_uid(manifest: Manifest) -> str | None:
    """For which object it was written, by its label."""
    uid: str | None = (manifest["metadata"].get("labels") or {}).get(f"{GROUP}/owner-uid")
    return uid


def is_ours(manifest: Manifest, kind: Kind, owner: Metadata) -> bool:
    """Whether an object was written for this owner, or for a former one of the same name.

    Either the labels or the owner reference suffice, so that damage to one of them is repaired and not mistaken for
    somebody else's object.
    """
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    references = metadata.get("ownerReferences") or []
    if labels.get(_OWNER_NAMESPACE, owner.namespace) != owner.namespace:
        return False
    return selector_of(kind, owner).items() <= labels.items() or any(
        reference["kind"] == kind.name and reference["name"] == owner.name for reference in references
    )


def scopes(grant: ConectaGrant, api: ConectaApi, *, agency: str, plan: str | None) -> tuple[str, ...]:
    """The OAuth 2 scopes of a grant's keys: all that the gateway decides on, and the backend is told.

    They are scope-tokens of RFC 6749, section 3.3. `agency` is the receiver's slug, `plan` the approved one.
    """
    plans = () if plan is None else (plan_scope(api, plan), plan_code_scope(plan))
    return (
        api_scope(api),
        *plans,
        api_uid_scope(api),
        grant_scope(grant),
        agency_scope(agency),
        application_scope(grant),
    )


def scopes_demanded(api: ConectaApi) -> tuple[str, ...]:
    """The scopes without which an API can't be called: by name, and by what it is beyond its name."""
    return api_scope(api), api_uid_scope(api)


def api_scope(api: ConectaApi) -> str:
    """The scope that names an API."""
    return f"{api.metadata.namespace}/{api.metadata.name}"


def api_named_by(scopes: Iterable[str]) -> ObjectKey | None:
    """The API that the scopes of a key name; None when none does."""
    for scope in scopes:
        namespace, slash, name = scope.partition("/")
        if slash and ":" not in scope:
            return ObjectKey(CONECTA_API, namespace, name)
    return None


def plan_scope(api: ConectaApi, plan: str) -> str:
    """The scope that names the plan, of which any character may be part: it is percent-encoded (RFC 3986)."""
    return f"{api_scope(api)}:{quote(plan, safe='')}"


def plan_code(plan: str) -> str:
    """What a plan is called where only eight letters and digits have room: in the metadata of an API's route."""
    return hashlib.sha256(plan.encode()).hexdigest()[:8]


def plan_code_scope(plan: str) -> str:
    """The scope by which the gateway finds the rate of a call's plan."""
    return f"plan:{plan_code(plan)}"


def api_uid_scope(api: ConectaApi) -> str:
    """The scope that an API of the same name, created after this one was deleted, does not accept."""
    return f"api:{short_uid(api.metadata)}"


def grant_scope(grant: ConectaGrant) -> str:
    """The scope that tells one grant's calls from another's."""
    return f"grant:{short_uid(grant.metadata)}"


def agency_scope(agency: str) -> str:
    """The scope that says which agency calls."""
    return f"agency:{agency}"


def application_scope(grant: ConectaGrant) -> str:
    """The scope that says which of the agency's systems calls."""
    return f"application:{grant.spec.application.name}"


def client_id(agency: str, grant: ConectaGrant, number: int) -> str:
    """The OAuth 2 client id of a grant's key: `<agency>-<application>-<grant uid, 8>-<n>`."""
    return f"{agency}-{grant.spec.application.name}-{short_uid(grant.metadata)}-{number}"


def key_number(grant: ConectaGrant, identifier: str) -> int | None:
    """Which key of the grant a client id names; None for a client id that is not this grant's."""
    found = re.fullmatch(rf".+-{re.escape(short_uid(grant.metadata))}-([1-9][0-9]{{0,8}})", identifier)
    return int(found[1]) if found else None


def last_key_number(grant: ConectaGrant, identifiers: Iterable[str]) -> int:
    """The highest number among those client ids that are this grant's; 0 when none is."""
    return max((key_number(grant, identifier) or 0 for identifier in identifiers), default=0)
