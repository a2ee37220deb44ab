"""The CNPJ: number of a legal person in Brazil, alphanumeric since 2026 (IN RFB 2.229/2024)."""

import re
from typing import Final

__all__ = ["check_digits", "is_cnpj"]

_FORM: Final = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_WEIGHTS: Final = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def is_cnpj(text: str) -> bool:
    """Whether the text is a CNPJ of 14 characters, without punctuation, whose check digits are right."""
    return _FORM.fullmatch(text) is not None and len(set(text)) > 1 and text[12:] == check_digits(text[:12])


def check_digits(base: str) -> str:
    """The two digits that follow the first twelve characters."""
    first = _check_digit(base)
    return first + _check_digit(base + first)


def _check_digit(text: str) -> str:
    """Modulo 11 of the characters' values (ASCII code less 48, so that a digit counts as itself)."""
    weights = _WEIGHTS[-len(text) :]
    rest = sum(weight * (ord(character) - 48) for weight, character in zip(weights, text, strict=True)) % 11
    return "0" if rest < 2 else str(11 - rest)  # noqa: PLR2004 - the rule's own number
