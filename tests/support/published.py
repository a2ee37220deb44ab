"""An API that a test publishes, with a grant on it, both in an agency of the test's own."""

import copy
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.application import Application, Gateway, key_in
from tests.support.kubectl import agency_namespace, apply, get, wait_ready

__all__ = ["Published", "published"]


@dataclass(frozen=True)
class Published:
    """The API and who may call it."""

    namespace: str
    name: str
    application: Application

    def path(self, rest: str = "") -> str:
        """A path of the API's."""
        return f"/api-{self.name}/v1/{rest}"


@contextmanager
def published(gateway: Gateway, url: str, *, api: Mapping[str, Any] | None = None, **grant: Any) -> Iterator[Published]:
    """Publish what is at `url`, and take a grant on it; `api` and `grant` add to the specs of both."""
    name = f"eco-{uuid.uuid4().hex[:6]}"
    spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"])
    spec["backend"]["url"] = url
    spec.pop("basePath", None)
    spec.update(api or {})
    with agency_namespace("eco") as namespace:
        metadata = {"name": name, "namespace": namespace}
        kind = {"apiVersion": "conecta.gov.br/v1alpha1"}
        wish = {"apiRef": {"namespace": namespace, "name": name}, "application": {"name": "teste"}, **grant}
        apply(
            {**kind, "kind": "ConectaApi", "metadata": metadata, "spec": spec},
            {**kind, "kind": "ConectaGrant", "metadata": metadata, "spec": wish},
        )
        wait_ready("conectaapi", namespace, name)
        wait_ready("conectagrant", namespace, name)
        yield Published(namespace, name, Application(gateway, key_in(namespace, f"{name}-conecta")))
