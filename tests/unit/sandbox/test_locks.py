"""One command at a time works on a sandbox."""

import threading
from pathlib import Path

from sandbox.locks import is_locked, locked


def test_a_folder_is_locked_while_it_is_held_and_no_file_is_left(tmp_path: Path) -> None:
    folder = tmp_path / ".sandbox"
    with locked(folder):
        assert is_locked(folder)
        assert list(folder.iterdir()) == []
    assert not is_locked(folder)


def test_a_folder_that_is_not_there_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / ".sandbox")


def test_who_comes_second_is_told_and_waits_and_holds_the_folder_that_is_there_then(tmp_path: Path) -> None:
    """The first one may be `make down`, which removes the folder."""
    folder, is_waiting, held = tmp_path / ".sandbox", threading.Event(), []

    def second() -> None:
        with locked(folder, is_waiting.set):
            held.append(folder.exists() and is_locked(folder))

    thread = threading.Thread(target=second)
    with locked(folder):
        thread.start()
        assert is_waiting.wait(5)
        folder.rmdir()
    thread.join(5)
    assert held == [True]
