"""Nothing is ever routed to a place that a provider has no business with, however it is spelt."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from conecta_operator.api.objects import Manifest
from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.echo_backend import Echo, echo_backend
from tests.support.hostile_backends import HOSTILE, services_for
from tests.support.kubectl import agency_namespace, apply, condition, eventually, get, kubectl, wait_ready
from tests.support.published import published
from tests.support.routed import Routed

ROUTED = "httproutes,backends.gateway.envoyproxy.io,backendtlspolicies,backendtrafficpolicies,httproutefilters"
HONEST = "honesta"


@dataclass(frozen=True)
class Landscape:
    """All rows as ConectaApis of one namespace, and an honest one among them."""

    namespace: str
    apis: Mapping[str, Manifest]
    """As the API server has them, those that it took."""


def api(namespace: str, name: str, fields: dict[str, Any], *, as_route: bool) -> Manifest:
    spec = copy.deepcopy(get("conectaapi", "receita", "cep")["spec"])
    spec.pop("basePath", None)
    if as_route:
        spec["routes"] = [{"pathPrefix": "/consulta", "backend": fields}]
    else:
        spec["backend"] = fields
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "conecta.gov.br/v1alpha1", "kind": "ConectaApi", "metadata": metadata, "spec": spec}


def name_of(row: int, *, as_route: bool) -> str:
    return f"{'rota' if as_route else 'destino'}-{row}"


@pytest.fixture(scope="module")
def landscape(platform: Layout) -> Iterator[Landscape]:
    assert platform.state.is_dir()
    with agency_namespace("hostil") as namespace:
        apply(*services_for(namespace))
        wishes = [
            api(namespace, name_of(row, as_route=as_route), fields, as_route=as_route)
            for row, (_, fields) in enumerate(HOSTILE)
            for as_route in (False, True)
        ]
        wishes.append(api(namespace, HONEST, {"url": "https://servicos.receita.example"}, as_route=False))
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": wishes})
        kubectl("create", "--validate=strict", "-f", "-", stdin=items, check=False)  # some are refused right here
        wait_ready("conectaapi", namespace, HONEST, seconds=60)
        eventually(lambda: all(decided(found) for found in _apis(namespace).values()), seconds=60)
        yield Landscape(namespace, _apis(namespace))


def _apis(namespace: str) -> dict[str, Manifest]:
    found = json.loads(kubectl("get", "conectaapis", "-n", namespace, "-o", "json").stdout)["items"]
    return {manifest["metadata"]["name"]: manifest for manifest in found}


def decided(manifest: Manifest) -> bool:
    return bool(condition(manifest, "Accepted"))


@pytest.fixture(scope="module")
def echo(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("echo"), host="honesto.localhost") as echo:
        yield echo


def test_an_api_that_turns_hostile_is_not_routed_any_longer(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url) as honest:
        routed = Routed(honest)
        eventually(lambda: routed.call().status == 200, seconds=30)
        routed.write(routes=[{"pathPrefix": "/x", "backend": {"url": "https://kubernetes.default"}}])
        eventually(lambda: routed.call("y").status == 404, seconds=30)
        assert kubectl("get", ROUTED, "-n", honest.namespace, "-o", "name").stdout == ""
        routed.change(routes=[])
        eventually(lambda: routed.call().status == 200, seconds=30)


def test_a_service_that_turns_hostile_is_not_routed_any_longer(gateway: Gateway, echo: Echo) -> None:
    with published(gateway, echo.url) as honest:
        routed = Routed(honest)
        manifests = services_for(honest.namespace)
        service = next(m for m in manifests if (m["kind"], m["metadata"]["name"]) == ("Service", "metadados"))
        leading = next(
            m for m in manifests if (m["kind"], m["metadata"]["name"]) == ("EndpointSlice", "metadados-a-mao")
        )
        apply(service, {**leading, "endpoints": [{"addresses": ["2001:db8::7"]}]})
        routed.change(routes=[{"pathPrefix": "/s", "backend": {"service": {"name": "metadados", "port": 443}}}])
        apply(leading)
        eventually(lambda: routed.says("Accepted")[0] == "InvalidBackend")
        eventually(lambda: kubectl("get", ROUTED, "-n", honest.namespace, "-o", "name").stdout == "")


def test_there_are_at_least_forty_of_them() -> None:
    assert len({json.dumps(fields) for _, fields in HOSTILE}) == len(HOSTILE) >= 40


@pytest.mark.parametrize("as_route", [False, True], ids=["as the backend", "as a route"])
@pytest.mark.parametrize("row", [pytest.param(row, id=words) for row, (words, _) in enumerate(HOSTILE)])
def test_it_is_refused(landscape: Landscape, row: int, *, as_route: bool) -> None:
    """By the API server, or by the operator, which says so."""
    manifest = landscape.apis.get(name_of(row, as_route=as_route))
    if manifest is not None:
        accepted = condition(manifest, "Accepted")
        assert (accepted["status"], accepted["reason"]) == ("False", "InvalidBackend"), manifest["spec"]
        field = "spec.routes[0].backend" if as_route else "spec.backend"
        assert accepted["message"].startswith(field)
        assert "url" not in manifest["status"]


def test_none_of_them_is_routed_and_an_honest_one_is(landscape: Landscape) -> None:
    written = kubectl("get", ROUTED, "-n", landscape.namespace, "-o", "name").stdout.split()
    assert {one.rpartition("/")[2] for one in written} == {HONEST}
    assert len(written) == 3
