"""What people of one agency try against another, around the operator, and past their limits; each is refused.

Saúde attacks, Receita is attacked, and now and then the other way. Who tries: `rui` asks for access for Saúde, `bia`
answers for Saúde's APIs, `ana` for Receita's; `eva` is of Saúde and administrator of its namespace by the cluster's own
role `admin`, and may write the gateway's kinds there besides, as an unwary cluster might have it.
"""

import json
from dataclasses import dataclass
from typing import Final

from conecta_operator.api.objects import Manifest

__all__ = ["ATTEMPTS", "Attempt", "grant", "provider_api"]

CONECTA: Final = "conecta.gov.br/v1alpha1"
GATEWAY: Final = "gateway.networking.k8s.io"
ENVOY: Final = "gateway.envoyproxy.io"
DENIED: Final = "is forbidden: User"
"""How RBAC says no."""
BY_KUBERNETES: Final = "in the namespace of an agency are written by Kubernetes only"
GENERATED: Final = "in the namespace of an agency are written by the Conecta operator only"
OWNERSHIP: Final = "a copy of your own goes without them"
PLATFORM_TEAM: Final = "are the platform team's to set"
APPROVAL: Final = {
    "decision": "Approved",
    "by": "{user}",
    "at": "2026-11-24T12:00:00Z",
    "terms": {"application": "agendamento"},
}


@dataclass(frozen=True)
class Attempt:
    """One row: who runs which kubectl command, and what the refusal says."""

    words: str
    who: str
    command: tuple[str, ...]
    refusal: str
    manifest: Manifest | None = None


def provider_api(namespace: str, name: str, **spec: object) -> Manifest:
    """A ConectaApi as a provider writes it."""
    return {
        "apiVersion": CONECTA,
        "kind": "ConectaApi",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "title": "Consulta",
            "contacts": [{"name": "Dados", "email": "dados@saude.example"}],
            "version": "v1",
            "backend": {"url": "https://demo-backend.localhost:9543/cep"},
            **spec,
        },
    }


def grant(namespace: str, name: str, **spec: object) -> Manifest:
    """A ConectaGrant as a receiver writes it."""
    return {
        "apiVersion": CONECTA,
        "kind": "ConectaGrant",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}, **spec},
    }


def _object(
    api_version: str,
    kind: str,
    *,
    namespace: str = "saude",
    name: str = "intruder",
    labels: object = None,
    **rest: object,
) -> Manifest:
    metadata = {"name": name, "labels": labels or {}} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def _create(words: str, who: str, manifest: Manifest, refusal: str) -> Attempt:
    return Attempt(words, who, ("create", "-f", "-"), refusal, manifest)


def _patch(words: str, who: str, what: str, patch: Manifest, refusal: str) -> Attempt:
    """`what` is kind and name and, where there is one, namespace; a patch of status goes to the subresource."""
    kind, name, *namespace = what.split()
    where = [f"--namespace={each}" for each in namespace]
    part = ["--subresource=status"] if "status" in patch else []
    return Attempt(words, who, ("patch", kind, name, *where, *part, "--type=merge", "-p", json.dumps(patch)), refusal)


def _run(words: str, who: str, command: str, refusal: str = DENIED) -> Attempt:
    return Attempt(words, who, tuple(command.split()), refusal)


READING = (
    _run("list another's grants", "rui", "get conectagrants -n receita"),
    _run("list everybody's grants", "rui", "get conectagrants -A"),
    _run("watch another's grants", "rui", "get conectagrants -n receita --watch-only"),
    _run("read another's API", "rui", "get conectaapi cep -n receita"),
    _run("read another's Secrets", "rui", "get secrets -n receita"),
    _run("read a Secret of another whose grants one may read", "ana", "get secret agendamento-cep-conecta -n saude"),
    _run("read everybody's Secrets", "rui", "get secrets -A"),
    _run("read the gateway's private key", "eva", "get secret conecta-tls -n conecta-gateway"),
    _run("read the operator's Secrets", "eva", "get secrets -n conecta-system"),
    _run("read what another's gateway objects say", "eva", "get securitypolicies -n receita"),
    _run("read another's ConfigMaps", "eva", "get configmaps -n receita"),
    _run("read another's events", "rui", "get events -n receita"),
    _run("read Secrets as one who only provides", "bia", "get secrets -n saude"),
    _run("take a token of the operator's", "eva", "create token conecta-operator -n conecta-system"),
    _run("act as the operator", "eva",
         "get secrets -n receita --as=system:serviceaccount:conecta-system:conecta-operator", "cannot impersonate"),
    _run("act as another agency's people", "rui",
         "get conectaapis -n receita --as=x --as-group=conecta:receita:providers", "cannot impersonate"),
)  # fmt: skip

