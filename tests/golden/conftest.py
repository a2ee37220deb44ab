"""`--regenerate` writes the expected outputs anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--regenerate", action="store_true", help="write the golden outputs anew")
