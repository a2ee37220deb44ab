"""A backend that is away: callers are told so in JSON, and it comes back by itself."""

from contextlib import ExitStack
from pathlib import Path

from sandbox.layout import Layout
from tests.support.application import Gateway
from tests.support.echo_backend import echo_backend
from tests.support.kubectl import eventually
from tests.support.published import published
from tests.support.routed import Routed, backend

HOST = "volta.localhost"


def problem(api: Routed, rest: str = "x") -> tuple[int, str]:
    """Status and kind of the problem that a call is told of; empty for none."""
    answer = api.call(rest)
    if answer.status == 200:
        return 200, ""
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail", "requestId"}
    return answer.status, answer.json()["type"].rpartition("/")[2]


def test_a_backend_goes_and_comes_back(gateway: Gateway, platform: Layout, tmp_path: Path) -> None:
    with ExitStack() as life:
        echo = life.enter_context(echo_backend(platform, tmp_path, host=HOST))
        with published(gateway, echo.url) as published_api:
            api = Routed(published_api)
            eventually(lambda: problem(api) == (200, ""))
            before = api.manifest
            for _ in range(3):
                life.close()
                eventually(lambda: problem(api) == (503, "api-indisponivel"))
                life.enter_context(echo_backend(platform, tmp_path, host=HOST, port=echo.port))
                assert eventually(lambda: problem(api) == (200, "")) < 5
            assert api.manifest == before, "nobody had to do anything"


def test_a_backend_that_is_away_is_felt_by_its_own_paths_only(
    gateway: Gateway, platform: Layout, tmp_path: Path
) -> None:
    with (
        echo_backend(platform, tmp_path, host="fica.localhost") as stays,
        published(gateway, stays.url) as published_api,
    ):
        api = Routed(published_api)
        away = {"url": "https://volta.localhost:1", "tls": backend(stays)["tls"]}
        api.change(routes=[{"pathPrefix": "/longe", "backend": away}])
        eventually(lambda: problem(api, "longe/x") == (503, "api-indisponivel"))
        assert problem(api, "perto") == (200, "")
        assert problem(api, "longes") == (200, "")
