"""The surroundings that Pulumi gives to the program."""

from pathlib import Path

import pytest

from tests.infra.recorder import ROOT, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Stand in a folder like the repository, with a made-up certificate where the sandbox has its own."""
    for folder in ("charts", "docs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    pki = tmp_path / ".sandbox" / "pki"
    pki.mkdir(parents=True)
    (pki / "gateway.crt").write_text("made-up certificate")
    (pki / "gateway.key").write_text("made-up private key")
    (pki / "gateway-client.crt").write_text("made-up certificate of a client")
    (pki / "gateway-client.key").write_text("made-up private key of a client")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return Project(tmp_path, monkeypatch)
