"""A receiver's application: takes its key from the Secret, gets a token, calls APIs through the gateway."""

import base64
import json
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from tests.support.canaries import CANARIES
from tests.support.kubectl import get

__all__ = ["CPF", "Application", "Gateway", "Key", "key_in"]

CPF = "11144477735"
"""Made up; its check digits are valid."""

TOKEN_PATH = "/oauth2/jwt-token"


@dataclass(frozen=True)
class Key:
    """What a Secret hands over."""

    client_id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        """Have it looked for, when all is over, where it doesn't belong."""
        CANARIES.secret(self.secret)
        CANARIES.secret(f"{self.client_id}:{self.secret}")

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 6749, section 2.3.1)."""
        parts = (urllib.parse.quote(part, safe="") for part in (self.client_id, self.secret))
        return "Basic " + base64.b64encode(":".join(parts).encode()).decode()


def key_in(namespace: str, secret: str) -> Key:
    """The key in a Secret."""
    data = get("secret", namespace, secret)["data"]
    client_id, value = (base64.b64decode(data[name]).decode() for name in ("client-id", "client-secret"))
    return Key(client_id, value)


class Gateway:
    """The gateway's HTTPS port, as a client that was given the CA reaches it by a name."""

    def __init__(self, url: str, ca_file: Path, *, server_name: str = "localhost", timeout: float = 10) -> None:
        port = urllib.parse.urlsplit(url).port
        self.host = f"{server_name}:{port}"
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            port,
            ssl_context=ssl.create_default_context(cafile=str(ca_file)),
            server_hostname=server_name,
            assert_hostname=server_name,
            retries=False,
            timeout=timeout,
        )

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | str | None = None
    ) -> urllib3.BaseHTTPResponse:
        """One request; the connection is kept alive for the next."""
        return self._pool.request(method, path, headers={"host": self.host, **(headers or {})}, body=body)

    def token_answer(
        self, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """The answer of the token endpoint to a form."""
        return self.request(
            "POST",
            TOKEN_PATH,
            headers={"content-type": "application/x-www-form-urlencoded", **(headers or {})},
            body=urllib.parse.urlencode(form),
        )


@dataclass(frozen=True)
class Application:
    """One key at one gateway."""

    gateway: Gateway
    key: Key

    def token(self) -> str:
        """A fresh access token, by Basic."""
        answer = self.gateway.token_answer({"grant_type": "client_credentials"}, {"authorization": self.key.basic})
        assert answer.status == 200, answer.data
        return CANARIES.secret(answer.json()["access_token"])

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
    ) -> urllib3.BaseHTTPResponse:
        """A call with a token (a fresh one by default) on behalf of a person."""
        sent = {"authorization": f"Bearer {token or self.token()}", "x-cpf-usuario": CPF, **(headers or {})}
        if json_body is None:
            return self.gateway.request(method, path, headers=sent)
        sent["content-type"] = "application/json"
        return self.gateway.request(method, path, headers=sent, body=json.dumps(json_body))
