"""The right to call an API, which a key is made for."""

from dataclasses import dataclass

from conecta_operator.api.agency import Agency
from conecta_operator.api.approvals import Terms
from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.plan import naming

__all__ = ["Right"]


@dataclass(frozen=True, kw_only=True)
class Right:
    """What is known for sure of a grant that is entitled to a key."""

    grant: ConectaGrant
    api: ConectaApi
    agency: Agency
    """The receiver's."""
    terms: Terms
    """Those that were approved."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What its keys may do."""
        return naming.scopes(self.grant, self.api, agency=self.agency.slug, plan=self.terms.plan)
