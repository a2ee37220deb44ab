"""The operator killed after, or in the middle of, any single write, and started anew: as if nothing had happened.

The crash points are counted from an undisturbed run, not listed by hand.
"""

import asyncio
import base64
import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from conecta_operator.api.durations import timestamp
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, SECRET, Manifest, ObjectKey
from conecta_operator.plan.leaving import WITHDRAW_ANNOTATION
from conecta_operator.plan.naming import GENERATED_FOR_API
from tests.support.operator_in_memory import InMemory

API = ObjectKey(CONECTA_API, "receita", "cep")
GRANT = ObjectKey(CONECTA_GRANT, "saude", "agendamento-cep")
CREDENTIAL = ObjectKey(SECRET, "saude", "agendamento-cep-conecta")


class Killed(BaseException):
    """The process is gone: no handler runs."""


def _namespace(name: str) -> Manifest:
    labels = {"conecta.gov.br/agency": name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


WISHES: tuple[Manifest, ...] = (
    _namespace("receita"),
    _namespace("saude"),
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "ca", "namespace": "receita"},
        "data": {"ca.crt": "made up"},
    },
    {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaApi",
        "metadata": {"name": "cep", "namespace": "receita"},
        "spec": {
            "title": "CEP",
            "contacts": [{"name": "Equipe", "email": "cep@receita.example"}],
            "version": "v1",
            "backend": {"url": "https://servicos.receita.example", "tls": {"caCertificateRef": {"name": "ca"}}},
            "access": {"approval": "Automatic"},
        },
    },
    {
        "apiVersion": "conecta.gov.br/v1alpha1",
        "kind": "ConectaGrant",
        "metadata": {"name": "agendamento-cep", "namespace": "saude"},
        "spec": {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}},
    },
)


def _nothing(_: InMemory) -> None:
    return


def _lose_the_secret(world: InMemory) -> None:
    world.cluster.drop(CREDENTIAL)


def _alter_the_secret(world: InMemory) -> None:
    secret = world.cluster.objects[CREDENTIAL]
    altered = {**secret["data"], "client-secret": base64.b64encode(b"y" * 43).decode()}
    world.cluster.put({**secret, "data": altered})


def _lose_the_client(world: InMemory) -> None:
    world.issuer.drop(next(iter(world.issuer.clients)))


def _let_the_overlap_pass(world: InMemory) -> None:
    _lose_the_secret(world)
    asyncio.run(world.converge())
    world.now += timedelta(days=30)


def _rename_the_secret(world: InMemory) -> None:
    _respecify(world, GRANT, credential={"secretName": "outra"})


def _withdraw_consent(world: InMemory) -> None:
    _respecify(world, API, access={"approval": "Manual"})


def _move_the_backend(world: InMemory) -> None:
    _respecify(world, API, backend={"service": {"name": "cep", "port": 80}})


def _suspend(world: InMemory) -> None:
    _respecify(world, GRANT, suspended=True)


def _resume(world: InMemory) -> None:
    _suspend(world)
    asyncio.run(world.converge())
    _respecify(world, GRANT, suspended=False)


def _rotate(world: InMemory) -> None:
    _respecify(world, GRANT, credential={"serial": 1})


def _rotate_a_leaked_key(world: InMemory) -> None:
    _respecify(world, GRANT, credential={"serial": 1, "overlap": "0s"})


def _become_old(world: InMemory) -> None:
    world.now += timedelta(days=181)


def _expire(world: InMemory) -> None:
    _respecify(world, GRANT, validUntil="2026-11-24T12:30:00Z")
    asyncio.run(world.converge())
    world.now += timedelta(hours=1)


def _annotate_and_delete_the_api(world: InMemory) -> None:
    manifest = world.cluster.objects[API]
    annotated = {**manifest["metadata"], "annotations": {WITHDRAW_ANNOTATION: "true"}}
    world.cluster.put({**manifest, "metadata": annotated})
    _delete(API)(world)


def _approve(world: InMemory) -> None:
    """By hand: a decision of a person at this moment."""
    grant = world.cluster.objects[GRANT]
    terms = {"application": "agendamento"}
    approval = {"decision": "Approved", "by": "ana", "at": timestamp(world.now), "terms": terms}
    world.cluster.put({**grant, "status": {**grant.get("status", {}), "approval": approval}})


def _replace_the_approved_api(world: InMemory) -> None:
    _approve(world)
    asyncio.run(world.converge())
    manifest = world.cluster.objects[API]
    world.cluster.drop(API)
    metadata = {"name": API.name, "namespace": API.namespace}
    world.cluster.put({**manifest, "metadata": metadata, "status": {}})


