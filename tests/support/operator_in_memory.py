"""The operator's reconcile over fakes, with a gateway that accepts all that is written."""

import asyncio
import copy
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from pydantic import SecretStr

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Manifest, ObjectKey
from conecta_operator.observability.metrics import Metrics
from conecta_operator.plan.grants_seen import GrantSeen
from conecta_operator.plan.naming import GENERATED_FOR_API
from conecta_operator.reconcile.gather import Gather
from conecta_operator.reconcile.loop import Reconciler
from conecta_operator.reconcile.report import Report
from conecta_operator.reconcile.signing_keys import SigningKeys
from conecta_operator.reconcile.steps import Steps
from conecta_operator.reconcile.workqueue import WorkQueue
from conecta_operator.render.forms import Forms
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_issuer import FakeIssuer
from tests.support.journal import Journal
from tests.support.worlds import PLATFORM, keepers_of

__all__ = ["InMemory"]

_FORMS = Forms.load()
_PROXY_NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLATFORM.network.proxy_namespace}}
_MOST_LOOKS = 30
_BETWEEN_LOOKS = timedelta(seconds=3)
_SECRETS = count(1)
"""Never the same secret twice, also after a restart: a real operator draws it at random."""


class _Landscape:
    """Sees all that is there, as watches do once they have caught up."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def apis(self) -> Iterator[ConectaApi]:
        return (ConectaApi.parse(self._cluster.manifest(key)) for key in self._cluster.keys if key.kind == CONECTA_API)

    def grants(self) -> Iterator[GrantSeen]:
        found = (self._cluster.manifest(key) for key in self._cluster.keys if key.kind == CONECTA_GRANT)
        return (GrantSeen.of(ConectaGrant.parse(manifest)) for manifest in found)

    def apis_in(self, namespace: str) -> Iterable[ConectaApi]:
        return [api for api in self.apis() if api.metadata.namespace == namespace]

    def apis_claiming(self, base_path: str) -> Iterable[ConectaApi]:
        return [api for api in self.apis() if api.base_path == base_path]

    def grants_in(self, namespace: str) -> Iterable[GrantSeen]:
        return [grant for grant in self.grants() if grant.key.namespace == namespace]

    def grants_of(self, api: ObjectKey) -> Iterable[GrantSeen]:
        return [grant for grant in self.grants() if grant.api == api]


class InMemory:
    """A cluster, an issuer, and an operator that can be started anew over them."""

    def __init__(self, *objects: Manifest) -> None:
        self.journal = Journal()
        self.issuer = FakeIssuer(journal=self.journal)
        keepers = keepers_of(self.issuer.public_keys)
        self.cluster = FakeCluster(_PROXY_NAMESPACE, *keepers, *copy.deepcopy(objects), journal=self.journal)
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    async def converge(self) -> None:
        """A newly started operator looks at everything until nothing is left to do."""
        reconciler = self._operator()
        for _ in range(_MOST_LOOKS):
            before = self.cluster.versions, self.issuer.clients
            self.now += _BETWEEN_LOOKS
            for key in [key for key in self.cluster.keys if key.kind in {CONECTA_API, CONECTA_GRANT}]:
                await reconciler.reconcile(key)
                self.cluster.collect_garbage()
                self._accept_all()
            if (self.cluster.versions, self.issuer.clients) == before:
                return
        raise AssertionError(f"not converged after {_MOST_LOOKS} looks")

    def _operator(self) -> Reconciler:
        loop = asyncio.get_running_loop()
        landscape = _Landscape(self.cluster)
        gather = Gather(
            cluster=self.cluster,
            issuer=self.issuer,
            signing_keys=SigningKeys(
                issuer=self.issuer,
                cluster=self.cluster,
                landscape=landscape,
                platform=PLATFORM,
                forms=_FORMS,
                clock=loop,
                now=lambda: self.now,
            ),
            landscape=landscape,
            platform=PLATFORM,
            now=lambda: self.now,
            fresh_secret=lambda: SecretStr(f"secret-{next(_SECRETS):036}"),
        )
        return Reconciler(
            queue=WorkQueue(clock=loop, random=Random(1)),  # noqa: S311 - no secret comes of it
            cluster=self.cluster,
            gather=gather,
            steps=Steps(cluster=self.cluster, issuer=self.issuer),
            report=Report(self.cluster),
            forms=_FORMS,
            metrics=Metrics(),
            clock=loop,
        )

    def _accept_all(self) -> None:
        for manifest in [self.cluster.manifest(key) for key in self.cluster.keys if key.kind in GENERATED_FOR_API]:
            if _status(manifest) != manifest.get("status"):
                self.cluster.put({**manifest, "status": _status(manifest)})


def _status(manifest: Manifest) -> Manifest:
    conditions = [
        {"type": type_, "status": "True", "reason": type_, "observedGeneration": manifest["metadata"]["generation"]}
        for type_ in ("Accepted", "ResolvedRefs")
    ]
    gateway = {
        "namespace": PLATFORM.gateway_namespace,
        "name": PLATFORM.gateway_name,
        "sectionName": PLATFORM.gateway_listener,
    }
    return {
        "conditions": conditions,
        "parents": [{"parentRef": gateway, "conditions": conditions}],
        "ancestors": [{"ancestorRef": gateway, "conditions": conditions}],
    }
