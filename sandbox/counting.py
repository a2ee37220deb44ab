"""What counts calls for all replicas of the gateway, when the stack's settings ask for that: ratelimit and Redis."""

import json
from typing import Final

from sandbox.commands import Commands
from sandbox.layout import Layout
from sandbox.ports import RATELIMIT, RATELIMIT_DEBUG, RATELIMIT_HEALTH, REDIS
from sandbox.probes import answers, listens_at
from sandbox.processes import Service

__all__ = ["ratelimit_service", "redis_service", "take_settings"]

CONFIG_MAP: Final = "conecta-ratelimit"
"""The stack has it in the Gateway's namespace, if calls are to be counted so."""


def take_settings(layout: Layout, commands: Commands) -> bool:
    """Write what is to be counted where the service reads it; return whether anything is."""
    found = commands.kubectl(
        "get", "configmap", CONFIG_MAP, "--namespace", "conecta-gateway", "--ignore-not-found", "--output=json"
    )
    if not found:
        return False
    for name, content in json.loads(found)["data"].items():
        (layout.ratelimit_settings / name).write_text(content, encoding="utf-8")
    return True


def redis_service(layout: Layout) -> Service:
    """Counters last a second, so that it keeps nothing."""
    return Service(
        name="redis",
        argv=(
            str(layout.bin / "redis-server"),
            "--bind", "127.0.0.1", "--port", str(REDIS),
            "--save", "", "--appendonly", "no", "--dir", str(layout.run),
        ),
        is_ready=listens_at(REDIS),
    )  # fmt: skip


def ratelimit_service(layout: Layout) -> Service:
    """As `infra/rate_service.py` deploys it."""
    here = "127.0.0.1"
    settings = {
        "HOST": here, "PORT": RATELIMIT_HEALTH,
        "GRPC_HOST": here, "GRPC_PORT": RATELIMIT,
        "DEBUG_HOST": here, "DEBUG_PORT": RATELIMIT_DEBUG,
        "RUNTIME_ROOT": layout.ratelimit_settings.parent.parent,
        "RUNTIME_SUBDIRECTORY": layout.ratelimit_settings.parent.name,
        "RUNTIME_WATCH_ROOT": "false",
        "REDIS_SOCKET_TYPE": "tcp", "REDIS_URL": f"{here}:{REDIS}",
        "REDIS_TIMEOUT": "1s", "REDIS_PIPELINE_WINDOW": "150us",
        "STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT": "true",
        "EXPIRATION_JITTER_MAX_SECONDS": 0,
        "DISABLE_STATS": "true",
    }  # fmt: skip
    return Service(
        name="ratelimit",
        argv=(str(layout.bin / "ratelimit"),),
        environment={name: str(value) for name, value in settings.items()},
        is_ready=answers(RATELIMIT_HEALTH, "/healthcheck"),
    )
