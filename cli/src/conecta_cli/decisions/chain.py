"""`why`: all that a call depends on, in order, and the first thing that keeps it from working.

What the caller may not read is not guessed: there the operator's own words in the grant's status count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from conecta_cli.decisions.grants import api_key, shown
from conecta_operator.api.objects import Manifest

__all__ = ["Evidence", "Link", "Mark", "Mender", "Missing", "Remedy", "Seen", "first_open", "mender"]


class Missing(Enum):
    """Why there is no object to look at."""

    ABSENT = "it does not exist"
    FORBIDDEN = "the caller may not read it"


Seen = Manifest | Missing


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that the explanation may look at."""

    grant: Manifest
    api: Seen
    secret: Seen
    route: Seen
    policy: Seen
    now: datetime


class Mark(StrEnum):
    """How a link of the chain is."""

    OK = "ok"
    WAITS = "waits"
    WRONG = "WRONG"


class Mender(Enum):
    """Whose turn it is."""

    RECEIVER = "receiver"
    PROVIDER = "provider"
    PLATFORM = "platform"
    OPERATOR = "operator"
    TIME = "time"


@dataclass(frozen=True)
class Remedy:
    """Who can mend it, and how where that is known."""

    mender: Mender
    how: str = ""


@dataclass(frozen=True)
class Link:
    """One thing that a call depends on. `remedy` is None while it is ok."""

    name: str
    mark: Mark
    says: str
    remedy: Remedy | None = None

    @classmethod
    def ok(cls, name: str, says: str) -> "Link":
        """It is as it should be."""
        return cls(name, Mark.OK, says)

    @classmethod
    def waits(cls, name: str, says: str, mender: Mender = Mender.OPERATOR, how: str = "") -> "Link":
        """Nothing is wrong with it, but it isn't there yet."""
        return cls(name, Mark.WAITS, says, Remedy(mender, how))

    @classmethod
    def wrong(cls, name: str, says: str, mender: Mender, how: str = "") -> "Link":
        """Somebody has to change something."""
        return cls(name, Mark.WRONG, says, Remedy(mender, how))


def first_open(chain: Sequence[Link]) -> Link | None:
    """The first link that is wrong; if none is, the first that waits: what waits often does so for what is wrong."""
    for mark in (Mark.WRONG, Mark.WAITS):
        for link in chain:
            if link.mark is mark:
                return link
    return None


def mender(evidence: Evidence, whose: Mender) -> str:
    """The people (or what else) that a remedy names."""
    reference = api_key(evidence.grant)
    api = f"ConectaApi {reference.namespace}/{reference.name}"
    match whose:
        case Mender.RECEIVER:
            namespace = shown(evidence.grant).split("/")[0]
            return f"the receiver: whoever may change ConectaGrants in namespace {namespace}"
        case Mender.PROVIDER:
            return f"the provider: whoever may change and approve {api}{_contact(evidence.api)}"
        case Mender.PLATFORM:
            return "the platform team"
        case Mender.OPERATOR:
            return "nobody has to: the operator is at it; if it lasts for minutes, the platform team"
        case Mender.TIME:
            return "nobody has to: it comes by itself"


def _contact(api: Seen) -> str:
    contacts = [] if isinstance(api, Missing) else api["spec"].get("contacts") or []
    return f" ({contacts[0]['name']}, {contacts[0]['email']})" if contacts else ""
