"""What can be set, and what is said of settings that are wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from conecta_operator.__main__ import main
from conecta_operator.settings import PREFIX, Settings, WrongSettings

RIGHT = {
    "GATEWAY_URL": "https://localhost:10443",
    "ISSUER_URL": "https://localhost:10443",
    "ISSUER_ADMIN_URL": "https://localhost:4445",
    "ISSUER_PUBLIC_URL": "https://localhost:4444",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right settings and no others."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    for name, value in RIGHT.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)


def test_a_few_settings_are_enough() -> None:
    settings = Settings.load()
    assert (settings.gateway_namespace, settings.gateway_name, settings.gateway_listener) == (
        "conecta-gateway",
        "conecta",
        "https",
    )
    assert settings.resync_every == timedelta(minutes=10)
    assert not settings.platform().allow_local_backends


def test_decisions_know_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}GATEWAY_NAMESPACE", "edge")
    monkeypatch.setenv(f"{PREFIX}ALLOW_LOCAL_BACKENDS", "true")
    platform = Settings.load().platform()
    assert (platform.gateway_namespace, platform.gateway_url) == ("edge", RIGHT["GATEWAY_URL"])
    assert platform.allow_local_backends


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{PREFIX}ISSUER_URL")
    for name, value in {
        "GATEWAY_URL": "http://localhost",
        "ISSUER_ADMIN_URL": "https://localhost:4445/",
        "ISSUER_CA_FILE": "/does/not/exist",
        "WORKERS": "many",
        "PROBE_ADDRESS": "everywhere",
        "LOG_LEVEL": "LOUD",
    }.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(WrongSettings) as wrong:
        Settings.load()
    lines = dict(line.split(": ", 1) for line in str(wrong.value).splitlines())
    assert set(lines) == {
        f"{PREFIX}{name}"
        for name in (
            "GATEWAY_URL",
            "ISSUER_URL",
            "ISSUER_ADMIN_URL",
            "ISSUER_CA_FILE",
            "WORKERS",
            "PROBE_ADDRESS",
            "LOG_LEVEL",
        )
    }
    assert lines[f"{PREFIX}GATEWAY_URL"] == "must be a URL that starts with https://"
    assert lines[f"{PREFIX}ISSUER_URL"] == "Field required"


def test_wrong_settings_end_the_process_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}WORKERS", "0")
    assert main() == 2
    assert f"{PREFIX}WORKERS" in capsys.readouterr().err


def test_a_file_of_authorities_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.touch()
    monkeypatch.setenv(f"{PREFIX}ISSUER_CA_FILE", str(file))
    assert Settings.load().issuer_ca_file == file


def test_settings_do_not_change() -> None:
    settings = Settings.load()
    with pytest.raises(ValidationError):
        settings.workers = 9  # type: ignore[misc]


def test_variables_that_kubernetes_makes_of_a_service_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv(f"{PREFIX}PORT", "tcp://10.96.0.1:443")
    Settings.load()
