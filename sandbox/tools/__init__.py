"""The pinned tools of the sandbox: `ensure()` finds or builds them all, once per user and version.

From a shell, `python -m sandbox.tools` does the same and prints the folder for PATH.
"""

from sandbox.tools.errors import ToolsError
from sandbox.tools.provision import Tools, ensure

__all__ = ["Tools", "ToolsError", "ensure"]
