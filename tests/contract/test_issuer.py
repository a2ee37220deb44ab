"""What holds of every Issuer: each sentence of the protocol's text."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.apply.issuer import Issuer
from conecta_operator.errors import IssuerUnavailable, Rejected
from tests.contract.conftest import IssuerBench

ISSUED_AT = datetime(2026, 11, 24, 7, 30, 0, 123456, tzinfo=UTC)


def _secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(32))


def _key(grant_uid: str, secret: SecretStr, *, number: int = 1) -> Key:
    return Key(
        client_id=f"saude-agendamento-{grant_uid[:8]}-{number}",
        grant="saude/agendamento-cep",
        grant_uid=grant_uid,
        number=number,
        scopes=("receita/cep", f"grant:{grant_uid[:8]}"),
        issued_at=ISSUED_AT,
        fingerprint=fingerprint(secret),
    )


async def test_keys_yields_what_was_put(issuer_bench: IssuerBench) -> None:
    grant, secret = issuer_bench.new_grant(), _secret()
    key = replace(_key(grant, secret), retires_at=ISSUED_AT + timedelta(hours=72), serial=7)
    await issuer_bench.issuer.put(key, secret)
    assert await issuer_bench.issuer.keys(grant) == (key,)


async def test_keys_yields_those_of_one_grant_only(issuer_bench: IssuerBench) -> None:
    grant, other = issuer_bench.new_grant(), issuer_bench.new_grant()
    for uid in (grant, other):
        secret = _secret()
        await issuer_bench.issuer.put(_key(uid, secret), secret)
    assert [key.grant_uid for key in await issuer_bench.issuer.keys(grant)] == [grant]
    assert await issuer_bench.issuer.keys(grant[:-1]) == ()
    assert await issuer_bench.issuer.keys(issuer_bench.new_grant()) == ()


async def test_keys_yields_the_oldest_first(issuer_bench: IssuerBench) -> None:
    grant = issuer_bench.new_grant()
    for number in (10, 9, 11):
        secret = _secret()
        await issuer_bench.issuer.put(_key(grant, secret, number=number), secret)
    assert [key.number for key in await issuer_bench.issuer.keys(grant)] == [9, 10, 11]


async def test_all_keys_yields_those_of_every_grant(issuer_bench: IssuerBench) -> None:
    put = []
    for number in range(3):
        secret = _secret()
        put.append(replace(_key(issuer_bench.new_grant(), secret), serial=number))
        await issuer_bench.issuer.put(put[-1], secret)
    found = {key.client_id: key for key in await issuer_bench.issuer.all_keys()}
    assert [found.get(key.client_id) for key in put] == put


async def test_put_makes_a_client_that_gets_tokens_with_its_secret_only(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    assert await issuer_bench.token(key.client_id, secret)
    assert not await issuer_bench.token(key.client_id, _secret())


async def test_put_without_a_secret_keeps_the_one_that_the_client_has(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    changed = replace(key, retires_at=ISSUED_AT + timedelta(days=3), scopes=("receita/cep",))
    await issuer_bench.issuer.put(changed, None)
    assert await issuer_bench.issuer.keys(key.grant_uid) == (changed,)
    assert await issuer_bench.token(key.client_id, secret)


async def test_put_with_a_secret_makes_it_the_only_one(issuer_bench: IssuerBench) -> None:
    old, new = _secret(), _secret()
    key = _key(issuer_bench.new_grant(), old)
    await issuer_bench.issuer.put(key, old)
    await issuer_bench.issuer.put(replace(key, fingerprint=fingerprint(new)), new)
    assert await issuer_bench.token(key.client_id, new)
    assert not await issuer_bench.token(key.client_id, old)


async def test_put_twice_is_as_once(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    await issuer_bench.issuer.put(key, secret)
    assert await issuer_bench.issuer.keys(key.grant_uid) == (key,)
    assert await issuer_bench.token(key.client_id, secret)


async def test_put_suspends_a_key_which_gets_no_token_until_it_is_put_again_without(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    suspended = replace(key, suspended=True)
    await issuer_bench.issuer.put(suspended, None)
    assert await issuer_bench.issuer.keys(key.grant_uid) == (suspended,)
    assert not await issuer_bench.token(key.client_id, secret)
    await issuer_bench.issuer.put(key, None)
    assert await issuer_bench.issuer.keys(key.grant_uid) == (key,)
    assert await issuer_bench.token(key.client_id, secret)


async def test_put_makes_a_client_that_is_suspended_from_the_start(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = replace(_key(issuer_bench.new_grant(), secret), suspended=True)
    await issuer_bench.issuer.put(key, secret)
    assert await issuer_bench.issuer.keys(key.grant_uid) == (key,)
    assert not await issuer_bench.token(key.client_id, secret)
    await issuer_bench.issuer.put(replace(key, suspended=False), None)
    assert await issuer_bench.token(key.client_id, secret)


async def test_put_raises_rejected_when_the_client_belongs_to_another_grant(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    with pytest.raises(Rejected):
        await issuer_bench.issuer.put(replace(key, grant_uid=issuer_bench.new_grant()), _secret())
    assert await issuer_bench.issuer.keys(key.grant_uid) == (key,)
    assert await issuer_bench.token(key.client_id, secret)


async def test_put_raises_rejected_when_the_client_is_new_and_has_no_secret(issuer_bench: IssuerBench) -> None:
    key = _key(issuer_bench.new_grant(), _secret())
    with pytest.raises(Rejected):
        await issuer_bench.issuer.put(key, None)
    assert await issuer_bench.issuer.keys(key.grant_uid) == ()


async def test_put_raises_rejected_when_the_issuer_refuses_what_it_gets(issuer_bench: IssuerBench) -> None:
    key = _key(issuer_bench.new_grant(), _secret())
    with pytest.raises(Rejected) as raised:
        await issuer_bench.issuer.put(key, SecretStr("#5kq!"))
    assert "#5kq!" not in str(raised.value)
    assert await issuer_bench.issuer.keys(key.grant_uid) == ()


@pytest.mark.parametrize("client_id", ["", ".", "..", "../keys/hydra.jwt.access-token", "a b", "a?b", "a%2Fb"])
async def test_put_raises_rejected_for_what_can_be_no_client_id(issuer_bench: IssuerBench, client_id: str) -> None:
    secret = _secret()
    with pytest.raises(Rejected):
        await issuer_bench.issuer.put(replace(_key(issuer_bench.new_grant(), secret), client_id=client_id), secret)
    with pytest.raises(Rejected):
        await issuer_bench.issuer.remove(client_id)


async def test_remove_leaves_no_client_and_no_new_token(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    await issuer_bench.issuer.remove(key.client_id)
    assert await issuer_bench.issuer.keys(key.grant_uid) == ()
    assert not await issuer_bench.token(key.client_id, secret)


async def test_remove_is_a_success_when_there_is_none(issuer_bench: IssuerBench) -> None:
    await issuer_bench.issuer.remove(_key(issuer_bench.new_grant(), _secret()).client_id)


async def test_remove_can_be_followed_by_the_same_key_again(issuer_bench: IssuerBench) -> None:
    secret = _secret()
    key = _key(issuer_bench.new_grant(), secret)
    await issuer_bench.issuer.put(key, secret)
    await issuer_bench.issuer.remove(key.client_id)
    await issuer_bench.issuer.put(key, secret)
    assert await issuer_bench.token(key.client_id, secret)


async def test_jwks_is_equal_when_the_keys_are_equal(issuer_bench: IssuerBench) -> None:
    assert await issuer_bench.issuer.jwks() == await issuer_bench.issuer.jwks()


async def test_jwks_is_a_key_set_in_one_form_only(issuer_bench: IssuerBench) -> None:
    text = await issuer_bench.issuer.jwks()
    keys = json.loads(text)["keys"]
    assert keys
    assert keys == sorted(keys, key=lambda key: str(key["kid"]))
    assert text == json.dumps({"keys": keys}, sort_keys=True, separators=(",", ":"))


async def test_jwks_has_nothing_that_signs(issuer_bench: IssuerBench) -> None:
    for key in json.loads(await issuer_bench.issuer.jwks())["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & key.keys()


async def test_every_method_raises_unavailable_while_the_issuer_is_away(lost_issuer: Issuer) -> None:
    secret = _secret()
    key = _key("6f1c1d3e-0000-4000-8000-000000000000", secret)
    for attempt in (
        lambda: lost_issuer.keys(key.grant_uid),
        lost_issuer.all_keys,
        lambda: lost_issuer.put(key, secret),
        lambda: lost_issuer.put(key, None),
        lambda: lost_issuer.remove(key.client_id),
        lost_issuer.jwks,
    ):
        with pytest.raises(IssuerUnavailable):
            await attempt()
