"""Personal data and secrets stay out of the log, whoever writes there."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from conecta_operator.observability import logs
from conecta_operator.observability.redaction import MASK, redacted, trace_without_values

SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs, with logging as it was before afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in ("kopf", "asyncio", "kubernetes", "urllib3")}
    stream = io.StringIO()
    for handler in handlers:
        root.removeHandler(handler)
    logs.set_up("INFO", stream)
    yield stream
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def entries(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("x-cpf-usuario: 52998224725", f"x-cpf-usuario: {MASK}", id="a CPF"),
        pytest.param("cpf 529.982.247-25.", f"cpf {MASK}.", id="a CPF with punctuation"),
        pytest.param("/contas/52998224725/x", f"/contas/{MASK}/x", id="a CPF in a path"),
        pytest.param("00394460000141", "00394460000141", id="a CNPJ is no CPF"),
        pytest.param("port 6443, took 1234567890 ns", "port 6443, took 1234567890 ns", id="other numbers"),
        pytest.param("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}", id="a bearer token"),
        pytest.param("Authorization: Basic YTpi", f"Authorization: Basic {MASK}", id="credentials"),
        pytest.param("token eyJhbGciOi.eyJzdWIi.c2ln!", f"token {MASK}!", id="a JSON Web Token"),
        pytest.param("saude-agendamento-12345678-1", "saude-agendamento-12345678-1", id="a client id"),
    ],
)
def test_what_looks_like_a_cpf_or_a_token_is_masked(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_values_are_masked_in_any_depth() -> None:
    found = redacted({"52998224725": [("52998224725", 1, None, True)], "secret": SecretStr(SECRET)})
    assert found == {MASK: [[MASK, 1, None, True]], "secret": "**********"}


@given(st.integers(0, 99_999_999_999).map("{:011}".format), st.text("abc /:=\n", max_size=5))
def test_no_eleven_digits_get_through(cpf: str, around: str) -> None:
    assert cpf not in redacted(f"{around}{cpf}{around}")


def test_a_record_is_one_line_of_json(log: io.StringIO) -> None:
    logging.getLogger("conecta_operator.x").info("%s is\nready", "cep", extra={"kind": "ConectaApi"})
    (entry,) = entries(log)
    assert (entry["level"], entry["name"], entry["message"]) == ("INFO", "conecta_operator.x", "cep is\nready")
    assert entry["kind"] == "ConectaApi"
    assert entry["time"].endswith("+00:00")


def test_message_arguments_and_extras_are_masked(log: io.StringIO) -> None:
    logging.getLogger("any.library").warning("asked for %s", "52998224725", extra={"path": "/contas/52998224725"})
    assert "52998224725" not in log.getvalue()


def test_of_an_exception_the_log_has_where_and_why_and_none_of_its_values(log: io.StringIO) -> None:
    try:
        _stumble()
    except KeyError:
        logging.getLogger("x").exception("a bug")
    (entry,) = entries(log)
    assert SECRET not in log.getvalue()
    assert "builtins.KeyError" in entry["exc_info"]
    assert "caused by builtins.ValueError" in entry["exc_info"]
    assert __file__ in entry["exc_info"]


def _stumble() -> None:
    try:
        int(SECRET)
    except ValueError as cause:
        raise KeyError(f"cannot use {SECRET}") from cause


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert trace_without_values(first).count("builtins.") == 2


def test_a_suppressed_context_is_not_shown() -> None:
    failure = ValueError(SECRET)
    failure.__context__, failure.__suppress_context__ = KeyError(SECRET), True
    assert "KeyError" not in trace_without_values(failure)


def test_kopf_is_heard_only_when_it_warns(log: io.StringIO) -> None:
    logging.getLogger("kopf.reactor").info("watching")
    logging.getLogger("kopf.reactor").warning("trouble")
    assert [entry["message"] for entry in entries(log)] == ["trouble"]


def test_of_kopfs_attempts_in_an_outage_few_are_logged(log: io.StringIO) -> None:
    for attempt in range(1, 62):
        logging.getLogger("kopf.clients").error("Request attempt #%s failed; will retry: GET x -> y", attempt)
    shown = [entry["message"].split()[2] for entry in entries(log)]
    assert shown == ["#1", "#31", "#61"]
