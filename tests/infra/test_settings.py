"""Stack settings: what is accepted, and that every wrong key is named at once."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from infra.settings import ClientAddressSettings, StackSettings, WrongSettings, from_mapping, load
from tests.infra.recorder import Project, deploy

RIGHT: dict[str, Any] = {
    "cluster": {"context": "producao"},
    "gateway": {"url": "https://apigateway.example.gov.br", "tls": {"secretName": "gateway"}},
    "issuer": {
        "publicUrl": "https://hydra-public.hydra.svc.cluster.local",
        "adminUrl": "https://hydra-admin.hydra.svc.cluster.local:4445",
        "caConfigMap": "hydra-ca",
    },
    "operator": {"image": f"registry.example/conecta-operator@sha256:{'0' * 64}"},
    "agencies": {"receita": {"name": "Receita Federal do Brasil", "cnpj": "00394460005887", "siorg": "2041"}},
}
RATELIMIT = f"envoyproxy/ratelimit@sha256:{'0' * 64}"
GONE = object()


def but(path: str, value: object) -> dict[str, Any]:
    """Right settings with one key changed, or taken away."""
    settings = copy.deepcopy(RIGHT)
    *folders, key = path.split(".")
    place = settings
    for folder in folders:
        place = place.setdefault(folder, {})
    if value is GONE:
        del place[key]
    else:
        place[key] = value
    return settings


def complaints(settings: Mapping[str, Any]) -> list[str]:
    with pytest.raises(WrongSettings) as refused:
        from_mapping(settings)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_what_is_not_said_has_the_default_of_the_table() -> None:
    settings = from_mapping(RIGHT)
    assert settings.protect is True
    assert settings.gateway.port == 443
    assert settings.gateway.bind_address is None
    assert settings.gateway.client_address == ClientAddressSettings()
    assert settings.gateway.max_body_bytes == 1048576
    assert settings.operator.workload == "Deployment"
    assert settings.agencies["receita"].namespaces == ("receita",)


def test_an_agencys_limits_replace_those_of_the_stack_one_by_one() -> None:
    settings = from_mapping(but("agencies.receita.limits", {"apis": 7}) | {"limits": {"grants": 8}})
    limits = settings.limits.but(settings.agencies["receita"].limits)
    assert (limits.apis, limits.grants, limits.pods) == (7, 8, 100)
    assert settings.limits.but(None) == settings.limits


def test_one_replica_counts_for_itself_and_several_count_together() -> None:
    assert from_mapping(RIGHT).rates.mode == "Local"
    settings = but("rates", {"image": RATELIMIT, "redis": "redis.quota:6379"})
    settings["gateway"]["replicas"] = 3
    assert from_mapping(settings).rates.mode == "Shared"


def test_the_issuers_host_and_port_are_those_of_its_url() -> None:
    issuer = from_mapping(but("issuer.publicUrl", "https://hydra.localhost:4444")).issuer
    assert (issuer.host, issuer.port) == ("hydra.localhost", 4444)
    assert from_mapping(RIGHT).issuer.port == 443


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("protect", False, id="unprotected"),
        pytest.param("gateway.bindAddress", "::1", id="an IPv6 address"),
        pytest.param("gateway.clientAddress.trustedProxies", 1, id="a proxy in front"),
        pytest.param("gateway.clientAddress.trustedRanges", ["10.0.0.0/8", "2001:db8::/32"], id="proxies by ranges"),
        pytest.param("gateway.maxBodyBytes", 64 * 1024 * 1024, id="long bodies"),
        pytest.param("gateway.tls", {"certificateFile": "a.crt", "keyFile": "a.key"}, id="certificate by files"),
        pytest.param("operator", {"workload": "Process"}, id="operator as a process"),
        pytest.param("rates", {"mode": "Local"}, id="calls counted by each replica"),
        pytest.param("rates", {"mode": "Shared", "service": "quota.example:8081"}, id="calls counted by somebody"),
        pytest.param(
            "rates",
            {"mode": "Shared", "image": RATELIMIT, "redis": "valkey.quota:6379", "redisTls": True},
            id="calls counted by a service of ours",
        ),
        pytest.param("agencies.receita.namespaces", ["receita", "receita-homologacao"], id="two namespaces"),
        pytest.param("agencies.receita.cnpj", "12ABC34501DE35", id="alphanumeric CNPJ"),
        pytest.param("agencies.receita.limits", {"apis": 0, "memory": "512Mi"}, id="limits of an agency"),
        pytest.param("limits", {"containerCpu": "250m", "loadBalancers": 1}, id="limits of all agencies"),
        pytest.param("agencies", {}, id="no agency yet"),
    ],
)
def test_right_settings_are_accepted(path: str, value: object) -> None:
    assert isinstance(from_mapping(but(path, value)), StackSettings)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        pytest.param("cluster", GONE, "conecta:cluster", id="a part is missing"),
        pytest.param("cluster.context", GONE, "conecta:cluster.context", id="a key is missing"),
        pytest.param("cluster.kontext", "x", "conecta:cluster.kontext", id="a key is misspelt"),
        pytest.param("gatewey", {}, "conecta:gatewey", id="a part is misspelt"),
        pytest.param("cluster", "producao", "conecta:cluster", id="a text for a part"),
        pytest.param("protect", "no", "conecta:protect", id="a text for a truth"),
        pytest.param("gateway.port", "443", "conecta:gateway.port", id="a text for a number"),
        pytest.param("gateway.port", 0, "conecta:gateway.port", id="a port too low"),
        pytest.param("gateway.port", 65536, "conecta:gateway.port", id="a port too high"),
        pytest.param("gateway.bindAddress", "localhost", "conecta:gateway.bindAddress", id="a name for an address"),
        pytest.param("gateway.maxBodyBytes", 100, "conecta:gateway.maxBodyBytes", id="a limit that nothing fits in"),
        pytest.param(
            "gateway.clientAddress.trustedProxies", 0, "conecta:gateway.clientAddress.trustedProxies", id="no proxy"
        ),
        pytest.param(
            "gateway.clientAddress.trustedRanges",
            ["10.0.0.1/8"],
            "conecta:gateway.clientAddress.trustedRanges[0]",
            id="a range with bits beyond its mask",
        ),
        pytest.param(
            "gateway.clientAddress",
            {"trustedProxies": 1, "trustedRanges": ["10.0.0.0/8"]},
            "conecta:gateway.clientAddress",
            id="proxies by number and by range",
        ),
        pytest.param("gateway.replicas", 0, "conecta:gateway.replicas", id="a gateway of nothing"),
        pytest.param("gateway.replicas", 2, "conecta:rates", id="several replicas that can't count together"),
        pytest.param("rates", {"mode": "Shared"}, "conecta:rates", id="nobody to count for all"),
        pytest.param("rates", {"service": "q.example:1"}, "conecta:rates", id="somebody to count, who isn't asked"),
        pytest.param("rates", {"mode": "Shared", "image": RATELIMIT}, "conecta:rates", id="no place for counters"),
        pytest.param("rates", {"mode": "Global"}, "conecta:rates.mode", id="another word for who counts"),
        pytest.param("rates", {"mode": "Shared", "service": "q"}, "conecta:rates.service", id="a service without port"),
        pytest.param(
            "rates",
            {"mode": "Shared", "service": "q.example:1", "image": RATELIMIT, "redis": "r.example:1"},
            "conecta:rates",
            id="two that count",
        ),
        pytest.param(
            "rates",
            {"mode": "Shared", "service": "q.example:1", "redisTls": True},
            "conecta:rates",
            id="settings of a Redis that is somebody else's",
        ),
        pytest.param("gateway.url", "http://a.example", "conecta:gateway.url", id="not https"),
        pytest.param("gateway.url", "https://a.example/", "conecta:gateway.url", id="a slash at its end"),
        pytest.param("gateway.url", "https://a.example?x", "conecta:gateway.url", id="a query"),
        pytest.param("gateway.url", "https://u:p@a.example", "conecta:gateway.url", id="a user"),
        pytest.param("gateway.url", "https://", "conecta:gateway.url", id="no host"),
        pytest.param("gateway.url", "https://a:x", "conecta:gateway.url", id="no port after the colon"),
        pytest.param("gateway.url", "https://a:99999", "conecta:gateway.url", id="a port that can't be"),
        pytest.param("gateway.tls", {}, "conecta:gateway.tls", id="no certificate"),
        pytest.param("gateway.tls.keyFile", "k", "conecta:gateway.tls", id="a Secret and a file"),
        pytest.param("gateway.tls", {"certificateFile": "c"}, "conecta:gateway.tls", id="a certificate without key"),
        pytest.param("issuer.publicUrl", "https://hydra:4444", "conecta:issuer.publicUrl", id="a host of one label"),
        pytest.param("issuer.publicUrl", "https://10.0.0.1", "conecta:issuer.publicUrl", id="an address for a host"),
        pytest.param("issuer.publicUrl", "https://[::1]", "conecta:issuer.publicUrl", id="an IPv6 address for a host"),
        pytest.param("issuer.caConfigMap", "A", "conecta:issuer.caConfigMap", id="not a Kubernetes name"),
        pytest.param("operator", {}, "conecta:operator", id="a deployment without an image"),
        pytest.param("operator.image", "a.example/a:1", "conecta:operator.image", id="an image that may change"),
        pytest.param("operator.workload", "Process", "conecta:operator", id="a process with an image"),
        pytest.param("operator.workload", "Pod", "conecta:operator.workload", id="an unknown workload"),
        pytest.param("agencies.receita.cnpj", "00394460005888", "conecta:agencies.receita.cnpj", id="a wrong CNPJ"),
        pytest.param("agencies.receita.cnpj", 394460005887, "conecta:agencies.receita.cnpj", id="a CNPJ unquoted"),
        pytest.param("agencies.receita.siorg", "2-41", "conecta:agencies.receita.siorg", id="a wrong SIORG code"),
        pytest.param("agencies.receita.siorg", 2041, "conecta:agencies.receita.siorg", id="a SIORG code unquoted"),
        pytest.param("agencies.receita.name", " ", "conecta:agencies.receita.name", id="an empty name"),
        pytest.param("limits.apis", -1, "conecta:limits.apis", id="a limit below zero"),
        pytest.param("limits.apis", "50", "conecta:limits.apis", id="a limit as a text"),
        pytest.param("limits.memory", "8", "conecta:limits.memory", id="memory without a unit"),
        pytest.param("limits.containerCpu", "1", "conecta:limits.containerCpu", id="a core in another unit"),
        pytest.param("limits.secrets", 1, "conecta:limits.secrets", id="a limit of what the operator writes"),
        pytest.param(
            "agencies.receita.limits.api", 1, "conecta:agencies.receita.limits.api", id="a misspelt limit of an agency"
        ),
        pytest.param(
            "agencies.receita.namespaces", ["A"], "conecta:agencies.receita.namespaces[0]", id="a bad namespace"
        ),
        pytest.param(
            "agencies.receita.namespaces", ["kube-system"], "conecta:agencies", id="a namespace of the cluster"
        ),
        pytest.param("agencies.receita.namespaces", ["conecta-system"], "conecta:agencies", id="one of the platform"),
        pytest.param("agencies.receita.namespaces", ["a", "a"], "conecta:agencies", id="a namespace twice"),
        pytest.param(
            "agencies.Receita", RIGHT["agencies"]["receita"], "conecta:agencies.Receita", id="a capital letter"
        ),
        pytest.param(
            "agencies.conecta", RIGHT["agencies"]["receita"], "conecta:agencies", id="the platform's own name"
        ),
    ],
)
def test_a_wrong_key_is_named_by_its_path(path: str, value: object, named: str) -> None:
    assert [line.partition(": ")[0] for line in complaints(but(path, value))] == [named]


def test_every_wrong_key_is_named_at_once() -> None:
    settings = but("gateway.port", 0)
    settings["agencies"]["receita"]["cnpj"] = "1"
    settings["agencies"]["saude"] = {"name": "Ministério da Saúde", "cnpj": "00394544012787", "siorg": 304}
    settings["unknown"] = 1
    del settings["issuer"]["adminUrl"]
    assert complaints(settings) == [
        "conecta:agencies.receita.cnpj: must be a CNPJ: 14 characters without punctuation, with right check digits",
        "conecta:agencies.saude.siorg: must be text: a number needs quotes",
        "conecta:gateway.port: Input should be greater than or equal to 1",
        "conecta:issuer.adminUrl: is missing",
        "conecta:unknown: is no setting",
    ]


def test_a_namespace_of_two_agencies_is_refused_with_both_names() -> None:
    settings = but(
        "agencies.saude", {"name": "Saúde", "cnpj": "00394544012787", "siorg": "304", "namespaces": ["receita"]}
    )
    assert complaints(settings) == ["conecta:agencies: saude: namespace receita is already listed for receita"]


def test_a_wrong_value_is_not_repeated() -> None:
    assert "hunter2" not in "".join(complaints(but("gateway.url", "https://u:hunter2@a.example")))


def test_parsing_changes_nothing_of_what_it_is_given() -> None:
    settings = copy.deepcopy(RIGHT)
    from_mapping(settings)
    assert settings == RIGHT


def test_settings_can_not_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        from_mapping(RIGHT).protect = False  # type: ignore[misc]


def test_the_program_reads_all_settings_of_its_own_project_and_no_other(
    project: Project,
) -> None:
    read: list[StackSettings] = []
    project.configure(
        {"pulumi:disable-default-providers": ["*"], **{f"conecta:{key}": value for key, value in RIGHT.items()}}
    )
    deploy(lambda: read.append(load()))
    assert read == [from_mapping(RIGHT)]


def test_a_wrong_setting_stops_the_program_with_a_message_instead_of_a_traceback(
    project: Project,
) -> None:
    project.configure({"conecta:cluster": json.dumps({"context": 1}), "conecta:protekt": "true"})
    with pytest.raises(pulumi.RunError, match=r"conecta:cluster.context: [^$]*conecta:protekt: is no setting"):
        deploy(load)
