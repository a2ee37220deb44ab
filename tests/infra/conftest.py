"""The surroundings that Pulumi gives to the program."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.recorder import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder like the repository, with a made-up certificate where the sandbox has its own."""
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    pki = tmp_path / ".sandbox" / "pki"
    pki.mkdir(parents=True)
    (pki / "gateway.crt").write_text("made-up certificate")
    (pki / "gateway.key").write_text("made-up private key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], None]:
    """Hand settings to the program as the engine does: structures as JSON, all in one environment variable."""

    def hand_over(config: Mapping[str, Any]) -> None:
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(texts))

    return hand_over