DECIDING = (
    _patch("approve what one asks for oneself", "rui", "conectagrant agendamento-cep saude",
           {"status": {"approval": APPROVAL}}, DENIED),
    _patch("approve for another agency's API", "bia", "conectagrant agendamento-cep saude",
           {"status": {"approval": APPROVAL}}, "may not decide over this grant"),
    _patch("approve in another's name", "ana", "conectagrant agendamento-cep saude",
           {"status": {"approval": APPROVAL | {"by": "bia@saude.example"}}}, "by must be who decides"),
    _patch("revoke what another agency has granted", "bia", "conectagrant agendamento-cep saude",
           {"status": {"approval": APPROVAL | {"decision": "Revoked"}}}, "may not decide"),
    _patch("let oneself in by another's declaration", "bia", "conectaapi cep receita",
           {"spec": {"access": {"preapproved": [{"agency": "saude"}]}}}, DENIED),
    _patch("change what another has asked for", "ana", "conectagrant agendamento-cep saude",
           {"spec": {"suspended": True}}, DENIED),
    _run("delete what another has asked for", "ana", "delete conectagrant agendamento-cep -n saude"),
    _run("delete another's API", "bia", "delete conectaapi cep -n receita"),
    _patch("take the operator's finalizer off", "rui", "conectagrant agendamento-cep saude",
           {"metadata": {"finalizers": None}}, "finalizers conecta.gov.br/... are the operator's"),
    _create("publish an API in another's namespace", "bia", provider_api("receita", "intruder"), DENIED),
    _create("ask for access in another's namespace", "ana", grant("saude", "intruder"), DENIED),
    _create("publish an API as one who only asks", "rui", provider_api("saude", "intruder"), DENIED),
    _patch("turn a request to another API", "rui", "conectagrant agendamento-cep saude",
           {"spec": {"apiRef": {"name": "cpf-light"}}}, "immutable"),
)  # fmt: skip

REFERRING = (
    _create("send calls to a Service of another namespace", "bia",
            provider_api("saude", "intruder", backend={"service": {"name": "a", "port": 80, "namespace": "receita"}}),
            'unknown field "spec.backend.service.namespace"'),
    _create("send calls to a Service by a path", "bia",
            provider_api("saude", "intruder", backend={"service": {"name": "receita/a", "port": 80}}),
            "spec.backend.service.name"),
    _create("take a CA from another namespace", "bia",
            provider_api("saude", "intruder", backend={"url": "https://a.example", "tls": {
                "caCertificateRef": {"name": "a", "namespace": "receita"}}}), "unknown field"),
    _create("have a key put into another namespace", "rui",
            grant("saude", "intruder", credential={"secretName": "receita/a"}), "spec.credential.secretName"),
)  # fmt: skip

