"""Which objects a decision looks at, by key or by label: `reconcile.gather` reads them live."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from conecta_operator.api.backend import Backend
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import (
    BACKEND,
    BACKEND_TLS_POLICY,
    BACKEND_TRAFFIC_POLICY,
    CONECTA_API,
    CONFIG_MAP,
    ENDPOINT_SLICE,
    HTTP_ROUTE_FILTER,
    NAMESPACE,
    NETWORK_POLICY,
    SECRET,
    SECURITY_POLICY,
    SERVICE,
    Kind,
    Manifest,
    ObjectKey,
)
from conecta_operator.plan import naming

__all__ = [
    "Listing",
    "api_of_grant",
    "ca_bundle_of",
    "client_certificate_of",
    "listed_for_api",
    "of_api",
    "of_grant",
    "policy_of_grant",
    "provider_namespace_of",
    "secrets_of_backend",
    "secrets_of_grant",
    "service_of",
    "service_of_slice",
]


_SERVICE_LABEL: Final = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Listing:
    """All objects of a kind in a namespace with some labels."""

    kind: Kind
    namespace: str
    labels: Mapping[str, str]


def listed_for_api(api: ConectaApi) -> tuple[Listing, ...]:
    """What an API has any number of (it may have had others before), and where its Services lead."""
    namespace, labels = api.metadata.namespace, naming.selector_of(CONECTA_API, api.metadata)
    services = {placed.backend.service.name for placed in api.placed_backends if placed.backend.service is not None}
    return (
        *(Listing(kind, namespace, labels) for kind in (*naming.SEVERAL_FOR_API, NETWORK_POLICY)),
        *(Listing(ENDPOINT_SLICE, namespace, {_SERVICE_LABEL: name}) for name in sorted(services)),
    )


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
        backend = placed.backend
        for key in (service_of(namespace, backend), ca_bundle_of(namespace, backend)):
            if key is not None:
                yield key
        yield from secrets_of_backend(namespace, backend)
        yield from _namespaces_meant(backend)
        if backend.url is not None:
            name = naming.backend_name(api, backend)
            yield from (ObjectKey(kind, namespace, name) for kind in (BACKEND, BACKEND_TLS_POLICY))
        for header in backend.headers_from_secret:
            yield ObjectKey(HTTP_ROUTE_FILTER, namespace, naming.credential_name(api, header))
        if backend.connections is not None:
            yield ObjectKey(BACKEND_TRAFFIC_POLICY, namespace, naming.limits_name(api, placed.prefix))


def _namespaces_meant(backend: Backend) -> Iterator[ObjectKey]:
    """A name below that of a namespace would be a Service there, for whoever looks for names in the cluster first."""
    hosts = (backend.authority.partition(":")[0], backend.tls.hostname if backend.tls else None)
    yield from (ObjectKey(NAMESPACE, "", host.rpartition(".")[2]) for host in hosts if host)


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


def service_of_slice(endpoint_slice: Manifest) -> ObjectKey:
    """The Service whose addresses an EndpointSlice lists."""
    metadata = endpoint_slice["metadata"]
    return ObjectKey(SERVICE, metadata["namespace"], (metadata.get("labels") or {}).get(_SERVICE_LABEL, ""))


def ca_bundle_of(namespace: str, backend: Backend) -> ObjectKey | None:
    """The ConfigMap with the CA of the backend's certificate, if one is named."""
    reference = backend.tls.ca_certificate_ref if backend.tls else None
    return ObjectKey(CONFIG_MAP, namespace, reference.name) if reference else None


def client_certificate_of(namespace: str, backend: Backend) -> ObjectKey | None:
    """The Secret with the certificate that the gateway shows to the backend, if one is named."""
    reference = backend.tls.client_certificate_ref if backend.tls else None
    return ObjectKey(SECRET, namespace, reference.name) if reference else None


def secrets_of_backend(namespace: str, backend: Backend) -> tuple[ObjectKey, ...]:
    """The Secrets that the gateway reads for the backend."""
    certificate = client_certificate_of(namespace, backend)
    headers = (ObjectKey(SECRET, namespace, header.secret_ref.name) for header in backend.headers_from_secret)
    return *((certificate,) if certificate else ()), *headers


def policy_of_grant(grant: ConectaGrant) -> ObjectKey:
    """The SecurityPolicy of the grant's API."""
    return ObjectKey(SECURITY_POLICY, grant.spec.api_ref.namespace, grant.spec.api_ref.name)
