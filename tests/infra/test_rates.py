"""The filters that count calls."""

import json

from infra.rate_service import configuration, counter_of, deployment, environment
from infra.rates import BUCKET, DOMAIN, rate_filters
from infra.settings import RatesSettings

RATELIMIT = f"envoyproxy/ratelimit@sha256:{'0' * 64}"
NAMES = ["conecta.rates.scopes", "conecta.rates.headers", "conecta.rates.plan", "conecta.rates.capacity"]


def test_who_calls_is_known_before_it_is_counted_and_the_grant_is_counted_before_all_together() -> None:
    assert [added["name"] for added in rate_filters(shared=False)] == NAMES


def test_the_highest_rate_costs_a_whole_number_and_the_lowest_a_whole_bucket() -> None:
    assert BUCKET % 100_000 == 0
    assert BUCKET <= 1_000_000_000, "the most that Envoy lets a call cost"


def test_each_limit_has_one_kind_of_bucket_whatever_rates_there_are() -> None:
    for limit in rate_filters(shared=False)[2:]:
        (descriptor,) = limit["typed_config"]["descriptors"]
        assert "value" not in descriptor["entries"][0]
        assert descriptor["token_bucket"]["max_tokens"] == BUCKET


def test_an_answer_speaks_of_one_bucket_only() -> None:
    """Of the grant's if its plan has a rate, else of the API's."""
    plan, capacity = (limit["typed_config"]["rate_limits"] for limit in rate_filters(shared=False)[2:])
    assert [count["x_ratelimit_option"] for count in plan] == ["DRAFT_VERSION_03"]
    assert sorted(count["x_ratelimit_option"] for count in capacity) == ["DRAFT_VERSION_03", "OFF"]


def test_calls_are_counted_by_all_replicas_after_each_has_counted_for_itself() -> None:
    filters = rate_filters(shared=True)
    assert [added["name"] for added in filters] == [*NAMES, "conecta.rates.shared-open", "conecta.rates.shared-closed"]
    is_closed = {added["name"]: added["typed_config"]["failure_mode_deny"] for added in filters[4:]}
    assert is_closed == {"conecta.rates.shared-open": False, "conecta.rates.shared-closed": True}
    told = [count["x_ratelimit_option"] for limit in filters[2:4] for count in limit["typed_config"]["rate_limits"]]
    assert set(told) == {"OFF"}, "an answer speaks of what decides, which is the count of all"


def test_the_service_counts_in_the_same_measure_as_envoy() -> None:
    (text,) = configuration().values()
    counters = json.loads(text)
    (api,) = counters["descriptors"]
    assert counters["domain"] == DOMAIN
    assert [api["key"], api["descriptors"][0]["key"]] == ["api", "grant"]
    assert api["rate_limit"] == api["descriptors"][0]["rate_limit"] == {"unit": "second", "requests_per_unit": BUCKET}


def test_the_gateway_finds_the_service_that_is_deployed_or_the_one_that_is_named() -> None:
    ours = RatesSettings.model_validate({"image": RATELIMIT, "redis": "redis.quota:6379", "redisSecret": "redis"})
    assert counter_of(ours) == "conecta-ratelimit.conecta-gateway.svc:8081"
    assert counter_of(RatesSettings.model_validate({"service": "quota.example:8081"})) == "quota.example:8081"
    told = {setting["name"]: setting.get("value", "a secret") for setting in environment(ours)}
    assert (told["REDIS_URL"], told["REDIS_AUTH"]) == ("redis.quota:6379", "a secret")
    assert told["STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT"] == "true"


def test_the_services_pods_may_nothing() -> None:
    pod = deployment(RatesSettings.model_validate({"image": RATELIMIT, "redis": "r:1"}))["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
