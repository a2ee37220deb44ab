"""What the demo backend answers: pure functions from what was asked to a status and a JSON body.

The shapes are those that clients of the real services read: CPF Light v2 answers a list with one entry for each CPF
asked for, in which an entry with `mensagem` instead of data says why there is none; CEP v1 answers one flat object.
No answer but an entry of that list repeats what was sent.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeGuard

from sandbox.demo import cpf
from sandbox.demo.people import PEOPLE, Person
from sandbox.demo.places import PLACES, Place

__all__ = ["MAX_CPFS", "Answer", "Json", "about_cep", "about_cpfs", "refusal"]

Json = Mapping[str, object]

MAX_CPFS: Final = 50
"""The most CPFs that one request may ask for."""

_NOBODY: Final = "0" * 11
"""What existing systems send as `x-cpf-usuario` when they ask for no person in particular; its check digits hold."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with a JSON body."""

    status: HTTPStatus
    body: Json | Sequence[Json]


def refusal(status: HTTPStatus, message: str) -> Answer:
    """An answer that only says what is wrong."""
    return Answer(status, {"codigo": status.value, "mensagem": message})


def about_cpfs(*, users: Sequence[str], media_type: str, body: bytes) -> Answer:
    """The answer to `POST /consulta/cpf`. `users` are all values of the header `x-cpf-usuario`."""
    if not _names_one_user(users):
        return refusal(HTTPStatus.BAD_REQUEST, "Informe no cabeçalho x-cpf-usuario um CPF válido, com onze dígitos")
    if media_type != "application/json":
        return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "O corpo da requisição deve ser application/json")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return refusal(HTTPStatus.BAD_REQUEST, "O corpo da requisição não é um JSON válido")
    cpfs = document.get("listaCpf") if isinstance(document, dict) else None
    if not _is_list_of_cpfs(cpfs):
        return refusal(HTTPStatus.BAD_REQUEST, f"listaCpf deve ter de 1 a {MAX_CPFS} CPFs, cada um com onze dígitos")
    return Answer(HTTPStatus.OK, [_entry(number) for number in cpfs])


def about_cep(cep: str) -> Answer:
    """The answer to `GET /consulta/cep/{cep}`."""
    if re.fullmatch(r"[0-9]{8}", cep) is None:
        return refusal(HTTPStatus.BAD_REQUEST, "O CEP deve ter oito dígitos")
    place = PLACES.get(cep)
    if place is None:
        return refusal(HTTPStatus.NOT_FOUND, "CEP não encontrado")
    return Answer(HTTPStatus.OK, _address(place))


def _names_one_user(users: Sequence[str]) -> bool:
    return len(users) == 1 and (users[0] == _NOBODY or cpf.is_valid(users[0]))


def _is_list_of_cpfs(cpfs: object) -> TypeGuard[list[str]]:
    return (
        isinstance(cpfs, list)
        and 1 <= len(cpfs) <= MAX_CPFS
        and all(isinstance(item, str) and cpf.has_form(item) for item in cpfs)
    )


def _entry(number: str) -> Json:
    if not cpf.is_valid(number):
        return {"CPF": number, "mensagem": "CPF inválido"}
    person = PEOPLE.get(number)
    return {"CPF": number, "mensagem": "CPF não encontrado"} if person is None else _record(person)


def _record(person: Person) -> Json:
    street_kind, _, street = person.home.street.partition(" ")
    record = {
        "CPF": person.cpf,
        "Nome": person.name,
        "NomeSocial": person.social_name or None,
        "SituacaoCadastral": person.standing.value,
        "ResidenteExterior": "N",
        "NomeMae": person.mother,
        "DataNascimento": f"{person.born:%Y%m%d}",
        "Sexo": person.sex.value,
        "AnoObito": person.year_of_death,
        "TipoLogradouro": _as_registered(street_kind),
        "Logradouro": _as_registered(street),
        "NumeroLogradouro": person.house_number,
        "Bairro": _as_registered(person.home.district),
        "Cep": int(person.home.cep),
        "UF": person.home.city.state,
        "CodigoMunicipio": person.home.city.receita,
        "Municipio": _as_registered(person.home.city.name),
        "Estrangeiro": "N",
        "DataAtualizacao": f"{person.updated:%Y%m%d}",
    }
    return {field: value for field, value in record.items() if value is not None}


def _as_registered(text: str) -> str:
    """The register writes in capitals and without accents."""
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).upper()


def _address(place: Place) -> Json:
    return {
        "cep": place.cep,
        "tipoCep": "logradouro" if place.street else "localidade",
        "subTipoCep": "",
        "uf": place.city.state,
        "cidade": place.city.name,
        "bairro": place.district,
        "endereco": place.street,
        "complemento": "",
        "codigoIBGE": place.city.ibge,
    }
