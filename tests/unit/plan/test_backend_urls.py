"""Which backend URLs a provider may name."""

import dataclasses

import pytest

from conecta_operator.plan.backends import UrlTarget, host_violations, target_of, violations
from tests.support.worlds import PLATFORM

OWN = ("https://apigateway.conecta.example", "https://hydra.conecta.example:4445", "https://hydra.localhost:4444")
PLACED = dataclasses.replace(PLATFORM, own_urls=OWN)
SANDBOX = dataclasses.replace(PLACED, allow_local_backends=True)
NAMESPACES = {"receita", "saude"}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://servicos.receita.example", UrlTarget("servicos.receita.example", 443, "")),
        ("https://servicos.receita.example/", UrlTarget("servicos.receita.example", 443, "")),
        ("https://servicos.receita.example:8443/cep/v1/", UrlTarget("servicos.receita.example", 8443, "/cep/v1")),
        ("https://a-1.b2.example/x_y.z~", UrlTarget("a-1.b2.example", 443, "/x_y.z~")),
    ],
)
def test_a_public_https_url_is_taken_as_it_stands(url: str, target: UrlTarget) -> None:
    assert violations(url, PLACED, NAMESPACES) == []
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://servicos.receita.example", id="no TLS"),
        pytest.param("ftp://servicos.receita.example", id="another scheme"),
        pytest.param("https://user@servicos.receita.example", id="user"),
        pytest.param("https://user:pw@servicos.receita.example", id="user and password"),
        pytest.param("https://@servicos.receita.example", id="empty user"),
        pytest.param("https://servicos.receita.example/?x=1", id="query"),
        pytest.param("https://servicos.receita.example/?", id="empty query"),
        pytest.param("https://servicos.receita.example/#x", id="fragment"),
        pytest.param("https://servicos.receita.example/a/../b", id="relative segment"),
        pytest.param("https://servicos.receita.example/a//b", id="empty segment"),
        pytest.param("https://servicos.receita.example/a%2fb", id="encoded slash"),
        pytest.param("https://servicos.receita.example:0", id="port 0"),
        pytest.param("https://servicos.receita.example:65536", id="port beyond the last"),
        pytest.param("https://servicos.receita.example:abc", id="port of letters"),
        pytest.param("https://127.0.0.1", id="loopback"),
        pytest.param("https://[::1]", id="loopback, IPv6"),
        pytest.param("https://[::ffff:127.0.0.1]", id="loopback, mapped"),
        pytest.param("https://169.254.169.254/latest", id="metadata address"),
        pytest.param("https://[fe80::1%25eth0]", id="link-local with zone"),
        pytest.param("https://10.0.0.1", id="private address"),
        pytest.param("https://0x7f.0.0.1", id="hexadecimal address"),
        pytest.param("https://0177.0.0.1", id="octal address"),
        pytest.param("https://2130706433", id="address as one number"),
        pytest.param("https://127.1", id="short address"),
        pytest.param(f"https://{'a.' * 125}example", id="a name that is too long"),
        pytest.param("https://127.0.0.0x1", id="address that ends in hexadecimal"),
        pytest.param("https://10.0.1e1", id="address that ends in letters"),
        pytest.param("https://servicos.receita.c0m", id="a digit in the last label"),
        pytest.param("https://apigateway.conecta.example", id="the gateway itself"),
        pytest.param("https://hydra.conecta.example:8443", id="the issuer, at any port"),
        pytest.param("https://cep.saude", id="a service of another tenant, by a search domain"),
        pytest.param("https://pod-1.cep.saude", id="a pod of another tenant, by a search domain"),
        pytest.param("https://10-0-0-7.saude.pod", id="a pod by its address"),
        pytest.param("https://xn--rceita-cva.example", id="letters that look like others, in punycode"),
        pytest.param("https://localhost", id="localhost"),
        pytest.param("https://demo.localhost", id="below localhost"),
        pytest.param("https://printer.local", id="multicast DNS"),
        pytest.param("https://metadata.google.internal", id="metadata name"),
        pytest.param("https://cep.receita.svc", id="a service of the cluster"),
        pytest.param("https://cep.saude.svc.cluster.local", id="a service of another tenant"),
        pytest.param("https://cep", id="one label"),
        pytest.param("https://Servicos.Receita.Example", id="capitals"),
        pytest.param("https://servicos.receita.example.", id="trailing dot"),
        pytest.param("https://servicos..receita.example", id="empty label"),
        pytest.param("https://-a.receita.example", id="label starts with a hyphen"),
        pytest.param("https://serviços.receita.example", id="not ASCII"),
        pytest.param("https://servicos.receita.ex\u0430mple", id="Cyrillic letter"),
        pytest.param("https://servicos.receita.example\\@evil.example", id="backslash"),
        pytest.param("https://servicos receita.example", id="space"),
        pytest.param("https://", id="no host"),
        pytest.param("servicos.receita.example", id="no scheme"),
        pytest.param("https://[::1", id="broken brackets"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_url_that_leads_elsewhere_is_refused(url: str) -> None:
    assert violations(url, PLACED, NAMESPACES)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(violations("http://user@cep.receita.svc/?x", PLATFORM)) == 4


def test_no_message_repeats_the_url_or_its_password() -> None:
    assert not any("hunter2" in fault for fault in violations("https://user:hunter2@cep.receita.svc/?x", PLATFORM))


def test_a_sandbox_may_open_names_below_localhost_and_nothing_else() -> None:
    assert violations("https://demo-backend.localhost:9543/cep", SANDBOX) == []
    assert violations("https://localhost:9543", SANDBOX)
    assert violations("https://127.0.0.1:9543", SANDBOX)
    assert violations("https://cep.receita.svc", SANDBOX)


@pytest.mark.parametrize(
    "url", ["https://hydra.localhost:4444", "https://hydra.localhost:9543", "https://other.localhost:4445"]
)
def test_nor_may_a_sandbox_open_the_platforms_own_places(url: str) -> None:
    assert violations(url, SANDBOX)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("servicos.receita.example", True),
        ("apigateway.conecta.example", False),
        ("kubernetes.default.svc", False),
        ("cep.saude", False),
        ("demo.localhost", False),
        ("127.0.0.1", False),
        ("localhost", False),
    ],
)
def test_a_certificate_is_trusted_under_names_that_may_be_called_only(host: str, *, is_allowed: bool) -> None:
    assert (host_violations(host, PLACED, NAMESPACES) == []) is is_allowed
