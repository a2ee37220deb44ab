"""Ory Hydra as the token issuer: one OAuth 2 client per key, whose record is kept in the client's own metadata."""

import json
import re
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import aiohttp
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from yarl import URL

from conecta_operator.api.keys import Key
from conecta_operator.api.objects import MANAGED_BY
from conecta_operator.apply.failures import NETWORK_FAILURES, cause_of, json_in
from conecta_operator.errors import IssuerUnavailable, OperatorError, Rejected

__all__ = ["HydraIssuer"]

_PAGE: Final = 100
_LONGEST_EXPLANATION: Final = 500
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_NUMBER_IN_CLIENT_ID: Final = re.compile(r"-([1-9][0-9]{0,8})$")
_PUBLIC_MEMBERS: Final = ("kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y")
_REFUSALS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
_GETS_TOKENS: Final = "client_credentials"
_SUSPENDED: Final = "suspended"
"""A grant type that Hydra doesn't know: it answers `unauthorized_client`, and goes on keeping the secret."""
_T = TypeVar("_T")
Jwk = Mapping[str, Any]
"""A key as RFC 7517 has it."""


class HydraIssuer:
    """An `Issuer` behind Hydra's two addresses. Connected within `async with`.

    `ca_file` holds the authorities (PEM) that both are trusted by; without it those of the machine.
    """

    def __init__(
        self,
        *,
        admin_url: str,
        public_url: str,
        ca_file: Path | None = None,
        time_limit: timedelta = timedelta(seconds=10),
    ) -> None:
        self._clients = URL(admin_url) / "admin" / "clients"
        self._key_sets = URL(admin_url) / "admin" / "keys"
        self._jwks = URL(public_url) / ".well-known" / "jwks.json"
        self._ca_file = ca_file
        self._timeout = aiohttp.ClientTimeout(total=time_limit.total_seconds())

    async def __aenter__(self) -> Self:
        try:
            context = ssl.create_default_context(cafile=self._ca_file)
        except OSError as failure:
            raise IssuerUnavailable(f"cannot use {self._ca_file} for the issuer: {cause_of(failure)}") from None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            headers={"Accept": "application/json", "User-Agent": MANAGED_BY},
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def keys(self, grant_uid: str) -> tuple[Key, ...]:
        """See Issuer. A client whose record was damaged by hand is a key that no secret matches: it gets replaced."""
        clients = await self._listed(owner=grant_uid)
        found = (_key_of(client) for client in clients if client.owner == grant_uid)
        return tuple(sorted(found, key=lambda key: (key.number, key.issued_at)))

    async def all_keys(self) -> tuple[Key, ...]:
        """See Issuer."""
        return tuple(_key_of(client) for client in await self._listed() if _is_ours(client))

    async def put(self, key: Key, secret: SecretStr | None) -> None:
        """See Issuer."""
        url = self._client(key.client_id)
        existing = await self._send("GET", url)
        if existing.tells_absence:
            if secret is None:
                raise Rejected(f"client {key.client_id} does not exist, and there is no secret to make it with")
            created = await self._send("POST", self._clients, _client_of(key, secret), secret)
            if created.status == HTTPStatus.CONFLICT:
                raise IssuerUnavailable(f"client {key.client_id} was made by another just now")
            created.parsed(_CLIENT)
            return
        owner = existing.parsed(_CLIENT).owner
        if owner not in {"", key.grant_uid}:
            raise Rejected(f"client {key.client_id} belongs to {owner} and not to grant {key.grant}")
        (await self._send("PUT", url, _client_of(key, secret), secret)).parsed(_CLIENT)

    async def remove(self, client_id: str) -> None:
        """See Issuer."""
        answer = await self._send("DELETE", self._client(client_id))
        if answer.status != HTTPStatus.NO_CONTENT and not answer.tells_absence:
            raise answer.error()

    async def jwks(self) -> str:
        """See Issuer."""
        published = (await self._send("GET", self._jwks)).parsed(_JWKS).keys_
        keys = [{name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk} for jwk in published]
        # A key may be in two of Hydra's sets.
        public = {str(key.get("kid")): key for key in keys if key.get("kty") != "oct"}
        if not public:
            raise IssuerUnavailable(f"{self._jwks} has no public key")
        return json.dumps({"keys": [public[kid] for kid in sorted(public)]}, sort_keys=True, separators=(",", ":"))

    async def signing_keys(self, name: str) -> tuple[Jwk, ...]:
        """The private keys of one of Hydra's sets, oldest first; none when there is no such set.

        With the newest of one set Hydra signs.
        """
        answer = await self._send("GET", self._key_sets / name)
        return () if answer.tells_absence else tuple(reversed(answer.parsed(_JWKS).keys_))

    async def put_signing_key(self, name: str, key: Jwk) -> None:
        """Make this key the newest of the set, whether there is such a set or not."""
        answer = await self._send("PUT", self._key_sets / name / str(key["kid"]), dict(key))
        if answer.status != HTTPStatus.OK:
            # Without Hydra's words, which may cite what it was sent.
            raise IssuerUnavailable(f"the issuer answers {answer.status} to a new key of its set {name}")
        answer.parsed(_JWK)

    async def remove_signing_key(self, name: str, kid: str) -> None:
        """Take the key out of the set, and success when it is not there."""
        answer = await self._send("DELETE", self._key_sets / name / kid)
        if answer.status != HTTPStatus.NO_CONTENT and not answer.tells_absence:
            raise answer.error()

    async def _listed(self, **which: str) -> list["_Client"]:
        url: URL | None = self._clients.with_query(page_size=_PAGE, **which)
        found: list[_Client] = []
        while url:
            answer = await self._send("GET", url)
            page = answer.parsed(_CLIENTS)
            found += page
            # Hydra names a next page as long as there are more clients of any owner; a short page is the last.
            url = answer.next_page if len(page) >= _PAGE else None
        return found

    def _client(self, client_id: str) -> URL:
        if not _CLIENT_ID.fullmatch(client_id):
            raise Rejected("what was given as a client id cannot be one")
        return self._clients / client_id

    async def _send(
        self, method: str, url: URL, body: dict[str, Any] | None = None, secret: SecretStr | None = None
    ) -> "_Answer":
        """The answer, whatever it is; `secret` is the one that the body holds."""
        action = f"{method} {url.path}"
        try:
            async with self._session.request(method, url, json=body, allow_redirects=False) as response:
                content = await response.read()
        except NETWORK_FAILURES as failure:
            raise IssuerUnavailable(f"{action}: {cause_of(failure)}") from None
        return _Answer(action, response, content, secret)


