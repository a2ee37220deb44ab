"""The token issuer (OAuth 2 authorization server) as the operator uses it."""

from typing import Protocol

from pydantic import SecretStr

from conecta_operator.api.keys import Key

__all__ = ["Issuer"]


class Issuer(Protocol):
    """A real or a fake issuer; one contract suite (tests/contract) holds both to this text.

    Every method raises IssuerUnavailable when the issuer is away or can't, and Rejected when it refuses what we sent.
    """

    async def keys(self, grant_uid: str) -> tuple[Key, ...]:
        """All keys (OAuth 2 clients) of one grant, oldest first.

        A client whose record was damaged by hand is still a key, lest it outlive its grant; no secret matches it.
        """

    async def all_keys(self) -> tuple[Key, ...]:
        """All keys that the operator ever put and that are still there, of whichever grants.

        Clients that others made, or whose record was taken away by hand, are not among them.
        """

    async def put(self, key: Key, secret: SecretStr | None) -> None:
        """Make the client be so, whether it exists or not. Without a secret, an existing client keeps the one it has.

        While a key is suspended, no token is issued for it; the secret outlives that.
        Raises Rejected when a client of that id exists and belongs to another grant, or when it is new and the secret
        is missing. A client that belongs to nobody any more (damage by hand) becomes this grant's again.
        """

    async def remove(self, client_id: str) -> None:
        """Delete the client, and success when there is none: no new token from now on."""

    async def jwks(self) -> str:
        """The public keys that verify tokens (RFC 7517), as JSON text that is equal when the keys are equal."""
