"""`python -m sandbox.tools`: make all tools ready and print the folder for PATH."""

import signal
import sys
from collections.abc import Sequence

from sandbox.tools import ToolsError, ensure
from sandbox.tools.definitions import Tool
from sandbox.tools.table import TABLE

INTERRUPTED = 130


def main(table: Sequence[Tool] = TABLE) -> int:
    """The exit code: 0 when all tools are there."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        tools = ensure(table=table)
    except ToolsError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted: what is finished stays, the next run goes on from there\n")
        return INTERRUPTED
    sys.stdout.write(f"{tools.bin}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
