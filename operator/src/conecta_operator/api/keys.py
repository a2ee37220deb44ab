"""A key: one OAuth 2 client at the issuer, which belongs to exactly one grant."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

__all__ = ["Key", "fingerprint"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """What the issuer knows of one key. It stays with the client in the issuer, so that no other record is needed.

    `grant` is `namespace/name` for people, `grant_uid` is what counts. `number` counts from 1 within the grant.
    `retires_at` is None while the key is the current one. `fingerprint` tells an altered copy of the secret from a true
    one; it is the SHA-256 (hex) of 32 random bytes' text and gives nothing away (no dictionary covers 256 bits).
    `serial` is the grant's `credential.serial` that the key was made for: a higher one asks for another key. While
    `suspended`, the issuer refuses new tokens although the secret is right.
    """

    client_id: str
    grant: str
    grant_uid: str
    number: int
    scopes: tuple[str, ...]
    issued_at: datetime
    retires_at: datetime | None = None
    fingerprint: str
    serial: int = 0
    suspended: bool = False


def fingerprint(secret: SecretStr) -> str:
    """The fingerprint under which the issuer keeps this secret."""
    return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()
