"""When an object is ready."""

import threading
from typing import Any

import pytest

from sandbox.pulumi.waits import timeout_of, unmet, until


def obj(
    wait_for: str | None = None, *, kind: str = "Widget", api_version: str = "example.org/v1", **fields: Any
) -> Any:
    annotations = {"pulumi.com/waitFor": wait_for} if wait_for else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "a", "generation": 2, "annotations": annotations},
    } | fields


def ready(status: str = "True", **more: Any) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": status} | more]}}


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param(obj(), id="a kind that nobody waits for"),
        pytest.param(obj("condition=Ready", **ready()), id="its condition is true"),
        pytest.param(obj("condition=Ready", **ready(observedGeneration=2)), id="for this generation"),
        pytest.param(obj("condition=Ready=False", **ready("False")), id="its condition has the wanted status"),
        pytest.param(obj("jsonpath={.a.b[1]}=x", a={"b": ["w", "x"]}), id="a path has the wanted value"),
        pytest.param(obj("jsonpath={.a}", a={}), id="a path is there"),
        pytest.param(obj('["jsonpath={.a}", "jsonpath={.b}=1"]', a=0, b=1), id="all of several"),
        pytest.param(obj(kind="Namespace", api_version="v1", status={"phase": "Active"}), id="an active namespace"),
    ],
)
def test_an_object_is_ready_when(waiting: Any) -> None:
    assert unmet(waiting) == []


@pytest.mark.parametrize(
    ("waiting", "reason"),
    [
        pytest.param(obj("condition=Ready"), "condition Ready is not reported", id="no status yet"),
        pytest.param(obj("condition=Ready", status={"conditions": None}), "condition Ready is not reported", id="null"),
        pytest.param(
            obj("condition=Ready", **ready("False", reason="Conflicted", message="taken")),
            "condition Ready is False, not True (Conflicted: taken)",
            id="its condition is false",
        ),
        pytest.param(
            obj("condition=Ready", **ready(observedGeneration=1)),
            "condition Ready is not reported",
            id="true for an older generation",
        ),
        pytest.param(obj("jsonpath={.a.b}=x", a={}), ".a.b is not there", id="no such path"),
        pytest.param(obj("jsonpath={.a}=x", a={"b": 1}), '.a is {"b": 1}, not x', id="another value"),
        pytest.param(obj('["jsonpath={.a}", "jsonpath={.b}"]', a=0), ".b is not there", id="one of several is missing"),
        pytest.param(
            obj(kind="CustomResourceDefinition", api_version="apiextensions.k8s.io/v1"),
            "condition Established is not reported",
            id="a fresh definition",
        ),
        pytest.param(
            obj(kind="Deployment", api_version="apps/v1", status={"observedGeneration": 1}),
            "condition Available: the controller has not seen generation 2 yet",
            id="a deployment that nobody has seen",
        ),
        pytest.param(
            obj("ready"), "`ready` in pulumi.com/waitFor is neither condition=… nor jsonpath=…", id="a rule in error"
        ),
    ],
)
def test_an_object_is_not_ready_and_says_why(waiting: Any, reason: str) -> None:
    assert unmet(waiting) == [reason]


def test_nothing_is_awaited_when_the_object_says_so() -> None:
    waiting = obj("condition=Ready")
    waiting["metadata"]["annotations"]["pulumi.com/skipAwait"] = "true"

    assert unmet(waiting) == []


def test_the_limit_is_the_resources_own_then_the_annotations_then_ten_minutes() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "30"}}}

    assert timeout_of(annotated, 5) == 5
    assert timeout_of(annotated, 0) == 30
    assert timeout_of({"metadata": {}}, 0) == 600


def test_waiting_ends_when_it_is_done_even_if_cancelled() -> None:
    cancelled = threading.Event()
    cancelled.set()

    assert until(lambda: True, timeout=0, cancelled=cancelled)


def test_waiting_ends_when_somebody_cancels() -> None:
    cancelled = threading.Event()
    cancelled.set()

    assert not until(lambda: False, timeout=600, cancelled=cancelled)


def test_waiting_ends_when_time_is_up() -> None:
    assert not until(lambda: False, timeout=0, cancelled=threading.Event())
