"""Rates: Envoy's own token buckets, by one constant set of filters for all APIs (ADR 0009).

Envoy Gateway's BackendTrafficPolicy would put the buckets into each route, and Envoy makes all routes anew, with full
buckets, whenever one of them changes. These are the listener's: they are there before the first API, and no change of
APIs, plans or grants touches them. What differs between APIs are the rates, which the operator writes to the routes as
annotations (`plan/rates.py`): Envoy sees them as the route's metadata.

Every bucket has the same size, and a call costs a share of it: one fifth at five calls per second. So there is one kind
of bucket for grants and one for APIs, however many rates there are.

With several replicas of the gateway (`rates.mode` `Shared`) two more filters ask a service that counts for all of them
(envoyproxy/ratelimit, and Redis). Each replica's own buckets stay: they bound what passes while that service is away.
"""

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["BUCKET", "CLUSTER", "DOMAIN", "counting_service", "rate_filters"]

BUCKET: Final = 1_000_000_000
"""What flows into a bucket each second, and the most that it holds: the most that Envoy lets a call cost, at 1/s."""

DOMAIN: Final = "conecta"
"""Of our counters in the service."""
CLUSTER: Final = "conecta_ratelimit"
"""What Envoy calls the service."""
PATIENCE: Final = "0.2s"
"""How long a call waits for the service. With Envoy's default, 0.02 s, one in twenty passes uncounted in a rush."""

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
_RATE: Final = f"({_HAS_PLAN_RATE} ? {_PLAN_RATE} : {_CAPACITY})"
"""The one that an answer speaks of."""
_HAS_RATE: Final = f"({_HAS_PLAN_RATE} || 'capacity' in {_TOLD})"
_IS_CALL: Final = "xds.cluster_name != ''"
"""What the gateway answers itself, such as a call without what its API demands, does not count."""


def rate_filters(*, shared: bool) -> list[dict[str, Any]]:
    """The filters in their order: who calls by which plan, what the answer says of rates, the limits.

    The grant's bucket comes first: what its plan refuses is not taken from the capacity, which is everybody's. An
    answer tells of the counts that decide: those that the replicas share, if they do.
    """
    return [
        _reading_the_scopes(),
        _telling_the_rates(),
        _limit("plan", ("api", "grant"), _counts_of_plan(is_told=not shared)),
        _limit("capacity", ("api",), _counts_of_capacity(is_told=not shared)),
        *([_shared_limit("Open"), _shared_limit("Closed")] if shared else []),
    ]


def counting_service(host: str, port: int) -> dict[str, Any]:
    """The cluster by which Envoy reaches the service that counts for all replicas."""
    endpoint = {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
    options = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    http2 = {"@type": options, "explicit_http_config": {"http2_protocol_options": {}}}
    return {
        "name": CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "dns_lookup_family": "V4_PREFERRED",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
    }


def _counts_of_plan(condition: str = "true", *, is_told: bool) -> list[dict[str, Any]]:
    return [_count(f"{condition} && {_HAS_PLAN_RATE}", _PLAN_RATE, by_grant=True, is_told=is_told)]


def _counts_of_capacity(condition: str = "true", *, is_told: bool) -> list[dict[str, Any]]:
    """The same count in two cases: only one whose plan has no rate is told of what all may do together."""
    return [
        _count(f"{condition} && {_HAS_PLAN_RATE}", _CAPACITY, by_grant=False, is_told=False),
        _count(f"{condition} && !({_HAS_PLAN_RATE})", _CAPACITY, by_grant=False, is_told=is_told),
    ]


def _shared_limit(failure: str) -> dict[str, Any]:
    """One for the APIs that go on while the service is away, one for those that don't."""
    condition = f"{_TOLD}['quota-failure'] == '{failure}'"
    config = {
        "domain": DOMAIN,
        "stat_prefix": failure.lower(),
        "timeout": PATIENCE,
        "failure_mode_deny": failure == "Closed",
        "status_on_error": {"code": "ServiceUnavailable"},
        "disable_x_envoy_ratelimited_header": True,
        "rate_limit_service": {
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}},
        },
        "rate_limits": [
            *_counts_of_plan(condition, is_told=True),
            *_counts_of_capacity(condition, is_told=True),
        ],
    }
    return _filter("ratelimit", f"conecta.rates.shared-{failure.lower()}", config, kind="RateLimit")


def _reading_the_scopes() -> dict[str, Any]:
    def rule(name: str, scope: str, substitution: str) -> dict[str, Any]:
        pattern = {"regex": f"^(?:.* )?{scope}:([0-9a-f]{{8}})(?: .*)?$"}
        rewrite = {"pattern": pattern, "substitution": substitution}
        present = {"metadata_namespace": _NAMESPACE, "key": name, "type": "STRING", "regex_value_rewrite": rewrite}
        return {"header": "x-conecta-scope", "on_header_present": present}

    rules = [rule("plan", "plan", r"plan-\1"), rule("grant", "grant", r"\1")]
    return _filter("header_to_metadata", "conecta.rates.scopes", {"request_rules": rules}, kind="Config")


def _telling_the_rates() -> dict[str, Any]:
    """In calls, where the filters after it speak of what is in the buckets.

    What a replica's own buckets refuse is told of here, where these tell nothing themselves.
    """
    left = f"int(response.headers['x-ratelimit-remaining']) / ({BUCKET} / int({_RATE}))"
    told = {"x-ratelimit-remaining": f"%CEL({left})%", "x-ratelimit-limit": f"%CEL({_RATE})%", "x-ratelimit-reset": "1"}
    refused = f"response.code_details == 'local_rate_limited' && {_HAS_RATE}"
    untold = {
        "x-ratelimit-remaining": f"%CEL({refused} ? '0' : '')%",
        "x-ratelimit-limit": f"%CEL({refused} ? {_RATE} : '')%",
        "x-ratelimit-reset": f"%CEL({refused} ? '1' : '')%",
    }
    mutations = [
        {"append": {"header": {"key": name, "value": value}, "append_action": action}}
        for action, headers in (("OVERWRITE_IF_EXISTS", told), ("ADD_IF_ABSENT", untold))
        for name, value in headers.items()
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
