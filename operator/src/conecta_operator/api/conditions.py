"""Conditions: how an object tells people and programs what became of it.

Each condition has a type, below, and a reason: one of the words listed for that type. `Accepted`, `Approved`,
`ResolvedRefs`, `CredentialsReady`, `Programmed`, `Isolated` and `Ready` are good when True; `Reconciling` and `Stalled`
are abnormal and present only while True (kstatus: https://github.com/kubernetes-sigs/cli-utils,
pkg/kstatus/README.md). A message says what is wrong, where, and what to do.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, ConfigDict, Field

from conecta_operator.api.durations import timestamp
from conecta_operator.api.fields import Reported
from conecta_operator.api.objects import Manifest

__all__ = [
    "REASONS",
    "AcceptedReason",
    "ApprovedReason",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "CredentialsReadyReason",
    "IsolatedReason",
    "ProgrammedReason",
    "ReadyReason",
    "ReconcilingReason",
    "ResolvedRefsReason",
    "StalledReason",
    "as_manifest",
    "merge",
]


class ConditionType(StrEnum):
    """All conditions of both kinds."""

    ACCEPTED = "Accepted"
    """The object is valid, and possible beside all others."""
    APPROVED = "Approved"
    """Grants: whoever answers for the API has admitted this application."""
    RESOLVED_REFS = "ResolvedRefs"
    """Whatever the object refers to exists and is usable."""
    CREDENTIALS_READY = "CredentialsReady"
    """Grants: the key is known to the token issuer and lies in the Secret."""
    PROGRAMMED = "Programmed"
    """The gateway itself says that it serves what this generation of the object asks for."""
    ISOLATED = "Isolated"
    """APIs: only the gateway, and whom the API names, reaches the backend's pods. Grants with a `workload`: its pods
    may reach the gateway. Both by NetworkPolicies, which the cluster's network must enforce. Ready doesn't wait for
    it."""
    READY = "Ready"
    """All of the above but Isolated that the object has; the only one that most people need. When it isn't True, its
    reason and message are those of the first condition that isn't either."""
    RECONCILING = "Reconciling"
    """The operator is still working, or will try again without being asked."""
    STALLED = "Stalled"
    """Trying again can't help: somebody has to change something."""


class AcceptedReason(StrEnum):
    """Reasons of `Accepted`."""

    ACCEPTED = "Accepted"
    """True: nothing stands against the object."""
    CONFLICTED = "Conflicted"
    """False: an older API has the same base path. It keeps it; this one serves nothing."""
    INVALID_BACKEND = "InvalidBackend"
    """False: `backend` names a place that the gateway must not or can't call."""
    NOT_AN_AGENCY = "NotAnAgency"
    """False: the namespace belongs to no agency; the platform team registers it."""
    INCOMPLETE_REQUEST = "IncompleteRequest"
    """False: the API has Personal or Sensitive data, and the grant lacks `purpose`, `legalBasis` or
    `responsibilityTerm`. The message names all that is missing."""
    UNKNOWN_PLAN = "UnknownPlan"
    """False: the grant must name one of the API's plans, or none if the API has none."""


class ApprovedReason(StrEnum):
    """Reasons of `Approved`."""

    APPROVED = "Approved"
    """True: somebody who may approve for the API has approved what the grant asks for."""
    AUTOMATIC = "Automatic"
    """True: the API admits every agency (`access.approval: Automatic`)."""
    PREAPPROVED = "Preapproved"
    """True: the API admits this agency for this plan (`access.preapproved`)."""
    CHANGE_PENDING = "ChangePending"
    """True: what was approved is in force, and the grant asks for something else now. The message names the fields that
    wait for a decision."""
    PENDING = "Pending"
    """False or Unknown: nobody has decided yet, or only over an API of that name which has been deleted since."""
    DENIED = "Denied"
    """False: somebody who may approve for the API has denied the request."""
    REVOKED = "Revoked"
    """False: somebody who may approve for the API has taken the right back. The key is revoked."""
    WITHDRAWN = "Withdrawn"
    """False: the rule that admitted the grant is gone from the API (`access`). The key is revoked; if the rule comes
    back, so does the right."""
    PLAN_INACTIVE = "PlanInactive"
    """False: the provider has switched the plan off (`plans[].active`). The key is revoked."""
    API_DELETED = "ApiDeleted"
    """False: the API is deleted or about to be. The key is revoked."""


class ResolvedRefsReason(StrEnum):
    """Reasons of `ResolvedRefs`."""

    RESOLVED_REFS = "ResolvedRefs"
    """True: everything that the object refers to is there."""
    BACKEND_NOT_FOUND = "BackendNotFound"
    """False: the Service of `backend.service` does not exist, or has no such port."""
    REF_NOT_FOUND = "RefNotFound"
    """False: another object that is referred to does not exist, or lacks the key that is read."""
    CERTIFICATE_EXPIRING = "CertificateExpiring"
    """True: everything is there, and a certificate in it ends within 30 days. The message says which, and when."""
    CERTIFICATE_EXPIRED = "CertificateExpired"
    """False: a certificate that is referred to has ended; the message says which."""
    API_NOT_FOUND = "ApiNotFound"
    """False: the ConectaApi of `apiRef` does not exist."""


