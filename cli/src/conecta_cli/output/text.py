"""Text for a terminal."""

from collections.abc import Sequence

__all__ = ["aligned", "printable"]

_GAP = "   "


def printable(text: str) -> str:
    """The text in one line and without control characters: others wrote it, and it must not steer our terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in " ".join(text.split())
    )


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns."""
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in clean)
    return "\n".join(lines)
