"""`kubectl conecta why` names the first thing that is wrong, and who can mend it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_cli.decisions.chain import Evidence, Missing, Seen, first_open
from conecta_cli.decisions.grants import instant
from conecta_cli.decisions.why import chain
from conecta_cli.output.explanation import explained, explanation
from conecta_operator.api.objects import Manifest
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ApiServer

FOLDER = Path(__file__).parent
GIVEN = yaml.load((FOLDER / "why.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - plain text
EXPECTED = FOLDER / "why.expected.txt"
HEADING = """\
What `kubectl conecta why` says in the cases of why.yaml.
Written anew by `python -m pytest -p tests.golden.conftest tests/unit/cli --regenerate`.
"""
OBJECTS = ("api", "secret", "route", "policy")


def set_at(world: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        world = world[int(step)] if step.isdigit() else world[step]
    if value == "null":
        del world[last]
    else:
        world[last] = value


def spelled_out(value: Any, generation: int) -> Any:
    """`conditions: {Type: "Status Reason Message"}` as the list that it stands for, of this generation."""
    if isinstance(value, list):
        return [spelled_out(entry, generation) for entry in value]
    if not isinstance(value, dict):
        return value
    plain = {name: spelled_out(part, generation) for name, part in value.items()}
    if isinstance(value.get("conditions"), dict):
        plain["conditions"] = [
            dict(zip(("status", "reason", "message"), [*text.split(" ", 2), ""], strict=False))
            | {"type": type_, "observedGeneration": generation}
            for type_, text in value["conditions"].items()
        ]
    return plain


def evidence_of(case: dict[str, Any]) -> Evidence:
    world = copy.deepcopy(GIVEN["world"])
    seen_generation = {name: int(manifest["metadata"].get("generation", 0)) for name, manifest in world.items()}
    for path, value in (case.get("changes") or {}).items():
        set_at(world, path, value)
    objects: dict[str, Manifest] = {}
    for name, manifest in world.items():
        objects[name] = spelled_out(manifest, seen_generation[name])
        objects[name]["metadata"]["generation"] = int(manifest["metadata"].get("generation", 0))

    def seen(name: str) -> Seen:
        if name in case.get("forbidden", []):
            return Missing.FORBIDDEN
        return Missing.ABSENT if name in case.get("absent", []) else objects[name]

    return Evidence(grant=objects["grant"], now=instant(GIVEN["now"]), **{name: seen(name) for name in OBJECTS})


@pytest.fixture(scope="module")
def expected(request: pytest.FixtureRequest) -> dict[str, str]:
    """The answer to each case."""
    if request.config.getoption("--regenerate", default=False):
        answers = [f"\n### {name}\n\n{answer(case)}\n" for name, case in GIVEN["cases"].items()]
        EXPECTED.write_text("".join([HEADING, *answers]), encoding="utf-8")
    return dict(sections(EXPECTED.read_text(encoding="utf-8")))


def answer(case: dict[str, Any]) -> str:
    evidence = evidence_of(case)
    return explained(evidence, chain(evidence))


def sections(text: str) -> Iterator[tuple[str, str]]:
    for section in text.split("\n### ")[1:]:
        title, _, body = section.partition("\n")
        yield title, body.strip("\n")


@pytest.mark.parametrize("name", GIVEN["cases"])
def test_it_says(name: str, expected: dict[str, str]) -> None:
    """What the case's name says is what comes out."""
    assert answer(GIVEN["cases"][name]) == expected[name]


def test_nothing_is_expected_of_a_case_that_there_is_not(expected: dict[str, str]) -> None:
    assert list(expected) == list(GIVEN["cases"])


@pytest.mark.parametrize("name", GIVEN["cases"])
def test_for_programs_it_says_the_same(name: str) -> None:
    evidence = evidence_of(GIVEN["cases"][name])
    links = chain(evidence)
    said, culprit = explanation(evidence, links), first_open(links)
    assert [link["link"] for link in said["chain"]] == ["API", "approval", "term", "key", "route", "policy"]
    assert said["works"] == (culprit is None)
    assert said.get("first", {}).get("message") == (culprit and culprit.says)


@pytest.fixture
def world(server: ApiServer) -> Evidence:
    """The grant that works and all that it depends on, in the API server."""
    evidence = evidence_of({})
    for plural, manifest in (
        ("conectagrants", evidence.grant),
        ("conectaapis", evidence.api),
        ("secrets", evidence.secret),
        ("httproutes", evidence.route),
        ("securitypolicies", evidence.policy),
    ):
        assert isinstance(manifest, dict)
        server.put(plural, manifest)
    return evidence


def test_it_looks_at_what_the_caller_may_read(run: Run, server: ApiServer, world: Evidence) -> None:
    assert "Nothing is wrong" in run("why", "agendamento-cep").out
    grant = world.grant
    server.refused = {("get", plural, "*") for plural in ("conectaapis", "secrets", "httproutes", "securitypolicies")}
    blind = run("why", "saude/agendamento-cep")
    assert (blind.code, blind.err) == (0, "")
    assert blind.out.count("you may not read") == 4
    assert "Nothing is wrong" in blind.out
    grant["spec"]["suspended"] = True
    assert "Wrong:   key: the grant is suspended" in run("why", "agendamento-cep").out


@pytest.mark.usefixtures("world")
def test_for_programs_it_is_one_value(run: Run) -> None:
    as_json, as_yaml = run("why", "agendamento-cep", "-o", "json"), run("why", "agendamento-cep", "-o", "yaml")
    assert json.loads(as_json.out) == yaml.safe_load(as_yaml.out)
    assert json.loads(as_json.out)["works"] is True
    assert run("why", "agendamento-cep", "-o", "name").out == "conectagrant.conecta.gov.br/agendamento-cep\n"


def test_what_others_wrote_does_not_steer_the_terminal(run: Run, world: Evidence) -> None:
    world.grant["status"]["approval"] |= {"decision": "Denied", "message": "no\x1b[2J\nway\u202e"}
    said = run("why", "agendamento-cep").out
    assert "no\\x1b[2J way\\u202e" in said
