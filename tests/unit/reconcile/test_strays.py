"""Network policies at the gateway go when their cause has gone without taking them along."""

import asyncio
from datetime import timedelta

import pytest

from conecta_operator.api.objects import Manifest
from conecta_operator.errors import ClusterUnavailable
from conecta_operator.reconcile.strays import Strays
from tests.support.fake_cluster import FakeCluster
from tests.unit.reconcile.stand_ins import api_manifest, grant_manifest, seeded, until

HOME = "envoy-gateway-system"


def a_policy(name: str, uid: str, *, namespace: str = HOME, manager: str = "conecta-operator") -> Manifest:
    labels = {"app.kubernetes.io/managed-by": manager, "conecta.gov.br/owner-uid": uid}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"podSelector": {}},
    }


def strays(cluster: FakeCluster) -> Strays:
    return Strays(cluster=cluster, namespace=HOME, interval=timedelta(0), random=seeded())


def names(cluster: FakeCluster) -> set[str]:
    return {key.name for key in cluster.keys if key.kind.name == "NetworkPolicy"}


async def test_a_policy_whose_cause_is_gone_goes_and_all_others_stay() -> None:
    api, grant = api_manifest("cep"), grant_manifest("uso")
    cluster = FakeCluster(
        api,
        grant,
        a_policy("receita.cep.to-backend", api["metadata"]["uid"]),
        a_policy("saude.uso.from-workload", grant["metadata"]["uid"]),
        a_policy("receita.velha.to-backend", "gone"),
        a_policy("saude.velho.from-workload", "gone"),
        a_policy("receita.outra.to-backend", "gone", manager="somebody-else"),
        a_policy("receita.velha.to-backend.v2", "gone"),
        a_policy("receita.longe.to-backend", "gone", namespace="elsewhere"),
        a_policy("perto.consulta.backend", "gone"),
    )
    await strays(cluster).sweep()
    assert names(cluster) == {
        "receita.cep.to-backend",
        "saude.uso.from-workload",
        "receita.outra.to-backend",
        "receita.velha.to-backend.v2",
        "receita.longe.to-backend",
        "perto.consulta.backend",
    }


async def test_a_policy_of_an_api_that_was_created_anew_goes_too() -> None:
    """The new one writes its own at once."""
    cluster = FakeCluster(api_manifest("cep"), a_policy("receita.cep.to-backend", "of-the-former"))
    await strays(cluster).sweep()
    assert names(cluster) == set()


async def test_an_outage_delays_the_look_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(a_policy("receita.velha.to-backend", "gone"))
    cluster.outage = ClusterUnavailable("away")
    running = asyncio.create_task(strays(cluster).run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert names(cluster) == {"receita.velha.to-backend"}
    monkeypatch.setattr(cluster, "outage", None)
    await until(lambda: not names(cluster))
    running.cancel()
