"""What the gateway and the token route are told, part by part."""

import json

import pytest

from infra import gateway, issuer
from infra.settings import IssuerSettings

ISSUER = IssuerSettings.model_validate(
    {"publicUrl": "https://hydra.localhost:4444", "adminUrl": "https://hydra.localhost:4445", "caConfigMap": "ca"}
)


def test_routes_attach_from_namespaces_of_agencies_only() -> None:
    allowed = gateway.listener(port=443, secret="tls")["allowedRoutes"]
    assert allowed["kinds"] == [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}]
    assert allowed["namespaces"] == {
        "from": "Selector",
        "selector": {"matchExpressions": [{"key": "conecta.gov.br/agency", "operator": "Exists"}]},
    }


def test_a_route_without_a_policy_of_its_own_serves_nobody() -> None:
    assert gateway.closed()["authorization"] == {"defaultAction": "Deny"}


@pytest.mark.parametrize("personal", [":PATH", "CPF", "AUTHORIZATION", "QUERY", "COOKIE", "USER-AGENT", "X-FORWARDED"])
def test_the_access_log_has_nothing_that_may_hold_a_cpf_or_a_token(personal: str) -> None:
    assert personal not in json.dumps(gateway.ACCESS_LOG).upper()


def test_clients_can_not_send_the_headers_that_are_ours() -> None:
    early = gateway.client_traffic()["headers"]["earlyRequestHeaders"]
    assert early["removeOnMatch"] == [{"type": "Prefix", "value": "x-conecta-"}]


def test_a_path_has_one_form_only() -> None:
    assert gateway.client_traffic()["path"] == {"disableMergeSlashes": False, "escapedSlashesAction": "RejectRequest"}


def test_a_bound_gateway_listens_nowhere_else_not_even_for_probes() -> None:
    patches = gateway.bound_to("127.0.0.1")["jsonPatches"]
    assert [patch["name"] for patch in patches] == ["conecta-gateway/conecta/https", gateway.READY_LISTENER]
    assert {patch["operation"]["value"] for patch in patches} == {"127.0.0.1"}


def test_tokens_are_asked_for_by_post_on_the_programmes_own_path() -> None:
    rule = issuer.route()["rules"][0]
    assert rule["matches"] == [{"path": {"type": "Exact", "value": "/oauth2/jwt-token"}, "method": "POST"}]
    assert rule["filters"][0]["urlRewrite"] == {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/oauth2/token"}}


def test_the_issuer_must_prove_who_it_is() -> None:
    assert issuer.backend(ISSUER) == {"endpoints": [{"fqdn": {"hostname": "hydra.localhost", "port": 4444}}]}
    assert issuer.verified_tls(ISSUER)["validation"] == {
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}],
        "hostname": "hydra.localhost",
    }
