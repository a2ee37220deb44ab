"""Each transition of a grant is one Event on the real API server, and nothing else is."""

import json
import time
from collections.abc import Iterator
from itertools import groupby

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.grant_lives import PHASES, Life, Stage
from tests.support.kubectl import condition, eventually, get, kubectl
from tests.support.tokens import IssuerAdmin

QUIET = 3
"""Seconds in which nothing is said of a grant to which nothing happens."""


@pytest.fixture
def life(platform: Layout, gateway: Gateway, issuer: IssuerAdmin) -> Iterator[Life]:
    with Stage.of(platform, gateway, issuer) as stage:
        yield stage.lives(PHASES[:1])[0]
        stage.clear()


def create(life: Life) -> None:
    life.create()


def suspend(life: Life) -> None:
    _patch(life, {"spec": {"suspended": True}})


def resume(life: Life) -> None:
    _patch(life, {"spec": {"suspended": False}})


def revoke(life: Life) -> None:
    approval = {"decision": "Revoked", "by": "platform-admin", "at": "2026-11-24T12:00:00Z", "rule": None}
    _patch(life, {"status": {"approval": approval}}, "--subresource=status")


def test_each_transition_is_one_event(life: Life) -> None:
    """A grant is issued, suspended, resumed and revoked: what `Ready` says is told once each time that it changes.

    And it changes as little as it can: to what the operator is at, and to what came of it.
    """
    before_all = get("conectaapi", life.stage.provider, life.api)["metadata"]["resourceVersion"]
    expected: list[str] = []
    for happen, steps in (
        (create, ["Pending", "Ready"]),
        (suspend, ["Revoking", "Suspended"]),
        (resume, ["Pending", "Ready"]),
        (revoke, ["Revoking", "Revoked"]),
    ):
        happen(life)
        eventually(lambda end=steps[-1]: _ready(life) == end)  # type: ignore[misc]
        time.sleep(QUIET)
        expected += steps
        assert _transitions(life, since=before_all) == expected
        assert _told(life) == expected


def test_what_happens_to_a_grant_is_no_event_of_its_api(life: Life) -> None:
    """Although each stop of a grant changes the API's policy, and the gateway has to take that up."""
    before_all = get("conectaapi", life.stage.provider, life.api)["metadata"]["resourceVersion"]
    told = _told_of_api(life)
    for happen, end in ((create, "Ready"), (suspend, "Suspended"), (resume, "Ready"), (revoke, "Revoked")):
        happen(life)
        eventually(lambda end=end: _ready(life) == end)  # type: ignore[misc]
    time.sleep(QUIET)
    assert _transitions_of_api(life, since=before_all) in ([], ["Ready"])
    assert _told_of_api(life) == told


def test_nothing_is_told_when_nothing_happens(life: Life) -> None:
    """Although grant and API are looked at again."""
    life.create()
    eventually(life.has_settled)
    time.sleep(QUIET)
    before = _told(life)
    kubectl("label", "conectagrant", life.name, "-n", life.stage.receiver, "look=again")
    kubectl("label", "conectaapi", life.api, "-n", life.stage.provider, "look=again")
    time.sleep(QUIET)
    assert _told(life) == before


def _patch(life: Life, patch: Manifest, *options: str) -> None:
    where = ("conectagrant", life.name, "-n", life.stage.receiver)
    kubectl("patch", *where, "--type=merge", "-p", json.dumps(patch), *options)


def _ready(life: Life) -> str | None:
    return condition(get("conectagrant", life.stage.receiver, life.name), "Ready").get("reason")


def _told(life: Life) -> list[str]:
    return _told_of(life, life.stage.receiver, life.name)


def _told_of_api(life: Life) -> list[str]:
    return _told_of(life, life.stage.provider, life.api)


def _told_of(life: Life, namespace: str, name: str) -> list[str]:
    """Reasons of all Events about the object, oldest first."""
    events = life.stage.reader.find(f"apis/events.k8s.io/v1/namespaces/{namespace}/events")
    assert events is not None
    found = [event for event in events["items"] if event["regarding"]["name"] == name]
    assert {event["reportingController"] for event in found} == {"conecta-operator"}
    assert not any("series" in event for event in found)
    return [event["reason"] for event in sorted(found, key=lambda event: event["eventTime"])]


def _transitions(life: Life, *, since: str) -> list[str]:
    return _transitions_of("conectagrants", life.stage.receiver, life.name, since)


def _transitions_of_api(life: Life, *, since: str) -> list[str]:
    return _transitions_of("conectaapis", life.stage.provider, life.api, since)


def _transitions_of(plural: str, namespace: str, name: str, since: str) -> list[str]:
    """The reasons that `Ready` has had one after the other, by the API server's own history."""
    path = f"/apis/conecta.gov.br/v1alpha1/namespaces/{namespace}/{plural}"
    query = f"watch=true&resourceVersion={since}&timeoutSeconds=1&fieldSelector=metadata.name={name}"
    changes = map(json.loads, kubectl("get", "--raw", f"{path}?{query}").stdout.splitlines())
    stated = [condition(change["object"], "Ready") for change in changes]
    essences = [(ready["status"], ready["reason"]) for ready in stated if ready]
    return [reason for (_, reason), _ in groupby(essences)]
