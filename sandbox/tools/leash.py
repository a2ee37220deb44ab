"""Runs a program that ends when the process which started it does, however that ends (`kill -9` included).

A script of its own, not a hook between fork and exec: such hooks are unsafe where the caller has threads.
Usage: `leash.py PARENT PROGRAM ARGUMENT...`, where PARENT is the caller's process id. Linux only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, program: str, *arguments: str) -> None:
    """Replace this process by the program, tied to its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the caller has ended")
    os.execv(program, [program, *arguments])  # noqa: S606 - the purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
