"""`make logs`: the end of the services' logs, or of one."""

from sandbox.errors import SandboxError, tail
from sandbox.layout import Layout
from sandbox.steps import Report

__all__ = ["logs"]


def logs(layout: Layout, report: Report, service: str | None, lines: int) -> None:
    """Print the last lines of one log, or of all of them."""
    there = sorted(file.stem for file in layout.logs.glob("*.log"))
    if not there:
        raise SandboxError("there are no logs: the sandbox is not up (make up)")
    if service and service not in there:
        raise SandboxError(f"there is no log of {service!r}; there are: {', '.join(there)}")
    for name in [service] if service else there:
        report.say(f"==> {layout.log(name)} <==\n{tail(layout.log(name), lines, prefix='')}\n")
