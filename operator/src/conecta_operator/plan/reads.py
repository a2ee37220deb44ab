"""Which objects a decision looks at, by key or by label: `reconcile.gather` reads them live."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from conecta_operator.api.backend import Backend
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import (
    BACKEND,
    BACKEND_TLS_POLICY,
    CONECTA_API,
    CONFIG_MAP,
    NAMESPACE,
    SECRET,
    SECURITY_POLICY,
    SERVICE,
    Kind,
    ObjectKey,
)
from conecta_operator.plan import naming

__all__ = [
    "Listing",
    "api_of_grant",
    "ca_bundle_of",
    "listed_for_api",
    "of_api",
    "of_grant",
    "policy_of_grant",
    "provider_namespace_of",
    "secrets_of_grant",
    "service_of",
]


@dataclass(frozen=True)
class Listing:
    """All objects of a kind in a namespace with some labels."""

    kind: Kind
    namespace: str
    labels: Mapping[str, str]


def listed_for_api(api: ConectaApi) -> tuple[Listing, ...]:
    """What an API has any number of: it may have had others before."""
    labels = naming.selector_of(CONECTA_API, api.metadata)
    return tuple(Listing(kind, api.metadata.namespace, labels) for kind in (BACKEND, BACKEND_TLS_POLICY))


def of_api(api: ConectaApi) -> tuple[ObjectKey, ...]:
    """What an API refers to, and what is written for it."""
    return (
        *dict.fromkeys(_references(api)),
        ObjectKey(NAMESPACE, "", api.metadata.namespace),
        naming.jwks_key(api.metadata.namespace),
        *naming.generated_for_api(api),
    )


def _references(api: ConectaApi) -> Iterator[ObjectKey]:
    namespace = api.metadata.namespace
    for placed in api.placed_backends:
        for key in (service_of(namespace, placed.backend), ca_bundle_of(namespace, placed.backend)):
            if key is not None:
                yield key
        if placed.backend.url is not None:
            name = naming.backend_name(api, placed.backend)
            yield from (ObjectKey(kind, namespace, name) for kind in (BACKEND, BACKEND_TLS_POLICY))


def of_grant(grant: ConectaGrant) -> tuple[ObjectKey, ...]:
    """A grant's API with its namespace, the policy in which its keys are denied, and its Secrets."""
    return api_of_grant(grant), provider_namespace_of(grant), policy_of_grant(grant), *secrets_of_grant(grant)


def provider_namespace_of(grant: ConectaGrant) -> ObjectKey:
    """The Namespace of the grant's API."""
    return ObjectKey(NAMESPACE, "", grant.spec.api_ref.namespace)


def secrets_of_grant(grant: ConectaGrant) -> tuple[ObjectKey, ...]:
    """The Secret that the grant names, and the one that it had until its `secretName` changed."""
    named, bound = naming.secret_key(grant), grant.status.binding
    if bound is None or bound.name == named.name:
        return (named,)
    return named, ObjectKey(SECRET, named.namespace, bound.name)


def api_of_grant(grant: ConectaGrant) -> ObjectKey:
    """The ConectaApi that the grant is for."""
    return ObjectKey(CONECTA_API, grant.spec.api_ref.namespace, grant.spec.api_ref.name)


def service_of(namespace: str, backend: Backend) -> ObjectKey | None:
    """The Service that is the backend, if one is."""
    return ObjectKey(SERVICE, namespace, backend.service.name) if backend.service else None


def ca_bundle_of(namespace: str, backend: Backend) -> ObjectKey | None:
    """The ConfigMap with the CA of the backend's certificate, if one is named."""
    return ObjectKey(CONFIG_MAP, namespace, backend.tls.ca_certificate_ref.name) if backend.tls else None


def policy_of_grant(grant: ConectaGrant) -> ObjectKey:
    """The SecurityPolicy of the grant's API."""
    return ObjectKey(SECURITY_POLICY, grant.spec.api_ref.namespace, grant.spec.api_ref.name)
