"""The pages that `type` of problem details leads to, served by the gateway itself, so that no link of it is dead."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from infra import names
from infra.layer import ENVOY_GATEWAY, GATEWAY_API, Layer
from infra.problems import kinds

__all__ = ["ProblemPages", "ProblemPagesArgs"]


@dataclass(frozen=True, kw_only=True)
class ProblemPagesArgs:
    """`folder` holds a page `<slug>.md` for every kind of problem; `namespace` is the Gateway's."""

    folder: Path
    namespace: pulumi.Input[str]


class ProblemPages(Layer):
    """`GET /problemas/<slug>`, open to everybody. The route is made last, when all that it refers to is there."""

    def __init__(self, name: str, args: ProblemPagesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("conecta:problems:ProblemPages", name, None, opts)
        kind = (ENVOY_GATEWAY, "HTTPRouteFilter")
        parts = [
            self._custom(page_name(slug), kind, page_name(slug), page(args.folder, slug), namespace=args.namespace)
            for slug in kinds()
        ]
        policy = {"targetRefs": [_ROUTE], "authorization": {"defaultAction": "Allow"}}
        kind = (ENVOY_GATEWAY, "SecurityPolicy")
        parts.append(self._custom("problems-open", kind, names.PROBLEMS, policy, namespace=args.namespace))
        kind = (GATEWAY_API, "HTTPRoute")
        self._custom("problems-route", kind, names.PROBLEMS, route(), namespace=args.namespace, after=parts)
        self.register_outputs({})


_ROUTE = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": names.PROBLEMS}


def page_name(slug: str) -> str:
    """What the object is called that holds a page."""
    return f"{names.PROBLEMS}-{slug}"


def route() -> dict[str, Any]:
    """A rule for every page."""
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": names.GATEWAY}
    return {"parentRefs": [{**gateway, "sectionName": names.LISTENER}], "rules": [_rule(slug) for slug in kinds()]}


def page(folder: Path, slug: str) -> dict[str, Any]:
    """The page as it is: none has a percent sign, which Envoy would take for an operator of its own."""
    text = (folder / f"{slug}.md").read_text(encoding="utf-8")
    body = {"type": "Inline", "inline": text}
    return {"directResponse": {"statusCode": 200, "contentType": "text/plain; charset=utf-8", "body": body}}


def _rule(slug: str) -> dict[str, Any]:
    filter_ = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": page_name(slug)}
    return {
        "matches": [{"path": {"type": "Exact", "value": f"{names.PROBLEMS_PATH}/{slug}"}, "method": "GET"}],
        "filters": [{"type": "ExtensionRef", "extensionRef": filter_}],
    }