KINDS: Final[tuple[tuple[str, str, str, Manifest], ...]] = (
    (f"{GATEWAY}/v1", "HTTPRoute", "httproutes", {"parentRefs": [{"name": "conecta", "namespace": "conecta-gateway"}]}),
    (f"{GATEWAY}/v1", "GRPCRoute", "grpcroutes", {}),
    (f"{GATEWAY}/v1", "Gateway", "gateways", {
        "gatewayClassName": "conecta", "listeners": [{"name": "a", "port": 8443, "protocol": "TCP"}]}),
    (f"{GATEWAY}/v1beta1", "ReferenceGrant", "referencegrants", {
        "from": [{"group": GATEWAY, "kind": "HTTPRoute", "namespace": "receita"}],
        "to": [{"group": "", "kind": "Service"}]}),
    (f"{GATEWAY}/v1", "BackendTLSPolicy", "backendtlspolicies", {
        "targetRefs": [{"group": ENVOY, "kind": "Backend", "name": "a"}],
        "validation": {"hostname": "a.example", "wellKnownCACertificates": "System"}}),
    (f"{ENVOY}/v1alpha1", "SecurityPolicy", "securitypolicies", {
        "targetRefs": [{"group": GATEWAY, "kind": "HTTPRoute", "name": "a"}],
        "authorization": {"defaultAction": "Allow"}}),
    (f"{ENVOY}/v1alpha1", "Backend", "backends", {"endpoints": [{"ip": {"address": "127.0.0.1", "port": 4445}}]}),
    (f"{ENVOY}/v1alpha1", "BackendTrafficPolicy", "backendtrafficpolicies", {
        "targetRefs": [{"group": GATEWAY, "kind": "HTTPRoute", "name": "a"}]}),
    (f"{ENVOY}/v1alpha1", "ClientTrafficPolicy", "clienttrafficpolicies", {
        "targetRefs": [{"group": GATEWAY, "kind": "Gateway", "name": "conecta"}]}),
    (f"{ENVOY}/v1alpha1", "EnvoyExtensionPolicy", "envoyextensionpolicies", {
        "targetRefs": [{"group": GATEWAY, "kind": "HTTPRoute", "name": "a"}],
        "lua": [{"type": "Inline", "inline": "x"}]}),
    (f"{ENVOY}/v1alpha1", "EnvoyPatchPolicy", "envoypatchpolicies", {
        "targetRef": {"group": GATEWAY, "kind": "Gateway", "name": "conecta"}, "type": "JSONPatch"}),
    (f"{ENVOY}/v1alpha1", "HTTPRouteFilter", "httproutefilters", {"directResponse": {"statusCode": 200}}),
    (f"{ENVOY}/v1alpha1", "EnvoyProxy", "envoyproxies", {}),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", {
        "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}),
)  # fmt: skip

OWNED = {"conecta.gov.br/owner-kind": "ConectaGrant", "conecta.gov.br/owner-name": "agendamento-cep"}
GENERATING = (
    *(
        _create(f"write a {kind} past the operator", "eva", _object(version, kind, spec=spec), f"{plural} {GENERATED}")
        for version, kind, plural, spec in KINDS
    ),
    _create("say by hand where one's Service leads", "eva",
            _object("discovery.k8s.io/v1", "EndpointSlice", labels={"kubernetes.io/service-name": "a"},
                    addressType="IPv4", ports=[{"port": 443}], endpoints=[{"addresses": ["10.96.0.1"]}]),
            f"endpointslices {BY_KUBERNETES}"),
    _create("say so in the old way", "eva",
            _object("v1", "Endpoints", name="a", subsets=[
                {"addresses": [{"ip": "10.96.0.1"}], "ports": [{"port": 443}]}]),
            f"endpoints {BY_KUBERNETES}"),
    _create("write a route in another's namespace", "eva",
            _object(f"{GATEWAY}/v1", "HTTPRoute", namespace="receita", spec={}), DENIED),
    _create("write a route where the gateway is", "eva",
            _object(f"{GATEWAY}/v1", "HTTPRoute", namespace="conecta-gateway", spec={}), DENIED),
    _create("make a Secret that looks like the operator's", "eva",
            _object("v1", "Secret", labels=OWNED, type="servicebinding.io/oauth2"), OWNERSHIP),
    _create("make a ConfigMap that looks like the operator's", "eva",
            _object("v1", "ConfigMap", labels={"app.kubernetes.io/managed-by": "conecta-operator"}), OWNERSHIP),
    _create("make the ConfigMap by which the gateway knows tokens", "eva",
            _object("v1", "ConfigMap", name="conecta-jwks", data={"jwks": '{"keys": []}'}), OWNERSHIP),
    _patch("take the labels off a key", "eva", "secret agendamento-cep-conecta saude",
           {"metadata": {"labels": None}}, OWNERSHIP),
    _patch("say that a key is another grant's", "eva", "secret agendamento-cep-conecta saude",
           {"metadata": {"labels": {"conecta.gov.br/owner-uid": "0"}}}, OWNERSHIP),
    _patch("change what a key says", "eva", "secret agendamento-cep-conecta saude",
           {"stringData": {"token-uri": "https://elsewhere.example"}}, OWNERSHIP),
    _patch("label one's own Secret as the operator's", "eva", "secret eva-own saude",
           {"metadata": {"labels": {"conecta.gov.br/owner-uid": "0"}}}, OWNERSHIP),
)  # fmt: skip

