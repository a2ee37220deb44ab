"""What platform tests work with: the gateway as clients reach it, the demo's applications, the issuer's back door."""

import pytest

from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.support.application import Application, Gateway, key_in
from tests.support.tokens import IssuerAdmin

_LAST = "test_destroying"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What destroys the platform comes last."""
    items.sort(key=lambda item: _LAST in item.nodeid)


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
