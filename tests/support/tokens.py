"""Tokens as the issuer makes them, and tokens that it would never make."""

import base64
import json
import ssl
import time
from pathlib import Path
from typing import Any

import urllib3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

__all__ = ["IssuerAdmin", "claims_of", "expired"]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token: str) -> dict[str, Any]:
    """The payload of a JWT, which has three parts."""
    _, payload, _ = token.split(".")
    claims: dict[str, Any] = json.loads(_decoded(payload))
    return claims


class IssuerAdmin:
    """The issuer's admin API (Ory Hydra), for looking behind the scenes and for doing damage."""

    def __init__(self, ca_file: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca_file))
        self._pool = urllib3.HTTPSConnectionPool("localhost", 4445, ssl_context=context, retries=False, timeout=10)

    def client(self, client_id: str) -> dict[str, Any] | None:
        """An OAuth 2 client, None when there is none."""
        answer = self._pool.request("GET", f"/admin/clients/{client_id}")
        return answer.json() if answer.status == 200 else None

    def client_ids(self) -> set[str]:
        """All clients' ids."""
        return {client["client_id"] for client in self._pool.request("GET", "/admin/clients?page_size=500").json()}

    def create_client(self, client: dict[str, Any]) -> None:
        """Make a client, as whoever may use the admin API can."""
        answer = self._pool.request("POST", "/admin/clients", json=client)
        assert answer.status == 201, answer.data

    def delete_client(self, client_id: str) -> None:
        """Remove a client behind the operator's back."""
        assert self._pool.request("DELETE", f"/admin/clients/{client_id}").status == 204

    def signing_key(self) -> tuple[str, rsa.RSAPrivateKey]:
        """The key that the issuer signs with, and its id."""
        jwk = self._pool.request("GET", "/admin/keys/hydra.jwt.access-token").json()["keys"][0]
        numbers = {
            name: int.from_bytes(_decoded(jwk[name]), "big") for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
        }
        public = rsa.RSAPublicNumbers(numbers["e"], numbers["n"])
        private = rsa.RSAPrivateNumbers(
            numbers["p"], numbers["q"], numbers["d"], numbers["dp"], numbers["dq"], numbers["qi"], public
        )
        return jwk["kid"], private.private_key()

    def take_out(self, key_id: str) -> None:
        """Remove one of the keys that tokens are verified by."""
        assert self._pool.request("DELETE", f"/admin/keys/hydra.jwt.access-token/{key_id}").status == 204

    def sign(self, claims: dict[str, Any], *, of_another_issuer: bool = False) -> str:
        """A token with these claims, signed by the issuer's own key or by one that only claims to be."""
        key_id, private = self.signing_key()
        if of_another_issuer:
            private = rsa.generate_private_key(65537, 2048)
        header = {"alg": "RS256", "typ": "JWT", "kid": key_id}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_encoded(private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def expired(claims: dict[str, Any], *, since: int = 3600) -> dict[str, Any]:
    """The same claims, of a token that ended an hour ago, or so many seconds."""
    ended = int(time.time()) - since
    return {**claims, "iat": ended - 7200, "nbf": ended - 7200, "exp": ended}
