"""An API that is deleted and created again under its name is another one, whatever was decided and issued before."""

from collections.abc import Iterator

import pytest

from tests.support.application import Gateway
from tests.support.kubectl import agency_namespace, condition, eventually, find
from tests.support.right import Right
from tests.support.tokens import claims_of


@pytest.fixture
def right(gateway: Gateway) -> Iterator[Right]:
    """One that somebody has approved."""
    with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
        right = Right(gateway, provider, receiver)
        right.decide("Approved")
        eventually(lambda: right.says("Approved") == "Approved")
        right.change_api({"spec": {"access": {"preapproved": None}}})
        yield right


@pytest.mark.parametrize("by_force", [False, True], ids=["with its grants", "by force"])
def test_an_approval_counts_for_the_api_that_it_was_given_for(right: Right, *, by_force: bool) -> None:
    token, uid = right.application.token(), right.api["metadata"]["uid"]
    assert right.grant["status"]["approvalSeen"]["apiUid"] == uid
    assert f"api:{uid[:8]}" in claims_of(token)["scope"].split()
    application = right.application
    if not by_force:
        right.withdraw_api()
        eventually(lambda: find("conectaapi", right.provider, right.api_name) is None, 30)
    right.create_api_again()
    eventually(lambda: right.says("CredentialsReady") == "Revoked", 30)
    assert right.says("Approved") == right.says("Ready") == "Pending"
    assert "has to decide anew" in condition(right.grant, "Approved")["message"]
    assert right.status(application, token) == 403
    assert find("secret", right.receiver, right.secret) is None

    right.decide("Approved")
    right.wait_until_it_holds()
    assert right.grant["status"]["approvalSeen"]["apiUid"] == right.api["metadata"]["uid"]
    assert right.status(application, token) == 403
