"""What a grant's Secret holds, and what it ought to hold (Service Binding specification 1.1, type `oauth2`)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.api.objects import CONECTA_GRANT, Manifest
from conecta_operator.api.settings import Platform
from conecta_operator.plan import naming, reads
from conecta_operator.plan.right import Right
from conecta_operator.plan.world import GrantWorld
from conecta_operator.render.contexts import CredentialSecret

__all__ = ["Credential", "context_of", "current_in", "pending_in", "secrets_of"]

_SHORTEST_SECRET: Final = 43
"""32 bytes in base64 without padding: what we hand out. A shorter one was not made by us."""


@dataclass(frozen=True)
class Credential:
    """A client id and its secret."""

    client_id: str
    secret: SecretStr

    def opens(self, key: Key | None) -> bool:
        """Whether this is the credential of a key that the issuer holds."""
        return key is not None and key.client_id == self.client_id and key.fingerprint == fingerprint(self.secret)


def current_in(secret: Manifest | None) -> Credential | None:
    """The credential that the application uses, if the Secret holds one."""
    return _credential(secret, "client-id", "client-secret")


def pending_in(secret: Manifest | None) -> Credential | None:
    """The credential that was written ahead, before the issuer was told of it."""
    return _credential(secret, "pending-client-id", "pending-client-secret")


def secrets_of(world: GrantWorld) -> list[Manifest]:
    """The grant's Secret, and the one that it had before `secretName` changed; never somebody else's."""
    found = (world.objects.get(key) for key in reads.secrets_of_grant(world.grant))
    return [
        secret for secret in found if secret is not None and naming.is_ours(secret, CONECTA_GRANT, world.grant.metadata)
    ]


def context_of(
    right: Right, platform: Platform, *, current: Credential | None = None, pending: Credential | None = None
) -> CredentialSecret:
    """The Secret that holds these credentials, and for a current one all else that an OAuth 2 client needs."""
    grant, texts = right.grant, dict[str, str]()
    if current is not None:
        texts |= {
            "type": "oauth2",
            "provider": "conecta",
            "client-id": current.client_id,
            "client-secret": current.secret.get_secret_value(),
            "issuer-uri": platform.issuer_url,
            "token-uri": f"{platform.gateway_url}{platform.token_path}",
            "uri": f"{platform.gateway_url}{right.api.base_path}",
            "scope": " ".join(right.scopes),
        }
    if pending is not None:
        texts |= {
            "pending-client-id": pending.client_id,
            "pending-client-secret": pending.secret.get_secret_value(),
        }
    return CredentialSecret(
        name=grant.secret_name,
        namespace=grant.metadata.namespace,
        labels=naming.labels_of(CONECTA_GRANT, grant.metadata),
        owner_references=(naming.owner_reference(CONECTA_GRANT, grant.metadata),),
        data={field: base64.b64encode(text.encode()).decode() for field, text in texts.items()},
    )


def _credential(secret: Manifest | None, id_field: str, secret_field: str) -> Credential | None:
    data = (secret or {}).get("data") or {}
    identifier, value = _text(data, id_field), _text(data, secret_field)
    if not identifier or value is None or len(value) < _SHORTEST_SECRET:
        return None
    return Credential(identifier, SecretStr(value))


def _text(data: Mapping[str, str], field: str) -> str | None:
    try:
        return base64.b64decode(data.get(field, ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
