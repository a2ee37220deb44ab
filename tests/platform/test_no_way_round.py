"""What tenants could try with the rights that they have, to keep or widen an access that was not given to them."""

from collections.abc import Iterator

import pytest

from sandbox.layout import Layout
from tests.platform.test_reconciliation import Granted
from tests.support.application import Gateway
from tests.support.kubectl import eventually, get, kubectl
from tests.support.tokens import IssuerAdmin
from tests.support.users import ApiServer, People, done


@pytest.fixture(scope="module")
def people(platform: Layout) -> Iterator[People]:
    server = ApiServer(platform)
    yield People(server)
    server.close()


@pytest.mark.parametrize(
    ("kind", "namespace", "name"), [("conectagrant", "saude", "agendamento-cep"), ("conectaapi", "receita", "cep")]
)
def test_only_the_operator_and_administrators_take_its_finalizers_off(
    people: People, kind: str, namespace: str, name: str
) -> None:
    """A grant that is deleted without them would leave its key behind, and nobody would ever end that."""
    live = get(kind, namespace, name)
    tenant = people.rui if kind == "conectagrant" else people.ana
    for finalizers in (None, [], ["other.example/own"]):
        answer = tenant.patch(live, {"metadata": {"finalizers": finalizers}})
        assert answer.status == 403
        assert "are the operator's" in answer.words
    added = [*live["metadata"]["finalizers"], "other.example/own"]
    done(tenant.patch(live, {"metadata": {"finalizers": added}}))
    done(tenant.patch(live, {"metadata": {"labels": {"a": "b"}}}))
    done(people.operator.put(live | {"metadata": live["metadata"] | {"finalizers": []}}))
    done(people.admin.patch(live, {"metadata": {"finalizers": []}}))


def test_tokens_of_a_replaced_key_end_with_the_grant(
    gateway: Gateway, provider: str, receiver: str, issuer: IssuerAdmin
) -> None:
    """The overlap is over and the client gone, while its last token goes on until the grant is stopped."""
    granted = Granted(gateway, provider, receiver, overlap="2s")
    old = granted.application
    token = old.token()
    kubectl("delete", "secret", granted.secret, "-n", receiver)
    eventually(lambda: issuer.client(old.key.client_id) is None, 20)
    assert granted.status(old, token) == 200
    granted.delete_grant()
    eventually(lambda: granted.status(old, token) == 403, 5)
