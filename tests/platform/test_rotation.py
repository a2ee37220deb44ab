"""Keys are replaced without an outage: on schedule, on demand, and under load."""

import asyncio

import pytest

from sandbox.layout import Layout
from tests.support.application import Application, Gateway
from tests.support.kubectl import eventually
from tests.support.right import Right
from tests.support.steady_client import SteadyClient
from tests.support.tokens import IssuerAdmin

pytestmark = pytest.mark.usefixtures("platform")

BOTH = [(1, "Retiring"), (2, "Active")]


def works(right: Right, application: Application) -> bool:
    """Whether the key gets a token that opens the API."""
    return right.status(application, application.token()) == 200


def is_refused_a_token(application: Application) -> bool:
    answer = application.gateway.token_answer(
        {"grant_type": "client_credentials"}, {"authorization": application.key.basic}
    )
    return answer.status == 401


def test_a_key_that_is_old_is_replaced_and_both_work_during_the_overlap(
    gateway: Gateway, provider: str, receiver: str, issuer: IssuerAdmin
) -> None:
    """By the clock alone. The next rotation is put off, so that a slow machine sees only this one."""
    right = Right(gateway, provider, receiver, rotateEvery="4s", overlap="4s")
    old = right.application
    eventually(lambda: right.application.key.client_id != old.key.client_id)
    right.change({"spec": {"credential": {"rotateEvery": "180d"}}})
    new = right.application
    eventually(lambda: right.key_states == BOTH)
    assert works(right, old)
    assert works(right, new)
    eventually(lambda: issuer.client(old.key.client_id) is None)
    assert is_refused_a_token(old)
    assert works(right, new)
    eventually(lambda: right.key_states == [(2, "Active")])


def test_a_key_is_replaced_on_demand_and_both_work_during_the_overlap(
    gateway: Gateway, provider: str, receiver: str, issuer: IssuerAdmin
) -> None:
    """Tokens of the old key are not refused when it ends: nobody said that it leaked."""
    right = Right(gateway, provider, receiver, overlap="4s")
    old = right.application
    token = old.token()
    right.change({"spec": {"credential": {"serial": 1}}})
    eventually(lambda: right.key_states == BOTH)
    new = right.application
    assert new.key.client_id != old.key.client_id
    assert works(right, old)
    assert works(right, new)
    eventually(lambda: issuer.client(old.key.client_id) is None)
    assert is_refused_a_token(old)
    assert right.status(old, token) == 200
    assert right.revoked_keys == set()
    assert works(right, new)


def test_the_same_serial_asks_for_nothing_more(gateway: Gateway, provider: str, receiver: str) -> None:
    right = Right(gateway, provider, receiver, overlap="1s", serial=3)
    assert right.key_states == [(1, "Active")]
    right.change({"spec": {"credential": {"serial": 7}}})
    eventually(lambda: right.key_states == [(2, "Active")])
    key = right.key
    right.change({"spec": {"credential": {"serial": 7}}, "metadata": {"labels": {"look": "again"}}})
    eventually(lambda: right.says("Ready") == "Ready")
    assert right.key == key


async def test_no_call_fails_under_a_hundred_calls_a_second_through_a_rotation(
    platform: Layout, gateway: Gateway, provider: str, receiver: str
) -> None:
    """Nor does a request for a token. The old key ends while calls go on."""
    right = await asyncio.to_thread(Right, gateway, provider, receiver, overlap="5s")
    client = SteadyClient(platform, right.path, receiver, right.secret, rate=100)
    async with asyncio.TaskGroup() as group:
        group.create_task(client.run(12))
        await asyncio.sleep(3)
        await asyncio.to_thread(right.change, {"spec": {"credential": {"serial": 1}}})
    assert client.statuses == [200] * 1200
    assert {status for _, status in client.tokens} == {200}
    assert len({client_id for client_id, _ in client.tokens}) == 2
    assert right.key_states == [(2, "Active")]
