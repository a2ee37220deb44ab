"""CPF numbers: eleven digits, of which the last two check the first nine."""

import re

__all__ = ["from_base", "has_form", "is_valid"]


def has_form(text: str) -> bool:
    """Whether the text is eleven digits and nothing else."""
    return re.fullmatch(r"[0-9]{11}", text) is not None


def is_valid(text: str) -> bool:
    """Whether the text may be a CPF in use: its check digits hold, and its digits are not all the same."""
    return has_form(text) and len(set(text)) > 1 and from_base(text[:9]) == text


def from_base(base: str) -> str:
    """The CPF whose first nine digits these are."""
    first = _check_digit(base)
    return base + first + _check_digit(base + first)


def _check_digit(digits: str) -> str:
    """The digit that makes the weighted sum (weights 2, 3, 4 … from the right) a multiple of eleven, or 0 for ten."""
    weighted = sum(weight * int(digit) for weight, digit in enumerate(reversed(digits), start=2))
    return str(weighted * 10 % 11 % 10)
