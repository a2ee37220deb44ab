"""What the contract suite runs on: the fakes always, the real ones where the platform is up."""

import asyncio
import secrets
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import pytest
from pydantic import SecretStr

from conecta_operator.api.objects import NAMESPACE, Kind, Manifest
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.hydra import HydraIssuer
from conecta_operator.apply.issuer import Issuer
from conecta_operator.apply.kubernetes import KubernetesCluster
from conecta_operator.errors import ClusterUnavailable, IssuerUnavailable
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer

SANDBOX: Final = Path(__file__).parents[2] / ".sandbox"
ADMIN_URL: Final = "https://localhost:4445"
PUBLIC_URL: Final = "https://localhost:4444"
CORE_EVENT: Final = Kind("", "v1", "events", "Event")
"""Events as `kubectl describe` looks for them."""


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.platform)])
def backend(request: pytest.FixtureRequest) -> str:
    """`fake` or `real`; with the platform up for the latter."""
    name = str(request.param)
    if name == "real":
        request.getfixturevalue("platform")
    return name


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


class ClusterBench(Protocol):
    """A cluster under test, and what the tests need to know of it beyond the protocol."""

    @property
    def cluster(self) -> Cluster:
        """What is under test."""

    @property
    def namespace(self) -> str:
        """Exists, for this test only."""

    async def events_about(self, manifest: Manifest) -> list[tuple[str, str, str]]:
        """Type, reason and message of the Events about an object."""

    async def settle(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Return when what happens in the background has made the condition true."""


@dataclass
class _FakeClusterBench:
    cluster: FakeCluster
    namespace: str = "contract"

    async def events_about(self, manifest: Manifest) -> list[tuple[str, str, str]]:
        name = manifest["metadata"]["name"]
        return [(event.type_, event.reason, event.message) for event in self.cluster.events if event.about.name == name]

    async def settle(self, condition: Callable[[], Awaitable[bool]]) -> None:
        self.cluster.collect_garbage()
        assert await condition()


@dataclass
class _RealClusterBench:
    cluster: KubernetesCluster
    namespace: str

    async def events_about(self, manifest: Manifest) -> list[tuple[str, str, str]]:
        found = await self.cluster.list(CORE_EVENT, namespace=self.namespace)
        return [
            (event["type"], event["reason"], event["message"])
            for event in found
            if event["involvedObject"]["uid"] == manifest["metadata"]["uid"]
            and event["involvedObject"]["kind"] == manifest["kind"]
            and event["reportingComponent"] == "conecta-operator"
        ]

    async def settle(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - other processes do it
                await asyncio.sleep(0.2)


def namespace_manifest(name: str) -> Manifest:
    return {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.name, "metadata": {"name": name}}


@pytest.fixture
async def bench(backend: str) -> AsyncIterator[ClusterBench]:
    """A cluster with a namespace of its own."""
    if backend == "fake":
        yield _FakeClusterBench(FakeCluster(namespace_manifest("contract")))
        return
    async with KubernetesCluster(str(SANDBOX / "kubeconfig"), page_size=2) as cluster:
        name = f"contract-{secrets.token_hex(4)}"
        namespace = await cluster.create(namespace_manifest(name))
        yield _RealClusterBench(cluster, name)
        await cluster.delete(namespace)


@pytest.fixture
async def lost_cluster(backend: str, closed_port: int, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster whose API server is away."""
    if backend == "fake":
        fake = FakeCluster()
        fake.outage = ClusterUnavailable("away")
        yield fake
        return
    kubeconfig = tmp_path / "kubeconfig"
    text = (SANDBOX / "kubeconfig").read_text()
    kubeconfig.write_text(text.replace(":6443", f":{closed_port}"))
    async with KubernetesCluster(str(kubeconfig), time_limit=timedelta(seconds=2)) as cluster:
        yield cluster


class IssuerBench(Protocol):
    """An issuer under test, and what the tests need to know of it beyond the protocol."""

    @property
    def issuer(self) -> Issuer:
        """What is under test."""

    def new_grant(self) -> str:
        """The uid of a grant that has no keys; those that it gets are removed after the test."""

    async def token(self, client_id: str, secret: SecretStr) -> bool:
        """Whether an application gets a token with these credentials."""


@dataclass
class _FakeIssuerBench:
    issuer: FakeIssuer

    def new_grant(self) -> str:
        return str(uuid.uuid4())

    async def token(self, client_id: str, secret: SecretStr) -> bool:
        return self.issuer.verify(client_id, secret)


@dataclass
class RealIssuerBench:
    """Hydra, with the token endpoint and the admin interface as others use them."""

    issuer: HydraIssuer
    session: aiohttp.ClientSession
    grants: list[str] = field(default_factory=list)

    def new_grant(self) -> str:
        """See IssuerBench."""
        self.grants.append(str(uuid.uuid4()))
        return self.grants[-1]

    async def token(self, client_id: str, secret: SecretStr) -> bool:
        """See IssuerBench."""
        return bool(await self.access_token(client_id, secret))

    async def access_token(self, client_id: str, secret: SecretStr) -> str:
        """An access token; empty when it is refused."""
        status, answer = await self.ask_for_token(client_id, secret)
        assert status in {200, 400, 401}
        return str(answer.get("access_token", ""))

    async def ask_for_token(self, client_id: str, secret: SecretStr) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers: the status and the JSON."""
        headers = {"Authorization": aiohttp.encode_basic_auth(client_id, secret.get_secret_value())}
        form = {"grant_type": "client_credentials"}
        async with self.session.post(f"{PUBLIC_URL}/oauth2/token", data=form, headers=headers) as response:
            return response.status, await response.json()

    async def damage(self, client_id: str, **fields: object) -> None:
        """Change some fields of a client by hand."""
        url = f"{ADMIN_URL}/admin/clients/{client_id}"
        patch = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in fields.items()]
        async with self.session.patch(url, json=patch) as response:
            assert response.status == 200

    async def clean(self) -> None:
        """Remove all keys of all grants that were handed out."""
        for grant in self.grants:
            for key in await self.issuer.keys(grant):
                await self.issuer.remove(key.client_id)


@asynccontextmanager
async def _hydra() -> AsyncIterator[RealIssuerBench]:
    authority = SANDBOX / "pki" / "ca.crt"
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=authority))
    async with (
        HydraIssuer(admin_url=ADMIN_URL, public_url=PUBLIC_URL, ca_file=authority) as issuer,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        bench = RealIssuerBench(issuer, session)
        yield bench
        await bench.clean()


@pytest.fixture
async def issuer_bench(backend: str) -> AsyncIterator[IssuerBench]:
    """An issuer, and an application's view of it."""
    if backend == "fake":
        yield _FakeIssuerBench(FakeIssuer())
        return
    async with _hydra() as bench:
        yield bench


@pytest.fixture
async def hydra(platform: object) -> AsyncIterator[RealIssuerBench]:  # noqa: ARG001 - it must be up
    """The real issuer, for what is true of Hydra alone."""
    async with _hydra() as bench:
        yield bench


@pytest.fixture
async def lost_issuer(backend: str, closed_port: int) -> AsyncIterator[Issuer]:
    """An issuer that is away."""
    if backend == "fake":
        fake = FakeIssuer()
        fake.outage = IssuerUnavailable("away")
        yield fake
        return
    address = f"https://localhost:{closed_port}"
    async with HydraIssuer(admin_url=address, public_url=address, time_limit=timedelta(seconds=2)) as issuer:
        yield issuer
