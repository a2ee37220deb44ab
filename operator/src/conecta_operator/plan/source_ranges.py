"""Where calls may come from: rules in the API's policy, which must be there before a grant with ranges has a key."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from conecta_operator.api.approvals import Terms
from conecta_operator.api.objects import Manifest
from conecta_operator.plan import naming
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.world import GrantWorld

__all__ = ["are_enforced", "common"]

Network = IPv4Network | IPv6Network


def common(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The ranges of the addresses that are in both: of two ranges that meet, one holds the other."""
    found = {
        ours if _is_within(ours, theirs) else theirs
        for ours in map(ip_network, some)
        for theirs in map(ip_network, others)
        if _is_within(ours, theirs) or _is_within(theirs, ours)
    }
    return tuple(sorted(map(str, found)))


def are_enforced(world: GrantWorld, terms: Terms) -> bool:
    """Whether no call from elsewhere gets through: the gateway has the rules, serves nothing, or any place is fine."""
    policy = world.policy
    if policy is None or not terms.source_ranges:
        return True
    return _has_rules(policy, world, terms) and verdict([policy], world.platform).answer is Answer.ACCEPTED


def _has_rules(policy: Manifest, world: GrantWorld, terms: Terms) -> bool:
    """One that denies the grant's calls, and before it none that admits them from more places than were approved."""
    scope = naming.grant_scope(world.grant)
    about = [rule for rule in policy["spec"]["authorization"]["rules"] if scope in _scopes(rule)]
    admitted = [place for rule in about if rule["action"] == "Allow" for place in rule["principal"]["clientCIDRs"]]
    return any(rule["action"] == "Deny" for rule in about) and _are_within(admitted, terms.source_ranges)


def _scopes(rule: Manifest) -> Sequence[str]:
    scopes: Any = rule.get("principal", {}).get("jwt", {}).get("scopes", ())
    return tuple(scopes)


def _are_within(places: Iterable[str], ranges: Sequence[str]) -> bool:
    return all(any(_is_within(ip_network(place), ip_network(wider)) for wider in ranges) for place in places)


def _is_within(some: Network, others: Network) -> bool:
    return some.version == others.version and some.subnet_of(others)  # type: ignore[arg-type]
