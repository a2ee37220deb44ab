"""An API with rates, grants on its plans, and callers that call as fast as they can."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.application import CPF, Application, Gateway, key_in
from tests.support.kubectl import apply, eventually, get, kubectl, wait_ready
from tests.support.traffic import at_the_gateway

__all__ = ["Callers", "Rated"]

_KIND: Final = {"apiVersion": "conecta.gov.br/v1alpha1"}
PREFIX: Final = "gateway.envoyproxy.io/"


class Rated:
    """The API, in a namespace that is provider's and receiver's at once. Every grant on it is approved at once."""

    def __init__(self, gateway: Gateway, namespace: str, **rates: Any) -> None:
        self.gateway, self.namespace = gateway, namespace
        self.name = f"taxa-{uuid.uuid4().hex[:6]}"
        self.path = f"/api-{self.name}/v1/consulta/cep/70040020"
        backend = get("conectaapi", "receita", "cep")["spec"]["backend"]
        contacts = [{"name": "Equipe", "email": "equipe@orgao.example"}]
        spec = {"title": "Taxas", "version": "v1", "contacts": contacts, "backend": backend}
        apply(self._object("ConectaApi", self.name, {**spec, "access": {"approval": "Automatic"}, **rates}))
        wait_ready("conectaapi", namespace, self.name)

    def _object(self, kind: str, name: str, spec: Manifest) -> Manifest:
        return {**_KIND, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, "spec": spec}

    def ask(self, *names: str, plan: str | None = None) -> None:
        """Write grants; they get their keys meanwhile."""
        api = {"namespace": self.namespace, "name": self.name}
        wish = {"apiRef": api, **({"plan": plan} if plan is not None else {})}
        apply(*(self._object("ConectaGrant", name, {**wish, "application": {"name": name}}) for name in names))

    def grant(self, plan: str | None = None) -> "Granted":
        """A new grant that is ready to be used."""
        name = f"uso-{uuid.uuid4().hex[:6]}"
        self.ask(name, plan=plan)
        wait_ready("conectagrant", self.namespace, name)
        granted = Granted(self, name)
        token = granted.token()
        eventually(lambda: self.call(token).status == 200)
        return granted

    def change(self, **spec: Any) -> None:
        """Write to the API, and wait until its route says what became of it."""
        before = self.told
        kubectl(
            "patch", "conectaapi", self.name, "-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": spec})
        )
        eventually(lambda: self.told != before)

    @property
    def told(self) -> dict[str, str]:
        """What the gateway is told of rates."""
        annotations = get("httproute", self.namespace, self.name)["metadata"].get("annotations") or {}
        return {name.removeprefix(PREFIX): told for name, told in annotations.items() if name.startswith(PREFIX)}

    def call(self, token: str) -> Any:
        """One call."""
        headers = {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF}
        return self.gateway.request("GET", self.path, headers=headers)


@dataclass(frozen=True)
class Granted:
    """A grant on the API."""

    api: Rated
    name: str

    def token(self) -> str:
        """A fresh one, by the key that is in the Secret now."""
        return Application(self.api.gateway, key_in(self.api.namespace, f"{self.name}-conecta")).token()

    def rotate(self, serial: int) -> None:
        """Get another key; the old one goes on working."""
        patch = {"spec": {"credential": {"serial": serial}}}
        kubectl("patch", "conectagrant", self.name, "-n", self.api.namespace, "--type=merge", "-p", json.dumps(patch))
        wait_ready("conectagrant", self.api.namespace, self.name)


@dataclass
class Callers:
    """They call one path with these tokens, each over a connection of its own, again as soon as they are answered."""

    layout: Layout
    path: str
    tokens: Sequence[str]
    pause: float = 0.0
    statuses: list[int] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of all answers, in their order: those that speak of rates."""
    seconds: float = 0.0
    _over: bool = False

    async def run(self, seconds: float) -> None:
        """Call for so long."""
        started = time.monotonic()
        async with at_the_gateway(self.layout, connections=len(self.tokens)) as session, asyncio.TaskGroup() as group:
            for token in self.tokens:
                group.create_task(self._call(session, token, started + seconds))
        self.seconds = time.monotonic() - started

    def stop(self) -> None:
        """Have them call no more."""
        self._over = True

    async def _call(self, session: aiohttp.ClientSession, token: str, until: float) -> None:
        headers = {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF}
        while time.monotonic() < until and not self._over:
            async with session.get(self.path, headers=headers) as answer:
                await answer.read()
            self.statuses.append(answer.status)
            self.headers.append({name.lower(): value for name, value in answer.headers.items()})
            await asyncio.sleep(self.pause)

    @property
    def admitted(self) -> int:
        """How many calls the backend has answered; all others were refused for their number."""
        assert set(self.statuses) <= {200, 429}, set(self.statuses)
        return self.statuses.count(200)

    def tell(self, rate: int) -> None:
        """Print what has come of it."""
        print(f"{self.admitted} of {len(self.statuses)} in {self.seconds:.2f} s; at most {self.most(rate):.1f}")  # noqa: T201 - numbers to report

    def most(self, rate: int) -> float:
        """How many of these calls a rate allows: a full bucket, and what flows in meanwhile."""
        return rate + rate * self.seconds
