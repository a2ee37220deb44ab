"""No key without a grant: what somebody left at the issuer by force is ended at the next look at everything."""

import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.layout import Layout
from tests.support.application import Application, Gateway, Key
from tests.support.kubectl import agency_namespace, eventually, find
from tests.support.own_operator import OwnOperator, without_sandbox_operator
from tests.support.right import Right
from tests.support.tokens import IssuerAdmin

RESYNC = 2.0
"""Seconds between two looks at everything; ten minutes unless it is set."""
ENDED = 30
"""Seconds within which a key without a grant is gone: a look at everything, and the second look after that."""


@pytest.fixture(scope="module")
def operator(platform: Layout) -> Iterator[OwnOperator]:
    """One that looks at everything often."""
    with without_sandbox_operator(platform):
        made = OwnOperator(platform, {"CONECTA_OPERATOR_RESYNC_INTERVAL": str(RESYNC)})
        made.start()
        made.await_ready()
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
def right(gateway: Gateway, operator: OwnOperator) -> Iterator[Right]:
    assert operator.is_alive
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        yield Right(gateway, provider, receiver)


class Forged:
    """A client that may do what a grant's own client may, and whose secret is known."""

    def __init__(self, issuer: IssuerAdmin, right: Right, **changes: Any) -> None:
        model = issuer.client(right.key.client_id)
        assert model is not None
        uid = str(uuid.uuid4())
        key = Key(f"{right.receiver}-teste-{uid[:8]}-1", secrets.token_urlsafe(32))
        kept = (
            "client_name",
            "grant_types",
            "scope",
            "metadata",
            "token_endpoint_auth_method",
            "access_token_strategy",
        )
        forged = {name: model[name] for name in kept} | {"owner": uid} | changes
        issuer.create_client(forged | {"client_id": key.client_id, "client_secret": key.secret})
        self.issuer, self.application = issuer, Application(right.gateway, key)
        self.client_id = key.client_id

    @property
    def is_there(self) -> bool:
        return self.issuer.client(self.client_id) is not None


def test_a_key_of_a_grant_that_never_was_is_ended(issuer: IssuerAdmin, operator: OwnOperator, right: Right) -> None:
    """Made while the operator is away, so that its token is tried before."""
    operator.end()
    forged = Forged(issuer, right)
    token = forged.application.token()
    assert right.status(forged.application, token) == 200
    operator.start()
    eventually(lambda: not forged.is_there, ENDED)
    assert forged.client_id in right.revoked_keys
    eventually(lambda: right.status(forged.application, token) == 403)
    assert right.status(right.application) == 200


def test_the_key_of_a_grant_whose_finalizer_was_taken_off_by_force_is_ended(
    issuer: IssuerAdmin, operator: OwnOperator, right: Right
) -> None:
    operator.end()
    application, client_id = right.application, right.key.client_id
    token = application.token()
    right.delete()
    right.change({"metadata": {"finalizers": None}})
    assert find("conectagrant", right.receiver, right.name) is None
    assert right.status(application, token) == 200
    operator.start()
    eventually(lambda: issuer.client(client_id) is None, ENDED)
    eventually(lambda: right.status(application, token) == 403)


def test_clients_that_others_made_are_never_touched(issuer: IssuerAdmin, right: Right) -> None:
    foreign = (
        Forged(issuer, right, metadata={}),
        Forged(issuer, right, metadata={"managed-by": "somebody-else"}),
        Forged(issuer, right, owner=""),
    )
    orphan = Forged(issuer, right)
    eventually(lambda: not orphan.is_there, ENDED)
    assert [client.is_there for client in foreign] == [True, True, True]
    for client in foreign:
        issuer.delete_client(client.client_id)
