"""What the operator wrote is as it was, whoever edits it."""

import json
from collections.abc import Iterator

import pytest

from conecta_operator.api.objects import Manifest
from tests.support.application import Gateway
from tests.support.kubectl import agency_namespace, eventually, kubectl, wait_ready
from tests.support.right import Right

REPAIR = 20
"""Seconds."""


@pytest.fixture
def right(gateway: Gateway) -> Iterator[Right]:
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        yield Right(gateway, provider, receiver)


def test_what_an_api_has_any_number_of_is_as_it_was_when_it_was_edited(right: Right) -> None:
    """What is said to calls that lack something, and how many connections a backend bears."""
    provider, name = right.provider, right.api_name
    spec = {"request": {"userCpf": "Required"}, "backend": {"connections": {"max": 7}}}
    kubectl("patch", "conectaapi", name, "-n", provider, "--type=merge", "-p", json.dumps({"spec": spec}))
    edits = {
        "httproutefilter": {"spec": {"directResponse": {"statusCode": 204}}},
        "backendtrafficpolicy": {"spec": {"circuitBreaker": {"maxConnections": 100000}}},
    }

    def written(kind: str) -> dict[str, Manifest]:
        labels = f"conecta.gov.br/owner-name={name}"
        found = json.loads(kubectl("get", kind, "-n", provider, "-l", labels, "-o", "json").stdout)["items"]
        return {each["metadata"]["name"]: each["spec"] for each in found}

    eventually(lambda: all(written(kind) for kind in edits), REPAIR)
    wait_ready("conectaapi", provider, name)
    before = {kind: written(kind) for kind in edits}
    for kind, edit in edits.items():
        for each in before[kind]:
            kubectl("patch", kind, each, "-n", provider, "--type=merge", "-p", json.dumps(edit))
    eventually(lambda: {kind: written(kind) for kind in edits} == before, REPAIR)
