"""The platform that a bench measures: brought up for it, and ended with it."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.down import down
from sandbox.environment import program_environment
from sandbox.isolated import INSIDE
from sandbox.layout import Layout
from sandbox.steps import Report
from sandbox.up import up

__all__ = ["own_platform"]


@contextmanager
def own_platform(parser: ArgumentParser) -> Iterator[tuple[Layout, Report]]:
    """The running platform, and where to tell what was found. This process's environment is that of `.sandbox/env`."""
    if INSIDE not in os.environ:
        parser.error("needs a platform of its own: make bench, or python -m sandbox isolated -- …")
    layout, report = Layout(), Report(sys.stdout)
    up(layout, report)
    os.environ.update(program_environment(layout))
    try:
        yield layout, report
    finally:
        down(layout, report)
