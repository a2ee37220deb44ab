"""Who writes to the API server, each with the rights that it really has, and the grants that they decide over."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from sandbox.pki import Authority, Certificate, write_private
from sandbox.ports import APISERVER
from tests.support.api_rows import API
from tests.support.changes import but
from tests.support.kubectl import get, kubectl

__all__ = [
    "OPERATOR",
    "Answer",
    "ApiServer",
    "CertifiedUser",
    "People",
    "Requests",
    "User",
    "approval",
    "certified",
    "done",
]

RBAC = "rbac.authorization.k8s.io"
OPERATOR = "system:serviceaccount:conecta-system:conecta-operator"


@dataclass(frozen=True)
class Answer:
    """What the API server says to a write."""

    status: int
    body: Manifest

    @property
    def is_accepted(self) -> bool:
        """Whether the write was done, or would have been."""
        return self.status in range(200, 300)

    @property
    def words(self) -> str:
        """The refusal, as people read it; empty when there is none."""
        return "" if self.is_accepted else str(self.body.get("message"))


@dataclass(frozen=True)
class User:
    """Somebody who writes. Nothing is written for good unless that is said."""

    name: str
    server: "ApiServer" = field(repr=False)
    identity: tuple[tuple[str, str], ...] = ()
    """Headers that say who it is; none for whose certificate it is."""

    def call(self, method: str, path: str, body: Any, *, kind: str = "json", for_good: bool = False) -> Answer:
        """One request; `kind` is the body's, such as `merge-patch+json`."""
        headers = urllib3.HTTPHeaderDict(
            (("Accept", "application/json"), ("Content-Type", f"application/{kind}"), *self.identity)
        )
        query = {"fieldValidation": "Strict"} | ({} if for_good else {"dryRun": "All"})
        query |= {"fieldManager": "test", "force": "true"} if kind == "apply-patch+yaml" else {}
        return self.server.answer(method, path, query, headers, body)

    def create(self, manifest: Manifest, *, for_good: bool = False) -> Answer:
        """Make a new object."""
        collection = _path(manifest).rpartition("/")[0]
        return self.call("POST", collection, manifest, for_good=for_good)

    def patch(self, manifest: Manifest, patch: Manifest, *, part: str = "", for_good: bool = False) -> Answer:
        """Change the object, or its subresource `part`, by a merge patch."""
        return self.call("PATCH", _path(manifest, part), patch, kind="merge-patch+json", for_good=for_good)

    def delete(self, manifest: Manifest) -> Answer:
        """Delete the object, as a trial."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]}  # beside a body, no query counts
        return self.call("DELETE", _path(manifest), options)

    def put(self, manifest: Manifest, *, part: str = "") -> Answer:
        """Replace the object, or its subresource, whatever the operator has written meanwhile."""
        while (answer := self.call("PUT", _path(manifest, part), manifest)).status == HTTPStatus.CONFLICT:
            found = get(manifest["kind"].lower(), manifest["metadata"]["namespace"], manifest["metadata"]["name"])
            manifest = but(manifest, {"metadata.resourceVersion": found["metadata"]["resourceVersion"]})
        return answer

    def apply(self, manifest: Manifest, *, part: str = "") -> Answer:
        """Apply on the server's side, taking what others own."""
        return self.call("PATCH", _path(manifest, part), manifest, kind="apply-patch+yaml")

    def decide(self, grant: Manifest, approval: Manifest | None, *, for_good: bool = False) -> Answer:
        """Write these fields of the decision over a grant; None takes it away."""
        return self.patch(grant, {"status": {"approval": approval}}, part="status", for_good=for_good)


class ApiServer:
    """The platform's API server, as its administrator and all whom it acts as."""

    def __init__(self, layout: Layout) -> None:
        self.administrator = User("platform-admin", self)
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            APISERVER,
            ca_certs=str(layout.ca_file),
            cert_file=str(layout.certificate("admin")),
            key_file=str(layout.key("admin")),
            retries=False,
            timeout=20,
        )

    def impersonated(self, name: str, *groups: str) -> User:
        """Somebody else, by the right to act as others."""
        return User(name, self, (("Impersonate-User", name), *(("Impersonate-Group", group) for group in groups)))

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: urllib3.HTTPHeaderDict, body: Any
    ) -> Answer:
        """One request and what comes back."""
        url = f"{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}"
        response = self._pool.request(method, url, body=json.dumps(body), headers=headers)
        return Answer(response.status, response.json())

    def close(self) -> None:
        """End its connections."""
        self._pool.close()


