"""The links of the chain that the receiver and the provider hold: API, approval, term, key."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from conecta_cli.decisions.chain import Evidence, Link, Mender, Missing
from conecta_cli.decisions.grants import (
    api_key,
    approval_condition,
    changed_terms,
    condition,
    decision,
    instant,
    is_for_another_api,
    keys,
    shown,
)
from conecta_operator.api.approvals import Decision
from conecta_operator.api.conditions import (
    AcceptedReason,
    ApprovedReason,
    ConditionStatus,
    ConditionType,
    CredentialsReadyReason,
)
from conecta_operator.api.conecta_grant import KeyState
from conecta_operator.api.objects import Manifest

__all__ = ["api_link", "approval_link", "key_link", "secret_name", "stated", "term_link", "text_of"]

_NOT_BY_AUTHORS: Final[Mapping[str, Mender]] = {AcceptedReason.NOT_AN_AGENCY: Mender.PLATFORM}
"""Reasons for which it is not whoever wrote the object that mends it."""

_KEY_MENDERS: Final[Mapping[str, Mender]] = {
    CredentialsReadyReason.AGENCY_SUSPENDED: Mender.PLATFORM,
    CredentialsReadyReason.CONFLICTED: Mender.RECEIVER,
    CredentialsReadyReason.SUSPENDED: Mender.RECEIVER,
}
"""Reasons of CredentialsReady for which somebody has to change something; all others follow from another link."""


def api_link(evidence: Evidence) -> Link:
    """Whether the API is there and offered."""
    reference = api_key(evidence.grant)
    name, api = f"ConectaApi {reference.namespace}/{reference.name}", evidence.api
    if api is Missing.ABSENT:
        return Link.wrong(
            "API",
            f"{name} does not exist",
            Mender.RECEIVER,
            "delete this grant and create one for an API that there is; spec.apiRef can't be changed",
        )
    if isinstance(api, Missing):
        return _reported(evidence.grant, ConditionType.RESOLVED_REFS, "API", f"{name} exists; you may not read it")
    if api["metadata"].get("deletionTimestamp"):
        return Link.wrong("API", f"{name} is being deleted", Mender.PROVIDER)
    for type_ in (ConditionType.ACCEPTED, ConditionType.RESOLVED_REFS):
        found = stated(api, type_)
        if found is None:
            return _unanswered(api, "API", name)
        if found["status"] != ConditionStatus.TRUE:
            return Link.wrong("API", found["message"], _NOT_BY_AUTHORS.get(found["reason"], Mender.PROVIDER))
    return Link.ok("API", f"{name}: {api['spec']['title']}")


def approval_link(evidence: Evidence) -> Link:
    """Whether the provider wants it."""
    grant = evidence.grant
    decided, name = decision(grant), shown(grant)
    approve = f"kubectl conecta approve {name}"
    found = approval_condition(grant)
    if decided.get("decision") in {Decision.DENIED, Decision.REVOKED}:
        return Link.wrong("approval", _sentence(decided), Mender.PROVIDER, approve)
    if found and found["status"] != ConditionStatus.TRUE and found["reason"] != ApprovedReason.PENDING:
        return Link.wrong("approval", found["message"], Mender.PROVIDER)
    if not decided and found is None:
        return _unanswered(grant, "approval", "the request")
    if not decided:
        return Link.waits("approval", "nobody has decided yet", Mender.PROVIDER, approve)
    if found and is_for_another_api(grant):
        return Link.waits("approval", found["message"], Mender.PROVIDER, approve)
    changed = changed_terms(grant)
    waiting = f"; a change of {', '.join(changed)} waits for approval, and what was approved goes on" if changed else ""
    return Link.ok("approval", _sentence(decided) + waiting)


def term_link(evidence: Evidence) -> Link:
    """Whether the request says all that is demanded, and whether it is its time."""
    spec = evidence.grant["spec"]
    accepted = _reported(evidence.grant, ConditionType.ACCEPTED, "term", _term(spec))
    if accepted.remedy is not None:
        return accepted
    decided = decision(evidence.grant)
    in_force = decided.get("terms") or {} if decided.get("decision") == Decision.APPROVED else spec
    until, begins = in_force.get("validUntil"), spec.get("validFrom")
    if until and instant(until) <= evidence.now:
        return _ended(evidence, until)
    if begins and instant(begins) > evidence.now:
        return Link.waits("term", f"the right begins at {begins} (spec.validFrom)", Mender.TIME)
    return Link.ok("term", _term(spec) + (f"; valid until {until}" if until else ""))


def key_link(evidence: Evidence) -> Link:
    """Whether there is a key, and the application can have it."""
    grant = evidence.grant
    if grant["spec"].get("suspended"):
        how = f"kubectl conecta resume {shown(grant)}"
        return Link.wrong("key", "the grant is suspended (spec.suspended)", Mender.RECEIVER, how)
    found = stated(grant, ConditionType.CREDENTIALS_READY)
    if found is None:
        return _unanswered(grant, "key", "the key")
    if found["status"] != ConditionStatus.TRUE:
        whose = _KEY_MENDERS.get(found["reason"])
        return Link.wrong("key", found["message"], whose) if whose else Link.waits("key", found["message"])
    return _key_in_secret(evidence)


def secret_name(grant: Manifest) -> str:
    """Where the key is, or will be."""
    bound = ((grant.get("status") or {}).get("binding") or {}).get("name")
    wanted = (grant["spec"].get("credential") or {}).get("secretName")
    return str(bound or wanted or f"{grant['metadata']['name']}-conecta")


def text_of(secret: Manifest, field: str) -> str | None:
    """One value of a Secret; None when it has none that is text."""
    try:
        return base64.b64decode((secret.get("data") or {})[field], validate=True).decode()
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
        return None


def stated(manifest: Manifest, type_: str) -> dict[str, Any] | None:
    """The condition as `condition` has it, but only if it says True or False."""
    found = condition(manifest, type_)
    return None if found is None or found["status"] == ConditionStatus.UNKNOWN else found


def _key_in_secret(evidence: Evidence) -> Link:
    grant = evidence.grant
    active = [key["clientId"] for key in keys(grant) if key["state"] == KeyState.ACTIVE]
    retiring = [f"; {key['clientId']} works until {key['retiresAt']}" for key in keys(grant) if key.get("retiresAt")]
    name, says = secret_name(grant), ", ".join(active) or "the key"
    if evidence.secret is Missing.FORBIDDEN:
        return Link.ok("key", f"{says} is in Secret {name}, which you may not read{''.join(retiring)}")
    if isinstance(evidence.secret, Missing):
        return Link.waits("key", f"Secret {name} is gone: a new key is being made")
    if text_of(evidence.secret, "client-id") not in active:
        return Link.waits("key", f"Secret {name} does not hold the key {says}: it is being put right")
    return Link.ok("key", f"{says} is in Secret {name}{''.join(retiring)}")


def _ended(evidence: Evidence, until: str) -> Link:
    asked, approve = evidence.grant["spec"].get("validUntil"), f"kubectl conecta approve {shown(evidence.grant)}"
    says = f"the right ended at {until} (validUntil)"
    if asked is None or instant(asked) > evidence.now:
        return Link.wrong("term", f"{says}; a longer one waits for approval", Mender.PROVIDER, approve)
    how = f"set a later spec.validUntil; the provider then runs {approve}"
    return Link.wrong("term", says, Mender.RECEIVER, how)


def _sentence(decided: Mapping[str, Any]) -> str:
    word = str(decided["decision"]).lower()
    by = f"the rule {decided['rule']}" if decided.get("rule") else decided["by"]
    message = f": {decided['message']}" if decided.get("message") else ""
    return f"{word} by {by} at {decided['at']}{message}"


def _term(spec: Mapping[str, Any]) -> str:
    term = spec.get("responsibilityTerm")
    if not term:
        return "no responsibility term is given, and none is demanded"
    return f"responsibility term {term['number']}, signed by {term['signedBy']}"


def _reported(grant: Manifest, type_: str, link: str, when_true: str) -> Link:
    found = stated(grant, type_)
    if found is None:
        return _unanswered(grant, link, "the request")
    if found["status"] == ConditionStatus.TRUE:
        return Link.ok(link, when_true)
    return Link.wrong(link, found["message"], _NOT_BY_AUTHORS.get(found["reason"], Mender.RECEIVER))


def _unanswered(manifest: Manifest, link: str, what: str) -> Link:
    trouble = condition(manifest, ConditionType.RECONCILING)
    because = f": {trouble['message']}" if trouble else ""
    return Link.waits(link, f"the operator has not answered yet about {what} as it is now{because}")
