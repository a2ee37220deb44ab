"""The same table by cyclonus (https://github.com/mattfenwick/cyclonus), which knows nothing of our evaluator.

It simulates a probe of each port between all pods of a model, and prints tables.
"""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

from conecta_operator.api.objects import Manifest
from tests.support.network_evaluator import Pod, Port
from tests.support.network_landscape import Landscape
from tests.support.truth_table import Cell, Table

__all__ = ["by_cyclonus"]

_ALLOWED, _BLOCKED, _NOT_SERVED = ".", "X", "P"
_COMBINED: Final = "Combined:"


def by_cyclonus(landscape: Landscape, policies: Sequence[Manifest], folder: Path) -> Table:
    """What these policies allow, by cyclonus. Its input stays in the folder."""
    ports = {pod.key: _named(pod, _names_in(policies)) for pod in landscape.pods}
    probes = sorted({(name, port.protocol) for named in ports.values() for name, port in named.items()})
    pods = [_pod(pod, ports[pod.key]) for pod in landscape.pods]
    model = {
        "Resources": {"Namespaces": landscape.namespaces, "Pods": pods},
        "Probes": [{"Port": name, "Protocol": protocol} for name, protocol in probes],
    }
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    document = {"apiVersion": "v1", "kind": "List", "items": policies}
    (folder / "policies.json").write_text(json.dumps(document), encoding="utf-8")
    command = ["cyclonus", "analyze", "--mode=probe", "--policy-path=policies.json", "--probe-path=model.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=True)
    tables = [table for table in _tables(done.stdout.splitlines()) if table]
    assert len(tables) == len(probes)
    return {cell for (name, _), table in zip(probes, tables, strict=True) for cell in _allowed(table, ports, name)}


def _names_in(policies: Iterable[Manifest]) -> set[str]:
    """Of ports, as policies use them."""
    rules = [rule for policy in policies for field in ("ingress", "egress") for rule in policy["spec"].get(field) or []]
    return {port["port"] for rule in rules for port in rule.get("ports") or [] if isinstance(port.get("port"), str)}


def _named(pod: Pod, kept: AbstractSet[str]) -> dict[str, Port]:
    """The pod's ports by the names that they are probed by: their own if it matters, else the same few for all pods.

    A probe takes seconds, and asks for one name, behind which each pod may have another number.
    """
    return {
        port.name if port.name in kept else f"{port.protocol.lower()}-{index}": port
        for index, port in enumerate(pod.ports)
    }


def _pod(pod: Pod, ports: Mapping[str, Port]) -> dict[str, Any]:
    containers = [
        {"Name": name, "Port": port.number, "Protocol": port.protocol, "PortName": name} for name, port in ports.items()
    ]
    return {
        "Namespace": pod.namespace,
        "Name": pod.name,
        "Labels": dict(pod.labels),
        "IP": pod.ip,
        "Containers": containers,
    }


def _tables(lines: Iterable[str]) -> Iterator[dict[str, list[str]]]:
    """The combined table of each probe: source → an answer for each target, in the order of their names."""
    rows: dict[str, list[str]] | None = None
    for line in lines:
        if line.startswith(_COMBINED):
            rows = {}
        elif rows is not None and not line:
            yield rows
            rows = None
        elif rows is not None and line.startswith("|"):
            source, *answers = (cell.strip() for cell in line.strip("|").split("|"))
            if source:
                rows[source] = [answer.split()[-1] for answer in answers]


def _allowed(table: Mapping[str, Sequence[str]], ports: Mapping[str, Mapping[str, Port]], name: str) -> Iterator[Cell]:
    targets = sorted(ports)
    assert sorted(table) == targets
    for source, answers in table.items():
        for target, answer in zip(targets, answers, strict=True):
            is_served = name in ports[target]
            assert answer in ({_ALLOWED, _BLOCKED} if is_served else {_NOT_SERVED}), (source, target, name, answer)
            if answer == _ALLOWED and source != target:
                yield source, target, ports[target][name]
