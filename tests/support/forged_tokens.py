"""Tokens that the issuer would never make, by their names in words."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

__all__ = ["FORGERIES", "SCOPES", "Forge"]

HOUR = 3600
SHA256 = hashes.SHA256()
_strangers_key = rsa.generate_private_key(65537, 2048)


class Forge:
    """A true token, and what is needed to make others like it: the issuer's key and a stranger's."""

    def __init__(self, true: str, claims: dict[str, Any], key_id: str, private: rsa.RSAPrivateKey) -> None:
        self.true = true
        self.claims = claims
        self.header = {"alg": "RS256", "typ": "JWT", "kid": key_id}
        self.private = private

    def true_parts(self) -> list[str]:
        """Header, payload and signature of the true token."""
        return self.true.split(".")

    def public_pem(self) -> bytes:
        """The issuer's public key as everybody may have it."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def signed(
        self, claims: dict[str, Any] | None = None, private: rsa.RSAPrivateKey | None = None, **header: object
    ) -> str:
        """A token by the issuer's key or another; with changed claims, with a changed header."""
        body = _body(self.header | header, self.claims | (claims or {}))
        return _joined(body, (private or self.private).sign(body.encode(), padding.PKCS1v15(), SHA256))

    def without(self, claim: str) -> str:
        """A token by the issuer's key that lacks a claim."""
        body = _body(self.header, {name: value for name, value in self.claims.items() if name != claim})
        return _joined(body, self.private.sign(body.encode(), padding.PKCS1v15(), SHA256))

    def with_secret(self, algorithm: str, secret: bytes) -> str:
        """A token with a symmetric signature."""
        body = _body(self.header | {"alg": algorithm}, self.claims)
        code = hmac.HMAC(secret, {"HS256": hashes.SHA256(), "HS512": hashes.SHA512()}[algorithm])
        code.update(body.encode())
        return _joined(body, code.finalize())

    def with_pss(self) -> str:
        """A token by the issuer's key, but in an algorithm that its key is not for."""
        body = _body(self.header | {"alg": "PS256"}, self.claims)
        return _joined(body, self.private.sign(body.encode(), padding.PSS(padding.MGF1(SHA256), 32), SHA256))

    def with_ecdsa(self) -> str:
        """A token by a stranger's elliptic key under the issuer's key id."""
        body = _body(self.header | {"alg": "ES256"}, self.claims)
        pair = decode_dss_signature(ec.generate_private_key(ec.SECP256R1()).sign(body.encode(), ec.ECDSA(SHA256)))
        return _joined(body, b"".join(number.to_bytes(32, "big") for number in pair))

    def unsigned(self, algorithm: str) -> str:
        """A token that says it needs no signature."""
        return _body(self.header | {"alg": algorithm}, self.claims) + "."

    def altered(self, claims: dict[str, Any] | None = None, **header: object) -> str:
        """The true token with another payload or header under its own signature."""
        return f"{_body(self.header | header, self.claims | (claims or {}))}.{self.true_parts()[2]}"

    def jwk(self) -> dict[str, str]:
        """The stranger's public key as a JWK."""
        numbers = _strangers_key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "kid": str(self.header["kid"]),
            "e": _encoded(numbers.e.to_bytes(3, "big")),
            "n": _encoded(numbers.n.to_bytes(256, "big")),
        }


def _body(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))


def _joined(body: str, signature: bytes) -> str:
    return f"{body}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _in(seconds: int) -> int:
    return int(time.time()) + seconds


