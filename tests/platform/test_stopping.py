"""Every way to stop a grant: a token that is still valid opens nothing any more, and no other is issued.

Calls run over connections that are kept alive while it happens, and a watch tells when the grant's status says so.
"""

import asyncio
import io
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from sandbox.processes import Processes
from sandbox.steps import Report
from sandbox.up import up
from tests.support.application import Application, Gateway
from tests.support.kubectl import condition, eventually, find, get, kubectl
from tests.support.right import PLAN, Right
from tests.support.tokens import IssuerAdmin
from tests.support.traffic import traffic, watching

LIMIT = 5
"""Seconds until the first refusal. The goal is 2 at p99, which `tests/bench/revocation.py` measures; a busy machine is
allowed more in a single try."""
STATUS_LIMIT = 15
"""Seconds until status says so; the operator makes sure for a while that every proxy knows."""
AFTERWARDS = 0.5
"""Seconds for which calls go on when all is over."""

Says = Callable[[Manifest | None], bool]

pytestmark = pytest.mark.usefixtures("platform")


@pytest.fixture
def right(gateway: Gateway, provider: str, receiver: str) -> Right:
    return Right(gateway, provider, receiver)


@dataclass(frozen=True)
class Stop:
    """How a grant is stopped, and by what its status says so."""

    act: Callable[[Right], None]
    says: Callable[[Right], Says]
    answers: tuple[int, ...] = (403,)
    """To calls; the last one when all is over."""


def reason(word: str, *, ready: str | None = None) -> Callable[[Right], Says]:
    """Status says so by this reason of CredentialsReady, or by that of Ready, the summary that most people look at."""

    def says(grant: Manifest | None) -> bool:
        wanted = {"CredentialsReady": word, "Ready": ready or word}
        return grant is not None and any(condition(grant, type_).get("reason") == wanted[type_] for type_ in wanted)

    return lambda _: says


def is_gone(_: Right) -> Says:
    return lambda grant: grant is None


def lists_the_key_no_more(right: Right) -> Says:
    old = right.key.client_id

    def says(grant: Manifest | None) -> bool:
        return grant is not None and old not in [key["clientId"] for key in grant["status"].get("keys", [])]

    return says


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def suspend(right: Right) -> None:
    right.change({"spec": {"suspended": True}})


def to_expire(right: Right) -> None:
    """Return when the grant's end has come."""
    end = soon(2)
    right.change({"spec": {"validUntil": end.isoformat()}})
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()))


STOPS = {
    "suspended": Stop(suspend, reason("Suspended")),
    "agency suspended": Stop(Right.suspend_agency, reason("AgencySuspended")),
    "expired": Stop(to_expire, reason("Expired")),
    "not yet valid any more": Stop(
        lambda right: right.change({"spec": {"validFrom": soon(3600).isoformat()}}), reason("NotYetValid")
    ),
    "deleted": Stop(Right.delete, is_gone),
    "denied by a person": Stop(lambda right: right.decide("Denied"), reason("Revoked", ready="Denied")),
    "revoked by a person": Stop(lambda right: right.decide("Revoked"), reason("Revoked")),
    "leaked": Stop(
        lambda right: right.change({"spec": {"credential": {"serial": 1, "overlap": "0s"}}}), lists_the_key_no_more
    ),
    "plan switched off": Stop(
        lambda right: right.change_api({"spec": {"plans": [{"name": PLAN, "active": False}]}}),
        reason("Revoked", ready="PlanInactive"),
    ),
    "preapproval removed": Stop(
        lambda right: right.change_api({"spec": {"access": {"preapproved": []}}}),
        reason("Revoked", ready="Withdrawn"),
    ),
    "API withdrawn": Stop(Right.withdraw_api, reason("Revoked", ready="ApiDeleted"), answers=(503, 404)),
}


