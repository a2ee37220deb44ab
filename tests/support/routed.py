"""An API of a test's own whose backends are being changed, and what its calls come to meanwhile."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import urllib3

from conecta_operator.api.objects import Manifest
from tests.support.echo_backend import Echo
from tests.support.kubectl import apply, condition, eventually, get, wait_ready
from tests.support.published import Published

__all__ = ["TRUST", "Routed", "backend"]

TRUST: Mapping[str, Any] = {"caCertificateRef": {"name": "kube-root-ca.crt"}}
"""The sandbox's CA, which Kubernetes puts into every namespace."""


def backend(echo: Echo, path: str = "", **more: Any) -> dict[str, Any]:
    """A backend's fields."""
    return {"url": f"{echo.url}{path}", "tls": TRUST, **more}


class Routed:
    """The API, and a token for it."""

    def __init__(self, api: Published) -> None:
        self.api = api

    @cached_property
    def token(self) -> str:
        """One for all calls: what is changed here concerns no grant."""
        return self.api.application.token()

    @property
    def manifest(self) -> Manifest:
        """As the API server has it now."""
        return get("conectaapi", self.api.namespace, self.api.name)

    def write(self, **spec: Any) -> None:
        """Replace fields of the spec, and wait until the operator has seen them."""
        manifest = self.manifest
        metadata = {"name": self.api.name, "namespace": self.api.namespace}
        kind = {field: manifest[field] for field in ("apiVersion", "kind")}
        apply({**kind, "metadata": metadata, "spec": manifest["spec"] | spec})
        generation = self.manifest["metadata"]["generation"]
        eventually(lambda: self.manifest["status"]["observedGeneration"] == generation)

    def change(self, **spec: Any) -> None:
        """Replace fields of the spec, and wait until the gateway serves them."""
        self.write(**spec)
        wait_ready("conectaapi", self.api.namespace, self.api.name)

    def says(self, type_: str) -> tuple[str, str]:
        """Reason and message of one of the API's conditions."""
        stated = condition(self.manifest, type_)
        return stated.get("reason", ""), stated.get("message", "")

    def call(self, rest: str = "x", *, headers: Mapping[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """How a call below the API's base path is answered."""
        return self.api.application.call("GET", self.api.path(rest), token=self.token, headers=headers)

    def answer(self, rest: str = "x") -> Any:
        """What the backend says to a call."""
        response = self.call(rest)
        assert response.status == 200, response.data
        return response.json()

    def host(self, rest: str = "x") -> str:
        """Which backend answers a call."""
        return str(self.answer(rest)["host"])
