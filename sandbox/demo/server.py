"""The demo backend over HTTP: routes, request ids, a log without personal data, and JSON for whatever goes wrong."""

import json
import logging
import re
import uuid
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.demo.answers import Answer, about_cep, about_cpfs, refusal

__all__ = ["MAX_BODY", "REQUEST_ID", "application"]

MAX_BODY: Final = 64 * 1024
"""The largest request body that is read, in bytes."""

REQUEST_ID: Final = "X-Request-Id"

_in_utf8 = partial(json.dumps, ensure_ascii=False)
_log = logging.getLogger("sandbox.demo")


def application() -> web.Application:
    """The whole backend, to be run or tested."""
    app = web.Application(middlewares=[_logged_under_an_id, _refused_in_json], client_max_size=MAX_BODY)
    app.add_routes(
        [
            web.get("/health", _health),
            web.post("/cpf-light/consulta/cpf", _cpfs),
            web.get("/cep/consulta/cep/{cep}", _cep),
        ]
    )
    return app


async def _health(_request: web.Request) -> web.StreamResponse:
    return _response(Answer(HTTPStatus.OK, {"status": "UP"}))


async def _cpfs(request: web.Request) -> web.StreamResponse:
    try:
        body = await request.read()
    except web.RequestPayloadError:
        return _response(refusal(HTTPStatus.BAD_REQUEST, "O corpo da requisição não pôde ser lido"))
    users = request.headers.getall("X-Cpf-Usuario", [])
    return _response(about_cpfs(users=users, media_type=request.content_type, body=body))


async def _cep(request: web.Request) -> web.StreamResponse:
    return _response(about_cep(request.match_info["cep"]))


@web.middleware
async def _logged_under_an_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    request_id = _request_id(request)
    started = perf_counter()
    response = await handler(request)
    response.headers[REQUEST_ID] = request_id
    _log.info(
        "%s %s %d %.1f ms request_id=%s",
        request.method,
        _route(request),
        response.status,
        (perf_counter() - started) * 1000,
        _without_cpfs(request_id),
    )
    return response


@web.middleware
async def _refused_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = _response(refusal(HTTPStatus(error.status), HTTPStatus(error.status).phrase))
        response.headers.update({name: value for name, value in error.headers.items() if name == "Allow"})
        return response
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets JSON, and the log no text of it
        _log.error("%s while answering %s", type(error).__name__, _route(request))
        return _response(refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Erro interno"))


def _response(answer: Answer) -> web.Response:
    return web.json_response(answer.body, status=answer.status, dumps=_in_utf8)


def _request_id(request: web.Request) -> str:
    """The caller's id of the request if it is one that can be repeated safely, else a new one."""
    given = request.headers.get(REQUEST_ID, "")
    return given if re.fullmatch(r"[A-Za-z0-9._:/+=-]{1,128}", given) else str(uuid.uuid4())


def _route(request: web.Request) -> str:
    """The pattern of the path: the path itself, like the query, may hold anything."""
    resource = request.match_info.route.resource
    return "(no route)" if resource is None else resource.canonical


def _without_cpfs(text: str) -> str:
    return re.sub(r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", "***", text)
