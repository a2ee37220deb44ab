"""What the gateway is told of an API's rates: annotations of its route, which Envoy sees as the route's metadata.

They are all that there is of rates per API. What counts by them is one constant set of Envoy's filters, the same for
all APIs (`infra/rates.py`), so that no change of an API, a plan or a grant touches a counter (ADR 0009).
"""

from collections.abc import Mapping
from typing import Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.plan import naming
from conecta_operator.plan.writing import ROUTE_METADATA

__all__ = ["annotations_of"]

_UNLIMITED: Final = "0"


def annotations_of(api: ConectaApi) -> Mapping[str, str]:
    """The rates by name; none for an API that has no rates.

    Counters are the API's by its uid: those of a later API of its name begin anew.
    """
    capacity = api.spec.capacity
    rates = dict(_of_plans(api))
    if capacity.calls_per_second is not None:
        rates["capacity"] = str(capacity.calls_per_second)
    if not rates:
        return {}
    told = {"api": naming.short_uid(api.metadata), "quota-failure": capacity.on_quota_failure.value, **rates}
    return {f"{ROUTE_METADATA}{name}": told[name] for name in sorted(told)}


def _of_plans(api: ConectaApi) -> Mapping[str, str]:
    """A rate for each plan, and the lowest one for who has another plan, or none: it was approved before there was one.

    A plan without a rate must be told from one that the gateway doesn't know.
    """
    rates = {plan.name: plan.calls_per_second for plan in api.spec.plans}
    lowest = min((rate for rate in rates.values() if rate is not None), default=None)
    if lowest is None:
        return {}
    known = {f"plan-{naming.plan_code(name)}": str(rate or _UNLIMITED) for name, rate in rates.items()}
    return {**known, "plan-other": str(lowest)}
