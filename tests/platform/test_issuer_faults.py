"""The issuer at its worst: answers 500, does what it is told and never says so, is away. Delays a key, breaks none."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from sandbox.layout import Layout
from sandbox.processes import Processes
from sandbox.services import services
from tests.support.application import Gateway
from tests.support.faults import Fault, MarkedFaults, internal_error, refusing_issuer, silence_after_commit
from tests.support.go_between import GoBetween, pass_on
from tests.support.grant_lives import PHASES, Life, Outcome, Phase, Stage
from tests.support.kubectl import eventually
from tests.support.own_operator import OwnOperator, settings_through, without_sandbox_operator
from tests.support.tokens import IssuerAdmin

AWAY: Final = float(os.environ.get("CONECTA_TEST_ISSUER_AWAY", "15"))
"""Seconds for which the issuer is away. The operator doesn't know for how long: a longer time is more of the same."""
_, ROTATION, _ = PHASES
REFUSING: Final = 6.0
"""Seconds for which the issuer has nothing but 500 to say."""
PATIENCE: Final = 45
"""Seconds: an answer that never comes takes ten, and what failed often waits longer before the next attempt."""


@pytest.fixture(scope="module")
def house(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoBetween]:
    """A go-between with an operator that reaches everything through it."""
    with without_sandbox_operator(platform), GoBetween(platform) as made:
        operator = OwnOperator(platform, settings_through(made, platform, tmp_path_factory.mktemp("operator")))
        operator.start()
        try:
            yield made
        finally:
            operator.end()


@pytest.fixture(scope="module")
def module_stage(platform: Layout, gateway: Gateway, issuer: IssuerAdmin, house: GoBetween) -> Iterator[Stage]:
    house.interference = pass_on
    with Stage.of(platform, gateway, issuer) as made:
        yield made
        made.clear()


@pytest.fixture
def stage(module_stage: Stage, house: GoBetween) -> Iterator[Stage]:
    """Without a grant before the test; afterwards, no client is left without one."""
    module_stage.clear()
    yield module_stage
    house.interference = pass_on
    module_stage.clear()
    assert module_stage.clients_without_grant() == set()


@dataclass(frozen=True)
class Course:
    """How a phase goes when nothing disturbs it: what comes out, and how often the issuer hears of the key."""

    outcome: Outcome
    requests: int
    writes: int


@pytest.fixture(scope="module")
def courses(module_stage: Stage, house: GoBetween) -> dict[Phase, Course]:
    """The undisturbed course of each phase."""
    module_stage.clear()
    lives = module_stage.lives(PHASES)
    house.interference = counting = MarkedFaults(internal_error, dict.fromkeys((life.mark for life in lives), 0))
    for life, phase in zip(lives, PHASES, strict=True):
        phase.begin(life)
    outcomes = [life.outcome_at_rest() for life in lives]
    house.interference = pass_on
    seen = [counting.seen[life.mark] for life in lives]
    return {
        phase: Course(outcome, len(requests), sum(request.is_write for request in requests))
        for phase, outcome, requests in zip(PHASES, outcomes, seen, strict=True)
    }


@pytest.mark.parametrize(
    ("fault", "only_writes"),
    [
        pytest.param(internal_error, False, id="answers 500"),
        pytest.param(silence_after_commit, True, id="does it and never answers"),
    ],
)
def test_a_fault_at_any_request_about_a_key_is_made_good(
    stage: Stage,
    house: GoBetween,
    courses: dict[Phase, Course],
    fault: Fault,
    only_writes: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Each request of issue, rotation and revocation meets the fault once, each for a grant of its own."""
    points = [
        (phase, number)
        for phase, course in courses.items()
        for number in range(1, (course.writes if only_writes else course.requests) + 1)
    ]
    lives = stage.lives([phase for phase, _ in points])
    rotated = {life: life.application() for life, (phase, _) in zip(lives, points, strict=True) if phase is ROTATION}
    marks = {life.mark: number for life, (_, number) in zip(lives, points, strict=True)}
    house.interference = faults = MarkedFaults(fault, marks, only_writes=only_writes)
    for life, (phase, _) in zip(lives, points, strict=True):
        phase.begin(life)
    eventually(lambda: all(life.status(key) == 200 for life, key in rotated.items()) and faults.met == set(marks), 30)
    for life, (phase, number) in zip(lives, points, strict=True):
        _await(life, courses[phase].outcome, f"{phase.name}, request {number}")
    assert all(life.status(key) == 200 for life, key in rotated.items()), "replaced keys go on working for the overlap"
    print(*(f"{phase.name}, request {number}" for phase, number in points), sep="\n  ")  # noqa: T201 - the record


def test_an_issuer_that_answers_nothing_but_500_only_delays(
    stage: Stage, house: GoBetween, courses: dict[Phase, Course]
) -> None:
    @contextmanager
    def refusing() -> Iterator[None]:
        house.interference = refusing_issuer
        yield
        house.interference = pass_on

    _while_the_issuer_is(refusing, REFUSING, stage, courses)


def test_an_issuer_that_is_away_only_delays(platform: Layout, stage: Stage, courses: dict[Phase, Course]) -> None:
    """Its process is stopped."""
    processes, hydra = Processes(platform), services(platform, Path())["hydra"]

    @contextmanager
    def away() -> Iterator[None]:
        processes.stop([hydra.name])
        try:
            yield
        finally:
            processes.start(hydra)
            processes.await_ready(hydra)

    _while_the_issuer_is(away, AWAY, stage, courses)


def _while_the_issuer_is(
    out_of_order: Callable[[], AbstractContextManager[None]], seconds: float, stage: Stage, courses: dict[Phase, Course]
) -> None:
    """Begin each phase meanwhile: calls go on, a revoked key is refused, and statuses say what they wait for."""
    issued, rotated, revoked = lives = stage.lives(PHASES)
    going_on, ending = rotated.application(), revoked.application()
    its_token, token_of_ending = going_on.token(), ending.token()
    with out_of_order():
        ends = time.monotonic() + seconds
        for life, phase in zip(lives, PHASES, strict=True):
            phase.begin(life)
        eventually(lambda: revoked.status(ending, token_of_ending) == 403, 5)
        eventually(lambda: "issuer is away" in issued.says("CredentialsReady"), 15)
        eventually(lambda: "issuer, which is away" in revoked.says("CredentialsReady"), 15)
        while time.monotonic() < ends:
            assert rotated.status(going_on, its_token) == 200
            assert revoked.status(ending, token_of_ending) == 403
            time.sleep(0.1)
    started = time.monotonic()
    for life, phase in zip(lives, PHASES, strict=True):
        _await(life, courses[phase].outcome, phase.name)
    print(f"as undisturbed {time.monotonic() - started:.1f} s after it was back")  # noqa: T201 - the record
    assert rotated.status(going_on) == 200, "the replaced key works for the overlap"


def _await(life: Life, expected: Outcome, what: str) -> None:
    def is_as_expected() -> bool:
        assert life.outcome() == expected, what
        return True

    eventually(is_as_expected, PATIENCE)
