"""When the certificates end that an API's backends are verified by, and that the gateway shows to them."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from conecta_operator.api.backend import Backend
from conecta_operator.api.objects import CONFIG_MAP, Manifest, ObjectKey
from conecta_operator.plan import reads
from conecta_operator.plan.world import ApiWorld

__all__ = ["CA_FIELD", "CERTIFICATE_FIELD", "SEEN_AHEAD", "CertificateEnd", "certificate_ends"]

CA_FIELD: Final = "ca.crt"
CERTIFICATE_FIELD: Final = "tls.crt"
SEEN_AHEAD: Final = timedelta(days=30)
"""So long before it ends, a certificate is spoken of."""


@dataclass(frozen=True, order=True)
class CertificateEnd:
    """The first end among the certificates in an object."""

    at: datetime
    holder: ObjectKey

    def is_near(self, now: datetime) -> bool:
        """Whether it is time to speak of it."""
        return self.at - SEEN_AHEAD <= now

    def wait(self, now: datetime) -> timedelta | None:
        """How long until there is something new to say; None when all has been said."""
        return next((moment - now for moment in (self.at - SEEN_AHEAD, self.at) if moment > now), None)


def certificate_ends(world: ApiWorld) -> tuple[CertificateEnd, ...]:
    """One for each object that holds such certificates, the first to end first.

    What can't be read is the gateway's to refuse.
    """
    holders = dict.fromkeys(
        key for placed in world.api.placed_backends for key in _holders(world.api.metadata.namespace, placed.backend)
    )
    ends = ((holder, _end(holder, world.objects, world.now)) for holder in holders)
    return tuple(sorted(CertificateEnd(end, holder) for holder, end in ends if end is not None))


def _holders(namespace: str, backend: Backend) -> Iterator[ObjectKey]:
    for key in (reads.ca_bundle_of(namespace, backend), reads.client_certificate_of(namespace, backend)):
        if key is not None:
            yield key


def _end(holder: ObjectKey, objects: Mapping[ObjectKey, Manifest], now: datetime) -> datetime | None:
    data = objects.get(holder, {}).get("data") or {}
    try:
        if holder.kind == CONFIG_MAP:
            return _end_of_authorities(x509.load_pem_x509_certificates(data.get(CA_FIELD, "").encode()), now)
        chain = x509.load_pem_x509_certificates(base64.b64decode(data.get(CERTIFICATE_FIELD, ""), validate=True))
    except (ValueError, binascii.Error):
        return None
    return min(certificate.not_valid_after_utc for certificate in chain)


def _end_of_authorities(bundle: list[x509.Certificate], now: datetime) -> datetime:
    """A bundle may hold what has ended, beside what hasn't, and an authority's next certificate beside its last."""
    last: dict[x509.Name, datetime] = {}
    for certificate in bundle:
        last[certificate.subject] = max(certificate.not_valid_after_utc, last.get(certificate.subject, now))
    living = [end for end in last.values() if end > now]
    return min(living) if living else max(certificate.not_valid_after_utc for certificate in bundle)
