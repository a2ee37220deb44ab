"""`suspend`, `resume` and `rotate` change the receiver's own request."""

from collections.abc import Callable

import pytest

from conecta_operator.api.objects import Manifest
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ApiServer

NAME = "conectagrant.conecta.gov.br/agendamento-cep"


def key(number: int, state: str = "Active") -> Manifest:
    return {"clientId": f"saude-agendamento-0a1b2c3d-{number}", "state": state, "issuedAt": "2026-11-20T12:00:00Z"}


@pytest.fixture
def keyed(grant: Manifest) -> Manifest:
    """The grant with a key."""
    grant["status"] = {"keys": [key(1)], "binding": {"name": "chave"}}
    return grant


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Instead of the next waits, what is in the list happens."""
    happens: list[Callable[[], None]] = []
    monkeypatch.setattr("time.sleep", lambda _: happens.pop(0)() if happens else None)
    return happens


def test_suspending_and_resuming(run: Run, server: ApiServer, grant: Manifest) -> None:
    assert run("suspend", "agendamento-cep").out == f"{NAME} suspended\n"
    assert grant["spec"]["suspended"] is True
    assert run("suspend", "agendamento-cep").out == f"{NAME} suspended (no change)\n"
    assert run("resume", "agendamento-cep").out == f"{NAME} resumed\n"
    assert grant["spec"]["suspended"] is False
    assert run("resume", "agendamento-cep").out == f"{NAME} resumed (no change)\n"
    assert [patch.body for patch in server.patches] == [{"spec": {"suspended": True}}, {"spec": {"suspended": False}}]
    assert not any(patch.path.endswith("/status") for patch in server.patches)


def test_rotating_raises_the_serial(run: Run, keyed: Manifest) -> None:
    keyed["spec"]["credential"] = {"secretName": "chave", "overlap": "7d"}
    assert run("rotate", "agendamento-cep").out == f"{NAME} rotation requested (serial 1)\n"
    assert keyed["spec"]["credential"] == {"secretName": "chave", "overlap": "7d", "serial": 1}
    run("rotate", "agendamento-cep")
    assert keyed["spec"]["credential"]["serial"] == 2


def test_two_rotations_at_once_are_two(run: Run, server: ApiServer, keyed: Manifest) -> None:
    def somebody_rotates() -> None:
        keyed["spec"]["credential"] = {"serial": 1}
        server.touch(keyed)

    server.before_patch = [somebody_rotates]
    run("rotate", "agendamento-cep")
    assert keyed["spec"]["credential"] == {"serial": 2}


def test_without_a_key_there_is_nothing_to_rotate(run: Run, server: ApiServer, grant: Manifest) -> None:
    del grant["spec"]["plan"]
    ran = run("rotate", "agendamento-cep")
    assert ran.code == 1
    assert "has no key that could be replaced; kubectl conecta why saude/agendamento-cep says why" in ran.err
    assert server.patches == []


@pytest.mark.parametrize("overlap", ["7d", None])
def test_now_ends_the_old_keys_and_gives_later_rotations_their_overlap_back(
    run: Run, keyed: Manifest, no_waiting: list[Callable[[], None]], overlap: str | None
) -> None:
    """It waits until no old key works: neither the current one nor one that was retiring already."""
    before = {"overlap": overlap} if overlap else {}
    keyed["spec"]["credential"] = dict(before)
    keyed["status"]["keys"] = [key(1, "Retiring"), key(2)]
    seen: list[object] = []

    def operator_works(keys: list[Manifest]) -> Callable[[], None]:
        def happens() -> None:
            seen.append(dict(keyed["spec"]["credential"]))
            keyed["status"]["keys"] = keys

        return happens

    no_waiting += [operator_works([key(1, "Retiring"), key(3)]), operator_works([]), operator_works([key(3)])]
    ran = run("rotate", "agendamento-cep", "--now")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{NAME} rotated: the new key is in Secret chave, old ones are refused\n"
    assert seen == [{"overlap": "0s", "serial": 1}] * 3
    assert keyed["spec"]["credential"] == before | {"serial": 1}


def test_an_overlap_that_somebody_sets_meanwhile_is_left(
    run: Run, keyed: Manifest, no_waiting: list[Callable[[], None]]
) -> None:
    def happens() -> None:
        keyed["status"]["keys"] = [key(2)]
        keyed["spec"]["credential"]["overlap"] = "1h"

    no_waiting.append(happens)
    assert run("rotate", "agendamento-cep", "--now").code == 0
    assert keyed["spec"]["credential"] == {"serial": 1, "overlap": "1h"}


def test_an_old_key_that_does_not_end_is_said_and_the_overlap_stays_nothing(
    run: Run, keyed: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To set it back too early would give the leaked key days to live."""
    clock = iter(range(1_000_000_000, 2_000_000_000, 20))

    class Clock:
        @staticmethod
        def now(zone: object) -> object:
            from datetime import UTC, datetime  # noqa: PLC0415

            assert zone is UTC
            return datetime.fromtimestamp(next(clock), UTC)

    monkeypatch.setattr("conecta_cli.__main__.datetime", Clock)
    ran = run("rotate", "agendamento-cep", "--now")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "the old key may still work after 60 s" in ran.err
    assert "overlap is 0s; once the old key is gone from status.keys, set it to 72h again" in ran.err
    assert keyed["spec"]["credential"] == {"serial": 1, "overlap": "0s"}


def test_an_interruption_says_what_is_left_to_do(
    run: Run, keyed: Manifest, no_waiting: list[Callable[[], None]]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    keyed["spec"]["credential"] = {"overlap": "7d"}
    no_waiting.append(interrupt)
    ran = run("rotate", "agendamento-cep", "--now")
    assert ran.code == 1
    assert "interrupted" in ran.err
    assert "set it to 7d again" in ran.err
