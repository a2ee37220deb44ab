"""What is done to one API is not felt by the callers of others."""

import asyncio
import copy
import time
from collections.abc import Sequence
from typing import Final

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.callers import CONNECTIONS, Caller, bearer, calling
from tests.support.kubectl import agency_namespace, apply, get, kubectl
from tests.support.right import Right

APIS: Final = 100
CALLS_A_SECOND: Final = 200


async def test_a_hundred_apis_come_change_and_go_without_an_error_or_a_closed_connection(
    platform: Layout, gateway: Gateway, provider: str
) -> None:
    with agency_namespace("recebedor") as receiver:
        right = await asyncio.to_thread(Right, gateway, provider, receiver)
        caller = Caller(right.path, bearer(right.application.token()), CALLS_A_SECOND)
        async with calling(platform, caller):
            await asyncio.sleep(1)
            begun = time.monotonic()
            for work in (_add, _change, _remove):
                await asyncio.to_thread(work, provider)
            await asyncio.sleep(1)
            over = time.monotonic()
    answered = [call for call in caller.calls if begun < call.started < over - 1]
    assert {call.status for call in answered} == {200}
    assert len(answered) > CALLS_A_SECOND * (over - begun - 2) * 0.9, "calls went on all the time"
    assert caller.connections <= CONNECTIONS, "no more than the caller keeps alive"


def _add(provider: str) -> None:
    apply(*_apis(provider, title="Nova"))
    _wait_ready(provider)


def _change(provider: str) -> None:
    """Another title changes nothing at the gateway, another address does."""
    apply(*_apis(provider, title="Outra", path="/outro"))
    _wait_ready(provider)


def _remove(provider: str) -> None:
    kubectl("delete", "conectaapi", "-n", provider, *_names(), "--wait=true")


def _wait_ready(provider: str) -> None:
    names = [f"conectaapi/{name}" for name in _names()]
    kubectl("wait", "-n", provider, "--for=condition=Ready", "--timeout=90s", *names)


def _names() -> list[str]:
    return [f"vizinha-{number}" for number in range(APIS)]


def _apis(provider: str, *, title: str, path: str = "") -> Sequence[Manifest]:
    spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"])
    spec["title"] = title
    spec["backend"]["url"] += path
    return [
        {
            "apiVersion": "conecta.gov.br/v1alpha1",
            "kind": "ConectaApi",
            "metadata": {"namespace": provider, "name": name},
            "spec": spec,
        }
        for name in _names()
    ]
