"""A plugin never outlives the CLI that started it.

Pulumi asks its plugins to stop when it ends by itself. When it is killed nobody tells them, and they would live on.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["when_orphaned"]

INTERVAL: Final = 0.5


def when_orphaned(stop: Callable[[], object]) -> None:
    """Call `stop`, in a thread of its own, as soon as the process that started us is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(INTERVAL)
        stop()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
