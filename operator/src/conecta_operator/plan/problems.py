"""What the gateway says is wrong with a call of an API, as RFC 9457 problem details: in Portuguese, for who calls.

What it says of every call whatever the API is in `infra/problems.py`. Each `type` leads to a page in
docs/reference/problems, which the gateway serves.
"""

import json
from dataclasses import dataclass
from typing import Final

from conecta_operator.api.conecta_api import ConectaApi
from conecta_operator.api.demands import USER_CPF, UserCpf

__all__ = ["KINDS", "MEDIA_TYPE", "Problem", "header_missing", "header_repeated", "retired", "user_cpf_malformed"]

MEDIA_TYPE: Final = "application/problem+json"
KINDS: Final = {"cabecalho-invalido": "Cabeçalho ausente ou inválido", "versao-encerrada": "Versão encerrada"}
"""Slug → title."""

_CPF_FORM: Final = (
    "o CPF da pessoa em cujo nome a consulta é feita: onze dígitos sem pontuação, com os dígitos verificadores corretos"
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One answer."""

    status: int
    slug: str
    detail: str
    """What is wrong and what to do."""

    def body(self, gateway_url: str) -> str:
        """The JSON text, a format of Envoy's: the request id is that of the call, and a percent sign is doubled."""
        members = {
            "type": f"{gateway_url}/problemas/{self.slug}",
            "title": KINDS[self.slug],
            "status": self.status,
            "detail": self.detail.replace("%", "%%"),
            "requestId": "%REQ(X-REQUEST-ID)%",
        }
        return json.dumps(members, ensure_ascii=False)


def header_missing(name: str) -> Problem:
    """A call doesn't bear a header that its API demands, or not as it demands it."""
    if name == USER_CPF:
        return _of_header(f"O cabeçalho {name} está ausente ou malformado. Envie nele {_CPF_FORM}.")
    return _of_header(
        f"O cabeçalho {name} está ausente ou não tem a forma que a API exige. Veja a forma na documentação da API."
    )


def user_cpf_malformed() -> Problem:
    """A call needn't say for whom it is made, but what it says is no CPF."""
    return _of_header(f"O cabeçalho {USER_CPF} está malformado. Envie nele {_CPF_FORM}; ou retire-o.")


def header_repeated(api: ConectaApi) -> Problem:
    """A call bears a header twice of which its API demands one."""
    request = api.spec.request
    cpf = [] if request.user_cpf is UserCpf.NONE else [USER_CPF]
    names = ", ".join([*cpf, *(header.name for header in request.required_headers)])
    return _of_header(f"Um cabeçalho foi enviado mais de uma vez. Envie uma só vez cada um destes: {names}.")


def retired(api: ConectaApi) -> Problem:
    """The API is no longer offered."""
    successor = api.spec.lifecycle.successor
    where = f"está em {successor}" if successor else "está no catálogo de APIs"
    detail = f"Esta versão da API foi encerrada. A que a substitui {where}, e exige concessão e chave próprias."
    return Problem(status=410, slug="versao-encerrada", detail=detail)


def _of_header(detail: str) -> Problem:
    return Problem(status=400, slug="cabecalho-invalido", detail=detail)