class _Answer:
    """What Hydra answered to one request."""

    def __init__(self, action: str, response: aiohttp.ClientResponse, content: bytes, secret: SecretStr | None) -> None:
        self.status = response.status
        self.next_page: URL | None = URL(str(response.links["next"]["url"])) if "next" in response.links else None
        self._action = action
        self._value = json_in(content)
        self._secret = secret

    @property
    def tells_absence(self) -> bool:
        """Whether Hydra itself says that there is no such client: a wrong address answers 404 as well, with a page."""
        return self.status == HTTPStatus.NOT_FOUND and isinstance(self._value, dict) and "error" in self._value

    def parsed(self, shape: "TypeAdapter[_T]") -> _T:
        """What it carries, in this shape. Raises what the protocol says when it doesn't."""
        if self.status not in range(200, 300):
            raise self.error()
        try:
            return shape.validate_python(self._value)
        except ValidationError:
            raise IssuerUnavailable(
                f"{self._action}: the issuer answers {self.status}, but not as Hydra would"
            ) from None

    def error(self) -> OperatorError:
        """What the protocol says of this answer, in Hydra's words but for the secret, if it should cite that."""
        said = self._value if isinstance(self._value, dict) else {}
        text = f"{said.get('error', '')} {said.get('error_description', '')}".strip()
        if self._secret:
            text = text.replace(self._secret.get_secret_value(), "[secret]")
        text = f"{self._action}: the issuer answers {self.status} {text[:_LONGEST_EXPLANATION]}".rstrip()
        return Rejected(text) if self.status in _REFUSALS else IssuerUnavailable(text)


class _Client(BaseModel):
    """What we read of a client."""

    client_id: str
    client_name: str = ""
    owner: str = ""
    scope: str = ""
    grant_types: tuple[str, ...] = ()
    metadata: Any = None
    created_at: datetime


class _Jwks(BaseModel):
    keys_: list[dict[str, Any]] = Field(alias="keys")


_CLIENT: Final = TypeAdapter(_Client)
_CLIENTS: Final = TypeAdapter(list[_Client])
_JWK: Final = TypeAdapter(dict[str, Any])
_JWKS: Final = TypeAdapter(_Jwks)


class _Record(BaseModel):
    """The metadata of a client, in which the issuer keeps what it does not know itself of a key."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    managed_by: str = Field(default=MANAGED_BY, alias="managed-by")
    grant: str
    number: int
    issued_at: AwareDatetime
    retires_at: AwareDatetime | None
    fingerprint: str
    serial: int = 0


def _client_of(key: Key, secret: SecretStr | None) -> dict[str, Any]:
    """The whole client, since Hydra's PUT resets what is left out (but for the secret)."""
    record = _Record(
        grant=key.grant,
        number=key.number,
        issued_at=key.issued_at,
        retires_at=key.retires_at,
        fingerprint=key.fingerprint,
        serial=key.serial,
    )
    client = {
        "client_id": key.client_id,
        "client_name": key.grant,
        "owner": key.grant_uid,
        "grant_types": [_SUSPENDED if key.suspended else _GETS_TOKENS],
        "token_endpoint_auth_method": "client_secret_basic",
        "access_token_strategy": "jwt",
        "scope": " ".join(key.scopes),
        "metadata": record.model_dump(mode="json", by_alias=True),
    }
    return client | {"client_secret": secret.get_secret_value()} if secret else client


def _is_ours(client: _Client) -> bool:
    record = client.metadata if isinstance(client.metadata, dict) else {}
    return record.get("managed-by") == MANAGED_BY and bool(client.owner)


def _key_of(client: _Client) -> Key:
    try:
        record = _Record.model_validate(client.metadata)
    except ValidationError:
        record = _damaged_record(client)
    return Key(
        client_id=client.client_id,
        grant=record.grant,
        grant_uid=client.owner,
        number=record.number,
        scopes=tuple(client.scope.split()),
        issued_at=record.issued_at,
        retires_at=record.retires_at,
        fingerprint=record.fingerprint,
        serial=record.serial,
        suspended=_GETS_TOKENS not in client.grant_types,
    )


def _damaged_record(client: _Client) -> _Record:
    """What can be told without the metadata; the number is that of its id, lest another key be given the same."""
    number = _NUMBER_IN_CLIENT_ID.search(client.client_id)
    return _Record(
        grant=client.client_name,
        number=int(number[1]) if number else 1,
        issued_at=client.created_at,
        retires_at=None,
        fingerprint="",
    )
