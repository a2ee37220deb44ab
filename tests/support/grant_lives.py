"""Grants that live through issue, rotation and revocation, and what has become of each: for tests that disturb them."""

import base64
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from sandbox.ports import APISERVER
from tests.support.application import Application, Gateway, Key
from tests.support.kubectl import agency_namespace, apply, condition, eventually, get, kubectl
from tests.support.tokens import IssuerAdmin

__all__ = ["PHASES", "Life", "Outcome", "Phase", "Reader", "Stage"]

Outcome = dict[str, Any]
_GROUP: Final = "conecta.gov.br/v1alpha1"
_A_WHILE: Final = 1.5
"""Seconds; the operator never waits for as long on its way to an outcome that nothing disturbs."""


class Reader:
    """The platform's objects, read on a connection that stays open: looking often must not cost much."""

    def __init__(self, layout: Layout) -> None:
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            APISERVER,
            ca_certs=str(layout.ca_file),
            cert_file=str(layout.certificate("admin")),
            key_file=str(layout.key("admin")),
            retries=False,
            timeout=20,
        )

    def close(self) -> None:
        """End the connection."""
        self._pool.close()

    def find(self, path: str) -> Manifest | None:
        """The object or list at a path such as `api/v1/namespaces/saude`; None when there is none."""
        answer = self._pool.request("GET", f"/{path}")
        assert answer.status in {200, 404}, answer.data
        return answer.json() if answer.status == 200 else None

    def custom(self, plural: str, namespace: str, name: str) -> Manifest | None:
        """A ConectaApi or ConectaGrant."""
        return self.find(f"apis/{_GROUP}/namespaces/{namespace}/{plural}/{name}")

    def all(self, plural: str, namespace: str | None = None) -> list[Manifest]:
        """All ConectaApis or ConectaGrants, of one namespace or of all."""
        within = f"namespaces/{namespace}/" if namespace else ""
        found = self.find(f"apis/{_GROUP}/{within}{plural}")
        return found["items"] if found else []


@dataclass(frozen=True)
class Phase:
    """A change of a grant that takes several writes."""

    name: str
    begin: Callable[["Life"], None]
    starts_with_key: bool
    ends_key: bool = False


@dataclass(frozen=True)
class Life:
    """A grant on an API that nobody else uses. The API's name is part of its own and its application's name."""

    stage: "Stage"
    api: str
    name: str

    @property
    def mark(self) -> str:
        """What occurs in every write about this grant or its API, and in no other."""
        return self.api

    def create(self) -> None:
        """Ask for a key."""
        apply(self._manifest())

    def rotate(self) -> None:
        """Ask for another key."""
        patch = json.dumps({"spec": {"credential": {"serial": 1}}})
        kubectl("patch", "conectagrant", self.name, "-n", self.stage.receiver, "--type=merge", "-p", patch)

    def delete(self) -> None:
        """Give the grant up."""
        kubectl("delete", "conectagrant", self.name, "-n", self.stage.receiver, "--wait=false", "--ignore-not-found")

    def application(self) -> Application:
        """The application with the key that is in the Secret now."""
        application = self._application()
        assert application is not None
        return application

    def status(self, application: Application, token: str | None = None) -> int:
        """What a call with this key, or with a token that it got before, is answered."""
        return application.call("GET", f"/api-{self.api}/v1/consulta/cep/70040020", token=token).status

    def has_no_dead_key(self) -> bool:
        """Whether the application gets through with the key in its Secret, if there is one yet."""
        return self._opens() in {None, 200}

    def outcome(self) -> Outcome:
        """What counts in the end, apart from uids, secrets, times and versions."""
        reader, stage = self.stage.reader, self.stage
        grant = reader.custom("conectagrants", stage.receiver, self.name) or {}
        api = reader.custom("conectaapis", stage.provider, self.api) or {}
        return {
            "grant": _conditions(grant),
            "finalizers": grant.get("metadata", {}).get("finalizers"),
            "keys": {_number(key["clientId"]): key["state"] for key in grant.get("status", {}).get("keys", [])},
            "api": _conditions(api),
            "counted": api.get("status", {}).get("grants"),
            "denied": sorted(
                _number(entry["clientId"])
                for entry in api.get("status", {}).get("revokedKeys", [])
                if f"-{self.name}-" in entry["clientId"]
            ),
            "clients": self._clients(),
            "secret": sorted(self._secret().get("data", {})),
            "opens": self._opens(),
        }

    def outcome_at_rest(self) -> Outcome:
        """The outcome, once it has been the same for a while."""
        eventually(self.has_settled, 30)
        before: Outcome = {}
        while (now := self.outcome()) != before:
            before = now
            time.sleep(_A_WHILE)
        return now

    def says(self, type_: str) -> str:
        """What one of the grant's conditions says."""
        grant = self.stage.reader.custom("conectagrants", self.stage.receiver, self.name) or {}
        return str(condition(grant, type_).get("message", ""))

    def has_settled(self) -> bool:
        """Whether all that was asked for is done: Ready, with a key for each serial, one of them in use."""
        grant = self.stage.reader.custom("conectagrants", self.stage.receiver, self.name)
        if grant is None:
            return not self._secret()
        status, serial = grant.get("status", {}), grant["spec"].get("credential", {}).get("serial", 0)
        states = [key["state"] for key in status.get("keys", [])]
        is_ready = _conditions(grant).get("Ready") == ("True", "Ready")
        is_current = status.get("observedGeneration") == grant["metadata"]["generation"]
        return is_ready and is_current and sorted(states) == ["Active", *["Retiring"] * serial]

    def _manifest(self) -> Manifest:
        return {
            "apiVersion": _GROUP,
            "kind": "ConectaGrant",
            "metadata": {"name": self.name, "namespace": self.stage.receiver},
            "spec": {
                "apiRef": {"namespace": self.stage.provider, "name": self.api},
                "application": {"name": self.name},
            },
        }

    def _application(self) -> Application | None:
        data = self._secret().get("data", {})
        if "client-id" not in data:
            return None
        client_id, secret = (base64.b64decode(data[field]).decode() for field in ("client-id", "client-secret"))
        return Application(self.stage.gateway, Key(client_id, secret))

    def _secret(self) -> Manifest:
        return self.stage.reader.find(f"api/v1/namespaces/{self.stage.receiver}/secrets/{self.name}-conecta") or {}

    def _clients(self) -> dict[str, Any]:
        """What the issuer holds: for each key its serial, whether it retires, and what it may do."""
        issuer = self.stage.issuer
        found = (issuer.client(client_id) for client_id in issuer.client_ids() if f"-{self.name}-" in client_id)
        return {
            _number(client["client_id"]): (
                client["metadata"]["serial"],
                client["metadata"]["retiresAt"] is not None,
                client["grant_types"],
            )
            for client in found
            if client is not None
        }

    def _opens(self) -> int | None:
        """What the application gets with the key in its Secret: 200, or a refusal at either step."""
        application = self._application()
        if application is None:
            return None
        answer = self.stage.gateway.token_answer(
            {"grant_type": "client_credentials"}, {"authorization": application.key.basic}
        )
        return self.status(application, answer.json()["access_token"]) if answer.status == 200 else answer.status


