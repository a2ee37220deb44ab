"""The log: one JSON object a line on standard error, redacted."""

import logging
import re
import sys
from typing import Final, TextIO

from pythonjsonlogger.json import JsonFormatter

from conecta_operator.observability.redaction import redact

__all__ = ["set_up", "without_repetitions"]

_ANOTHER_ATTEMPT: Final = re.compile(r"Request attempt #(\d+)\S* failed; will retry")
_ONE_IN: Final = 30


def set_up(level: str, stream: TextIO = sys.stderr) -> None:
    """Send everything that is logged in this process to the stream, from this level on; of kopf, only warnings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        JsonFormatter("%(levelname)s %(name)s %(message)s", rename_fields={"levelname": "level"}, timestamp="time")
    )
    handler.addFilter(without_repetitions)
    handler.addFilter(redact)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("kopf", "asyncio", "kubernetes", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def without_repetitions(record: logging.LogRecord) -> bool:
    """A logging filter: of kopf's attempts to reach an API server that is away, the first and about one a minute."""
    attempt = _ANOTHER_ATTEMPT.match(record.getMessage())
    return attempt is None or int(attempt[1]) % _ONE_IN == 1