def _approve_the_replacement(world: InMemory) -> None:
    _replace_the_approved_api(world)
    asyncio.run(world.converge())
    assert world.issuer.clients == {}
    _approve(world)


def _respecify(world: InMemory, key: ObjectKey, **spec: Any) -> None:
    manifest = world.cluster.objects[key]
    world.cluster.put({**manifest, "spec": {**manifest["spec"], **spec}})


def _delete(key: ObjectKey) -> Callable[[InMemory], None]:
    def delete(world: InMemory) -> None:
        asyncio.run(world.cluster.delete(world.cluster.objects[key]))

    return delete


@dataclass(frozen=True)
class Scenario:
    """What happens to a converged platform; `_nothing` on an empty one is the first issue."""

    event: Callable[[InMemory], None]
    is_new: bool = False
    keeps_key: bool = False
    """Whether the key in the Secret, once there is one, works at every moment."""


SCENARIOS = {
    "first issue": Scenario(_nothing, is_new=True, keeps_key=True),
    "first issue by a person": Scenario(_approve, is_new=True, keeps_key=True),
    "api that somebody approved replaced": Scenario(_replace_the_approved_api),
    "api that somebody approved replaced, and approved anew": Scenario(_approve_the_replacement),
    "secret lost": Scenario(_lose_the_secret),
    "secret altered": Scenario(_alter_the_secret),
    "secret renamed": Scenario(_rename_the_secret, keeps_key=True),
    "client lost": Scenario(_lose_the_client),
    "overlap over": Scenario(_let_the_overlap_pass),
    "consent withdrawn": Scenario(_withdraw_consent),
    "backend moved": Scenario(_move_the_backend, keeps_key=True),
    "grant deleted": Scenario(_delete(GRANT)),
    "api deleted, which waits for its grant": Scenario(_delete(API)),
    "api deleted with its grants": Scenario(_annotate_and_delete_the_api),
    "suspended": Scenario(_suspend),
    "resumed": Scenario(_resume),
    "rotated": Scenario(_rotate, keeps_key=True),
    "rotated after a leak": Scenario(_rotate_a_leaked_key),
    "old": Scenario(_become_old, keeps_key=True),
    "expired": Scenario(_expire),
}


@functools.cache
def _converged() -> InMemory:
    world = InMemory(*WISHES)
    asyncio.run(world.converge())
    return world


def _start(scenario: Scenario) -> InMemory:
    world = InMemory(*WISHES) if scenario.is_new else copy.deepcopy(_converged())
    scenario.event(world)
    return world


def _outcome(world: InMemory) -> dict[str, Any]:
    """What counts in the end, apart from secrets, times and versions."""
    statuses = {
        str(key): {c["type"]: (c["status"], c["reason"]) for c in manifest.get("status", {}).get("conditions", [])}
        for key, manifest in world.cluster.objects.items()
        if key in {API, GRANT}
    }
    generated = sorted(str(key) for key in world.cluster.objects if key.kind in {*GENERATED_FOR_API, SECRET})
    keys = {client_id: (key.retires_at is None, key.suspended) for client_id, key in world.issuer.clients.items()}
    return {"statuses": statuses, "objects": generated, "keys": keys, "works": _opens(world)}


def _opens(world: InMemory) -> dict[str, bool]:
    """For each Secret: whether the key in it gets a token."""
    answers = {}
    for key, manifest in world.cluster.objects.items():
        if key.kind == SECRET and "client-id" in manifest["data"]:
            client_id, secret = (base64.b64decode(manifest["data"][f]).decode() for f in ("client-id", "client-secret"))
            answers[str(key)] = world.issuer.verify(client_id, SecretStr(secret))
    return answers


@functools.cache
def _undisturbed(name: str) -> tuple[dict[str, Any], int]:
    """What comes out in the end, and how many writes that takes."""
    world = _start(SCENARIOS[name])
    before = len(world.journal.writes)
    asyncio.run(world.converge())
    return _outcome(world), len(world.journal.writes) - before


@pytest.mark.parametrize("taken", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_write_changes_nothing_in_the_end(name: str, taken: bool) -> None:  # noqa: FBT001
    """Nor does an error, which ends a reconcile at the same place: after a write that was taken, it is a timeout."""
    outcome, writes = _undisturbed(name)
    assert writes > 0
    for number in range(1, writes + 1):
        world = _start(SCENARIOS[name])
        world.journal.fail_at(number, Killed(), taken=taken)
        with pytest.raises(Killed):
            asyncio.run(world.converge())
        assert not SCENARIOS[name].keeps_key or all(_opens(world).values()), f"a dead key after write {number}"
        asyncio.run(world.converge())
        assert _outcome(world) == outcome, f"disturbed {'after' if taken else 'before'} write {number}"
