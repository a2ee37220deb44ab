"""Which calls of an API the gateway answers by itself, though their caller has the right: rules beside those for calls.

Access comes first, since these rules are the route's, and what routes answer comes after all that filters decide.

Among rules whose path fits, Envoy Gateway puts those with more headers first. The rule for calls demands all headers.
Those for calls that lack one demand one less each, so that the caller is told of the first header that is wrong.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.demands import USER_CPF, UserCpf
from conecta_operator.api.lifecycle import Stage
from conecta_operator.plan import naming, problems
from conecta_operator.plan.problems import Problem
from conecta_operator.render.contexts import RouteRule

__all__ = ["Refusal", "guarded", "refusals_of"]

Match = Mapping[str, Any]
Filter = Mapping[str, Any]

_CPF: Final = "[0-9]{11}"
_REPEATED: Final = "x-conecta-repeated"
"""Where the gateway's script (infra/callers.lua) lists headers that a call bears more than once."""
_NO_CPF: Final = {"x-conecta-malformed": USER_CPF}
"""How it says that a call bears a CPF that can be nobody's."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The rule's name, which calls it is for, and what they are told."""

    name: str
    matches: tuple[Match, ...]
    problem: Problem


def guarded(api: ConectaApi, calls: tuple[RouteRule, ...], notices: tuple[Filter, ...]) -> tuple[RouteRule, ...]:
    """The rules for calls, which only let through what bears all that the API demands, and those that refuse the rest.

    The rules of a retired API keep their names and places, for all that refers to them. `notices` are the filters that
    tell of an API on its way out.
    """
    refusals = refusals_of(api, calls)
    if api.spec.lifecycle.stage is Stage.RETIRED:
        (refusal,) = refusals
        return tuple(_answering(api, refusal, call.matches, name=call.name, notices=notices) for call in calls)
    demanded = _demanded(api)
    passing = (replace(call, matches=_demanding(call, demanded), filters=(*call.filters, *notices)) for call in calls)
    return (*passing, *(_answering(api, refusal, refusal.matches, name=refusal.name) for refusal in refusals))


def refusals_of(api: ConectaApi, calls: tuple[RouteRule, ...]) -> tuple[Refusal, ...]:
    """What the gateway refuses of calls that would be passed on by these rules."""
    if api.spec.lifecycle.stage is Stage.RETIRED:
        return (Refusal(name="retired", matches=(), problem=problems.retired(api)),)
    return (*_of_what_is_there(api, calls), *_of_what_is_missing(api, calls))


def _of_what_is_there(api: ConectaApi, calls: tuple[RouteRule, ...]) -> Iterator[Refusal]:
    demanded, request = _demanded(api), api.spec.request
    names = [*demanded, *([USER_CPF] if request.user_cpf is UserCpf.OPTIONAL else [])]
    if names:
        matches = _also_bearing(calls, demanded, {_REPEATED: f"(.*,)?({'|'.join(names)})(,.*)?"})
        yield Refusal(name="repeated", matches=matches, problem=problems.header_repeated(api))
    if request.user_cpf is UserCpf.OPTIONAL:
        matches = _also_bearing(calls, demanded, _NO_CPF)
        yield Refusal(name="malformed-cpf", matches=matches, problem=problems.user_cpf_malformed())


def _of_what_is_missing(api: ConectaApi, calls: tuple[RouteRule, ...]) -> Iterator[Refusal]:
    demanded = _demanded(api)
    path = {"path": {"type": "PathPrefix", "value": api.base_path}}
    for count, name in reversed(list(enumerate(demanded))):
        match = {**path, **_headers(dict([*demanded.items()][:count]))}
        nobodys = _also_bearing(calls, demanded, _NO_CPF) if name == USER_CPF else ()
        yield Refusal(name=f"without-{name}", matches=(match, *nobodys), problem=problems.header_missing(name))


def _also_bearing(
    calls: tuple[RouteRule, ...], demanded: Mapping[str, str], further: Mapping[str, str]
) -> tuple[Match, ...]:
    return tuple(match for call in calls for match in _demanding(call, {**demanded, **further}))


def _demanded(api: ConectaApi) -> dict[str, str]:
    """Header → how its value must look."""
    request = api.spec.request
    cpf = {USER_CPF: _CPF} if request.user_cpf is UserCpf.REQUIRED else {}
    return {**cpf, **{header.name: header.pattern for header in request.required_headers}}


def _demanding(call: RouteRule, demanded: Mapping[str, str]) -> tuple[Match, ...]:
    return tuple({**match, **_headers(demanded)} for match in call.matches)


def _headers(demanded: Mapping[str, str]) -> Match:
    matches = [{"type": "RegularExpression", "name": name, "value": value} for name, value in demanded.items()]
    return {"headers": matches} if matches else {}


def _answering(
    api: ConectaApi, refusal: Refusal, matches: tuple[Match, ...], *, name: str, notices: tuple[Filter, ...] = ()
) -> RouteRule:
    reference = {
        "group": "gateway.envoyproxy.io",
        "kind": "HTTPRouteFilter",
        "name": naming.refusal_name(api, refusal.name),
    }
    filters = (*notices, {"type": "ExtensionRef", "extensionRef": reference})  # what follows a reference is passed over
    return RouteRule(name=name, matches=matches, filters=filters, backend_refs=(), timeouts={})
