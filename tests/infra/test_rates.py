"""The filters that count calls."""

from infra.rates import BUCKET, rate_filters

NAMES = ["conecta.rates.scopes", "conecta.rates.headers", "conecta.rates.plan", "conecta.rates.capacity"]


def test_who_calls_is_known_before_it_is_counted_and_the_grant_is_counted_before_all_together() -> None:
    assert [added["name"] for added in rate_filters()] == NAMES


def test_the_highest_rate_costs_a_whole_number_and_the_lowest_a_whole_bucket() -> None:
    assert BUCKET % 100_000 == 0
    assert BUCKET <= 1_000_000_000, "the most that Envoy lets a call cost"


def test_each_limit_has_one_kind_of_bucket_whatever_rates_there_are() -> None:
    for limit in rate_filters()[2:]:
        (descriptor,) = limit["typed_config"]["descriptors"]
        assert "value" not in descriptor["entries"][0]
        assert descriptor["token_bucket"]["max_tokens"] == BUCKET


def test_an_answer_speaks_of_one_bucket_only() -> None:
    """Of the grant's if its plan has a rate, else of the API's."""
    plan, capacity = (limit["typed_config"]["rate_limits"] for limit in rate_filters()[2:])
    assert [count["x_ratelimit_option"] for count in plan] == ["DRAFT_VERSION_03"]
    assert sorted(count["x_ratelimit_option"] for count in capacity) == ["DRAFT_VERSION_03", "OFF"]
