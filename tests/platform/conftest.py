"""What platform tests work with: the gateway as clients reach it, the demo's applications, the issuer's back door."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.gateway import client_traffic
from infra.settings import ClientAddressSettings
from sandbox.environment import GATEWAY_URL
from sandbox.isolated import INSIDE
from sandbox.layout import Layout
from tests.support.application import Application, Gateway, key_in
from tests.support.kubectl import agency_namespace, apply, get
from tests.support.rights_used import RightsUsed
from tests.support.tokens import IssuerAdmin

_LAST = ("test_what_the_suite_left", "test_destroying")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on all that was done comes last, but for what destroys the platform."""
    items.sort(key=lambda item: [name in item.nodeid for name in reversed(_LAST)])


@pytest.fixture(scope="session")
def rights_used() -> RightsUsed:
    """What the operator has used its rights for in this run; nothing where no platform of its own is up."""
    return RightsUsed(Layout())


@pytest.fixture(scope="module", autouse=True)
def _gathered(rights_used: RightsUsed) -> Iterator[None]:
    yield
    if INSIDE in os.environ:
        rights_used.gather()


@pytest.fixture(scope="module")
def provider(platform: Layout) -> Iterator[str]:  # noqa: ARG001 - it has to be up
    """The namespace of an agency that has nothing yet, and is to offer APIs."""
    with agency_namespace("provedor") as name:
        yield name


@pytest.fixture(scope="module")
def receiver(platform: Layout) -> Iterator[str]:  # noqa: ARG001 - it has to be up
    """The namespace of another one, which is to ask for access."""
    with agency_namespace("recebedor") as name:
        yield name


@pytest.fixture(scope="session")
def gateway(platform: Layout) -> Gateway:
    """The gateway by the name localhost."""
    return Gateway(GATEWAY_URL, platform.ca_file)


@pytest.fixture(scope="session")
def public_gateway(platform: Layout) -> Gateway:
    """The same by the name that production's has."""
    return Gateway(GATEWAY_URL, platform.ca_file, server_name="apigateway.conecta.localhost")


@pytest.fixture(scope="session")
def issuer(platform: Layout) -> IssuerAdmin:
    """The issuer's admin API."""
    return IssuerAdmin(platform.ca_file)


@pytest.fixture
def cep(gateway: Gateway) -> Application:
    """The demo's application with its key for `cep`."""
    return Application(gateway, key_in("saude", "agendamento-cep-conecta"))


@pytest.fixture
def cpf_light(gateway: Gateway) -> Application:
    """The demo's application with its key for `cpf-light`."""
    return Application(gateway, key_in("saude", "agendamento-cpf-light-conecta"))


@pytest.fixture
def treating_clients(gateway: Gateway) -> Iterator[Callable[[Any], None]]:
    """Yield a way to have the gateway treat clients otherwise, by the spec of its ClientTrafficPolicy."""
    assert gateway.request("GET", "/api-cep/v1/x").status == 401
    metadata = {"name": "conecta", "namespace": "conecta-gateway"}
    before = get("clienttrafficpolicy", "conecta-gateway", "conecta")

    def put(spec: Any) -> None:
        apply({"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata, "spec": spec})

    yield put
    put(before["spec"])
    assert get("clienttrafficpolicy", "conecta-gateway", "conecta")["spec"] == before["spec"]


@pytest.fixture
def believing(treating_clients: Callable[[Any], None]) -> Callable[[ClientAddressSettings], None]:
    """A way to have the gateway believe proxies, as the stack's setting `gateway.clientAddress` has it."""
    return lambda clients: treating_clients(client_traffic(clients))