FORGERIES: dict[str, Callable[[Forge], str]] = {
    "garbage": lambda _: "garbage",
    "two dots and nothing else": lambda _: "..",
    "alg none": lambda forge: forge.unsigned("none"),
    "alg None": lambda forge: forge.unsigned("None"),
    "alg NONE": lambda forge: forge.unsigned("NONE"),
    "no alg": lambda forge: forge.unsigned(""),
    "alg none with the true signature": lambda forge: forge.altered(alg="none"),
    "alg none and no last dot": lambda forge: forge.unsigned("none").rstrip("."),
    "HS256 with the public key": lambda forge: forge.with_secret("HS256", forge.public_pem()),
    "HS256 with the public key without its last line end": lambda forge: forge.with_secret(
        "HS256", forge.public_pem().rstrip()
    ),
    "HS512 with the public key": lambda forge: forge.with_secret("HS512", forge.public_pem()),
    "HS256 with an empty secret": lambda forge: forge.with_secret("HS256", b""),
    "PS256 by the issuer's key": Forge.with_pss,
    "ES256 by a stranger's key": Forge.with_ecdsa,
    "RS512 over a signature of RS256": lambda forge: forge.signed(alg="RS512"),
    "alg in lower case": lambda forge: forge.signed(alg="rs256"),
    "a stranger's key under the issuer's id": lambda forge: forge.signed(private=_strangers_key),
    "a stranger's key under another id": lambda forge: forge.signed(private=_strangers_key, kid="elsewhere"),
    "a stranger's key embedded": lambda forge: forge.signed(private=_strangers_key, jwk=forge.jwk()),
    "a stranger's key set by URL": lambda forge: forge.signed(
        private=_strangers_key, jku="https://alvo.localhost/jwks.json"
    ),
    "a stranger's certificate by URL": lambda forge: forge.signed(
        private=_strangers_key, x5u="https://alvo.localhost/cert.pem"
    ),
    "a stranger's certificate embedded": lambda forge: forge.signed(private=_strangers_key, x5c=["MIIB"]),
    "a key id that is a path": lambda forge: forge.signed(private=_strangers_key, kid="../../../../dev/null"),
    "the issuer's key under another id": lambda forge: forge.signed(kid="elsewhere"),
    "another issuer": lambda forge: forge.signed({"iss": "https://elsewhere.example"}),
    "the issuer with a slash": lambda forge: forge.signed({"iss": f"{forge.claims['iss']}/"}),
    "the issuer in another case": lambda forge: forge.signed({"iss": forge.claims["iss"].upper()}),
    "a list of issuers": lambda forge: forge.signed({"iss": [forge.claims["iss"]]}),
    "no issuer": lambda forge: forge.without("iss"),
    "expired": lambda forge: forge.signed({"exp": _in(-HOUR)}),
    "expired before there were computers": lambda forge: forge.signed({"exp": -1}),
    "an end that is text": lambda forge: forge.signed({"exp": str(_in(HOUR))}),
    "an end beyond all numbers": lambda forge: forge.signed({"exp": 1e30}),
    "not yet valid": lambda forge: forge.signed({"nbf": _in(HOUR)}),
    "an altered payload": lambda forge: forge.altered({"client_id": "somebody-else"}),
    "an altered header": lambda forge: forge.altered(typ="at+jwt"),
    "a critical header under a true signature": lambda forge: forge.altered(crit=["conecta"], conecta=True),
    "an altered signature": lambda forge: ".".join([*forge.true_parts()[:2], "A" * 342]),
    "no signature": lambda forge: ".".join([*forge.true_parts()[:2], ""]),
    "half a signature": lambda forge: forge.true[:-170],
    "the payload twice": lambda forge: ".".join([*forge.true_parts()[:2], *forge.true_parts()[1:]]),
    "an encryption of five parts": lambda _: "eyJhbGciOiJkaXIifQ..a.b.c",
}
"""None of them opens an API."""

SCOPES: dict[str, Callable[[str, str], list[str]]] = {
    "no scope": lambda _, __: [],
    "the API's name alone": lambda scope, _: [scope.partition("/")[2]],
    "the API's uid alone": lambda _, uid: [uid],
    "the API's scope without its uid": lambda scope, _: [scope],
    "the scope of an API of that name that was deleted": lambda scope, _: [scope, "api:00000000"],
    "a shorter uid": lambda scope, uid: [scope, uid[:-1]],
    "a uid without what it is of": lambda scope, uid: [scope, uid.partition(":")[2]],
    "another API's scope": lambda scope, uid: [f"{scope.partition('/')[0]}/vizinho", uid],
    "a longer scope": lambda scope, uid: [f"{scope}2", uid],
    "a shorter scope": lambda scope, uid: [scope[:-1], uid],
    "something before the scope": lambda scope, uid: [f"x{scope}", uid],
    "a slash after the scope": lambda scope, uid: [f"{scope}/", uid],
    "a plan of the scope": lambda scope, uid: [f"{scope}:ouro", uid],
    "the scope in another case": lambda scope, uid: [scope.upper(), uid],
    "the agency alone": lambda scope, uid: [scope.partition("/")[0], uid],
    "a wildcard": lambda scope, _: ["*", f"{scope.partition('/')[0]}/*", "api:*"],
    "an encoded slash": lambda scope, uid: [scope.replace("/", "%2f"), uid],
    "scopes with a comma": lambda scope, uid: [f"{scope},{scope},{uid}", uid],
}
"""What does not open the API whose scopes are given, even with the issuer's signature under it.

The rest of the token is that of a grant which may call it."""
