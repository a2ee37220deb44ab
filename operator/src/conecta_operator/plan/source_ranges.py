"""Where a grant's calls may come from: a rule in its API's policy, which must be there before the grant has a key."""

from conecta_operator.api.approvals import Terms
from conecta_operator.api.objects import Manifest
from conecta_operator.plan import naming
from conecta_operator.plan.verdict import Answer, verdict
from conecta_operator.plan.world import GrantWorld

__all__ = ["are_enforced"]


def are_enforced(world: GrantWorld, terms: Terms) -> bool:
    """Whether no call from elsewhere gets through: the gateway has the rule, serves nothing, or any place is fine."""
    policy = world.policy
    if policy is None or not terms.source_ranges:
        return True
    return _has_rule(policy, world, terms) and verdict([policy], world.platform).answer is Answer.ACCEPTED


def _has_rule(policy: Manifest, world: GrantWorld, terms: Terms) -> bool:
    scope, ranges = naming.grant_scope(world.grant), sorted(terms.source_ranges)
    return any(
        rule.get("principal", {}).get("clientCIDRs") == ranges
        and scope in rule["principal"].get("jwt", {}).get("scopes", [])
        for rule in policy["spec"]["authorization"]["rules"]
    )
