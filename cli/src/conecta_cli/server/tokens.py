"""The token endpoint, as the receiver's application uses it: OAuth 2 client credentials (RFC 6749, section 4.4)."""

import base64
import json
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from conecta_cli.errors import TokenRefused

__all__ = ["Credential", "fetch"]


@dataclass(frozen=True)
class Credential:
    """What a grant's Secret holds."""

    client_id: str
    client_secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 6749, section 2.3.1)."""
        text = ":".join(quote(part, safe="") for part in (self.client_id, self.client_secret))
        return "Basic " + base64.b64encode(text.encode()).decode()


def fetch(url: str, credential: Credential, *, ca_file: str | None, timeout: float) -> dict[str, Any]:
    """The answer of the token endpoint, with an `access_token`. Raises TokenRefused, which never tells a secret."""
    if urlsplit(url).scheme != "https":
        raise TokenRefused(f"a key is sent by https only, not to {url}")
    with urllib3.PoolManager(ssl_context=_trusting(ca_file), retries=False, timeout=timeout) as pool:
        try:
            answer = pool.request(
                "POST",
                url,
                body="grant_type=client_credentials",
                headers={
                    "Authorization": credential.basic,
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
            )
        except HTTPError as error:
            raise TokenRefused(f"no answer from {url}: {_in_one_line(error)}") from None
        return _token_in(answer.status, answer.data, url)


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise TokenRefused(f"the certificate authorities in {ca_file} are of no use: {error}") from None


def _token_in(status: int, content: bytes, url: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    said: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    if status != HTTPStatus.OK:
        words = ": ".join(str(said[part]) for part in ("error", "error_description") if said.get(part))
        raise TokenRefused(f"{url} gives no token: it answers {status} {' '.join(words.split())}".rstrip())
    if not said.get("access_token"):
        raise TokenRefused(f"{url} answers, but not with a token")
    return said


def _in_one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    hint = "; give the gateway's certificate authority by --ca-file or $CONECTA_CA"
    return text + (hint if "CERTIFICATE_VERIFY_FAILED" in text else "")
