"""Where a Service may lead: its EndpointSlices can be written by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.objects import Manifest, key_of
from conecta_operator.plan.backend_faults import faults
from conecta_operator.plan.world import ApiWorld
from tests.support.worlds import PLATFORM

SPEC = {
    "title": "CEP",
    "contacts": [{"name": "Equipe", "email": "cep@receita.example"}],
    "version": "v1",
    "backend": {"service": {"name": "cep", "port": 8080}},
}


def placed(kind: str, api_version: str, name: str, **fields: Any) -> Manifest:
    labels = {"kubernetes.io/service-name": "cep"}
    metadata = {"namespace": "receita", "name": name, "labels": labels}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def faults_with(*addresses: str, **service: Any) -> list[str]:
    metadata = {"name": "cep", "namespace": "receita", "uid": "u", "resourceVersion": "1"}
    api = {"metadata": {**metadata, "creationTimestamp": "2026-11-20T00:00:00Z"}, "spec": SPEC}
    objects = (
        placed("Service", "v1", "cep", spec={"ports": [{"port": 8080}], **service}),
        placed("EndpointSlice", "discovery.k8s.io/v1", "cep-1", endpoints=[{"addresses": list(addresses)}]),
    )
    world = ApiWorld(
        api=ConectaApi.parse(api),
        agency=None,
        rivals=(),
        siblings=(),
        objects={key_of(manifest): manifest for manifest in objects},
        jwks=None,
        grants=(),
        platform=PLATFORM,
        now=datetime(2026, 11, 24, tzinfo=UTC),
    )
    return faults(world)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.0.2.7", "203.0.113.9", "2001:db8::7", "fd00::1"])
def test_a_machines_address_is_taken(address: str) -> None:
    assert faults_with(address) == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104 - refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:10.1.2.3",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "cep.saude.svc",
    ],
)
def test_no_other_address_is_taken_whichever_it_stands_beside(address: str) -> None:
    (fault,) = faults_with("10.1.2.3", address)
    assert address in fault


def test_a_service_that_is_another_name_for_elsewhere_is_refused() -> None:
    (fault,) = faults_with("10.1.2.3", type="ExternalName", externalName="cep.saude.svc.cluster.local")
    assert "ExternalName" in fault
