"""The chain of `why`, for people and for programs."""

from collections.abc import Sequence
from typing import Any

from conecta_cli.decisions.chain import Evidence, Link, Mark, first_open, mender
from conecta_cli.decisions.grants import api_key, shown
from conecta_cli.output.text import aligned, printable

__all__ = ["explained", "explanation"]


def explained(evidence: Evidence, chain: Sequence[Link]) -> str:
    """A line for each link, then what is wrong first, and who can mend it."""
    reference = api_key(evidence.grant)
    heading = f"ConectaGrant {shown(evidence.grant)} for ConectaApi {reference.namespace}/{reference.name}"
    links = aligned([("", link.name, str(link.mark), link.says) for link in chain])
    return f"{heading}\n{links}\n\n{_verdict(evidence, first_open(chain))}"


def explanation(evidence: Evidence, chain: Sequence[Link]) -> dict[str, Any]:
    """The same as a value."""
    culprit = first_open(chain)
    found: dict[str, Any] = {
        "grant": shown(evidence.grant),
        "works": culprit is None,
        "chain": [{"link": link.name, "mark": str(link.mark), "message": link.says} for link in chain],
    }
    if culprit is not None and culprit.remedy is not None:
        found["first"] = {
            "link": culprit.name,
            "mark": str(culprit.mark),
            "message": culprit.says,
            "mender": mender(evidence, culprit.remedy.mender),
            **({"how": culprit.remedy.how} if culprit.remedy.how else {}),
        }
    return found


def _verdict(evidence: Evidence, culprit: Link | None) -> str:
    if culprit is None or culprit.remedy is None:
        url = (evidence.grant.get("status") or {}).get("url")
        return "Nothing is wrong" + (f": the application may call {printable(url)}" if url else "")
    title = "Wrong" if culprit.mark is Mark.WRONG else "Waits"
    rows = [(f"{title}:", f"{culprit.name}: {culprit.says}"), ("Who:", mender(evidence, culprit.remedy.mender))]
    if culprit.remedy.how:
        rows.append(("How:", culprit.remedy.how))
    return aligned(rows)