PHASES: Final = (
    Phase("issue", Life.create, starts_with_key=False),
    Phase("rotation", Life.rotate, starts_with_key=True),
    Phase("revocation", Life.delete, starts_with_key=True, ends_key=True),
)


class Stage:
    """Two agencies, and as many APIs with a grant each as a test asks for."""

    def __init__(self, layout: Layout, gateway: Gateway, issuer: IssuerAdmin, *, provider: str, receiver: str) -> None:
        self.reader = Reader(layout)
        self.gateway, self.issuer = gateway, issuer
        self.provider, self.receiver = provider, receiver
        self._apis: list[str] = []
        self._model = get("conectaapi", "receita", "cep")

    @classmethod
    @contextmanager
    def of(cls, layout: Layout, gateway: Gateway, issuer: IssuerAdmin) -> Iterator["Stage"]:
        """A new one, gone afterwards."""
        with agency_namespace("provedor") as provider, agency_namespace("recebedor") as receiver:
            stage = cls(layout, gateway, issuer, provider=provider, receiver=receiver)
            yield stage
            stage.reader.close()

    def lives(self, phases: Sequence[Phase]) -> list[Life]:
        """For each phase a grant, on an API of its own, that is about to begin it."""
        lives = [self._life(api) for api in self.apis(len(phases))]
        self.create([life for life, phase in zip(lives, phases, strict=True) if phase.starts_with_key])
        return lives

    def crowd(self, number: int, *, apis: int) -> list[Life]:
        """So many grants with a key, which share these APIs evenly."""
        lives = [self._life(api) for _, api in zip(range(number), itertools.cycle(self.apis(apis)), strict=False)]
        self.create(lives, seconds=number)
        return lives

    def create(self, lives: Sequence[Life], *, seconds: int = 60) -> None:
        """Let all of these grants have a key that works."""
        if not lives:
            return
        apply(*(life._manifest() for life in lives))
        eventually(lambda: all(life.has_settled() for life in lives), seconds)
        eventually(lambda: all(life.outcome()["opens"] == 200 for life in lives), 30)

    def clear(self) -> None:
        """Leave no grant."""
        kubectl("delete", "conectagrants", "--all", "-n", self.receiver, "--timeout=60s")

    def clients_without_grant(self) -> set[str]:
        """Ids of clients in the issuer whose grant there is not, of whichever agency."""
        uids = {grant["metadata"]["uid"] for grant in self.reader.all("conectagrants")}
        found = {client_id: self.issuer.client(client_id) for client_id in self.issuer.client_ids()}
        return {client_id for client_id, client in found.items() if client is not None and client["owner"] not in uids}

    def apis(self, number: int) -> list[str]:
        """Names of so many APIs that are served."""
        new = [f"vida-{secrets.token_hex(3)}" for _ in range(number - len(self._apis))]
        if new:
            apply(*(self._api(name) for name in new))
            self._apis += new
            eventually(self._all_apis_are_ready, 90)
        return self._apis[:number]

    def _api(self, name: str) -> Manifest:
        spec = {field: value for field, value in self._model["spec"].items() if field != "basePath"}
        metadata = {"name": name, "namespace": self.provider}
        return {"apiVersion": _GROUP, "kind": "ConectaApi", "metadata": metadata, "spec": spec}

    def _life(self, api: str) -> Life:
        return Life(self, api, f"{api}-{secrets.token_hex(3)}")

    def _all_apis_are_ready(self) -> bool:
        apis = self.reader.all("conectaapis", self.provider)
        return all(_conditions(api).get("Ready") == ("True", "Ready") for api in apis)


def _conditions(manifest: Manifest) -> dict[str, tuple[str, str]]:
    stated = manifest.get("status", {}).get("conditions", [])
    return {condition["type"]: (condition["status"], condition["reason"]) for condition in stated}


def _number(client_id: str) -> str:
    return client_id.rpartition("-")[2]
