"""Keeps personal data and secrets out of the log, whoever writes there.

Our own code never logs them (secrets are `SecretStr`, errors carry safe texts); this is the second line, for libraries
and for exceptions that nobody foresaw.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

__all__ = ["MASK", "redact", "redacted", "trace_without_values"]

MASK: Final = "[redacted]"

_PATTERNS: Final = (
    re.compile(r"(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?!\d)"),  # CPF, with or without its punctuation
    re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"),  # a JSON Web Token
    re.compile(r"(?<=\bBearer )\S+|(?<=\bBasic )\S+"),
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))


def redacted(value: Any) -> Any:
    """The value with what looks like a CPF or a token masked, in any depth."""
    match value:
        case str():
            for pattern in _PATTERNS:
                value = pattern.sub(MASK, value)
            return value
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {redacted(key): redacted(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redacted(item) for item in value]
        case _:
            return redacted(str(value))


def trace_without_values(failure: BaseException) -> str:
    """Where an exception came from, and of what it is the consequence, without any message.

    The message of an exception that nobody foresaw may quote the data that it stumbled over.
    """
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = failure
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        parts.append(f"{type(current).__module__}.{type(current).__qualname__}\n{_frames(current.__traceback__)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "caused by ".join(parts)


def _frames(where: TracebackType | None) -> str:
    return "".join(traceback.format_tb(where))


def redact(record: logging.LogRecord) -> bool:
    """A logging filter that drops nothing, and masks the message and all that the record carries besides.

    An exception is replaced by its bare trace.
    """
    record.msg, record.args = redacted(record.getMessage()), None
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = trace_without_values(record.exc_info[1])
        record.exc_info = None
    for name in vars(record).keys() - _STANDARD:
        setattr(record, name, redacted(getattr(record, name)))
    return True
