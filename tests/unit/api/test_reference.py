"""The pages of docs/reference, which the models make."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from conecta_operator.api.conditions import REASONS, ConditionStatus, ConditionType
from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.reference import REFERENCE, meanings

ROOT = Path(__file__).parents[3]
CELL_BORDER = re.compile(r"(?<!\\)\|")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(REFERENCE.files())


def rows(page: str) -> list[list[str]]:
    lines = (line for line in page.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in CELL_BORDER.split(line)[1:-1]] for line in lines]


def test_the_committed_pages_are_those_that_the_models_make() -> None:
    assert REFERENCE.stale(ROOT / REFERENCE.folder) == []


@pytest.mark.parametrize("words", [ConditionType, LegalBasis, *REASONS.values()], ids=lambda words: words.__name__)
def test_every_word_says_what_it_means(words: type[StrEnum]) -> None:
    assert list(meanings(words)) == [word.value for word in words]


def test_every_type_of_condition_has_its_reasons() -> None:
    assert set(REASONS) == set(ConditionType)


@pytest.mark.parametrize("words", REASONS.values(), ids=lambda words: words.__name__)
def test_every_reason_says_first_whether_the_condition_then_holds(words: type[StrEnum]) -> None:
    for text in meanings(words).values():
        statuses, colon, meaning = text.partition(": ")
        assert set(statuses.split(" or ")) <= set(ConditionStatus)
        assert colon
        assert meaning


def test_the_table_of_reasons_has_a_row_for_each(pages: dict[str, str]) -> None:
    listed = [(row[0], row[2]) for row in rows(pages["conditions.md"]) if len(row) == 4][2:]
    assert listed == [(f"`{type_}`", f"`{reason}`") for type_, words in REASONS.items() for reason in words]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("spec.title", ["string", "required", "at most 100 characters"]),
        ("spec.contacts", ["list of object", "1 to 10 entries"]),
        ("spec.contacts[].email", ["required"]),
        ("spec.access.approval", ["`Manual` `Automatic`", "default `Manual`"]),
        ("spec.plans", ["list of object", "at most 16 entries", "each `name` once"]),
        ("spec.plans[].active", ["boolean", "default `true`"]),
        ("spec.backend.tls", ["is for url only"]),
        ("spec.validUntil", ["date-time", "must be after validFrom"]),
        ("spec.responsibilityTerm.digest", ["string"]),
        ("spec.request.userCpf", ["`Required` `Optional` `None`"]),
        ("spec.request.requiredHeaders", ["at most 5 entries", "each `name` once"]),
        ("spec.lifecycle.sunset", ["date-time", "must be after deprecatedAt"]),
        ("status.approval.terms.sourceRanges", ["list of string", "must be a range of IP addresses"]),
        ("spec.credential.rotateEvery", ["integer or string", "only 0 as a number", "at most 3650d", "default `180d`"]),
        ("spec.credential.serial", ["at least 0", "must not become smaller"]),
        ("status.approval.terms", ["must be given with decision Approved"]),
    ],
)
def test_a_field_is_listed_with_its_type_and_rules(pages: dict[str, str], field: str, said: list[str]) -> None:
    (row,) = (row for row in rows(pages["custom-resources.md"]) if row[0] == f"`{field}`")
    assert [words for words in said if words not in f"{row[1]}; {row[2]}"] == []


def test_every_row_has_the_cells_of_its_table(pages: dict[str, str]) -> None:
    for page in pages.values():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            assert len({len(row) for row in rows(table)}) == 1


def test_no_text_is_taken_for_markup(pages: dict[str, str]) -> None:
    _, *lines = pages["custom-resources.md"].splitlines()
    assert [line for line in lines if "<" in re.sub(r"`[^`]*`", "", line)] == []


class Incomplete(StrEnum):
    """Words of which one lacks its meaning."""

    SAID = "said"
    """What it means."""
    UNSAID = "unsaid"


def test_a_word_without_meaning_is_named() -> None:
    with pytest.raises(ValueError, match="Incomplete does not say what unsaid means"):
        meanings(Incomplete)
