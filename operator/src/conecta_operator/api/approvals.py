"""What was decided over a grant, by whom, and on which terms: `status.approval`.

People who may `approve` the ConectaApi write it, and so does the operator where a rule of the API decides. An admission
policy (charts/conecta-operator) sees to it that each writes only what is theirs to write.
"""

from enum import StrEnum
from typing import Any, Final

from pydantic import ConfigDict, Field

from conecta_operator.api.fields import Cidr, DnsLabel, Moment, PlanName, Reported, rules, without_defaults
from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.api.objects import Manifest

__all__ = ["ApprovalSeen", "Decision", "DecisionRule", "GrantApproval", "Terms"]


class Decision(StrEnum):
    """What became of a request."""

    APPROVED = "Approved"
    """The application may call, on the terms that were decided on."""
    DENIED = "Denied"
    """It may not, and never could."""
    REVOKED = "Revoked"
    """It may no longer."""


class DecisionRule(StrEnum):
    """The rule of the API by which the operator decided; its path in the ConectaApi's spec."""

    APPROVAL = "access.approval"
    """Every agency is admitted (Automatic)."""
    PREAPPROVED = "access.preapproved"
    """This agency is on the list, for this plan."""


class Terms(Reported):
    """What is decided on: the part of a grant's spec that says who may do what, and why."""

    plan: PlanName | None = Field(default=None, description="The plan that was asked for.")
    purpose: str | None = Field(default=None, max_length=1000, description="What the data is for.")
    legal_basis: LegalBasis | None = Field(default=None, description="Article and item of the LGPD.")
    application: DnsLabel = Field(description="Name of the receiver's system.")
    source_ranges: tuple[Cidr, ...] = Field(
        default=(), max_length=64, description="Ranges of addresses that calls may come from; any when absent."
    )
    valid_until: Moment | None = Field(default=None, description="When the right ends; never when absent.")

    def as_manifest(self) -> Manifest:
        """As it is written in the object: what is not part of the terms is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


_APPROVED_TERMS_ARE_GIVEN: Final = (
    "self.decision != 'Approved' || has(self.terms)",
    "must be given with decision Approved: what the grant's spec asks for",
    ".terms",
)


def _finish(schema: dict[str, Any]) -> None:
    without_defaults(schema)
    schema.update(rules(_APPROVED_TERMS_ARE_GIVEN))


class GrantApproval(Reported):
    """One decision. It holds until another is written over it."""

    model_config = ConfigDict(json_schema_extra=_finish)

    decision: Decision = Field(
        description=(
            "Approved: the application may call, on these terms. Denied: it may not. Revoked: it may no longer, "
            "and its key is ended."
        ),
    )
    by: str = Field(
        min_length=1,
        max_length=253,
        description="User name of whoever decided, as the cluster knows it. Example: ana@receita.example.",
    )
    at: Moment = Field(description="When it was decided. Example: 2026-11-24T12:00:00Z.")
    message: str | None = Field(
        default=None,
        max_length=1000,
        description="What the receiver should know about it; up to 1000 characters.",
    )
    rule: DecisionRule | None = Field(
        default=None,
        description=(
            "The rule of the API by which the operator decided: access.approval or access.preapproved. Absent when "
            "somebody decided."
        ),
    )
    terms: Terms | None = Field(
        default=None,
        description="What was approved: it stays in force, whatever the spec asks for later, until that is decided.",
    )


class ApprovalSeen(Reported):
    """Over which API somebody approved: one that is created later under the same name has to be decided over anew."""

    by: str = Field(max_length=253, description="The status.approval.by that was seen.")
    at: Moment = Field(description="The status.approval.at that was seen.")
    api_uid: str = Field(
        max_length=64, description="The metadata.uid that the ConectaApi had when that approval was first seen."
    )

    def as_manifest(self) -> Manifest:
        """As it is written in the object."""
        return self.model_dump(mode="json", by_alias=True)
