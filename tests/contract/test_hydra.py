"""What holds of Hydra alone: tokens, and clients that somebody damaged by hand."""

import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import SecretStr

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.errors import IssuerUnavailable
from conecta_operator.plan import naming
from conecta_operator.signing_key import IN_USE
from sandbox.issuer import private_jwk
from tests.contract.conftest import RealIssuerBench

pytestmark = pytest.mark.platform


EVERY_PRINTABLE_CHARACTER = "".join(map(chr, range(0x20, 0x7F)))


def _scopes(uid: str) -> tuple[str, ...]:
    metadata = {"resourceVersion": "1", "creationTimestamp": "2026-11-20T00:00:00Z"}
    contacts = [{"name": "CEP", "email": "cep@receita.example"}]
    api = ConectaApi.parse(
        {
            "metadata": {**metadata, "name": "cep", "namespace": "receita", "uid": uid},
            "spec": {
                "title": "CEP",
                "version": "v1",
                "contacts": contacts,
                "backend": {"url": "https://cep.receita.example"},
            },
        }
    )
    grant = ConectaGrant.parse(
        {
            "metadata": {**metadata, "name": "agendamento-cep", "namespace": "saude", "uid": uid},
            "spec": {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}},
        }
    )
    return naming.scopes(grant, api, agency="saude", plan=f"básico 🌞 {EVERY_PRINTABLE_CHARACTER}")


@pytest.fixture
def secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(32))


@pytest.fixture
async def key(hydra: RealIssuerBench, secret: SecretStr) -> Key:
    """The fourth key of a grant, which Hydra holds."""
    uid = hydra.new_grant()
    key = Key(
        client_id=f"saude-agendamento-{uid[:8]}-4",
        grant="saude/agendamento-cep",
        grant_uid=uid,
        number=4,
        scopes=_scopes(uid),
        issued_at=datetime(2026, 11, 24, 7, 30, tzinfo=UTC),
        fingerprint=fingerprint(secret),
    )
    await hydra.issuer.put(key, secret)
    return key


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _public_key(jwk: dict[str, Any]) -> Any:
    return RSAPublicNumbers(*(int.from_bytes(_decoded(jwk[part])) for part in ("e", "n"))).public_key()


async def test_a_token_has_all_scopes_of_its_key_without_asking(
    hydra: RealIssuerBench, key: Key, secret: SecretStr
) -> None:
    _, claims, _ = (await hydra.access_token(key.client_id, secret)).split(".")
    assert len(key.scopes) == 7
    assert json.loads(_decoded(claims))["scp"] == list(key.scopes)
    assert json.loads(_decoded(claims))["scope"].split(" ") == list(key.scopes)


async def test_the_key_set_verifies_a_token(hydra: RealIssuerBench, key: Key, secret: SecretStr) -> None:
    header, claims, signature = (await hydra.access_token(key.client_id, secret)).split(".")
    keys = {jwk["kid"]: jwk for jwk in json.loads(await hydra.issuer.jwks())["keys"]}
    signer = _public_key(keys[json.loads(_decoded(header))["kid"]])
    signer.verify(_decoded(signature), f"{header}.{claims}".encode(), PKCS1v15(), SHA256())


@pytest.mark.parametrize("metadata", [{}, {"number": "four"}, {"managed-by": "somebody"}])
async def test_a_client_without_its_record_is_a_key_of_the_same_number_that_no_secret_matches(
    hydra: RealIssuerBench, key: Key, metadata: dict[str, str]
) -> None:
    await hydra.damage(key.client_id, metadata=metadata)
    (found,) = await hydra.issuer.keys(key.grant_uid)
    assert (found.client_id, found.number, found.grant, found.scopes) == (key.client_id, 4, key.grant, key.scopes)
    assert found.retires_at is None
    assert found.fingerprint == ""


async def test_a_client_of_before_there_were_serials_has_serial_0(hydra: RealIssuerBench, key: Key) -> None:
    await hydra.issuer.put(replace(key, serial=3), None)
    record = {
        "managed-by": "conecta-operator",
        "grant": key.grant,
        "number": key.number,
        "issuedAt": key.issued_at.isoformat(),
        "retiresAt": None,
        "fingerprint": key.fingerprint,
    }
    await hydra.damage(key.client_id, metadata=record)
    assert await hydra.issuer.keys(key.grant_uid) == (key,)


