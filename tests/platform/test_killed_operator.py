"""The operator process killed at any single write of a key's life, and started anew: as if nothing had happened.

The writes are counted by an undisturbed run, not listed by hand; points are tried beyond its last until the operator
gets through alive, because what it reports may take a write more or less. Death right before a write leaves the world
that death right after the one before it leaves, so that only the first write is tried both ways. Nobody waits between
two points: what a restarted operator has to finish may well be cut by its next death.
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
AT_REST = 2.0
"""Seconds without a write after which a phase that has come to its end is over."""
PATIENCE = 60


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
        if not knife.has_cut:
            self._house.interference = pass_on
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


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_an_operator_killed_at_any_write_leaves_nothing_undone(stage: Stage, theatre: Theatre, phase: Phase) -> None:
    """The same end as undisturbed: no key lost or doubled, no client without a grant, the key in the Secret works.

    And it works all the time, also while the operator is dead, unless it is to end.
    """
    expected, least = _undisturbed(stage, theatre, phase)
    first, *lives = stage.lives([phase] * (1 + least + SPARE))
    theatre.rest()
    disturbed = {"before 1": first} if theatre.play(first, phase, number=1, taken=False).has_cut else {}
    theatre.start_anew()
    for number, life in enumerate(lives, start=1):
        knife = theatre.play(life, phase, number=number)
        if not knife.has_cut:
            break
        disturbed[f"after {number}: {knife.writes[-1]}"] = life
        assert phase.ends_key or life.has_no_dead_key(), f"killed {[*disturbed][-1]}"
        theatre.start_anew()
    print(f"{phase.name}: killed", *disturbed, sep="\n  ")  # noqa: T201 - the record
    assert len(disturbed) >= least
    for point, life in disturbed.items():
        eventually(lambda life=life, point=point: _is_as(expected, life, point), PATIENCE)  # type: ignore[misc]
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


def _is_as(expected: Outcome, life: Life, point: str) -> bool:
    assert life.outcome() == expected, f"killed {point}"
    return True
