"""An OAuth 2 authorization server in memory, as far as the operator can tell; tests/contract compares it with Hydra."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from conecta_operator.api.keys import Key
from conecta_operator.errors import OperatorError, Rejected
from tests.support.journal import Journal

__all__ = ["FakeIssuer"]

_SHORTEST_SECRET: Final = 6
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


class FakeIssuer:
    """An `Issuer`, what an application sees of it (`verify`), and what others do to it: `drop`.

    Like Hydra it keeps but a hash of a secret. While `outage` is an error, every method of the protocol raises it.
    """

    def __init__(self, *, journal: Journal | None = None) -> None:
        self.journal = journal or Journal()
        self.outage: OperatorError | None = None
        self.public_keys = (
            '{"keys":[{"alg":"RS256","e":"AQAB","kid":"first","kty":"RSA","n":"u1SU1LfVLPHCozMxH2Mo","use":"sig"}]}'
        )
        self._clients: dict[str, Key] = {}
        self._hashes: dict[str, str] = {}

    @property
    def clients(self) -> Mapping[str, Key]:
        """All keys by client id, to look at."""
        return dict(self._clients)

    def verify(self, client_id: str, secret: SecretStr) -> bool:
        """Whether an application would get a token."""
        key = self._clients.get(client_id)
        return key is not None and not key.suspended and self._hashes[client_id] == _hash(secret)

    def drop(self, client_id: str) -> None:
        """Delete a client by hand."""
        del self._clients[client_id], self._hashes[client_id]

    async def keys(self, grant_uid: str) -> tuple[Key, ...]:
        """See Issuer."""
        await self._turn()
        held = (key for key in self._clients.values() if key.grant_uid == grant_uid)
        return tuple(sorted(held, key=lambda key: (key.number, key.issued_at)))

    async def all_keys(self) -> tuple[Key, ...]:
        """See Issuer."""
        await self._turn()
        return tuple(self._clients.values())

    async def put(self, key: Key, secret: SecretStr | None) -> None:
        """See Issuer."""
        await self._turn()
        with self.journal.entry("put", _checked(key.client_id)):
            existing = self._clients.get(key.client_id)
            if existing is not None and existing.grant_uid != key.grant_uid:
                raise Rejected(f"client {key.client_id} belongs to another grant")
            if existing is None and secret is None:
                raise Rejected(f"client {key.client_id} is new and has no secret")
            if secret is not None:
                if len(secret) < _SHORTEST_SECRET:
                    raise Rejected(f"client {key.client_id}: the secret is too short")
                self._hashes[key.client_id] = _hash(secret)
            self._clients[key.client_id] = key

    async def remove(self, client_id: str) -> None:
        """See Issuer."""
        await self._turn()
        with self.journal.entry("remove", _checked(client_id)):
            self._clients.pop(client_id, None)
            self._hashes.pop(client_id, None)

    async def jwks(self) -> str:
        """See Issuer."""
        await self._turn()
        return self.public_keys

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if self.outage is not None:
            raise self.outage


def _checked(client_id: str) -> str:
    if not _CLIENT_ID.fullmatch(client_id):
        raise Rejected("what was given as a client id cannot be one")
    return client_id


def _hash(secret: SecretStr) -> str:
    return hashlib.sha256(b"hash:" + secret.get_secret_value().encode()).hexdigest()
