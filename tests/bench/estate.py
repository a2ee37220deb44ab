"""What is called and what lies beside it: a plain route, APIs whose policies demand more or less, and their grants.

Routes are matched one after the other, those with longer paths first. Neighbours have longer paths than whatever is
measured, so that a call has to pass all of them: the worst place there is.
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conecta_operator.api.objects import Manifest
from infra import names
from sandbox.environment import GATEWAY_URL
from sandbox.layout import Layout
from tests.bench.load_program import BACKEND_HOST
from tests.bench.rounds import Target
from tests.support.application import CPF, Application, Gateway, Key
from tests.support.grant_lives import Reader
from tests.support.kubectl import apply, condition, get
from tests.support.users import User, done

__all__ = ["PARTS", "Estate", "Part"]

PLAN: Final = "básico"
UNREACHED: Final = 100_000
"""Calls per second: counted, and never too many."""
HERE: Final = ["127.0.0.0/8", "::1/128"]
_GROUP: Final = "conecta.gov.br/v1alpha1"


@dataclass(frozen=True)
class Part:
    """Something that a policy may demand, as fields of the ConectaApi and of its ConectaGrant."""

    name: str
    api: Mapping[str, Any] = field(default_factory=dict)
    grant: Mapping[str, Any] = field(default_factory=dict)


PARTS: Final = (
    Part(
        "plans[].callsPerSecond",
        api={"plans": [{"name": PLAN, "callsPerSecond": UNREACHED}]},
        grant={"plan": PLAN},
    ),
    Part("capacity.callsPerSecond", api={"capacity": {"callsPerSecond": UNREACHED}}),
    Part("request.userCpf", api={"request": {"userCpf": "Required"}}),
    Part("sourceRanges", api={"sourceRanges": HERE}),
    Part("grant's sourceRanges", grant={"sourceRanges": HERE}),
)


class Estate:
    """Everything in two namespaces, the provider's and the receiver's."""

    def __init__(self, layout: Layout, user: User, provider: str, receiver: str, backend_port: int) -> None:
        self.reader = Reader(layout)
        self.user, self.provider, self.receiver = user, provider, receiver
        self.gateway = Gateway(GATEWAY_URL, layout.ca_file)
        self._backend = (BACKEND_HOST, backend_port)
        self._neighbours = 0

    @property
    def backend_url(self) -> str:
        """Where the backend itself answers."""
        host, port = self._backend
        return f"https://{host}:{port}/"

    def api(self, name: str, *parts: Part) -> Manifest:
        """An API that demands these parts, and admits every grant."""
        spec = {
            "title": "Medida",
            "version": "v1",
            "contacts": [{"name": "Equipe", "email": "equipe@orgao.example"}],
            "backend": {"url": self.backend_url, "tls": {"caCertificateRef": {"name": "kube-root-ca.crt"}}},
            "access": {"approval": "Automatic"},
        }
        for part in parts:
            spec |= part.api
        return self._object("ConectaApi", self.provider, name, spec)

    def grant(self, api: str, name: str, *parts: Part) -> Manifest:
        """A grant on an API that demands these parts."""
        spec: dict[str, Any] = {
            "apiRef": {"namespace": self.provider, "name": api},
            "application": {"name": name},
        }
        for part in parts:
            spec |= part.grant
        return self._object("ConectaGrant", self.receiver, name, spec)

    def plain_route(self, name: str) -> Target:
        """A route to the same backend through the same listener, open to everybody, that the operator knows not of."""
        return self.foreign_route(name, {"authorization": {"defaultAction": "Allow"}}, self.headers("nobody's"))

    def foreign_route(self, name: str, policy: Manifest, headers: dict[str, str]) -> Target:
        """The same under such a SecurityPolicy."""
        apply(*self._plain(name, policy))
        path = f"/api-{name}/v1/"
        self._eventually(lambda: self.gateway.request("GET", path, headers=headers).status == 200, 30)
        return Target(name, f"{GATEWAY_URL}{path}", [headers])

    def policy_of(self, api: str) -> Manifest:
        """What the SecurityPolicy of an API says, apart from what it is for."""
        spec: Manifest = get("securitypolicy", self.provider, api)["spec"]
        return {field: value for field, value in spec.items() if field != "targetRefs"}

    def publish(self, name: str, *parts: Part) -> Target:
        """An API with one grant, by which it is called."""
        for manifest in (self.api(name, *parts), self.grant(name, name, *parts)):
            done(self.user.create(manifest, for_good=True))
        self._eventually(lambda: self._are_ready("conectagrants", self.receiver), 60)
        path = f"/api-{name}/v1/"
        target = Target(name, f"{GATEWAY_URL}{path}", [self.headers(self.token(name))])
        self._eventually(lambda: self.gateway.request("GET", path, headers=target.headers[0]).status == 200, 30)
        return target

    def surround(self, number: int, *parts: Part) -> float:
        """See to it that there are so many neighbours, each with these parts; yields how long that took."""
        started = time.monotonic()
        for index in range(self._neighbours, number):
            done(self.user.create(self.api(f"vizinha-{index:04}", *parts), for_good=True))
        self._neighbours = max(number, self._neighbours)
        self._eventually(lambda: self._are_ready("conectaapis", self.provider), 60 + number)
        return time.monotonic() - started

    def share(self, api: str, number: int, *parts: Part) -> tuple[list[str], float]:
        """Names of so many grants on an API that have their key, and how long it took to give those that had none."""
        grants, started = [f"uso-{index:04}" for index in range(number)], time.monotonic()
        for grant in grants:
            if self.reader.custom("conectagrants", self.receiver, grant) is None:
                done(self.user.create(self.grant(api, grant, *parts), for_good=True))
        self._eventually(lambda: self._are_ready("conectagrants", self.receiver), 60 + number)
        return grants, time.monotonic() - started

    def token(self, grant: str) -> str:
        """A fresh token of a grant."""
        return Application(self.gateway, self._key(grant)).token()

    def headers(self, token: str) -> dict[str, str]:
        """What a call brings along, whether it is asked for or not: calls differ in nothing but their path."""
        return {"authorization": f"Bearer {token}", "x-cpf-usuario": CPF, "accept": "application/json"}

    def has_key(self, grant: str) -> bool:
        """Whether there is a key in a grant's Secret."""
        return "client-id" in self._secret(grant)

    def remove(self, manifest: Manifest, plural: str) -> None:
        """Return when an object is gone, with all that it has to have ended first."""
        name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
        path = f"/apis/{_GROUP}/namespaces/{namespace}/{plural}/{name}"
        done(self.user.call("DELETE", path, {}, for_good=True))
        self._eventually(lambda: self.reader.custom(plural, namespace, name) is None, 60)

    def _key(self, grant: str) -> Key:
        data = self._secret(grant)
        client_id, value = (base64.b64decode(data[name]).decode() for name in ("client-id", "client-secret"))
        return Key(client_id, value)

    def _secret(self, grant: str) -> dict[str, str]:
        found = self.reader.find(f"api/v1/namespaces/{self.receiver}/secrets/{grant}-conecta") or {}
        data: dict[str, str] = found.get("data", {})
        return data

    def _are_ready(self, plural: str, namespace: str) -> bool:
        found = self.reader.all(plural, namespace)
        return all(condition(one, "Ready").get("status") == "True" for one in found)

    def _eventually(self, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"still not so after {seconds} s"
            time.sleep(0.5)

    def _object(self, kind: str, namespace: str, name: str, spec: Manifest) -> Manifest:
        metadata = {"namespace": namespace, "name": name}
        return {"apiVersion": _GROUP, "kind": kind, "metadata": metadata, "spec": spec}

    def _plain(self, name: str, policy: Manifest) -> Sequence[Manifest]:
        host, port = self._backend
        metadata = {"namespace": self.provider, "name": name}
        envoy, standard = "gateway.envoyproxy.io", "gateway.networking.k8s.io"
        gateway = {"namespace": names.GATEWAY_NAMESPACE, "name": names.GATEWAY, "sectionName": names.LISTENER}
        authority = {"group": "", "kind": "ConfigMap", "name": "kube-root-ca.crt"}
        rewrite = {"hostname": host, "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": f"/api-{name}/v1"}}],
            "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
            "backendRefs": [{"group": envoy, "kind": "Backend", "name": name, "port": port}],
        }
        specs = {
            (f"{envoy}/v1alpha1", "Backend"): {"endpoints": [{"fqdn": {"hostname": host, "port": port}}]},
            (f"{standard}/v1", "BackendTLSPolicy"): {
                "targetRefs": [{"group": envoy, "kind": "Backend", "name": name}],
                "validation": {"hostname": host, "caCertificateRefs": [authority]},
            },
            (f"{envoy}/v1alpha1", "SecurityPolicy"): {
                "targetRefs": [{"group": standard, "kind": "HTTPRoute", "name": name}],
                **policy,
            },
            (f"{standard}/v1", "HTTPRoute"): {"parentRefs": [gateway], "rules": [rule]},
        }
        return [
            {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
            for (version, kind), spec in specs.items()
        ]