@pytest.mark.parametrize("way", STOPS)
async def test_a_stop_is_in_force_at_once_and_before_status_says_so(
    platform: Layout, right: Right, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "agency suspended":
        request.addfinalizer(right.resume_agency)
    stop, application = STOPS[way], right.application
    token, says = application.token(), stop.says(right)
    async with (
        watching(platform, right.receiver, right.name) as watch,
        traffic(platform, right.path, token) as calls,
    ):
        begun = time.monotonic()
        await asyncio.to_thread(stop.act, right)
        stopped = time.monotonic()
        refused = await calls.until_refused(stopped, LIMIT)
        said = await watch.until(says, after=begun, seconds=STATUS_LIMIT)
        await asyncio.sleep(AFTERWARDS)
    assert {call.status for call in calls.calls} <= {200, 403, *stop.answers}
    assert [call for call in calls.since(said) if call.status == 200] == []
    assert calls.calls[-1].status == stop.answers[-1]
    assert refused < LIMIT
    assert gets_no_token(application)


def gets_no_token(application: Application) -> bool:
    answer = application.gateway.token_answer(
        {"grant_type": "client_credentials"}, {"authorization": application.key.basic}
    )
    assert answer.status in {400, 401}, answer.data
    assert b"access_token" not in answer.data
    return True


@pytest.mark.parametrize(
    ("suspend", "resume"),
    [
        pytest.param(suspend, lambda right: right.change({"spec": {"suspended": False}}), id="grant"),
        pytest.param(Right.suspend_agency, Right.resume_agency, id="agency"),
    ],
)
def test_what_was_suspended_goes_on_with_the_same_key(
    right: Right, suspend: Callable[[Right], None], resume: Callable[[Right], None]
) -> None:
    """The Secret is never touched, and a token from before opens the API again."""
    application, before = right.application, get("secret", right.receiver, right.secret)
    token = application.token()
    suspend(right)
    try:
        eventually(lambda: right.says("Ready") in {"Suspended", "AgencySuspended"}, STATUS_LIMIT)
        assert right.status(application, token) == 403
        assert right.revoked_keys == {application.key.client_id}
        assert right.key_states == [(1, "Active")]
    finally:
        resume(right)
    right.wait_until_it_holds()
    assert right.status(application, token) == 200
    assert right.revoked_keys == set()
    assert get("secret", right.receiver, right.secret) == before


def test_a_grant_begins_and_ends_at_its_times(right: Right) -> None:
    """A token from before the pause opens nothing after it; only the new key's do."""
    old = right.application
    token = old.token()
    begin, end = soon(8), soon(14)
    right.change({"spec": {"validFrom": begin.isoformat(), "validUntil": end.isoformat()}})
    eventually(lambda: right.says("Ready") == "NotYetValid", STATUS_LIMIT)
    assert find("secret", right.receiver, right.secret) is None
    eventually(lambda: right.says("Ready") == "Ready", STATUS_LIMIT)
    assert datetime.now(UTC) >= begin
    assert right.key_states == [(2, "Active")]
    eventually(lambda: right.status(right.application) == 200)
    assert right.status(old, token) == 403
    assert gets_no_token(old)
    eventually(lambda: right.says("Ready") == "Expired", STATUS_LIMIT)
    assert datetime.now(UTC) >= end
    assert find("secret", right.receiver, right.secret) is None


def test_an_entry_leaves_the_list_when_its_time_is_over(right: Right) -> None:
    """By the operator's own clock: nothing else happens at that time. Here the time is shortened; the others stay."""
    listed = {"short": soon(3), "long": soon(3600)}
    entries = [
        {"clientId": name, "until": moment.isoformat(timespec="seconds")} for name, moment in sorted(listed.items())
    ]
    patch = json.dumps({"status": {"revokedKeys": entries}})
    where = ("-n", right.provider, "--subresource=status", "--type=merge")
    kubectl("patch", "conectaapi", right.api_name, *where, "-p", patch)
    eventually(lambda: right.denied_keys == {"short", "long"}, 2)
    eventually(lambda: right.revoked_keys == {"long"}, 2 * LIMIT)
    assert datetime.now(UTC) >= listed["short"].replace(microsecond=0)
    eventually(lambda: right.denied_keys == {"long"})


def killed(platform: Layout) -> None:
    """End the operator as nothing but a crash does."""
    state = Processes(platform).state("operator")
    assert state is not None
    assert state.pid is not None
    operator = psutil.Process(state.pid)
    os.kill(state.pid, signal.SIGKILL)
    operator.wait(10)


async def test_what_was_revoked_stays_so_when_the_operator_is_killed_and_comes_back(
    platform: Layout, right: Right
) -> None:
    """It sees every object anew then, as if each had just been made. What is stopped meanwhile is stopped then."""
    application, other = right.application, Right(right.gateway, right.provider, right.receiver)
    token, later = application.token(), other.application.token()
    right.decide("Revoked")
    eventually(lambda: right.says("Ready") == "Revoked", STATUS_LIMIT)
    listed = right.api["status"]["revokedKeys"]
    async with traffic(platform, right.path, token) as calls:
        killed(platform)
        suspend(other)
        await asyncio.to_thread(up, platform, Report(io.StringIO()))
        await asyncio.to_thread(eventually, lambda: other.says("Ready") == "Suspended", STATUS_LIMIT)
        await asyncio.sleep(AFTERWARDS)
    assert {call.status for call in calls.calls} == {403}
    assert other.status(other.application, later) == 403
    assert right.api["status"]["revokedKeys"] == listed
    assert right.denied_keys == {application.key.client_id}
    assert gets_no_token(application)


async def test_old_copies_of_grant_secret_and_api_bring_nothing_back(
    platform: Layout, right: Right, issuer: IssuerAdmin
) -> None:
    """Not even with the decision and the keys that their status had."""
    application = right.application
    token = application.token()
    old = [right.grant, right.api, get("secret", right.receiver, right.secret)]
    right.decide("Revoked")
    eventually(lambda: right.says("Ready") == "Revoked", STATUS_LIMIT)
    listed = right.revoked_keys
    async with traffic(platform, right.path, token) as calls:
        await asyncio.to_thread(put_back, old)
        await asyncio.to_thread(eventually, lambda: find("secret", right.receiver, right.secret) is None, LIMIT)
        await asyncio.sleep(AFTERWARDS)
    assert {call.status for call in calls.calls} == {403}
    assert gets_no_token(application)
    assert right.says("Ready") == "Revoked"
    assert right.revoked_keys == listed
    assert issuer.client(application.key.client_id) is None


async def test_a_leaked_key_that_is_put_back_into_the_secret_brings_nothing_back(
    platform: Layout, right: Right
) -> None:
    """The application gets yet another key instead."""
    application, old = right.application, get("secret", right.receiver, right.secret)
    token = application.token()
    right.change({"spec": {"credential": {"serial": 1, "overlap": "0s"}}})
    eventually(lambda: right.key_states == [(2, "Active")] and right.status(application, token) == 403, STATUS_LIMIT)
    async with traffic(platform, right.path, token) as calls:
        await asyncio.to_thread(put_back, [old])
        await asyncio.to_thread(eventually, lambda: right.key_states == [(3, "Active")], STATUS_LIMIT)
        await asyncio.sleep(AFTERWARDS)
    assert {call.status for call in calls.calls} == {403}
    assert gets_no_token(application)
    right.wait_until_it_holds()


def put_back(manifests: list[Manifest]) -> None:
    """Write old copies over what is there, or anew, as a backup's restore does."""
    for manifest in manifests:
        metadata = {
            name: value for name, value in manifest["metadata"].items() if name not in {"resourceVersion", "uid"}
        }
        is_there = find(manifest["kind"].lower(), metadata["namespace"], metadata["name"]) is not None
        kubectl("replace" if is_there else "create", "-f", "-", stdin=json.dumps({**manifest, "metadata": metadata}))
