"""The call that it is all about: the receiver's application, with its own key, through the gateway, to the provider."""

import base64
import http.client
import json
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from sandbox.commands import Commands
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.ports import GATEWAY
from sandbox.probes import Answer, request, tls_context

__all__ = ["CALLS", "Call", "curl", "make_call"]

RECEIVER: Final = "saude"
TOKEN_PATH: Final = "/oauth2/jwt-token"  # noqa: S105 - a path
MADE_UP_CPF: Final = "11144477735"
PATIENCE: Final = 10.0
"""Seconds in which the first call may still be refused: a gateway takes a moment to hear of a new grant."""


class Call(NamedTuple):
    """A call that an application makes, and the Secret with the key for it."""

    secret: str
    method: str
    path: str
    body: Mapping[str, object] | None = None


CALLS: Final = (
    Call("agendamento-cep-conecta", "GET", "/api-cep/v1/consulta/cep/70040020"),
    Call("agendamento-cpf-light-conecta", "POST", "/api-cpf-light/v2/consulta/cpf", {"listaCpf": [MADE_UP_CPF]}),
)


def make_call(layout: Layout, commands: Commands, call: Call) -> Answer:
    """Return the provider's answer; fail when it isn't a good one."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = _attempt(layout, commands, call)
        if answer.status == http.client.OK:
            return answer
        if time.monotonic() > deadline:
            raise SandboxError(f"{call.method} {call.path} was answered {answer.status}: {answer.body.decode()[:500]}")
        time.sleep(0.3)


def curl(call: Call) -> str:
    """Return how to make the same call in a shell that has sourced `.sandbox/env`; without a secret in it."""
    key = """user = "{{index .data "client-id" | base64decode}}:{{index .data "client-secret" | base64decode}}\""""
    bearer = r"""s/.*"access_token" *: *"\([^"]*\)".*/header = "Authorization: Bearer \1"/"""
    body = f" -H 'content-type: application/json' -d '{json.dumps(call.body)}'" if call.body else ""
    return f"""\
kubectl get secret -n {RECEIVER} {call.secret} -o go-template='{key}' |
  curl -s --cacert "$CONECTA_CA" -K - -d grant_type=client_credentials "$CONECTA_GATEWAY_URL{TOKEN_PATH}" |
  sed '{bearer}' |
  curl -s --cacert "$CONECTA_CA" -K - -H 'x-cpf-usuario: {MADE_UP_CPF}'{body} "$CONECTA_GATEWAY_URL{call.path}\""""


def _attempt(layout: Layout, commands: Commands, call: Call) -> Answer:
    tls = tls_context(layout.ca_file)
    token = request(
        "POST",
        GATEWAY,
        TOKEN_PATH,
        tls=tls,
        body=b"grant_type=client_credentials",
        headers={
            "authorization": f"Basic {_credentials(commands, call.secret)}",
            "content-type": "application/x-www-form-urlencoded",
        },
    )
    if token.status != http.client.OK:
        return token
    headers = {"authorization": f"Bearer {token.json()['access_token']}", "x-cpf-usuario": MADE_UP_CPF}
    if call.body is None:
        return request(call.method, GATEWAY, call.path, tls=tls, headers=headers)
    body = json.dumps(call.body).encode()
    return request(
        call.method, GATEWAY, call.path, tls=tls, body=body, headers=headers | {"content-type": "application/json"}
    )


def _credentials(commands: Commands, secret: str) -> str:
    data = json.loads(commands.kubectl("get", "secret", secret, "--namespace", RECEIVER, "--output=json"))["data"]
    client, password = (base64.b64decode(data[key]) for key in ("client-id", "client-secret"))
    return base64.b64encode(client + b":" + password).decode()
