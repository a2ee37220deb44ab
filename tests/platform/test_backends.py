"""Several backends under one API: which of them answers which call, and what it is asked."""

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.echo_backend import Echo, echo_backend
from tests.support.kubectl import eventually, kubectl
from tests.support.published import published
from tests.support.routed import Routed, backend

OLD, NEW = "velho.localhost", "novo.localhost"


@pytest.fixture(scope="module")
def old(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("old"), host=OLD) as echo:
        yield echo


@pytest.fixture(scope="module")
def new(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    with echo_backend(platform, tmp_path_factory.mktemp("new"), host=NEW) as echo:
        yield echo


@pytest.fixture(scope="module")
def api(gateway: Gateway, old: Echo) -> Iterator[Routed]:
    with published(gateway, f"{old.url}cep") as api:
        routed = Routed(api)
        eventually(lambda: routed.call().status == 200)
        yield routed


def told(api: Routed, rest: str) -> tuple[str, str]:
    """Which host answers a call, and the path that it was asked for."""
    said = api.answer(rest)
    return said["host"], said["path"]


def test_the_longest_prefix_wins_and_stays_in_the_path(api: Routed, old: Echo, new: Echo) -> None:
    routes = [
        {"pathPrefix": "/consulta", "backend": backend(new, "cep")},
        {"pathPrefix": "/consulta/cnpj", "backend": backend(old, "outra/base")},
    ]
    api.change(routes=routes)
    eventually(lambda: told(api, "consulta/cep/70040020?a=b") == (NEW, "/cep/consulta/cep/70040020?a=b"))
    assert told(api, "consulta") == (NEW, "/cep/consulta")
    assert told(api, "consulta/cnpj/1") == (OLD, "/outra/base/consulta/cnpj/1")
    assert told(api, "consultas/1") == (OLD, "/cep/consultas/1")
    assert told(api, "") == (OLD, "/cep/")


def test_each_backend_is_called_by_its_own_name(api: Routed, new: Echo) -> None:
    api.change(routes=[{"pathPrefix": "/", "backend": backend(new, "cep")}])
    said = [api.answer() for _ in range(30)]
    named = {(one["host"], value) for one in said for name, value in one["headers"] if name == "host"}
    assert named == {(OLD, OLD), (NEW, NEW)}


@pytest.mark.parametrize(
    ("weights", "moved"),
    [((9, 1), range(3, 46)), ((1, 1), range(65, 136)), ((0, 1), range(200, 201)), ((1, 0), range(1))],
    ids=["a tenth", "one half", "all", "none yet"],
)
def test_calls_move_by_weight(api: Routed, old: Echo, new: Echo, weights: tuple[int, int], moved: range) -> None:
    """By chance at each call: what 200 calls are allowed here, they miss once in 10,000 times."""
    api.change(
        backend=backend(old, "cep", weight=weights[0]),
        routes=[{"pathPrefix": "/", "backend": backend(new, "cep", weight=weights[1])}],
    )
    eventually(lambda: Counter(api.host() for _ in range(200))[NEW] in moved)


def test_what_a_route_had_goes_with_it(api: Routed, old: Echo, new: Echo) -> None:
    def names() -> set[str]:
        kinds = "backends.gateway.envoyproxy.io,backendtlspolicies"
        return set(kubectl("get", kinds, "-n", api.api.namespace, "-o", "name").stdout.split())

    api.change(backend=backend(old), routes=[])
    eventually(lambda: len(names()) == 2)
    before = names()
    api.change(routes=[{"pathPrefix": "/a", "backend": backend(new)}])
    assert len(names()) == 4
    api.change(routes=[])
    eventually(lambda: names() == before)
