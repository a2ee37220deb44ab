"""What `--output` may say."""

from enum import StrEnum

__all__ = ["Output"]


class Output(StrEnum):
    """How an answer is written: for people, or as kubectl does for programs."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