async def test_the_token_endpoint_tells_a_suspended_key_that_it_may_not_from_a_wrong_secret(
    hydra: RealIssuerBench, key: Key, secret: SecretStr
) -> None:
    await hydra.issuer.put(replace(key, suspended=True), None)
    status, answer = await hydra.ask_for_token(key.client_id, secret)
    assert (status, answer["error"]) == (400, "unauthorized_client")
    status, answer = await hydra.ask_for_token(key.client_id, SecretStr("another"))
    assert (status, answer["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("grant_types", [["implicit"], ["refresh_token", "authorization_code"]])
async def test_a_client_that_somebody_keeps_from_tokens_is_a_suspended_key(
    hydra: RealIssuerBench, key: Key, secret: SecretStr, grant_types: list[str]
) -> None:
    await hydra.damage(key.client_id, grant_types=grant_types)
    assert await hydra.issuer.keys(key.grant_uid) == (replace(key, suspended=True),)
    await hydra.issuer.put(key, None)
    assert await hydra.token(key.client_id, secret)


async def test_a_client_that_somebody_let_loose_is_no_suspended_key(hydra: RealIssuerBench, key: Key) -> None:
    await hydra.issuer.put(replace(key, suspended=True), None)
    await hydra.damage(key.client_id, grant_types=["client_credentials"])
    assert await hydra.issuer.keys(key.grant_uid) == (key,)


async def test_put_repairs_a_client_without_record_and_owner(
    hydra: RealIssuerBench, key: Key, secret: SecretStr
) -> None:
    await hydra.damage(key.client_id, metadata={}, owner="", scope="nothing")
    assert await hydra.issuer.keys(key.grant_uid) == ()
    await hydra.issuer.put(key, None)
    assert await hydra.issuer.keys(key.grant_uid) == (key,)
    assert await hydra.token(key.client_id, secret)


@pytest.mark.parametrize("damage", [{"metadata": {}}, {"metadata": {"managed-by": "somebody"}}, {"owner": ""}])
async def test_what_others_made_is_none_of_all_keys(hydra: RealIssuerBench, key: Key, damage: dict[str, Any]) -> None:
    assert key in await hydra.issuer.all_keys()
    await hydra.damage(key.client_id, **damage)
    assert key.client_id not in {found.client_id for found in await hydra.issuer.all_keys()}
    await hydra.issuer.remove(key.client_id)


async def test_all_keys_are_read_over_all_pages(hydra: RealIssuerBench) -> None:
    uid, secret = hydra.new_grant(), SecretStr(secrets.token_urlsafe(32))
    put = [
        Key(
            client_id=f"saude-agendamento-{uid[:8]}-{number}",
            grant="saude/agendamento-cep",
            grant_uid=uid,
            number=number,
            scopes=_scopes(uid),
            issued_at=datetime(2026, 11, 24, 7, 30, tzinfo=UTC),
            fingerprint=fingerprint(secret),
        )
        for number in range(1, 121)
    ]
    for key in put:
        await hydra.issuer.put(key, secret)
    assert {*put} <= {*await hydra.issuer.all_keys()}


@pytest.fixture
async def key_set(hydra: RealIssuerBench) -> AsyncIterator[str]:
    """A set of Hydra's that is nobody else's."""
    name = f"contract-{secrets.token_hex(4)}"
    yield name
    for jwk in await hydra.issuer.signing_keys(name):
        await hydra.issuer.remove_signing_key(name, jwk["kid"])


def _jwk(kid: str) -> dict[str, Any]:
    return private_jwk(rsa.generate_private_key(public_exponent=65537, key_size=2048)) | {"kid": kid}


async def test_a_set_that_is_not_there_has_no_keys(hydra: RealIssuerBench, key_set: str) -> None:
    assert await hydra.issuer.signing_keys(key_set) == ()
    await hydra.issuer.remove_signing_key(key_set, "nothing")


async def test_signing_keys_are_told_oldest_first_and_whole(hydra: RealIssuerBench, key_set: str) -> None:
    keys = [_jwk(kid) for kid in ("b", "c", "a")]
    for jwk in keys:
        await hydra.issuer.put_signing_key(key_set, jwk)
    assert [jwk.items() >= put.items() for jwk, put in zip(await _set(hydra, key_set), keys, strict=True)] == [True] * 3


async def test_a_signing_key_that_is_put_again_is_the_newest(hydra: RealIssuerBench, key_set: str) -> None:
    keys = [_jwk(kid) for kid in ("a", "b")]
    for jwk in (*keys, keys[0]):
        await hydra.issuer.put_signing_key(key_set, jwk)
    assert [jwk["kid"] for jwk in await _set(hydra, key_set)] == ["b", "a"]


async def test_a_signing_key_that_is_removed_is_gone_and_the_others_stay(hydra: RealIssuerBench, key_set: str) -> None:
    for kid in ("a", "b", "c"):
        await hydra.issuer.put_signing_key(key_set, _jwk(kid))
    for _ in range(2):
        await hydra.issuer.remove_signing_key(key_set, "b")
    assert [jwk["kid"] for jwk in await _set(hydra, key_set)] == ["a", "c"]


async def test_hydra_signs_with_the_newest_key(hydra: RealIssuerBench, key: Key, secret: SecretStr) -> None:
    former = await _set(hydra, IN_USE)
    await hydra.issuer.put_signing_key(IN_USE, _jwk("of-a-moment"))
    try:
        assert await _signer(hydra, key, secret) == "of-a-moment"
    finally:
        await hydra.issuer.remove_signing_key(IN_USE, "of-a-moment")
    assert await _signer(hydra, key, secret) == former[-1]["kid"]


async def test_a_key_that_is_refused_is_not_cited(hydra: RealIssuerBench, key_set: str) -> None:
    broken = _jwk("a") | {"n": "not a number"}
    with pytest.raises(IssuerUnavailable) as refused:
        await hydra.issuer.put_signing_key(key_set, broken)
    assert str(refused.value) == f"the issuer answers 400 to a new key of its set {key_set}"


async def _set(hydra: RealIssuerBench, name: str) -> tuple[Mapping[str, Any], ...]:
    return await hydra.issuer.signing_keys(name)


async def _signer(hydra: RealIssuerBench, key: Key, secret: SecretStr) -> str:
    head, _, _ = (await hydra.access_token(key.client_id, secret)).split(".")
    kid: str = json.loads(_decoded(head))["kid"]
    return kid
