"""Rates: Envoy's own token buckets, by one constant set of filters for all APIs (ADR 0009).

Envoy Gateway's BackendTrafficPolicy would put the buckets into each route, and Envoy makes all routes anew, with full
buckets, whenever one of them changes. These are the listener's: they are there before the first API, and no change of
APIs, plans or grants touches them. What differs between APIs are the rates, which the operator writes to the routes as
annotations (`plan/rates.py`): Envoy sees them as the route's metadata.

Every bucket has the same size, and a call costs a share of it: one fifth at five calls per second. So there is one kind
of bucket for grants and one for APIs, however many rates there are.
"""

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["BUCKET", "rate_filters"]

BUCKET: Final = 1_000_000_000
"""What flows into a bucket each second, and the most that it holds: the most that Envoy lets a call cost, at 1/s."""

_EXTENSIONS: Final = "type.googleapis.com/envoy.extensions"
_NAMESPACE: Final = "conecta.rates"
_TOLD: Final = "xds.route_metadata.filter_metadata['envoy-gateway'].resources[0].annotations"
_PLAN: Final = f"metadata.filter_metadata['{_NAMESPACE}']['plan']"
_NOTHING: Final = f"{_TOLD}['nothing']"
"""There is no such annotation: the expression fails, and with it Envoy leaves the limit alone."""

_PLAN_RATE: Final = (
    f"(({_PLAN} in {_TOLD}) ? {_TOLD}[{_PLAN}] : (('plan-other' in {_TOLD}) ? {_TOLD}['plan-other'] : '0'))"
)
_CAPACITY: Final = f"{_TOLD}['capacity']"
_HAS_PLAN_RATE: Final = f"{_PLAN_RATE} != '0'"
_IS_CALL: Final = "xds.cluster_name != ''"
"""What the gateway answers itself, such as a call without what its API demands, does not count."""


def rate_filters() -> list[dict[str, Any]]:
    """The filters in their order: who calls by which plan, what the answer says of rates, the two limits.

    The grant's bucket comes first: what its plan refuses is not taken from the capacity, which is everybody's.
    """
    return [
        _reading_the_scopes(),
        _telling_the_rates(),
        _limit("plan", ("api", "grant"), [_count(_HAS_PLAN_RATE, _PLAN_RATE, by_grant=True, is_told=True)]),
        _limit(
            "capacity",
            ("api",),
            [
                _count(_HAS_PLAN_RATE, _CAPACITY, by_grant=False, is_told=False),
                _count(f"!({_HAS_PLAN_RATE})", _CAPACITY, by_grant=False, is_told=True),
            ],
        ),
    ]


def _reading_the_scopes() -> dict[str, Any]:
    def rule(name: str, scope: str, substitution: str) -> dict[str, Any]:
        pattern = {"regex": f"^(?:.* )?{scope}:([0-9a-f]{{8}})(?: .*)?$"}
        rewrite = {"pattern": pattern, "substitution": substitution}
        present = {"metadata_namespace": _NAMESPACE, "key": name, "type": "STRING", "regex_value_rewrite": rewrite}
        return {"header": "x-conecta-scope", "on_header_present": present}

    rules = [rule("plan", "plan", r"plan-\1"), rule("grant", "grant", r"\1")]
    return _filter("header_to_metadata", "conecta.rates.scopes", {"request_rules": rules}, kind="Config")


def _telling_the_rates() -> dict[str, Any]:
    rate = f"({_HAS_PLAN_RATE} ? int({_PLAN_RATE}) : int({_CAPACITY}))"
    left = f"int(response.headers['x-ratelimit-remaining']) / ({BUCKET} / {rate})"
    told = {"x-ratelimit-remaining": f"%CEL({left})%", "x-ratelimit-limit": f"%CEL({rate})%", "x-ratelimit-reset": "1"}
    mutations = [
        {"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS"}}
        for name, value in told.items()
    ]
    config = {"mutations": {"response_mutations": mutations}}
    return _filter("header_mutation", "conecta.rates.headers", config, kind="HeaderMutation")


def _count(condition: str, rate: str, *, by_grant: bool, is_told: bool) -> dict[str, Any]:
    """Which bucket a call draws on, what it costs, and whether the answer speaks of that bucket.

    Where the condition does not hold, or there is no rate, the limit is left alone.
    """
    api = f"({_IS_CALL} && {condition} && int({rate}) > 0) ? {_TOLD}['api'] : {_NOTHING}"
    grant = {
        "metadata": {
            "descriptor_key": "grant",
            "metadata_key": {"key": _NAMESPACE, "path": [{"key": "grant"}]},
            "source": "DYNAMIC",
        }
    }
    return {
        "actions": [_expression("api", api), *([grant] if by_grant else [])],
        "hits_addend": {"format": f"%CEL({BUCKET} / int({rate}))%"},
        "x_ratelimit_option": "DRAFT_VERSION_03" if is_told else "OFF",
    }


def _expression(key: str, text: str) -> dict[str, Any]:
    kind = f"{_EXTENSIONS}.rate_limit_descriptors.expr.v3.Descriptor"
    config = {"@type": kind, "descriptor_key": key, "text": text}
    return {"extension": {"name": "envoy.rate_limit_descriptors.expr", "typed_config": config}}


def _limit(name: str, keys: Sequence[str], counts: list[dict[str, Any]]) -> dict[str, Any]:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    bucket = {"max_tokens": BUCKET, "tokens_per_fill": BUCKET, "fill_interval": "1s"}
    config = {
        "stat_prefix": f"conecta_{name}",
        "filter_enabled": always,
        "filter_enforced": always,
        "token_bucket": {**bucket, "max_tokens": 4294967295, "tokens_per_fill": 4294967295},
        "always_consume_default_token_bucket": False,
        "max_dynamic_descriptors": 100_000,
        "descriptors": [{"entries": [{"key": key} for key in keys], "token_bucket": bucket}],
        "rate_limits": counts,
    }
    return _filter("local_ratelimit", f"conecta.rates.{name}", config, kind="LocalRateLimit")


def _filter(package: str, name: str, config: dict[str, Any], *, kind: str) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_EXTENSIONS}.filters.http.{package}.v3.{kind}", **config}}
