"""What can go wrong while the tools are made ready. Callers show the text; no traceback is needed.

ToolsError
├─ CacheUnavailable     the cache folder can't be written
├─ PreflightFailed      something that a build needs is missing; nothing was started
└─ BuildFailed          a build, a download or a built tool didn't do what it should; the text names its log
"""

__all__ = ["BuildFailed", "CacheUnavailable", "PreflightFailed", "ToolsError"]


class ToolsError(Exception):
    """The tools can't be made ready; the text says why and what to do."""


class CacheUnavailable(ToolsError):
    """The cache folder can't be written."""


class PreflightFailed(ToolsError):
    """Something that a build needs is missing."""


class BuildFailed(ToolsError):
    """A tool couldn't be built or fetched."""
