"""Each step of a plan is carried out, in order, and none is skipped silently."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from conecta_operator.api.keys import Key, fingerprint
from conecta_operator.api.objects import CONFIG_MAP, Manifest, ObjectKey
from conecta_operator.errors import Conflict, IssuerUnavailable
from conecta_operator.plan.plans import DeleteObject, DenyKeys, PutKey, RemoveKey, SetFinalizers, Step, WriteObject
from conecta_operator.reconcile.steps import Steps, described
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.journal import Journal
from tests.unit.reconcile.stand_ins import api_key, api_manifest, grant_key, grant_manifest

SECRET = SecretStr("a-secret-of-43-characters-0123456789-abcdef")
MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "conecta-jwks", "namespace": "receita"},
    "data": {"jwks": "{}"},
}
MAP_KEY = ObjectKey(CONFIG_MAP, "receita", "conecta-jwks")
KEY = Key(
    client_id="saude-agendamento-12345678-1",
    grant="saude/g",
    grant_uid="12345678-9",
    number=1,
    scopes=("receita/cep",),
    issued_at=datetime(2026, 11, 24, 8, tzinfo=UTC),
    fingerprint=fingerprint(SECRET),
)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Hands:
    """Steps over fakes with one journal."""

    def __init__(self, *objects: Manifest) -> None:
        self.journal = Journal()
        self.cluster = FakeCluster(grant_manifest("g"), *objects, journal=self.journal)
        self.issuer = FakeIssuer(journal=self.journal)
        self._steps = Steps(cluster=self.cluster, issuer=self.issuer)

    async def do(self, *steps: Step) -> Manifest:
        return await self._steps.carry_out(steps, self.cluster.objects[grant_key("g")])

    @property
    def verbs(self) -> list[str]:
        return [write.verb for write in self.journal.writes]

    def live(self, key: ObjectKey) -> Any:
        return self.cluster.objects.get(key)


async def test_an_object_that_is_not_there_is_created() -> None:
    hands = Hands(api_manifest("cep"))
    await hands.do(WriteObject(MAP, over=None))
    assert hands.live(MAP_KEY)["data"] == {"jwks": "{}"}


async def test_an_object_that_is_there_is_replaced() -> None:
    hands = Hands(MAP)
    live = hands.live(MAP_KEY)
    await hands.do(WriteObject({**live, "data": {"jwks": "new"}}, over=live))
    assert hands.live(MAP_KEY)["data"] == {"jwks": "new"}


async def test_an_object_that_changed_since_it_was_read_is_not_replaced() -> None:
    hands = Hands(MAP)
    live = hands.live(MAP_KEY)
    hands.cluster.put({**live, "data": {"jwks": "by somebody else"}})
    with pytest.raises(Conflict):
        await hands.do(WriteObject({**live, "data": {"jwks": "new"}}, over=live))


async def test_an_object_is_deleted() -> None:
    hands = Hands(MAP)
    await hands.do(DeleteObject(hands.live(MAP_KEY)))
    assert hands.live(MAP_KEY) is None


async def test_a_key_is_put_and_removed() -> None:
    hands = Hands()
    await hands.do(PutKey(KEY, SECRET))
    assert hands.issuer.verify(KEY.client_id, SECRET)
    await hands.do(RemoveKey(KEY.client_id))
    assert hands.issuer.clients == {}


async def test_our_finalizers_become_these_and_those_of_others_stay() -> None:
    hands = Hands()
    grant = hands.live(grant_key("g"))
    foreign = {**grant, "metadata": {**grant["metadata"], "finalizers": ["other.example/x", "conecta.gov.br/old"]}}
    hands.cluster.put(foreign)
    await hands.do(SetFinalizers(("conecta.gov.br/revoke",)))
    assert hands.live(grant_key("g"))["metadata"]["finalizers"] == ["other.example/x", "conecta.gov.br/revoke"]


async def test_the_subject_is_yielded_as_it_is_stored() -> None:
    hands = Hands()
    subject = await hands.do(SetFinalizers(("conecta.gov.br/revoke",)))
    assert subject == hands.live(grant_key("g"))
    assert await hands.do() == subject


async def test_denied_keys_join_the_apis_list() -> None:
    hands = Hands(api_manifest("cep"))
    await hands.do(DenyKeys(hands.live(api_key("cep")), {"a": NOON}))
    assert hands.live(api_key("cep"))["status"] == {"revokedKeys": [{"clientId": "a", "until": "2026-11-24T12:00:00Z"}]}


async def test_steps_are_done_in_order() -> None:
    hands = Hands(api_manifest("cep"))
    await hands.do(
        SetFinalizers(("conecta.gov.br/revoke",)),
        WriteObject(MAP, over=None),
        PutKey(KEY, SECRET),
        DenyKeys(hands.live(api_key("cep")), {"a": NOON}),
        RemoveKey(KEY.client_id),
    )
    assert hands.verbs == ["replace", "create", "put", "patch_status", "remove"]


async def test_after_a_failure_nothing_more_is_done() -> None:
    hands = Hands()
    hands.issuer.outage = IssuerUnavailable("away")
    with pytest.raises(IssuerUnavailable):
        await hands.do(PutKey(KEY, SECRET), SetFinalizers(("conecta.gov.br/revoke",)))
    assert hands.verbs == []


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (SetFinalizers(()), "finalizers []"),
        (WriteObject(MAP, over=None), "create configmaps receita/conecta-jwks"),
        (WriteObject(MAP, over=MAP), "replace configmaps receita/conecta-jwks"),
        (DeleteObject(MAP), "delete configmaps receita/conecta-jwks"),
        (PutKey(KEY, SECRET), "put key saude-agendamento-12345678-1"),
        (RemoveKey("x"), "remove key x"),
        (DenyKeys(api_manifest("cep"), {"b": NOON, "a": NOON}), "deny keys [a, b] at conectaapis.conecta.gov.br"),
    ],
)
def test_the_log_names_what_is_done_and_shows_nothing_of_it(step: Step, words: str) -> None:
    assert described(step).startswith(words)
    assert SECRET.get_secret_value() not in described(step)
    assert replace(KEY).fingerprint not in described(step)
