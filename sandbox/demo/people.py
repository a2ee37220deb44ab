"""The people of the demo: invented, the same at every start, with CPFs whose check digits are right.

They take the lowest numbers there are (000.000.001-91, 000.000.002-72 …), which nobody mistakes for a citizen's, and
two that every tutorial uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from sandbox.demo import cpf
from sandbox.demo.places import STREETS, Place

__all__ = ["PEOPLE", "Person", "Sex", "Standing"]


class Standing(IntEnum):
    """Situação cadastral, by the numbers of Receita Federal."""

    REGULAR = 0
    SUSPENDED = 2
    DECEASED = 3
    PENDING = 4
    CANCELLED = 5
    VOID = 8


class Sex(IntEnum):
    """Sex, by the numbers of Receita Federal."""

    MALE = 1
    FEMALE = 2


@dataclass(frozen=True, kw_only=True)
class Person:
    """One entry of the register. `social_name` is empty unless the person asked for one to be used."""

    cpf: str
    name: str
    social_name: str
    mother: str
    sex: Sex
    born: date
    year_of_death: int | None
    standing: Standing
    home: Place
    house_number: str
    updated: date


_SMALL_BASES: Final = tuple(f"{number:09}" for number in range(1, 61))
_TUTORIAL_BASES: Final = ("111444777", "123456789")
_WOMEN: Final = ("MARIA", "ANA", "FRANCISCA", "ANTONIA", "ADRIANA", "JULIANA", "MARCIA", "FERNANDA", "PATRICIA")
_MEN: Final = ("JOSE", "JOAO", "ANTONIO", "FRANCISCO", "CARLOS", "PAULO", "PEDRO", "LUCAS", "LUIZ", "MARCOS", "RAFAEL")
_FAMILIES: Final = (
    "SILVA",
    "SANTOS",
    "OLIVEIRA",
    "SOUZA",
    "RODRIGUES",
    "FERREIRA",
    "ALVES",
    "PEREIRA",
    "LIMA",
    "GOMES",
)
_UNUSUAL: Final = {
    7: Standing.PENDING,
    13: Standing.DECEASED,
    21: Standing.SUSPENDED,
    34: Standing.CANCELLED,
    47: Standing.DECEASED,
    55: Standing.VOID,
}
_WITH_SOCIAL_NAME: Final = {5: "BRUNA", 28: "CAIO"}


def _person(position: int, base: str) -> Person:
    sex = Sex.FEMALE if position % 2 else Sex.MALE
    given_names = _WOMEN if sex is Sex.FEMALE else _MEN
    family = f"{_FAMILIES[position % 10]} {_FAMILIES[(position // 10 + 3 * position + 1) % 10]}"
    born = date(1938, 1, 23) + timedelta(days=421 * position)
    standing = _UNUSUAL.get(position, Standing.REGULAR)
    social_given_name = _WITH_SOCIAL_NAME.get(position)
    return Person(
        cpf=cpf.from_base(base),
        name=f"{given_names[position % len(given_names)]} {family}",
        social_name=f"{social_given_name} {family}" if social_given_name else "",
        mother=f"{_WOMEN[position * 5 % len(_WOMEN)]} {family}",
        sex=sex,
        born=born,
        year_of_death=born.year + 60 if standing is Standing.DECEASED else None,
        standing=standing,
        home=STREETS[position % len(STREETS)],
        house_number=str(10 + 37 * position % 900),
        updated=date(2024, 3, 1) + timedelta(days=11 * position),
    )


PEOPLE: Final[Mapping[str, Person]] = MappingProxyType(
    {
        person.cpf: person
        for person in (_person(position, base) for position, base in enumerate(_SMALL_BASES + _TUTORIAL_BASES))
    }
)
"""All people, by CPF."""
