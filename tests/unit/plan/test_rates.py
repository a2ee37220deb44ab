"""What the gateway is told of an API's rates."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.plan.naming import plan_code
from conecta_operator.plan.rates import annotations_of

PREFIX = "gateway.envoyproxy.io/"


def told(plans: list[dict[str, Any]], capacity: dict[str, Any] | None = None) -> dict[str, str]:
    """The annotations without their prefix, of an API with these plans and this capacity."""
    spec = {
        "title": "CEP",
        "contacts": [{"name": "Equipe", "email": "cep@receita.example"}],
        "version": "v1",
        "backend": {"url": "https://servicos.receita.example"},
        "plans": plans,
        "capacity": capacity or {},
    }
    uid = "6f1c0000-aaaa-4bbb-8ccc-000000000001"
    metadata = {"name": "cep", "namespace": "receita", "uid": uid, "resourceVersion": "1", "generation": 1}
    api = ConectaApi.parse({"metadata": {**metadata, "creationTimestamp": "2026-11-01T00:00:00Z"}, "spec": spec})
    annotations = annotations_of(api)
    assert all(name.startswith(PREFIX) for name in annotations)
    return {name.removeprefix(PREFIX): value for name, value in annotations.items()}


def test_an_api_without_rates_says_nothing() -> None:
    assert told([]) == {}
    assert told([{"name": "básico"}], {"onQuotaFailure": "Closed"}) == {}


def test_a_capacity_alone_holds_for_all() -> None:
    assert told([], {"callsPerSecond": 200}) == {"api": "6f1c0000", "capacity": "200", "quota-failure": "Open"}


def test_each_plan_has_its_rate_under_its_code() -> None:
    plans = [{"name": "básico", "callsPerSecond": 5}, {"name": "ouro", "callsPerSecond": 50}]
    assert told(plans, {"onQuotaFailure": "Closed"}) == {
        "api": "6f1c0000",
        f"plan-{plan_code('básico')}": "5",
        f"plan-{plan_code('ouro')}": "50",
        "plan-other": "5",
        "quota-failure": "Closed",
    }


def test_a_plan_without_rate_is_known_beside_those_that_have_one() -> None:
    """Else its calls would be taken for those of a plan that the gateway doesn't know."""
    rates = told([{"name": "livre"}, {"name": "básico", "callsPerSecond": 5}])
    assert rates[f"plan-{plan_code('livre')}"] == "0"
    assert rates["plan-other"] == "5"


@given(st.permutations([("a", 1), ("b", 7), ("c", None), ("d", 100_000)]))
def test_the_order_of_plans_means_nothing(plans: list[tuple[str, int | None]]) -> None:
    written = [{"name": name, "callsPerSecond": rate} for name, rate in plans]
    assert told(written) == told(sorted(written, key=str))


def test_a_plan_that_admits_no_grants_keeps_its_rate() -> None:
    """Until the gateway refuses its tokens, they are no better off for it."""
    plan = {"name": "básico", "callsPerSecond": 5, "active": False}
    assert told([plan])[f"plan-{plan_code('básico')}"] == "5"
