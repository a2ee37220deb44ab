"""Ory Hydra, the token issuer: its configuration, its database's schema, and a signing key of the right size."""

import base64
import http.client
import json
import secrets
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.commands import Commands
from sandbox.environment import GATEWAY_URL
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.pki import write_private
from sandbox.ports import HYDRA_ADMIN, HYDRA_PUBLIC
from sandbox.probes import request, tls_context

__all__ = ["ENVIRONMENT", "configuration", "ensure_signing_key", "migrate", "private_jwk", "write_configuration"]

SIGNING_KEYS: Final = "/admin/keys/hydra.jwt.access-token"
KEY_BITS: Final = 2048
ENVIRONMENT: Final = {"GOPATH": "/nonexistent"}
"""Without it Hydra asks any `go` that is on PATH, which leaves files in the home folder."""


def configuration(layout: Layout, system_secret: str) -> dict[str, Any]:
    """Return Hydra's settings (`docs/adr` and the facts say why these)."""
    tls = {
        "enabled": True,
        "cert": {"path": str(layout.certificate("hydra"))},
        "key": {"path": str(layout.key("hydra"))},
    }
    database = layout.data / "hydra.sqlite"
    options = "_fk=true&mode=rwc&_journal_mode=WAL&_busy_timeout=5000&_synchronous=NORMAL"
    return {
        "dsn": f"sqlite://{database}?{options}",
        "serve": {
            "public": {"host": "127.0.0.1", "port": HYDRA_PUBLIC, "tls": tls},
            "admin": {"host": "127.0.0.1", "port": HYDRA_ADMIN, "tls": tls},
        },
        "urls": {
            "self": {"issuer": GATEWAY_URL, "public": GATEWAY_URL, "admin": f"https://localhost:{HYDRA_ADMIN}"},
        },
        "secrets": {"system": [system_secret]},
        "strategies": {"access_token": "jwt", "jwt": {"scope_claim": "both"}},
        "webfinger": {"jwks": {"broadcast_keys": ["hydra.openid.id-token", "conecta.next"]}},
        "ttl": {"access_token": "2h0m1s"},  # Hydra says one second less, and clients are promised 7200
        "oauth2": {
            "client_credentials": {"default_grant_allowed_scope": True},
            "hashers": {"algorithm": "bcrypt", "bcrypt": {"cost": 4}},
        },
        "log": {"level": "warn"},
    }


def write_configuration(layout: Layout) -> None:
    """Write Hydra's settings; its system secret is made once and kept."""
    file = layout.key("hydra-system-secret")
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    settings = configuration(layout, file.read_text(encoding="ascii"))
    write_private(layout.run / "hydra.yaml", yaml.safe_dump(settings, sort_keys=False))


def migrate(layout: Layout, commands: Commands) -> None:
    """Bring the database to the schema of this Hydra."""
    commands.run(
        "hydra", "migrate", "sql", "up", "--read-from-env", "--yes", "--config", layout.run / "hydra.yaml",
        environment=ENVIRONMENT,
        log=layout.log("hydra-migrate"),
    )  # fmt: skip


def ensure_signing_key(layout: Layout) -> bool:
    """Put an RSA-2048 key in the place of Hydra's own RSA-4096, which costs four times as much for each token."""
    tls = tls_context(layout.ca_file)
    current = request("GET", HYDRA_ADMIN, SIGNING_KEYS, tls=tls)
    if current.status == http.client.OK and any(_is_right(key) for key in current.json()["keys"]):
        return False
    body = json.dumps({"keys": [private_jwk(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS))]})
    headers = {"content-type": "application/json"}
    answer = request("PUT", HYDRA_ADMIN, SIGNING_KEYS, tls=tls, body=body.encode(), headers=headers)
    if answer.status != http.client.OK:
        raise SandboxError(f"Hydra answered {answer.status} when it was given its signing key")
    return True


def private_jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return a private key as a JSON Web Key for RS256."""
    private = key.private_numbers()
    numbers = {
        "n": private.public_numbers.n, "e": private.public_numbers.e, "d": private.d, "p": private.p, "q": private.q,
        "dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp,
    }  # fmt: skip
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": secrets.token_hex(16),
        **{name: _base64url(number) for name, number in numbers.items()},
    }


def _is_right(key: dict[str, Any]) -> bool:
    modulus = base64.urlsafe_b64decode(key.get("n", "") + "==")
    return key.get("alg") == "RS256" and int.from_bytes(modulus).bit_length() == KEY_BITS


def _base64url(number: int) -> str:
    content = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
