"""What stops an admitted grant's key: for a time, so that the same key goes on later, or for good."""

from dataclasses import dataclass
from datetime import timedelta

from conecta_operator.api.agency import SUSPENDED_LABEL
from conecta_operator.api.approvals import Terms
from conecta_operator.api.conditions import CredentialsReadyReason
from conecta_operator.plan.world import GrantWorld

__all__ = ["Stop", "next_change", "stop"]


@dataclass(frozen=True)
class Stop:
    """Why no call is let through. `keeps_key`: the key sleeps, else it is ended."""

    reason: CredentialsReadyReason
    message: str
    keeps_key: bool


def stop(world: GrantWorld, terms: Terms) -> Stop | None:
    """What stops a grant with these terms now, None when nothing does."""
    spec = world.grant.spec
    if spec.valid_from is not None and world.now < spec.valid_from:
        return Stop(
            CredentialsReadyReason.NOT_YET_VALID, f"spec.validFrom is {spec.valid_from.isoformat()}.", keeps_key=False
        )
    if terms.valid_until is not None and world.now >= terms.valid_until:
        return Stop(
            CredentialsReadyReason.EXPIRED,
            f"The approved validUntil was {terms.valid_until.isoformat()}; ask for a later one.",
            keeps_key=False,
        )
    if world.agency is not None and world.agency.suspended:
        return Stop(
            CredentialsReadyReason.AGENCY_SUSPENDED,
            f"The platform team has suspended the agency (label {SUSPENDED_LABEL} of the namespace).",
            keeps_key=True,
        )
    if spec.suspended:
        return Stop(CredentialsReadyReason.SUSPENDED, "spec.suspended is true; the key is kept.", keeps_key=True)
    return None


def next_change(world: GrantWorld, terms: Terms) -> timedelta | None:
    """When time alone will start or stop a grant with these terms."""
    moments = (world.grant.spec.valid_from, terms.valid_until)
    return min((moment - world.now for moment in moments if moment is not None and moment > world.now), default=None)