class CredentialsReadyReason(StrEnum):
    """Reasons of `CredentialsReady`."""

    ISSUED = "Issued"
    """True: the key in the Secret works."""
    PENDING = "Pending"
    """False: not yet issued, because the grant isn't approved or the issuer is away."""
    CONFLICTED = "Conflicted"
    """False: a Secret of that name exists and is not the grant's. It is left alone; choose another `secretName`."""
    REVOKED = "Revoked"
    """False: the key is deleted and its tokens are refused."""
    REVOKING = "Revoking"
    """False: the key is being revoked; the message says what that waits for."""
    SUSPENDED = "Suspended"
    """False: `suspended` is true. The key is kept and works again once it is false."""
    AGENCY_SUSPENDED = "AgencySuspended"
    """False: the platform team has suspended the agency (label `conecta.gov.br/suspended` on the namespace). The key is
    kept and works again once the label is gone."""
    NOT_YET_VALID = "NotYetValid"
    """False: `validFrom` is still to come. The key is issued then."""
    EXPIRED = "Expired"
    """False: `validUntil` has passed. The key is revoked; a later `validUntil` brings a new one."""


class ProgrammedReason(StrEnum):
    """Reasons of `Programmed`."""

    PROGRAMMED = "Programmed"
    """True: the gateway has accepted all that was written for this generation."""
    PENDING = "Pending"
    """False: the gateway has not answered yet, or it waits for the issuer's keys."""
    REFUSED = "Refused"
    """False: the gateway says that it can't; the message is the gateway's."""
    NOT_WANTED = "NotWanted"
    """False: nothing is to be served, because another condition is not True."""


class IsolatedReason(StrEnum):
    """Reasons of `Isolated`."""

    ISOLATED = "Isolated"
    """True: the NetworkPolicies are written."""
    SWITCHED_OFF = "SwitchedOff"
    """False: `backend.networkPolicy.enabled` is false, so that no policy is written."""
    BACKEND_NOT_FOUND = "BackendNotFound"
    """False: the Service of `backend.service` does not exist, or has no such port."""
    NO_SELECTOR = "NoSelector"
    """False: the Service selects no pods, and policies can name nothing else; none is written."""
    BY_ADDRESS_ONLY = "ByAddressOnly"
    """False: the backend is outside of the cluster, and policies can't name hosts. The gateway may reach all public
    addresses on the backend's port."""
    PENDING = "Pending"
    """False: the grant isn't approved, or no longer; no policy is written for its workload."""
    CONFLICTED = "Conflicted"
    """False: a NetworkPolicy of the name that is needed exists and is not the grant's. It is left alone."""


class ReadyReason(StrEnum):
    """Reasons of `Ready` itself; when it isn't True, the reason is mostly that of another condition."""

    READY = "Ready"
    """True: calls are served (API), or the key in the Secret opens the API (grant)."""
    DELETING = "Deleting"
    """False: the object is being deleted. An API waits for its grants to end, which the message names."""


class ReconcilingReason(StrEnum):
    """Reasons of `Reconciling`."""

    PROGRESSING = "Progressing"
    """True: the last change is on its way to the gateway."""
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry"
    """True: something outside failed; the operator goes on trying, at growing intervals."""


class StalledReason(StrEnum):
    """Reasons of `Stalled`."""

    NEEDS_CHANGE = "NeedsChange"
    """True: the object, or one that it refers to, has to be changed; the message is that of the condition at fault."""


REASONS: Final[Mapping[ConditionType, type[StrEnum]]] = {
    ConditionType.ACCEPTED: AcceptedReason,
    ConditionType.RESOLVED_REFS: ResolvedRefsReason,
    ConditionType.APPROVED: ApprovedReason,
    ConditionType.CREDENTIALS_READY: CredentialsReadyReason,
    ConditionType.PROGRAMMED: ProgrammedReason,
    ConditionType.ISOLATED: IsolatedReason,
    ConditionType.READY: ReadyReason,
    ConditionType.RECONCILING: ReconcilingReason,
    ConditionType.STALLED: StalledReason,
}


class ConditionStatus(StrEnum):
    """What is known of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Reported):
    """One statement about an object: whether it holds, why, and since when (`metav1.Condition`).

    `last_transition_time` is None until `merge` has compared the condition with what was reported before.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"],
        },
    )

    type: str = Field(max_length=64, pattern=r"^[A-Za-z]+$", description="What is stated. Example: Ready.")
    status: ConditionStatus = Field(description="Whether it holds: True, False, or Unknown.")
    reason: str = Field(
        max_length=64,
        pattern=r"^[A-Za-z]+$",
        description="Why, in one word for programs. Example: Conflicted.",
    )
    message: str = Field(
        max_length=32768,
        description="Why, for people: what is wrong, where, and what to do.",
    )
    observed_generation: int = Field(
        ge=0,
        description="The metadata.generation that the statement is about. If that is higher, it is outdated.",
    )
    last_transition_time: AwareDatetime | None = Field(
        default=None,
        description="When the status last changed (not the reason or message).",
    )


def merge(old: Iterable[Condition], new: Iterable[Condition], now: datetime) -> tuple[Condition, ...]:
    """The new conditions, sorted by type, each since when its status is what it is.

    A type that isn't among the new ones is no longer stated.
    """
    since = {(condition.type, condition.status): condition.last_transition_time for condition in old}
    return tuple(
        condition.model_copy(
            update={"last_transition_time": since.get((condition.type, condition.status)) or now},
        )
        for condition in sorted(new, key=lambda condition: condition.type)
    )


def as_manifest(conditions: Iterable[Condition]) -> list[Manifest]:
    """The value of `status.conditions` for merged conditions. Raises ValueError for others."""
    return [_entry(condition) for condition in conditions]


def _entry(condition: Condition) -> Manifest:
    if condition.last_transition_time is None:
        raise ValueError(f"condition {condition.type} has not been merged")
    return {
        "type": str(condition.type),
        "status": str(condition.status),
        "reason": str(condition.reason),
        "message": condition.message,
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": timestamp(condition.last_transition_time),
    }
