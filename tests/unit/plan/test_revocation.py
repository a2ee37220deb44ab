"""Taking access away when there is more to refuse than an object has room for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from conecta_operator.api.conecta_api import MOST_REVOKED_KEYS
from conecta_operator.api.conecta_grant import MOST_ENDED_KEYS
from conecta_operator.render.forms import Forms
from tests.support.worlds import Case, decide, written

CASES = Path(__file__).parents[2] / "golden" / "cases"
FORMS = Forms.load()
KEY = "saude-agendamento-a1b2c3d4-1"
LATER = "2026-11-24T13:00:00Z"


def _case(name: str) -> dict[str, Any]:
    return yaml.safe_load((CASES / name / "in.yaml").read_text())  # type: ignore[no-any-return]


def _status(case: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(manifest["status"] for manifest in case["objects"] if manifest["kind"] == kind)


def _decided(case: dict[str, Any]) -> dict[str, Any]:
    return written(decide(Case.model_validate(case), FORMS))


def _steps(case: dict[str, Any]) -> list[str]:
    return [next(iter(step)) for step in _decided(case)["steps"]]


def _with_others_revoked(name: str, others: int) -> dict[str, Any]:
    case = _case(name)
    revoked = [{"clientId": f"outra-app-ffffffff-{number}", "until": LATER} for number in range(1, others + 1)]
    _status(case, "ConectaApi")["revokedKeys"] = revoked
    return case


@pytest.mark.parametrize(
    "name",
    ["grant-revoked-by-a-person-is-denied-first", "grant-deleted-is-denied-first", "grant-expired-is-denied-first"],
)
def test_a_full_list_keeps_no_key_alive(name: str) -> None:
    """Nothing that the API server would refuse is written; the issuer refuses tokens, and the key waits for room."""
    full = _with_others_revoked(name, MOST_REVOKED_KEYS)
    assert _steps(full) == ["putKey"]
    assert _decided(full)["steps"][0]["putKey"]["suspended"]
    assert [key["clientId"] for key in _decided(full)["status"]["keys"]] == [KEY]
    assert _steps(_with_others_revoked(name, MOST_REVOKED_KEYS - 1)) == ["denyKeys", "putKey"]


def _with_ended_keys(count: int) -> dict[str, Any]:
    case = _case("grant-whose-old-key-has-served-its-overlap-loses-it")
    ended = [{"clientId": f"saude-agendamento-a1b2c3d4-{number}", "until": LATER} for number in range(100, 100 + count)]
    _status(case, "ConectaGrant")["endedKeys"] = ended
    return case


def test_a_replaced_key_that_cannot_be_remembered_is_refused_before_it_goes() -> None:
    assert _steps(_with_ended_keys(MOST_ENDED_KEYS - 1)) == ["removeKey"]
    assert _steps(_with_ended_keys(MOST_ENDED_KEYS)) == ["denyKeys", "putKey"]
    assert len(_decided(_with_ended_keys(MOST_ENDED_KEYS))["status"]["endedKeys"]) == MOST_ENDED_KEYS


def test_a_replaced_key_is_forgotten_when_its_last_token_has_expired() -> None:
    case = _case("grant-with-its-key-is-ready-and-writes-nothing")
    _status(case, "ConectaGrant")["endedKeys"] = [
        {"clientId": KEY.replace("-1", "-9"), "until": "2026-11-24T12:00:00Z"}
    ]
    assert _decided(case)["status"]["endedKeys"] is None
