"""The charts as Helm renders them."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CHART", "CHARTS", "helm", "one", "rendered", "rights"]

CHARTS = Path(__file__).parents[2] / "charts"
CHART = CHARTS / "conecta-operator"


def helm(*arguments: str | Path, values: str) -> subprocess.CompletedProcess[str]:
    """Run helm with these values; judge the result yourself."""
    command = ["helm", *arguments, "--values", "-"]
    return subprocess.run(command, input=values, capture_output=True, text=True, check=False, timeout=60)


@cache
def _rendered(values: str) -> list[dict[str, Any]]:
    result = helm("template", "any-name", CHART, "--namespace", "conecta-system", values=values)
    assert result.returncode == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))


def rendered(**values: Any) -> list[dict[str, Any]]:
    """All objects of the operator's chart with these values."""
    return _rendered(json.dumps(values))


def one(objects: list[dict[str, Any]], kind: str, name: str = "conecta-operator") -> dict[str, Any]:
    """The one object of this kind and name."""
    [found] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def rights(role: dict[str, Any]) -> dict[tuple[str, str], str]:
    """What a role gives: group and resource, and the verbs."""
    return {
        (group, resource): " ".join(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