NAMESPACES = (
    _patch("make one's namespace another agency's", "eva", "namespace saude",
           {"metadata": {"labels": {"conecta.gov.br/agency": "receita"}}}, PLATFORM_TEAM),
    _patch("take the agency off one's namespace", "eva", "namespace saude",
           {"metadata": {"labels": {"conecta.gov.br/agency": None}}}, PLATFORM_TEAM),
    _patch("give one's agency another CNPJ", "eva", "namespace saude",
           {"metadata": {"labels": {"conecta.gov.br/cnpj": "00394460005887"}}}, PLATFORM_TEAM),
    _patch("say that a suspension is over", "eva", "namespace saude",
           {"metadata": {"labels": {"conecta.gov.br/suspended": "false"}}}, PLATFORM_TEAM),
    _patch("give one's agency another name", "eva", "namespace saude",
           {"metadata": {"annotations": {"conecta.gov.br/agency-name": "Receita Federal"}}}, PLATFORM_TEAM),
    _patch("let any pod run in one's namespace", "eva", "namespace saude",
           {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}, PLATFORM_TEAM),
    _patch("suspend another agency", "eva", "namespace receita",
           {"metadata": {"labels": {"conecta.gov.br/suspended": "true"}}}, DENIED),
    _create("make a namespace", "eva", _object("v1", "Namespace", namespace="", name="intruder"), DENIED),
)  # fmt: skip

LIMITS = (
    _patch("raise one's own quota", "eva", "resourcequota conecta saude",
           {"spec": {"hard": {"pods": "1000"}}}, DENIED),
    _run("remove one's own quota", "eva", "delete resourcequota conecta -n saude"),
    _run("remove one's own default limits", "eva", "delete limitrange conecta -n saude"),
    _create("open a way past the gateway by a load balancer", "eva",
            _object("v1", "Service", spec={"type": "LoadBalancer", "ports": [{"port": 443}]}),
            "exceeded quota: conecta"),
    _create("open a way past the gateway by a node's port", "eva",
            _object("v1", "Service", spec={"type": "NodePort", "ports": [{"port": 443}]}), "exceeded quota: conecta"),
    _create("run a pod that may do what its node may", "eva",
            _object("v1", "Pod", spec={"hostNetwork": True, "hostPID": True, "containers": [
                {"name": "a", "image": "a.example/a"}]}),
            'violates PodSecurity "restricted:latest"'),
    _create("run a pod as root", "eva",
            _object("v1", "Pod", spec={"containers": [{"name": "a", "image": "a.example/a"}]}),
            'violates PodSecurity "restricted:latest"'),
)  # fmt: skip

RIGHTS = (
    _run("give oneself the operator's rights", "eva",
         "create rolebinding intruder --clusterrole=conecta-operator --user=eva@saude.example -n saude",
         "attempting to grant RBAC permissions not currently held"),
    _run("give oneself the platform team's rights", "eva",
         "create rolebinding intruder --clusterrole=conecta-platform --user=eva@saude.example -n saude",
         "attempting to grant RBAC permissions not currently held"),
    _run("give oneself rights with another", "eva",
         "create rolebinding intruder --clusterrole=conecta-provider --user=eva@saude.example -n receita"),
    _run("give oneself rights everywhere", "eva",
         "create clusterrolebinding intruder --clusterrole=conecta-view --user=eva@saude.example"),
    _patch("change what the roles are", "eva", "clusterrole conecta-provider",
           {"rules": []}, DENIED),
    _run("take a guard away", "eva", "delete validatingadmissionpolicybinding conecta-generated"),
    _patch("change what can be written", "eva", "crd conectagrants.conecta.gov.br",
           {"spec": {}}, DENIED),
)  # fmt: skip

ATTEMPTS = (*READING, *DECIDING, *REFERRING, *GENERATING, *NAMESPACES, *LIMITS, *RIGHTS)
