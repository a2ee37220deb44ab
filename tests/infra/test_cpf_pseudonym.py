"""The script that logs for whom a call is made, run by a real Envoy, against the standard library's HMAC."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import gateway
from infra.settings import CpfKeySettings
from tests.support.scripted_envoy import ScriptedEnvoy, scripted_envoy

CPF = "11144477735"
LOGGED = "%REQ(X-NAME)% %DYNAMIC_METADATA(conecta:user_pseudonym)%"
FLUSH = 10
"""Seconds; Envoy writes its log every second, or sooner."""


def pseudonym(key: bytes, cpf: str) -> str:
    mark, hashed = (hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in ("conecta", cpf))
    return f"{mark[:8]}:{hashed[:32]}"


def logged(running: ScriptedEnvoy, *values: str) -> list[str]:
    """What the log says of one request for each value of the header."""
    for number, value in enumerate(values):
        running.post(b"", [("x-name", str(number)), *([("x-cpf-usuario", value)] if value else [])])
    end, said = time.monotonic() + FLUSH, dict[str, str]()
    while str(len(values) - 1) not in said and time.monotonic() < end:
        time.sleep(0.05)
        if running.access_log.exists():
            text = running.access_log.read_text(encoding="utf-8")
            said = dict(line.split(" ", 1) for line in text.splitlines(keepends=True) if line.endswith("\n"))
    return [said[str(number)].strip() for number in range(len(values))]


@pytest.fixture(params=[b"k" * 32, bytes(range(1, 9)) * 8, b"a key that is longer than a block of SHA-256, too." * 3])
def key(request: pytest.FixtureRequest) -> bytes:
    value: bytes = request.param
    return value


def script(file: Path) -> str:
    return gateway.pseudonyms_by(CpfKeySettings.model_validate({"file": str(file)}))


@pytest.fixture
def running(tmp_path: Path, key: bytes) -> Iterator[ScriptedEnvoy]:
    file = tmp_path / 'a "key" \\ of ours'
    file.write_bytes(key + b"\n")
    with scripted_envoy(tmp_path, script(file), logged=LOGGED) as running:
        yield running
        assert "script log" not in running.log.read_text(encoding="utf-8"), "an error of the script"


def test_a_cpf_is_logged_as_its_hmac_under_the_mark_of_the_key(running: ScriptedEnvoy, key: bytes) -> None:
    """Whatever is no CPF is logged as nothing, neither in clear nor otherwise."""
    said = logged(running, CPF, "00000000191", "", "111.444.777-35", f"{CPF}, {CPF}", f"{CPF} ", "1114447773")
    nobody = ["-"] * 3
    assert said == [pseudonym(key, CPF), pseudonym(key, "00000000191"), *nobody, pseudonym(key, CPF), "-"]


@pytest.mark.parametrize("content", [None, b"", b"short"], ids=["no file", "an empty file", "a short key"])
def test_without_a_key_nobody_is_logged_and_calls_go_on(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with scripted_envoy(tmp_path, script(file), logged=LOGGED) as running:
        assert logged(running, CPF) == ["-"]
        assert "no key for pseudonyms" in running.log.read_text(encoding="utf-8")


def test_a_changed_key_is_found_when_it_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "key"
    old, new = b"o" * 32, b"n" * 32
    file.write_bytes(old)
    at_once = script(file).replace("REREAD_AFTER = 60", "REREAD_AFTER = 0")
    with scripted_envoy(tmp_path, at_once, logged=LOGGED) as running:
        running.post(b"", [("x-name", "before"), ("x-cpf-usuario", CPF)])
        file.write_bytes(new)
        assert logged(running, CPF) == [pseudonym(new, CPF)]
        assert f"before {pseudonym(old, CPF)}" in running.access_log.read_text(encoding="utf-8")


def test_a_pod_finds_the_key_where_its_secret_is_mounted() -> None:
    settings = CpfKeySettings.model_validate({"secretName": "conecta-cpf-key"})
    deployment = gateway.envoy_proxy(1, settings)["provider"]["kubernetes"]["envoyDeployment"]
    (volume,), (mount,) = deployment["pod"]["volumes"], deployment["container"]["volumeMounts"]
    assert volume["secret"]["secretName"] == "conecta-cpf-key"
    assert volume["secret"]["optional"], "the gateway starts without it, too"
    assert f'"{mount["mountPath"]}/key"' in gateway.pseudonyms_by(settings)
    assert mount["name"] == volume["name"]


def test_without_the_setting_there_is_no_script_for_it() -> None:
    assert len(gateway.callers(None)["lua"]) == 1
    assert "provider" not in gateway.envoy_proxy(1, None)
