"""The demo's people and places are well-formed, plentiful and the same at every start."""

import pytest

from sandbox.demo import cpf
from sandbox.demo.answers import MAX_CPFS
from sandbox.demo.people import PEOPLE, Sex, Standing
from sandbox.demo.places import PLACES


@pytest.mark.parametrize("number", ["00000000191", "11144477735", "12345678909", "52998224725", "39053344705"])
def test_a_cpf_with_right_check_digits_is_valid(number: str) -> None:
    assert cpf.is_valid(number)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("52998224724", id="wrong second digit"),
        pytest.param("52998224735", id="wrong first digit"),
        pytest.param("11111111111", id="one digit repeated"),
        pytest.param("5299822472", id="ten digits"),
        pytest.param("529982247255", id="twelve digits"),
        pytest.param("529.982.247-25", id="punctuation"),
        pytest.param("٥٢٩٩٨٢٢٤٧٢٥", id="digits of another script"),
        pytest.param("52998224725\n", id="line feed at the end"),
        pytest.param("", id="nothing"),
    ],
)
def test_anything_else_is_no_valid_cpf(text: str) -> None:
    assert not cpf.is_valid(text)


def test_every_person_has_a_valid_cpf_under_which_they_are_found() -> None:
    assert all(cpf.is_valid(number) and person.cpf == number for number, person in PEOPLE.items())


def test_a_whole_request_can_be_filled_with_people() -> None:
    assert len(PEOPLE) >= MAX_CPFS


def test_people_are_of_both_sexes_and_of_every_standing() -> None:
    assert {person.sex for person in PEOPLE.values()} == set(Sex)
    assert {person.standing for person in PEOPLE.values()} == set(Standing)


def test_exactly_the_deceased_have_a_year_of_death() -> None:
    dead = {person.cpf for person in PEOPLE.values() if person.year_of_death is not None}
    assert dead == {person.cpf for person in PEOPLE.values() if person.standing is Standing.DECEASED}


def test_every_state_has_a_postal_code() -> None:
    assert len({place.city.state for place in PLACES.values()}) == 27


def test_every_postal_code_has_eight_digits_and_a_city_of_seven() -> None:
    for cep, place in PLACES.items():
        assert cep == place.cep
        assert (len(cep), cep.isdigit()) == (8, True)
        assert (len(place.city.ibge), place.city.ibge.isdigit()) == (7, True)


def test_no_two_places_share_a_postal_code_and_everybody_lives_in_one() -> None:
    assert {person.home.cep for person in PEOPLE.values()} <= PLACES.keys()
    assert all(person.home == PLACES[person.home.cep] for person in PEOPLE.values())
