"""Which objects a decision looks at, by key: `reconcile.gather` reads them live."""

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import CONECTA_API, CONFIG_MAP, NAMESPACE, SECRET, SECURITY_POLICY, SERVICE, ObjectKey
from conecta_operator.plan import naming

__all__ = [
    "api_of_grant",
    "ca_bundle_of",
    "of_api",
    "of_grant",
    "policy_of_grant",
    "provider_namespace_of",
    "secrets_of_grant",
    "service_of",
]


def of_api(api: ConectaApi) -> tuple[ObjectKey, ...]:
    """What an API refers to, and what is written for it."""
    references = (service_of(api), ca_bundle_of(api))
    return (
        *(key for key in references if key is not None),
        ObjectKey(NAMESPACE, "", api.metadata.namespace),
        naming.jwks_key(api.metadata.namespace),
        *naming.generated_for_api(api),
    )


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


def service_of(api: ConectaApi) -> ObjectKey | None:
    """The Service that is the backend, if one is."""
    service = api.spec.backend.service
    return ObjectKey(SERVICE, api.metadata.namespace, service.name) if service else None


def ca_bundle_of(api: ConectaApi) -> ObjectKey | None:
    """The ConfigMap with the CA of the backend's certificate, if one is named."""
    tls = api.spec.backend.tls
    return ObjectKey(CONFIG_MAP, api.metadata.namespace, tls.ca_certificate_ref.name) if tls else None


def policy_of_grant(grant: ConectaGrant) -> ObjectKey:
    """The SecurityPolicy of the grant's API."""
    return ObjectKey(SECURITY_POLICY, grant.spec.api_ref.namespace, grant.spec.api_ref.name)
