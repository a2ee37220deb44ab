"""What both adapters say of an answer that they can't use: enough to find the cause, never what was sent."""

import json
from typing import Any, Final

import aiohttp

__all__ = ["NETWORK_FAILURES", "cause_of", "json_in"]

NETWORK_FAILURES: Final = (aiohttp.ClientError, OSError)
"""All that a request can raise for reasons of the network, TLS or time (TimeoutError is an OSError)."""


def cause_of(failure: Exception) -> str:
    """One of NETWORK_FAILURES in words. Only the operating system's are quoted: others may cite what was received."""
    if isinstance(failure, TimeoutError):
        return "no answer within the time limit"
    name = type(failure).__name__
    return f"{name}: {failure}" if isinstance(failure, OSError) else name


def json_in(content: bytes) -> Any:
    """The JSON value that an answer consists of; None when it is something else."""
    try:
        return json.loads(content)
    except ValueError:
        return None
