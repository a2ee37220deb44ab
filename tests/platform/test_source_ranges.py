"""From where an API may be called: its own ranges and the grant's, by the address that the gateway sees."""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from infra.settings import ClientAddressSettings
from sandbox.layout import Layout
from tests.support.application import Application, Gateway, key_in
from tests.support.echo_backend import Echo, echo_backend
from tests.support.kubectl import apply, eventually, get, kubectl, wait_ready
from tests.support.published import Published, published
from tests.support.routed import Routed
from tests.support.traffic import traffic

HERE, V4, V6 = "127.0.0.0/8", "203.0.113.0/24", "2001:db8::/32"
ONE_PROXY = ClientAddressSettings.model_validate({"trustedProxies": 1})


@pytest.fixture(scope="module")
def echo(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("echo")) as backend:
        yield backend


@pytest.fixture(scope="module")
def api(gateway: Gateway, echo: Echo) -> Iterator[Routed]:
    """One that may be called from some addresses, with a grant that may call from some."""
    with published(
        gateway,
        echo.url,
        api={"sourceRanges": [HERE, V4, V6]},
        sourceRanges=[HERE, "203.0.113.128/25", "2001:db8:1::/48", "198.51.100.0/24"],
    ) as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        yield routed


def status_from(api: Routed, address: str) -> int:
    return api.call(headers={"x-forwarded-for": address}).status


FROM = {
    "203.0.113.200": 200,
    "2001:db8:1::7": 200,
    "203.0.113.7": 403,  # allowed by the API alone
    "2001:db8:2::7": 403,
    "198.51.100.7": 403,  # allowed by the grant alone
    "192.0.2.1": 403,  # allowed by neither
    "2001:db9::7": 403,
    "198.51.100.7, 203.0.113.200": 200,  # what a client forges before the proxy's word
    "203.0.113.200, 198.51.100.7": 403,
}
"""What `X-Forwarded-For` says → how the call is answered. The last address is the trusted proxy's word."""


def test_a_call_passes_from_where_both_allow_it(
    api: Routed, believing: Callable[[ClientAddressSettings], None]
) -> None:
    believing(ONE_PROXY)
    eventually(lambda: {address: status_from(api, address) for address in FROM} == FROM)
    for address, status in FROM.items():
        if status == 403:
            detail = api.call(headers={"x-forwarded-for": address}).json()["detail"]
            assert f"sua chamada veio de {address.rpartition(', ')[2]}." in detail


def test_where_no_proxy_is_trusted_the_connections_address_counts(api: Routed) -> None:
    eventually(lambda: status_from(api, "192.0.2.1") == 200)


def test_ranges_hold_for_grants_without_any_of_their_own(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url) as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        routed.change(sourceRanges=[V4, V6])
        eventually(lambda: routed.call().status == 403)
        assert "sua chamada veio de 127.0.0.1." in routed.call().json()["detail"]
        routed.change(sourceRanges=[V4, HERE])
        eventually(lambda: routed.call().status == 200)


def test_a_grant_that_shares_no_address_with_its_api_is_let_in_from_nowhere(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url, api={"sourceRanges": [V4]}, sourceRanges=[HERE]) as api:
        routed = Routed(api)
        assert {routed.call().status for _ in range(5)} == {403}
        routed.change(sourceRanges=[HERE])
        eventually(lambda: routed.call().status == 200)


async def test_a_change_of_one_grants_ranges_is_felt_by_no_other(
    platform: Layout, gateway: Gateway, echo: Echo
) -> None:
    """Not one call of another grant on the same API fails, and no connection of its is closed."""
    with published(gateway, echo.url) as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        neighbour = await asyncio.to_thread(granted_too, api, gateway)
        async with traffic(platform, api.path(), routed.token) as seen:
            await asyncio.to_thread(moved_about, api, neighbour)
        assert {call.status for call in seen.calls} == {200}
        assert len(seen.calls) > 100


def moved_about(api: Published, neighbour: Application) -> None:
    """Have the other grant call from elsewhere, and back, until the gateway has understood each time."""
    for ranges, expected in (([V4], 403), ([HERE], 200), ([V4, V6], 403), ([], 200)):
        patch = json.dumps({"spec": {"sourceRanges": ranges}})
        kubectl("patch", "conectagrant", OTHER, "-n", api.namespace, "--type=merge", "-p", patch)
        eventually(partial(answers, neighbour, api.path(), expected))


def answers(application: Application, path: str, status: int) -> bool:
    return application.call("GET", path).status == status


OTHER = "vizinho"


def granted_too(api: Published, gateway: Gateway) -> Application:
    """Another application, with a grant on the same API."""
    spec = get("conectagrant", api.namespace, api.name)["spec"]
    spec = {"apiRef": spec["apiRef"], "application": {"name": OTHER}}
    metadata = {"name": OTHER, "namespace": api.namespace}
    apply({"apiVersion": "conecta.gov.br/v1alpha1", "kind": "ConectaGrant", "metadata": metadata, "spec": spec})
    wait_ready("conectagrant", api.namespace, OTHER)
    return Application(gateway, key_in(api.namespace, f"{OTHER}-conecta"))
