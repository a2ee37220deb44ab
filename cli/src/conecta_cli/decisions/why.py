"""The whole chain of a call: API → approval → term → key → route → policy."""

from conecta_cli.decisions.chain import Evidence, Link
from conecta_cli.decisions.gateway_links import policy_link, route_link
from conecta_cli.decisions.links import api_link, approval_link, key_link, term_link

__all__ = ["chain"]

_LINKS = (api_link, approval_link, term_link, key_link, route_link, policy_link)


def chain(evidence: Evidence) -> tuple[Link, ...]:
    """Every link, in the order in which a grant comes to work."""
    return tuple(link(evidence) for link in _LINKS)
