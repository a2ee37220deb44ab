"""The operator process killed at any single write of a key's life, and started anew: as if nothing had happened.

The writes are counted by an undisturbed run, not listed by hand; points are tried beyond its last until the operator
gets through alive, because what it reports may take a write more or less.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.faults import Knife
from tests.support.go_between import GoBetween, pass_on
from tests.support.grant_lives import PHASES, Life, Outcome, Phase, Stage
from tests.support.kubectl import eventually
from tests.support.own_operator import OwnOperator, settings_through, without_sandbox_operator
from tests.support.tokens import IssuerAdmin

SPARE = 4
"""By so many writes at most may a run be longer than the undisturbed one."""
AT_REST = 1.5
"""Seconds without a write that end a phase; the operator never waits for as long in any of them."""
PATIENCE = 30


@pytest.fixture(scope="module")
def stage(platform: Layout, gateway: Gateway, issuer: IssuerAdmin) -> Iterator[Stage]:
    with Stage.of(platform, gateway, issuer) as made:
        yield made


class Theatre:
    """An operator behind a go-between that may hold a knife."""

    def __init__(self, house: GoBetween, operator: OwnOperator) -> None:
        self._house = house
        self._operator = operator

    def play(self, life: Life, phase: Phase, *, number: int | None = None, taken: bool = True) -> Knife:
        """Let a phase take place until the operator is killed at the write of this number, or has done all."""
        knife = Knife(self._operator.kill, life.mark, number, taken)
        self._house.interference = knife
        phase.begin(life)
        eventually(lambda: knife.has_cut or (knife.idle_for > AT_REST and life.has_settled()), PATIENCE)
        self._house.interference = pass_on if not knife.has_cut else knife
        return knife

    def rest(self) -> None:
        """Return when the operator has had nothing to write for a while."""
        self._house.interference = watch = Knife(self._operator.kill, mark="")
        eventually(lambda: watch.idle_for > AT_REST, PATIENCE)

    def start_anew(self) -> None:
        """Start the operator, which nothing disturbs, after its death."""
        self._operator.end()
        self._house.interference = pass_on
        self._operator.start()


@pytest.fixture
def theatre(platform: Layout, tmp_path: Path) -> Iterator[Theatre]:
    with without_sandbox_operator(platform), GoBetween(platform) as house:
        operator = OwnOperator(platform, settings_through(house, platform, tmp_path))
        operator.start()
        try:
            yield Theatre(house, operator)
        finally:
            operator.end()


@pytest.mark.parametrize("taken", [True, False], ids=["right after", "right before"])
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_an_operator_killed_at_any_write_leaves_nothing_undone(
    stage: Stage,
    theatre: Theatre,
    phase: Phase,
    taken: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The same end as undisturbed: no key lost or doubled, no client without a grant, the key in the Secret works."""
    expected, least = _undisturbed(stage, theatre, phase)
    lives = stage.lives([phase] * (least + SPARE))
    theatre.rest()
    points: list[str] = []
    for number, life in enumerate(lives, start=1):
        knife = theatre.play(life, phase, number=number, taken=taken)
        if knife.has_cut:
            points.append(f"{number}: {knife.writes[-1]}")
            theatre.start_anew()
        eventually(lambda life=life: _is_as(expected, life), PATIENCE)  # type: ignore[misc]
        if number > least and not knife.has_cut:
            break
    print(f"{phase.name}: killed {'after' if taken else 'before'}", *points, sep="\n  ")  # noqa: T201 - the record
    assert len(points) >= least - 1
    assert all(_is_as(expected, life) for life in lives[: len(points)])
    stage.clear()
    assert stage.clients_without_grant() == set()


def _undisturbed(stage: Stage, theatre: Theatre, phase: Phase) -> tuple[Outcome, int]:
    """What comes out in the end, and how many writes that takes."""
    stage.clear()
    (life,) = stage.lives([phase])
    theatre.rest()
    knife = theatre.play(life, phase)
    outcome = life.outcome()
    stage.clear()
    return outcome, len(knife.writes)


def _is_as(expected: Outcome, life: Life) -> bool:
    assert life.outcome() == expected
    return True
