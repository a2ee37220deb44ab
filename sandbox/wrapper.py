"""Runs one service and keeps its record: who it is while it runs, how it ended afterwards.

`sandbox.processes` starts this file with `python -I -S`, in a session of its own: nothing but the standard library, so
that it costs little. It outlives the command that started it, and is the service's parent: what asks the kernel to be
killed with its parent (Envoy does) lives as long as this process. Usage: wrapper.py RECORD PROGRAM [ARGUMENT…]
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["identity", "main"]


def identity(pid: int) -> str | None:
    """Return what tells a process from any other that has had or will have its id; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{started}"


def main(record_file: Path, argv: list[str]) -> int:
    """Start the service, wait for its end, record both."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN: the service would inherit that
    record: dict[str, Any] = {"leader": os.getpid(), "leader_identity": identity(os.getpid()), "started": time.time()}
    _write(record_file, record)
    try:
        pid = os.posix_spawn(argv[0], argv, os.environ)
    except OSError as error:
        sys.stderr.write(f"{argv[0]} can't be started: {error.strerror}\n")
        _write(record_file, record | {"exit_code": 127, "ended": time.time()})
        return 127
    record |= {"pid": pid, "identity": identity(pid)}
    _write(record_file, record)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    _write(record_file, record | {"exit_code": code, "ended": time.time()})
    return 0


def _write(file: Path, record: dict[str, Any]) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(record), encoding="utf-8")
    temporary.replace(file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
