"""Files that are generated and committed."""

from pathlib import Path

import pytest

from conecta_operator.generated import Generated

CONTENTS = {"one.yaml": "a: 1\n", "two.yaml": "b: é\n"}


def generated(*, alone: str) -> Generated:
    return Generated(module="conecta_operator.made", folder=Path("nowhere"), files=lambda: CONTENTS, alone=alone)


def stale_files(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    assert all("run python -m conecta_operator.made --write" in line for line in lines)
    return [Path(line.split(" ")[0]).name for line in lines]


def test_writing_makes_the_files_and_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "deep" / "folder"
    assert generated(alone="").main(["--check", "--folder", str(folder)]) == 1
    assert stale_files(capsys) == ["one.yaml", "two.yaml"]
    assert generated(alone="").main(["--write", "--folder", str(folder)]) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == CONTENTS
    assert generated(alone="").main(["--check", "--folder", str(folder)]) == 0
    assert stale_files(capsys) == []


def test_checking_names_what_was_edited_and_writing_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = generated(alone="")
    made.write(tmp_path)
    (tmp_path / "two.yaml").write_text("by: hand\n")
    assert made.main(["--check", "--folder", str(tmp_path)]) == 1
    assert stale_files(capsys) == ["two.yaml"]
    assert made.main(["--write", "--folder", str(tmp_path)]) == 0
    assert made.stale(tmp_path) == []


def test_files_that_are_alone_in_their_folder_tolerate_no_other_of_their_kind(tmp_path: Path) -> None:
    made = generated(alone=".yaml")
    made.write(tmp_path)
    for name in ("former.yaml", "README.md"):
        (tmp_path / name).touch()
    assert made.stale(tmp_path) == ["former.yaml"]
    made.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "one.yaml", "two.yaml"]


def test_others_are_left_where_generated_files_are_not_alone(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").touch()
    made = generated(alone="")
    made.write(tmp_path)
    assert made.stale(tmp_path) == []
    assert (tmp_path / "other.yaml").exists()


def test_writing_and_checking_at_once_is_a_mistake() -> None:
    for arguments in ([], ["--write", "--check"]):
        with pytest.raises(SystemExit):
            generated(alone="").main(arguments)
