"""When an object is ready, and when it is gone.

Few kinds are waited for by themselves: definitions (Established), namespaces (Active), deployments (Available). For
all others the annotation `pulumi.com/waitFor` says it: `condition=Ready`, `jsonpath={.status.phase}=Bound`, or a JSON
list of these. `pulumi.com/skipAwait: "true"` waits for nothing.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

__all__ = ["DEFAULT_TIMEOUT", "timeout_of", "unmet", "until"]

SKIP: Final = "pulumi.com/skipAwait"
WAIT_FOR: Final = "pulumi.com/waitFor"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"
DEFAULT_TIMEOUT: Final = 600.0

BUILT_IN: Final[Mapping[tuple[str, str], str]] = {
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): "condition=Established",
    ("v1", "Namespace"): "jsonpath={.status.phase}=Active",
    ("apps/v1", "Deployment"): "condition=Available",
}


def until(is_done: Callable[[], bool], *, timeout: float, cancelled: threading.Event) -> bool:
    """Whether it is done within the time and before somebody cancels."""
    end = time.monotonic() + timeout
    pause = 0.05
    while not is_done():
        if time.monotonic() >= end or cancelled.wait(pause):
            return False
        pause = min(pause * 1.5, 1.0)
    return True


def timeout_of(obj: Mapping[str, Any], requested: float) -> float:
    """Seconds to wait for an object: the resource's own timeout, its annotation's, or the default."""
    return requested or float(_annotations(obj).get(TIMEOUT, DEFAULT_TIMEOUT))


def unmet(obj: Mapping[str, Any]) -> list[str]:
    """What an object is still waited for, in words; nothing when it is ready."""
    if _annotations(obj).get(SKIP, "").lower() == "true":
        return []
    return [problem for rule in _rules(obj) if (problem := _problem(obj, rule))]


def _annotations(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return obj.get("metadata", {}).get("annotations") or {}


def _rules(obj: Mapping[str, Any]) -> Iterator[str]:
    wanted = _annotations(obj).get(WAIT_FOR, "").strip()
    if wanted.startswith("["):
        yield from json.loads(wanted)
    elif wanted:
        yield wanted
    elif rule := BUILT_IN.get((obj["apiVersion"], obj["kind"])):
        yield rule


def _problem(obj: Mapping[str, Any], rule: str) -> str | None:
    method, _, argument = rule.partition("=")
    if method == "condition":
        return _condition_problem(obj, *_pair(argument, otherwise="True"))
    if method == "jsonpath":
        return _path_problem(obj, *_pair(argument))
    return f"`{rule}` in {WAIT_FOR} is neither condition=… nor jsonpath=…"


def _pair(argument: str, otherwise: str | None = None) -> tuple[str, str | None]:
    name, found, value = argument.partition("=")
    return name, value if found else otherwise


def _condition_problem(obj: Mapping[str, Any], name: str, wanted: str | None) -> str | None:
    status = obj.get("status") or {}
    generation = obj["metadata"].get("generation", 0)
    if status.get("observedGeneration", generation) < generation:
        return f"condition {name}: the controller has not seen generation {generation} yet"
    for condition in status.get("conditions") or []:
        if condition.get("type") == name and condition.get("observedGeneration", generation) >= generation:
            found = condition.get("status")
            says = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
            return None if found == wanted else f"condition {name} is {found}, not {wanted} ({says})"
    return f"condition {name} is not reported"


def _path_problem(obj: Mapping[str, Any], expression: str, wanted: str | None) -> str | None:
    path = expression.strip().removeprefix("{").removesuffix("}")
    value: Any = obj
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return f"{path} is not there"
    text = value if isinstance(value, str) else json.dumps(value)
    return None if wanted in (None, text) else f"{path} is {text}, not {wanted}"
