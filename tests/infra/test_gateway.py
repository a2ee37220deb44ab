"""What the gateway and the token route are told, part by part."""

import json
import re

import pytest

from infra import gateway, issuer
from infra.access_log import ACCESS_LOG
from infra.settings import ClientAddressSettings, GatewaySettings, IssuerSettings
from tests.infra.recorder import ROOT

NOBODY = ClientAddressSettings()

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
    assert personal not in json.dumps(ACCESS_LOG).upper()


def test_every_field_of_the_access_log_is_documented_in_its_order() -> None:
    text = (ROOT / "docs" / "reference" / "access-log.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(ACCESS_LOG)


def test_clients_can_not_send_the_headers_that_are_ours() -> None:
    early = gateway.client_traffic(NOBODY)["headers"]["earlyRequestHeaders"]
    assert {"type": "Prefix", "value": "x-conecta-"} in early["removeOnMatch"]
    assert {"x-forwarded-for", "x-forwarded-client-cert", "x-request-id"} <= set(early["remove"])


@pytest.mark.parametrize(
    ("clients", "detection"),
    [
        pytest.param(NOBODY, None, id="nobody is believed by default"),
        pytest.param(
            ClientAddressSettings.model_validate({"trustedProxies": 2}),
            {"xForwardedFor": {"numTrustedHops": 2}},
            id="a number of proxies",
        ),
        pytest.param(
            ClientAddressSettings.model_validate({"trustedRanges": ("10.0.0.0/8",)}),
            {"xForwardedFor": {"trustedCIDRs": ["10.0.0.0/8"]}},
            id="proxies by their ranges",
        ),
    ],
)
def test_where_a_call_comes_from_is_said_by_proxies_that_the_setting_names(
    clients: ClientAddressSettings, detection: object
) -> None:
    traffic = gateway.client_traffic(clients)
    assert traffic.get("clientIPDetection") == detection
    removed = traffic["headers"]["earlyRequestHeaders"]["remove"]
    assert ("x-forwarded-for" in removed) == (detection is None)


def test_a_path_has_one_form_only() -> None:
    assert gateway.client_traffic(NOBODY)["path"] == {
        "disableMergeSlashes": False,
        "escapedSlashesAction": "RejectRequest",
    }


def test_a_bound_gateway_listens_nowhere_else_not_even_for_probes() -> None:
    patches = gateway.bound_to("127.0.0.1")
    assert [patch["name"] for patch in patches] == ["conecta-gateway/conecta/https", gateway.READY_LISTENER]
    assert {patch["operation"]["value"] for patch in patches} == {"127.0.0.1"}


def test_all_patches_of_the_gateway_are_one_object() -> None:
    settings = GatewaySettings.model_validate(
        {"url": "https://a.example", "bindAddress": "127.0.0.1", "maxBodyBytes": 2048, "tls": {"secretName": "tls"}}
    )
    patches = gateway.patches(settings, None)["jsonPatches"]
    assert [patch["operation"]["op"] for patch in patches] == ["replace", "replace", *["add"] * (len(patches) - 2)]
    assert patches[2]["operation"]["path"] == "local_reply_config"
    assert patches[-3]["operation"]["value"]["typed_config"]["max_request_bytes"] == 2048
    assert [patch["operation"]["path"] for patch in patches[-2:]] == ["codec_type", "clear_route_cache"]


def test_a_gateway_of_one_replica_is_as_envoy_gateway_makes_it_and_several_are_its_deployments() -> None:
    assert "provider" not in gateway.envoy_proxy(1, None)
    provider = gateway.envoy_proxy(3, None)["provider"]
    assert provider == {"type": "Kubernetes", "kubernetes": {"envoyDeployment": {"replicas": 3}}}


def test_envoy_knows_who_counts_for_all_replicas_if_somebody_does() -> None:
    settings = GatewaySettings.model_validate({"url": "https://a.example", "tls": {"secretName": "tls"}})
    added, *_ = gateway.patches(settings, "quota.example:8081")["jsonPatches"]
    assert added["type"].endswith("cluster.v3.Cluster")
    assert (added["operation"]["op"], added["operation"]["path"]) == ("add", "")
    cluster = added["operation"]["value"]
    (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    address = endpoint["endpoint"]["address"]["socket_address"]
    assert address == {"address": "quota.example", "port_value": 8081}
    assert cluster["name"] == added["name"]


def test_tokens_are_asked_for_by_post_on_the_programmes_own_path() -> None:
    rule, other_content, other_methods = issuer.route()["rules"]
    path = {"path": {"type": "Exact", "value": "/oauth2/jwt-token"}}
    (match,) = rule["matches"]
    (form,) = match.pop("headers")
    assert match == {**path, "method": "POST"}
    assert form["name"] == "content-type"
    assert other_content["matches"] == [{**path, "method": "POST"}]
    assert rule["filters"][0]["urlRewrite"] == {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/oauth2/token"}}
    assert other_methods["matches"] == [path]
    refusals = [
        filter_["extensionRef"]["name"] for rule in (other_content, other_methods) for filter_ in rule["filters"]
    ]
    assert refusals == ["conecta-token-forms-only", "conecta-token"]


def test_other_methods_are_refused_with_a_problem_that_names_the_one_there_is() -> None:
    answer = issuer.post_only("https://a.example")["directResponse"]
    assert (answer["statusCode"], answer["contentType"]) == (405, "application/problem+json")
    assert answer["header"] == {"set": [{"name": "allow", "value": "POST"}]}
    told = json.loads(answer["body"]["inline"])
    assert (told["type"], told["status"]) == ("https://a.example/problemas/metodo-nao-permitido", 405)


def test_other_content_than_a_form_is_refused_with_a_problem_that_names_the_form() -> None:
    answer = issuer.forms_only("https://a.example")["directResponse"]
    assert answer["header"] == {"set": [{"name": "accept", "value": "application/x-www-form-urlencoded"}]}
    told = json.loads(answer["body"]["inline"])
    assert (told["type"], told["status"]) == ("https://a.example/problemas/formato-nao-aceito", 415)


def test_a_token_is_asked_for_again_when_the_issuer_fails_and_not_when_it_refuses() -> None:
    retry = issuer.asked_again()["retry"]
    assert retry["numRetries"] == 5
    assert set(retry["retryOn"]["triggers"]) == {"connect-failure", "reset", "retriable-status-codes"}
    assert retry["retryOn"]["httpStatusCodes"] == [500]


def test_the_issuer_must_prove_who_it_is() -> None:
    assert issuer.backend(ISSUER) == {"endpoints": [{"fqdn": {"hostname": "hydra.localhost", "port": 4444}}]}
    assert issuer.verified_tls(ISSUER)["validation"] == {
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}],
        "hostname": "hydra.localhost",
    }