@dataclass(frozen=True)
class CertifiedUser:
    """Somebody with a client certificate, at the command line."""

    name: str
    certificate: Path
    key: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl as this user, whatever comes of it."""
        identity = (f"--client-certificate={self.certificate}", f"--client-key={self.key}")
        return kubectl(*identity, *arguments, stdin=stdin, check=False)


def certified(layout: Layout, folder: Path, name: str, group: str) -> CertifiedUser:
    """Somebody to whom the sandbox's CA gives a certificate for ten minutes."""
    now = datetime.now(UTC)
    wanted = Certificate(name="user", common_name=name, organization=group, client=True)
    pem, key_pem = Authority.ensure(layout, now).issue(wanted, now, timedelta(minutes=10))
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(pem)
    write_private(key, key_pem)
    return CertifiedUser(name, certificate, key)


class People:
    """The people of two agencies, of which Receita provides and Saúde receives, and those who serve both."""

    def __init__(self, server: ApiServer) -> None:
        self.ana = server.impersonated("ana@receita.example", "conecta:receita:providers")
        self.davi = server.impersonated("davi@receita.example", "conecta:receita:providers")
        """Answers for Receita's APIs, as Ana does."""
        self.bia = server.impersonated("bia@saude.example", "conecta:saude:providers", "conecta:saude:receivers")
        """Answers for Saúde's own APIs, and asks for others."""
        self.rui = server.impersonated("rui@saude.example", "conecta:saude:receivers")
        """Asks for Saúde."""
        self.operator = server.impersonated(OPERATOR)
        self.admin = server.administrator
        self._server = server

    @contextmanager
    def with_role(self, *rules: Manifest) -> Iterator[User]:
        """Somebody of Saúde who has these rights on Receita's objects, besides those of Saúde's providers."""
        name = f"eli-{secrets.token_hex(3)}"
        metadata = {"namespace": "receita", "name": name}
        role = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": name}],
        }
        for manifest in (role, binding):
            done(self.admin.create(manifest, for_good=True))
        yield self._server.impersonated(name, "conecta:saude:providers")
        kubectl("delete", "role,rolebinding", name, "-n", "receita")


class Requests:
    """Grants of this module for two APIs of its own, one of which admits everybody."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._mark = secrets.token_hex(3)
        for access in ("Manual", "Automatic"):
            changes = {
                "metadata": {"namespace": "receita", "name": self.api(access)},
                "spec.access": {"approval": access},
                "spec.plans": [{"name": "básico"}],
            }
            done(people.ana.create(but(API, changes), for_good=True))

    def api(self, access: str) -> str:
        """Name of the API with this `access.approval`."""
        return f"{access.lower()}-{self._mark}"

    def new(
        self, name: str, access: str = "Manual", *, namespace: str = "saude", finalizers: tuple[str, ...] = ()
    ) -> Manifest:
        """A request as a receiver writes it, for good."""
        full_name = f"{name}-{self._mark}"
        manifest = {
            "apiVersion": "conecta.gov.br/v1alpha1",
            "kind": "ConectaGrant",
            "metadata": {"namespace": namespace, "name": full_name, "finalizers": list(finalizers)},
            "spec": {
                "apiRef": {"namespace": "receita", "name": self.api(access)},
                "application": {"name": full_name},
                "plan": "básico",
                "purpose": "Conferir endereços.",
                "legalBasis": "Art7III",
                "sourceRanges": ["203.0.113.0/24", "2001:db8::/32"],
                "validUntil": "2099-01-01T00:00:00-03:00",
            },
        }
        done((self._people.rui if namespace == "saude" else self._people.admin).create(manifest, for_good=True))
        return manifest

    def remove(self) -> None:
        """Take away all that was made."""
        found = kubectl("get", "conectagrants", "-n", "saude", "-o", "name").stdout.split()
        ours = [name for name in found if name.endswith(self._mark)]
        apis = (f"conectaapi/{self.api(access)}" for access in ("Manual", "Automatic"))
        kubectl("delete", "-n", "saude", "--ignore-not-found", *ours)
        kubectl("delete", "-n", "receita", "--ignore-not-found", *apis)


def done(answer: Answer) -> Answer:
    assert answer.is_accepted, answer.words
    return answer


def approval(grant: Manifest, by: User, decision: str = "Approved", **other: object) -> Manifest:
    """A decision on the terms that the grant asks for."""
    spec = grant["spec"]
    terms = {name: spec[name] for name in ("plan", "purpose", "legalBasis", "sourceRanges", "validUntil")}
    return {
        "decision": decision,
        "by": by.name,
        "at": "2026-11-24T12:00:00Z",
        "terms": terms | {"application": spec["application"]["name"]},
        **other,
    }


def _path(manifest: Manifest, part: str = "") -> str:
    metadata, version, kind = manifest["metadata"], manifest["apiVersion"], manifest["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith(("cy", "ry", "ty", "xy")) else f"{kind}s"
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    path = f"{root}{place}/{plural}/{metadata['name']}"
    return f"{path}/{part}" if part else path
