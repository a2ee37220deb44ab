"""Every watch of the operator, and what happens when it speaks: where an event enters."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import kopf

from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Kind
from conecta_operator.handlers import indices
from conecta_operator.handlers.indices import IndexedLandscape
from conecta_operator.handlers.lifecycle import Access, connection
from conecta_operator.reconcile.intake import Intake
from conecta_operator.reconcile.mapping import WATCHED, Change, Happened

__all__ = ["build_registry"]


def build_registry(
    *, intake: Intake, landscape: IndexedLandscape, access: Access, at_the_end: Callable[[], object]
) -> kopf.OperatorRegistry:
    """All handlers, closing over where they report to.

    `at_the_end` is called when kopf's watches have ended: the time to end tasks that are younger than kopf's own, for
    which it would wait.
    """
    registry = kopf.OperatorRegistry()

    kopf.index(**_selector(CONECTA_API), registry=registry)(indices.apis_by_namespace)
    kopf.index(**_selector(CONECTA_API), registry=registry)(indices.apis_by_base_path)
    kopf.index(**_selector(CONECTA_GRANT), registry=registry)(indices.grants_by_namespace)
    kopf.index(**_selector(CONECTA_GRANT), registry=registry)(indices.grants_by_api)

    attempts = itertools.count()

    @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await connection(access, next(attempts))

    @kopf.on.startup(registry=registry)
    async def hand_over_indices(**given: Any) -> None:
        landscape.look_at(
            apis_by_namespace=given["apis_by_namespace"],
            apis_by_base_path=given["apis_by_base_path"],
            grants_by_namespace=given["grants_by_namespace"],
            grants_by_api=given["grants_by_api"],
        )

    @kopf.on.cleanup(registry=registry)
    async def end(**_: Any) -> None:
        at_the_end()

    async def notice(event: Mapping[str, Any], **_: Any) -> None:
        happened = Happened(event["type"]) if event["type"] is not None else Happened.LISTED
        intake.notice(Change(happened, dict(event["object"])))

    for kind in WATCHED:
        kopf.on.event(**_selector(kind), registry=registry, id=str(kind))(notice)

    return registry


def _selector(kind: Kind) -> dict[str, Any]:
    return {"group": kind.group, "version": kind.version, "plural": kind.plural}
