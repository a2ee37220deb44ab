"""The table of services, and the files that they start from."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import gateway_install, issuer
from sandbox.envoy_process import bootstrap
from sandbox.gateway_infra import service_manifest
from sandbox.layout import Layout
from sandbox.ports import PORTS
from sandbox.services import NAMES, ON_DEMAND, STAGES, services

LAYOUT = Layout(Path("/srv/conecta"))
TABLE = services(LAYOUT, Path("/srv/share/service.proto"))


def test_every_service_has_a_stage_and_no_port_is_nobodys() -> None:
    assert set(TABLE) == {*NAMES, *ON_DEMAND} == {name for stage in STAGES for name in stage}
    assert {port.service for port in PORTS} <= set(TABLE)


def test_programs_are_named_by_their_absolute_paths() -> None:
    assert all(service.argv[0].startswith("/") for service in TABLE.values())


def test_no_secret_is_on_a_command_line_or_in_an_environment() -> None:
    """Others may read both."""
    settings = issuer.configuration(LAYOUT, "the-system-secret")
    assert settings["secrets"] == {"system": ["the-system-secret"]}
    shown = [word for service in TABLE.values() for word in (*service.argv, *service.environment.values())]
    assert not [word for word in shown if "secret" in word.lower()]


def test_the_operator_is_told_where_everything_is() -> None:
    environment = TABLE["operator"].environment
    assert environment["KUBECONFIG"] == "/srv/conecta/.sandbox/kubeconfigs/operator"
    assert environment["CONECTA_OPERATOR_ISSUER_URL"] == "https://localhost:10443"
    assert environment["CONECTA_OPERATOR_PROBE_ADDRESS"] == "127.0.0.1"


def test_hydra_serves_tls_on_loopback_and_promises_two_hours() -> None:
    settings = issuer.configuration(LAYOUT, "x" * 32)
    for door in ("public", "admin"):
        assert settings["serve"][door]["host"] == "127.0.0.1"
        assert settings["serve"][door]["tls"]["enabled"] is True
    assert settings["ttl"] == {"access_token": "2h0m1s"}
    assert "--dev" not in TABLE["hydra"].argv


def test_the_signing_key_is_whole() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = issuer.private_jwk(key)
    number = {name: int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "==")) for name in ("n", "e", "d", "p", "q")}
    assert (jwk["kty"], jwk["alg"], jwk["use"]) == ("RSA", "RS256", "sig")
    assert number["n"] == number["p"] * number["q"] == key.public_key().public_numbers().n
    assert pow(pow(42, number["e"], number["n"]), number["d"], number["n"]) == 42


def test_envoy_trusts_its_control_plane_only() -> None:
    (cluster,) = bootstrap(Path("/certificates"))["static_resources"]["clusters"]
    tls = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    assert tls["validation_context"]["trusted_ca"] == {"filename": "/certificates/ca.crt"}
    assert tls["tls_certificates"]


def test_a_gateway_gets_one_service_with_its_labels_and_ports() -> None:
    labels = {"gateway.envoyproxy.io/owning-gateway-name": "conecta"}
    service = service_manifest("conecta-gateway/conecta", labels, {10443: 10443, 80: 10080})
    assert service["metadata"] == {
        "name": "envoy-conecta-gateway-conecta",
        "namespace": "envoy-gateway-system",
        "labels": labels,
    }
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [(80, 10080), (10443, 10443)]
    assert len(service_manifest("a" * 60 + "/" + "b" * 60, labels, {})["metadata"]["name"]) <= 63


def test_of_the_gateways_chart_only_rights_are_taken() -> None:
    hook = {"helm.sh/hook": "pre-install"}
    documents = [
        None,
        {"kind": "ServiceAccount", "metadata": {"name": "envoy-gateway"}},
        {"kind": "ClusterRole", "metadata": {"name": "role", "annotations": None}},
        {"kind": "Role", "metadata": {"name": "certgen", "annotations": hook}},
        {"kind": "Deployment", "metadata": {"name": "envoy-gateway"}},
    ]
    assert [document["metadata"]["name"] for document in gateway_install.rights(documents)] == ["envoy-gateway", "role"]


def test_the_gateway_asks_at_a_path_that_fits_into_a_socket_address() -> None:
    remote = gateway_install.configuration()["provider"]["custom"]["infrastructure"]["remote"]
    assert len(remote["service"]["unix"]["path"]) < 100
