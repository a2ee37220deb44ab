"""What `make status` and `make logs` show."""

import io
import json
import os
import time
from pathlib import Path

import pytest

from sandbox import wrapper
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.logs import logs
from sandbox.services import NAMES
from sandbox.status import status
from sandbox.steps import Report


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.create()
    return layout


def record(layout: Layout, name: str, **more: object) -> None:
    """Write that a service was started: as this very process, which runs for sure."""
    me = {"pid": os.getpid(), "identity": wrapper.identity(os.getpid())}
    content = me | {"leader": me["pid"], "leader_identity": me["identity"], "started": time.time() - 90} | more
    (layout.records / f"{name}.json").write_text(json.dumps(content))


def shown(layout: Layout) -> tuple[bool, str]:
    stream = io.StringIO()
    return status(layout, Report(stream)), stream.getvalue()


def test_no_sandbox_is_not_up(tmp_path: Path) -> None:
    assert shown(Layout(tmp_path)) == (False, "the sandbox is not up (make up)\n")


def test_all_services_running_are_up(layout: Layout) -> None:
    for name in NAMES:
        record(layout, name)
    is_up, table = shown(layout)
    assert is_up
    heading, *rows = table.splitlines()
    assert heading.split() == ["service", "pid", "state", "port", "since"]
    assert [row.split()[0] for row in rows] == list(NAMES)
    assert rows[0].split()[1:5] == [str(os.getpid()), "running", "2379,", "2380"]
    assert rows[0].endswith("(1 min)")


def test_a_dead_service_is_shown_with_its_last_words(layout: Layout) -> None:
    for name in NAMES:
        record(layout, name)
    record(layout, "hydra", identity="other", leader_identity="other", exit_code=3, ended=time.time())
    layout.log("hydra").write_text("database is locked\n")
    is_up, text = shown(layout)
    assert not is_up
    assert "dead (3)" in text
    assert f"hydra has died with exit code 3; the end of {layout.log('hydra')}:\n    | database is locked" in text


def test_a_service_that_is_missing_is_shown(layout: Layout) -> None:
    for name in NAMES[:-1]:
        record(layout, name)
    is_up, text = shown(layout)
    assert not is_up
    assert text.splitlines()[-1].split()[:3] == [NAMES[-1], "not", "started"]


def test_logs_are_shown_of_one_or_of_all(layout: Layout) -> None:
    layout.log("etcd").write_text("one\ntwo\nthree\n")
    layout.log("hydra").write_text("four\n")
    stream = io.StringIO()
    logs(layout, Report(stream), "etcd", 2)
    assert stream.getvalue() == f"==> {layout.log('etcd')} <==\ntwo\nthree\n\n"
    logs(layout, Report(stream), None, 2)
    assert "four" in stream.getvalue()


def test_a_log_that_is_not_there_is_answered_by_those_that_are(layout: Layout) -> None:
    layout.log("etcd").write_text("")
    with pytest.raises(SandboxError, match="no log of 'redis'; there are: etcd"):
        logs(layout, Report(io.StringIO()), "redis", 10)
