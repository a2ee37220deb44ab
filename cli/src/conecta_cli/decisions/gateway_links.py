"""The links of the chain that the gateway holds: the API's route, and the policy that guards it."""

from collections.abc import Iterable
from typing import Any, Final

from conecta_cli.decisions.chain import Evidence, Link, Mender, Missing, Seen
from conecta_cli.decisions.grants import api_key, keys
from conecta_cli.decisions.links import stated
from conecta_operator.api.conditions import ConditionStatus, ConditionType, ProgrammedReason
from conecta_operator.api.objects import Manifest

__all__ = ["policy_link", "route_link"]

_OF_ROUTES: Final = ("Accepted", "ResolvedRefs")
_OF_POLICIES: Final = ("Accepted",)


def route_link(evidence: Evidence) -> Link:
    """Whether the gateway has a way to the provider's backend."""
    route = evidence.route
    if isinstance(route, Missing):
        return _unseen(evidence, route, "route", "HTTPRoute")
    return _judged("route", route, "parents", _OF_ROUTES)


def policy_link(evidence: Evidence) -> Link:
    """Whether the gateway knows whom to let through, and lets this key through."""
    policy = evidence.policy
    if isinstance(policy, Missing):
        return _unseen(evidence, policy, "policy", "SecurityPolicy")
    judged = _judged("policy", policy, "ancestors", _OF_POLICIES)
    refused = _denied(policy) & {key["clientId"] for key in keys(evidence.grant)}
    if judged.remedy is None and refused:
        return Link.waits("policy", f"the gateway still refuses the key {', '.join(sorted(refused))}")
    return judged


def _unseen(evidence: Evidence, why: Missing, link: str, kind: str) -> Link:
    reference = api_key(evidence.grant)
    name = f"{kind} {reference.namespace}/{reference.name}"
    if why is Missing.ABSENT:
        return Link.waits(link, f"{name} does not exist: the operator writes it while the API is accepted")
    found = _programmed(evidence.api) or stated(evidence.grant, ConditionType.PROGRAMMED)
    if found is None:
        return Link.waits(link, f"you may not read {name}, and the operator says nothing of the gateway yet")
    if found["status"] == ConditionStatus.TRUE:
        return Link.ok(link, f"the gateway serves the API, says its status; you may not read {name}")
    if found["reason"] == ProgrammedReason.REFUSED:
        return Link.wrong(link, found["message"], Mender.PROVIDER)
    return Link.waits(link, found["message"])


def _programmed(api: Seen) -> dict[str, Any] | None:
    return None if isinstance(api, Missing) else stated(api, ConditionType.PROGRAMMED)


def _judged(link: str, manifest: Manifest, entries: str, required: Iterable[str]) -> Link:
    name = f"{manifest['kind']} {manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
    generation = manifest["metadata"].get("generation")
    answers = [
        condition
        for entry in (manifest.get("status") or {}).get(entries) or []
        for condition in entry.get("conditions") or []
        if condition.get("observedGeneration") == generation and condition["type"] in required
    ]
    for condition in answers:
        if condition["status"] == ConditionStatus.FALSE:
            says = f"the gateway refuses {name}: {condition['reason']}: {condition['message']}"
            return Link.wrong(link, says, Mender.PROVIDER)
    if not {condition["type"] for condition in answers}.issuperset(required):
        return Link.waits(link, f"the gateway has not answered yet about {name}")
    return Link.ok(link, f"the gateway accepts {name}")


def _denied(policy: Manifest) -> set[str]:
    """The client ids whose tokens the policy refuses."""
    rules = (policy["spec"].get("authorization") or {}).get("rules") or []
    return {
        value
        for rule in rules
        if rule.get("action") == "Deny"
        for claim in ((rule.get("principal") or {}).get("jwt") or {}).get("claims") or []
        if claim["name"] == "client_id"
        for value in claim["values"]
    }
