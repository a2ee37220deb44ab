"""Clients as receivers have them: each gets a token, and calls through the gateway."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.support.application import CPF, TOKEN_PATH, Application, Key
from tests.support.client_runtimes import CLIENTS, COMMAND, GO, NODE, Runtime

CALL = f"{GATEWAY_URL}/api-cep/v1/consulta/cep/70040020"
TOKEN = f"{GATEWAY_URL}{TOKEN_PATH}"
PATIENCE = 30
LIBRARIES: dict[str, list[str] | Runtime] = {
    "authlib": [sys.executable, str(CLIENTS / "authlib_client.py")],
    "requests-oauthlib": [sys.executable, str(CLIENTS / "requests_oauthlib_client.py")],
    "openid-client": NODE,
    "x/oauth2": GO,
    "curl": ["sh", str(CLIENTS / "curl.sh")],
}
WAYS = ("default", "basic", "body")


@pytest.fixture(params=LIBRARIES)
def command(request: pytest.FixtureRequest) -> list[str]:
    """What starts a client; a client whose runtime is not there is reported as not run, on CI as failed."""
    client = LIBRARIES[request.param]
    if not isinstance(client, Runtime):
        needed = "curl" if request.param == "curl" else client[0]
        _must_be_there([] if shutil.which(needed) else [needed])
        return client
    _must_be_there(client.missing)
    assert client.home.exists(), f"{client.name} is not made ready; `{COMMAND}` does it, or says why it can't"
    return client.command


def _must_be_there(missing: list[str]) -> None:
    if missing:
        report: Callable[[str], Any] = pytest.fail if os.environ.get("CI") else pytest.skip
        report(f"NOT RUN: this machine has no {' and no '.join(missing)}")


def outcome(command: list[str], key: Key, way: str, ca_file: Path) -> dict[str, Any]:
    """What the client tells of its call: a status and a body, or the word by which the issuer refused a token."""
    given = {
        "PATH": os.environ["PATH"],  # and nothing else of ours: variables that name authorities win over arguments
        "TOKEN_URL": TOKEN,
        "CALL_URL": CALL,
        "CLIENT_ID": key.client_id,
        "CLIENT_SECRET": key.secret,
        "CLIENT_AUTH": way,
        "CPF": CPF,
        "CA_FILE": str(ca_file),
        "NODE_EXTRA_CA_CERTS": str(ca_file),
    }
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("way", WAYS)
def test_a_client_gets_a_token_and_calls(platform: Layout, command: list[str], cep: Application, way: str) -> None:
    """By what the library does by default, by Basic, and by the request's body."""
    told = outcome(command, cep.key, way, platform.ca_file)
    assert (told.get("status"), told.get("body", {}).get("cep")) == (200, "70040020"), told


@pytest.mark.parametrize("way", WAYS)
def test_a_client_understands_why_it_gets_no_token(
    platform: Layout, command: list[str], cep: Application, way: str
) -> None:
    told = outcome(command, replace(cep.key, secret="x" * 43), way, platform.ca_file)
    assert told == {"error": "invalid_client"}
