"""Every ordered pair of pods, by every port: what is meant to be allowed, and what policies allow."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from conecta_operator.api.objects import Manifest
from tests.support.network_evaluator import Network, Port
from tests.support.network_intent import Member
from tests.support.network_landscape import Landscape

__all__ = ["Cell", "Table", "by_intent", "by_policies", "cells", "difference"]

Cell = tuple[str, str, Port]
"""Source, target (namespace/name each), and the target's port."""
Table = AbstractSet[Cell]
"""The cells that are allowed."""

_SHOWN: Final = 20


def cells(landscape: Landscape) -> Iterator[tuple[Member, Member, Port]]:
    """All of the table's. A pod's traffic to itself is never restricted, and so not among them."""
    for source in landscape.members:
        for target in landscape.members:
            if target is not source:
                yield from ((source, target, port) for port in target.pod.ports)


def by_intent(landscape: Landscape) -> Table:
    """What APIs and grants mean."""
    intent = landscape.intent
    return {_cell(*cell) for cell in cells(landscape) if intent.allows(*cell)}


def by_policies(landscape: Landscape, policies: Iterable[Manifest]) -> Table:
    """What these policies allow, by our own evaluator."""
    network = Network(landscape.pods, landscape.namespaces, policies)
    return {
        _cell(source, target, port)
        for source, target, port in cells(landscape)
        if network.allows(source.pod, target.pod, port)
    }


def difference(intended: Table, found: Table) -> str:
    """What differs, in both directions, in words; empty when nothing does."""
    lines = [
        *(f"not allowed: {source} -> {target} {port}" for source, target, port in sorted(intended - found)),
        *(f"allowed all the same: {source} -> {target} {port}" for source, target, port in sorted(found - intended)),
    ]
    shown = [*lines[:_SHOWN], *([f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])]
    return "\n".join(shown)


def _cell(source: Member, target: Member, port: Port) -> Cell:
    return source.pod.key, target.pod.key, port
