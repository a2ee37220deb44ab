"""What the demo backend says, request by request, without HTTP."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from sandbox.demo import answers
from sandbox.demo.answers import MAX_CPFS, Answer
from sandbox.demo.people import PEOPLE, Standing

A_USER = "00000000191"
A_PERSON = "12345678909"
A_STRANGER = "52998224725"


def ask(cpfs: object, *, users: tuple[str, ...] = (A_USER,), media_type: str = "application/json") -> Answer:
    return answers.about_cpfs(users=users, media_type=media_type, body=json.dumps({"listaCpf": cpfs}).encode())


def entries(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == HTTPStatus.OK
    assert isinstance(answer.body, list)
    return answer.body


def test_a_person_is_answered_in_the_shape_of_the_real_service() -> None:
    (person,) = entries(ask(["00000000272"]))
    assert person == {
        "CPF": "00000000272",
        "Nome": "ANA SANTOS RODRIGUES",
        "SituacaoCadastral": 0,
        "ResidenteExterior": "N",
        "NomeMae": "JULIANA SANTOS RODRIGUES",
        "DataNascimento": "19390320",
        "Sexo": 2,
        "TipoLogradouro": "AVENIDA",
        "Logradouro": "PAULISTA",
        "NumeroLogradouro": "47",
        "Bairro": "BELA VISTA",
        "Cep": 1310100,
        "UF": "SP",
        "CodigoMunicipio": 7107,
        "Municipio": "SAO PAULO",
        "Estrangeiro": "N",
        "DataAtualizacao": "20240312",
    }


def test_fifty_people_are_answered_in_the_order_asked_for() -> None:
    asked = sorted(PEOPLE, reverse=True)[:MAX_CPFS]
    assert [entry["CPF"] for entry in entries(ask(asked))] == asked


def test_a_person_with_a_social_name_is_answered_with_it() -> None:
    (cpf,) = (person.cpf for person in PEOPLE.values() if person.social_name.startswith("CAIO"))
    assert entries(ask([cpf]))[0]["NomeSocial"].startswith("CAIO")


def test_a_deceased_person_is_answered_with_the_year_of_death() -> None:
    cpf = next(person.cpf for person in PEOPLE.values() if person.standing is Standing.DECEASED)
    entry = entries(ask([cpf]))[0]
    assert (entry["SituacaoCadastral"], entry["AnoObito"]) == (3, PEOPLE[cpf].year_of_death)


def test_an_unknown_and_an_invalid_cpf_get_a_message_beside_the_known_one() -> None:
    known, unknown, invalid = entries(ask([A_PERSON, A_STRANGER, "12345678900"]))
    assert "mensagem" not in known
    assert unknown == {"CPF": A_STRANGER, "mensagem": "CPF não encontrado"}
    assert invalid == {"CPF": "12345678900", "mensagem": "CPF inválido"}


@pytest.mark.parametrize(
    "cpfs",
    [
        pytest.param([], id="nobody"),
        pytest.param([A_PERSON] * (MAX_CPFS + 1), id="one too many"),
        pytest.param(A_PERSON, id="no list"),
        pytest.param(None, id="null"),
        pytest.param({A_PERSON: True}, id="an object"),
        pytest.param([12345678909], id="a number"),
        pytest.param([A_PERSON, None], id="null in the list"),
        pytest.param(["1234567890"], id="ten digits"),
        pytest.param(["123.456.789-09"], id="punctuation"),
    ],
)
def test_a_list_that_is_not_one_to_fifty_times_eleven_digits_is_a_bad_request(cpfs: object) -> None:
    assert ask(cpfs).status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"listaCpf": ["12345678909"]', id="cut off"),
        pytest.param(b"[" * 60_000, id="nested too deeply"),
        pytest.param(b"\xff\xfe\xfa", id="no text"),
        pytest.param(b'["12345678909"]', id="a list"),
        pytest.param(b"1" * 10_000, id="a number of ten thousand digits"),
        pytest.param(b'{"cpf": ["12345678909"]}', id="another field"),
    ],
)
def test_a_body_that_is_no_such_json_is_a_bad_request(body: bytes) -> None:
    answer = answers.about_cpfs(users=[A_USER], media_type="application/json", body=body)
    assert answer.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("users", [pytest.param((A_USER,), id="a person"), pytest.param(("0" * 11,), id="nobody")])
def test_the_user_may_be_a_person_or_nobody(users: tuple[str, ...]) -> None:
    assert ask([A_PERSON], users=users).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "users",
    [
        pytest.param((), id="missing"),
        pytest.param(("",), id="empty"),
        pytest.param(("12345678900",), id="wrong check digits"),
        pytest.param(("11111111111",), id="one digit repeated"),
        pytest.param(("123456789",), id="nine digits"),
        pytest.param(("123.456.789-09",), id="punctuation"),
        pytest.param((A_USER, A_PERSON), id="two users"),
        pytest.param((A_USER, A_USER), id="the same user twice"),
    ],
)
def test_any_other_user_is_a_bad_request(users: tuple[str, ...]) -> None:
    assert ask([A_PERSON], users=users).status == HTTPStatus.BAD_REQUEST


def test_a_body_that_is_not_declared_as_json_is_refused() -> None:
    assert ask([A_PERSON], media_type="text/plain").status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    answer = ask(["123.456.789-09"], users=("12345678900",))
    assert "123" not in json.dumps(answer.body)


def test_a_street_is_answered_in_the_shape_of_the_real_service() -> None:
    assert answers.about_cep("60130240") == Answer(
        HTTPStatus.OK,
        {
            "cep": "60130240",
            "tipoCep": "logradouro",
            "subTipoCep": "",
            "uf": "CE",
            "cidade": "Fortaleza",
            "bairro": "São João do Tauape",
            "endereco": "Avenida Pontes Vieira",
            "complemento": "",
            "codigoIBGE": "2304400",
        },
    )


def test_a_town_with_a_single_postal_code_has_no_street() -> None:
    body = answers.about_cep("98400000").body
    assert isinstance(body, dict)
    assert (body["tipoCep"], body["cidade"], body["endereco"]) == ("localidade", "Frederico Westphalen", "")


def test_an_unknown_postal_code_is_not_found() -> None:
    assert answers.about_cep("99999999").status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("cep", ["7015090", "701509000", "70150-900", "7015090a", "٧٠١٥٠٩٠٠", "70150900\n"])
def test_what_is_not_eight_digits_is_a_bad_request(cep: str) -> None:
    assert answers.about_cep(cep).status == HTTPStatus.BAD_REQUEST
