"""Calls are counted by grant and by API, in buckets that nothing but calls and time touches."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from conecta_operator.plan.naming import plan_code
from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.kubectl import agency_namespace, eventually, kubectl
from tests.support.rated import Callers, Rated
from tests.support.tokens import IssuerAdmin, claims_of


@pytest.fixture(scope="module")
def agency(platform: Layout) -> Iterator[str]:
    assert platform.state.is_dir()
    with agency_namespace("taxas") as name:
        yield name


@pytest.fixture
def api(gateway: Gateway, agency: str) -> Callable[..., Rated]:
    """An API with these rates."""
    return lambda **rates: Rated(gateway, agency, **rates)


@pytest.fixture
def calls(platform: Layout) -> Callable[..., Callers]:
    """Call an API for so long, with each of some tokens at once."""

    def call(api: Rated, tokens: Sequence[str], seconds: float, **options: Any) -> Callers:
        callers = Callers(platform, api.path, tokens, **options)
        asyncio.run(callers.run(seconds))
        return callers

    return call


def rest() -> None:
    """After this, every bucket is full: it is filled in a second, and nobody calls meanwhile."""
    time.sleep(1.05)


def is_untouched(api: Rated, token: str) -> bool:
    """Whether a bucket was full before this very call."""
    answer = api.call(token)
    return int(answer.headers["x-ratelimit-remaining"]) == int(answer.headers["x-ratelimit-limit"]) - 1


def refused(api: Rated, token: str) -> Any:
    """The first answer that is no admission."""
    return next(answer for answer in iter(lambda: api.call(token), None) if answer.status != 200)


def test_a_grant_gets_as_many_calls_as_its_plan_says(api: Callable[..., Rated], calls: Callable[..., Callers]) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 5}, {"name": "ouro", "callsPerSecond": 20}])
    small, large = rated.grant("básico").token(), rated.grant("ouro").token()
    for token, rate in ((small, 5), (large, 20)):
        rest()
        called = calls(rated, [token], 2.0)
        assert rate * 2 <= called.admitted <= called.most(rate)


def test_an_answer_says_what_is_left(api: Callable[..., Rated]) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 3}])
    token = rated.grant("básico").token()
    rest()
    answer = rated.call(token)
    assert (answer.status, answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-reset"]) == (200, "3", "1")
    assert 0 <= int(answer.headers["x-ratelimit-remaining"]) <= 2


def test_a_refusal_is_a_problem_that_says_when_to_try_again(api: Callable[..., Rated]) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 3}])
    answer = refused(rated, rated.grant("básico").token())
    assert (answer.status, answer.headers["content-type"]) == (429, "application/problem+json")
    assert answer.headers["retry-after"] == "1"
    assert [answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")] == ["3", "0", "1"]
    told = answer.json()
    assert (told["type"], told["status"]) == (f"{GATEWAY_URL}/problemas/limite-de-chamadas", 429)
    assert "Retry-After" in told["detail"]


def test_an_api_without_rates_says_nothing_of_rates(api: Callable[..., Rated], calls: Callable[..., Callers]) -> None:
    called = calls(rated := api(), [rated.grant().token()], 0.5)
    assert set(called.statuses) == {200}
    assert not [name for answer in called.headers for name in answer if "ratelimit" in name]


def test_all_keys_of_a_grant_share_its_rate_and_other_grants_have_their_own(
    api: Callable[..., Rated], calls: Callable[..., Callers]
) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 5}])
    grant, other = rated.grant("básico"), rated.grant("básico")
    old = grant.token()
    grant.rotate(1)
    new = grant.token()
    assert claims_of(old)["client_id"] != claims_of(new)["client_id"]
    rest()
    shared = calls(rated, [old, new], 2.0)
    assert 10 <= shared.admitted <= shared.most(5)
    rest()
    apart = calls(rated, [new, other.token()], 2.0)
    assert 20 <= apart.admitted <= 2 * apart.most(5)


def test_each_api_is_counted_apart(api: Callable[..., Rated]) -> None:
    one, other = (api(plans=[{"name": "livre"}], capacity={"callsPerSecond": 5}) for _ in range(2))
    tokens = [rated.grant("livre").token() for rated in (one, other)]
    rest()
    assert refused(one, tokens[0]).status == 429
    assert is_untouched(other, tokens[1])


def test_the_capacity_holds_for_all_consumers_together(
    api: Callable[..., Rated], calls: Callable[..., Callers]
) -> None:
    rated = api(plans=[{"name": "livre"}, {"name": "básico", "callsPerSecond": 5}], capacity={"callsPerSecond": 10})
    tokens = [rated.grant(plan).token() for plan in ("livre", "livre", "básico")]
    rest()
    called = calls(rated, tokens, 2.0)
    assert 20 <= called.admitted <= called.most(10)
    shown = {(answer["x-ratelimit-limit"]) for answer in called.headers}
    assert shown == {"10", "5"}, "an answer speaks of the plan's rate, if the plan has one"
    assert refused(rated, tokens[0]).headers["retry-after"] == "1"


def test_what_its_plan_refuses_is_not_taken_from_the_capacity(
    api: Callable[..., Rated], calls: Callable[..., Callers]
) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 2}, {"name": "livre"}], capacity={"callsPerSecond": 20})
    greedy, other = rated.grant("básico").token(), rated.grant("livre").token()
    rest()
    calls(rated, [greedy] * 4, 1.0)
    assert int(rated.call(other).headers["x-ratelimit-remaining"]) >= 20 - 1 - 4


def test_under_saturation_no_more_pass_than_are_in_flight(
    api: Callable[..., Rated], calls: Callable[..., Callers]
) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 50}], capacity={"callsPerSecond": 80})
    tokens = [rated.grant("básico").token() for _ in range(3)]
    rest()
    called = calls(rated, tokens * 10, 4.0)
    called.tell(80)
    assert called.statuses.count(429) > called.admitted, "there were more calls than the rates allow"
    assert 80 * 4 <= called.admitted <= called.most(80) + len(tokens * 10)


def test_no_counter_moves_when_anything_else_changes(
    api: Callable[..., Rated], calls: Callable[..., Callers], gateway: Gateway, agency: str
) -> None:
    """Plans come, go and change places, a key is rotated, another API comes and goes. Each would be a full bucket."""
    basic = {"name": "básico", "callsPerSecond": 2}
    others = [{"name": f"p{number}", "callsPerSecond": number} for number in range(1, 8)]
    rated = api(plans=[basic, *others[:2]])
    grant = rated.grant("básico")
    token = grant.token()

    def disturb() -> int:
        changes = 0
        for plans in ([*others, basic], [basic, *others], [others[3], basic], [basic], [others[0], others[5], basic]):
            rated.change(plans=plans, capacity={"callsPerSecond": 1000 + changes})
            changes += 1
        grant.rotate(1)
        for _ in range(3):
            other = Rated(gateway, agency, plans=[basic])
            kubectl("delete", "conectaapi", other.name, "-n", agency, "--wait=false")
            changes += 2
        return changes + 1

    async def both() -> int:
        calling = asyncio.create_task(callers.run(30))
        changes = await asyncio.to_thread(disturb)
        callers.stop()
        await calling
        return changes

    callers = Callers(Layout(), rated.path, [token], pause=0.02)
    changes = asyncio.run(both())
    callers.tell(2)
    assert changes >= 12
    assert callers.admitted <= callers.most(2) + 1
    assert callers.admitted >= 2 * callers.seconds - 2
    assert calls(rated, [grant.token()], 0.5).statuses


def test_a_changed_rate_holds_for_tokens_that_are_out_already(
    api: Callable[..., Rated], calls: Callable[..., Callers]
) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 2}])
    token = rated.grant("básico").token()
    rated.change(plans=[{"name": "básico", "callsPerSecond": 40}])
    eventually(lambda: rated.call(token).headers["x-ratelimit-limit"] == "40")
    called = calls(rated, [token] * 4, 2.0)
    assert 60 <= called.admitted <= called.most(40)


@pytest.mark.parametrize("scopes", ["none", "unknown"])
def test_a_token_without_a_known_plan_gets_the_lowest_rate(
    api: Callable[..., Rated], calls: Callable[..., Callers], issuer: IssuerAdmin, scopes: str
) -> None:
    rated = api(plans=[{"name": "livre"}, {"name": "básico", "callsPerSecond": 3}, {"name": "b", "callsPerSecond": 9}])
    claims = claims_of(rated.grant("livre").token())
    left = [scope for scope in claims["scp"] if scope != f"plan:{plan_code('livre')}"]
    known = [*left, f"plan:{plan_code('outro')}"] if scopes == "unknown" else left
    token = issuer.sign({**claims, "scp": known, "scope": " ".join(known), "jti": str(uuid.uuid4())})
    rest()
    called = calls(rated, [token], 2.0)
    assert 6 <= called.admitted <= called.most(3)


def test_who_is_refused_for_another_reason_is_not_counted(api: Callable[..., Rated]) -> None:
    rated = api(plans=[{"name": "básico", "callsPerSecond": 2}], capacity={"callsPerSecond": 2})
    token = rated.grant("básico").token()
    rest()
    assert {rated.gateway.request("GET", rated.path).status for _ in range(20)} == {401}
    assert is_untouched(rated, token)


def test_the_gateways_objects_do_not_grow_with_grants(api: Callable[..., Rated], agency: str) -> None:
    """With 1, 10 and 100 of them: the same objects, of the same size."""
    rated = api(plans=[{"name": "básico", "callsPerSecond": 5}, {"name": "ouro", "callsPerSecond": 50}])
    sizes = []
    asked = 0
    for number in (1, 10, 100):
        rated.ask(*(f"g{number}" for number in range(asked, number)), plan="básico")
        asked = number
        eventually(lambda number=number: _active(rated) == number, 120)  # type: ignore[misc]
        sizes.append(_generated(agency))
    assert sizes[0] == sizes[1] == sizes[2]


def _active(rated: Rated) -> int:
    done = kubectl("get", "conectaapi", rated.name, "-n", rated.namespace, "-o", "jsonpath={.status.grants.active}")
    return int(done.stdout or 0)


def _generated(agency: str) -> dict[str, str]:
    kinds = (
        "httproutes,securitypolicies,backendtrafficpolicies,backends,backendtlspolicies,envoyextensionpolicies,"
        "httproutefilters,clienttrafficpolicies,envoypatchpolicies"
    )
    path = "{range .items[*]}{.kind} {.metadata.name} {.spec}{.metadata.annotations}{'\\n'}{end}"
    return {"objects": kubectl("get", kinds, "-n", agency, "-o", f"jsonpath={path}").stdout}
