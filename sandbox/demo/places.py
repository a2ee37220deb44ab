"""Postal codes of the demo: real-looking, at least one for every state, but no copy of the postal directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["PLACES", "STREETS", "City", "Place"]


@dataclass(frozen=True)
class City:
    """A municipality: its state, its name, and its number at IBGE and at Receita Federal."""

    state: str
    name: str
    ibge: str
    receita: int


@dataclass(frozen=True)
class Place:
    """What one postal code stands for: a street, or a whole town when `street` is empty."""

    cep: str
    city: City
    district: str = ""
    street: str = ""


_SAO_PAULO: Final = City("SP", "São Paulo", "3550308", 7107)
_RIO: Final = City("RJ", "Rio de Janeiro", "3304557", 6001)
_BRASILIA: Final = City("DF", "Brasília", "5300108", 9701)
_ESPLANADE: Final = "Zona Cívico-Administrativa"

STREETS: Final[tuple[Place, ...]] = (
    Place("01001000", _SAO_PAULO, "Sé", "Praça da Sé"),
    Place("01310100", _SAO_PAULO, "Bela Vista", "Avenida Paulista"),
    Place("20040020", _RIO, "Centro", "Praça Pio X"),
    Place("22021001", _RIO, "Copacabana", "Avenida Atlântica"),
    Place("29015110", City("ES", "Vitória", "3205309", 5705), "Centro", "Praça João Clímaco"),
    Place("30130010", City("MG", "Belo Horizonte", "3106200", 4123), "Centro", "Praça Sete de Setembro"),
    Place("40026280", City("BA", "Salvador", "2927408", 3849), "Pelourinho", "Largo do Pelourinho"),
    Place("49010040", City("SE", "Aracaju", "2800308", 3105), "Centro", "Praça Fausto Cardoso"),
    Place("50030170", City("PE", "Recife", "2611606", 2531), "Recife", "Rua do Bom Jesus"),
    Place("57020130", City("AL", "Maceió", "2704302", 2785), "Centro", "Praça Dom Pedro II"),
    Place("58013140", City("PB", "João Pessoa", "2507507", 2051), "Centro", "Praça João Pessoa"),
    Place("59025300", City("RN", "Natal", "2408102", 1761), "Cidade Alta", "Praça Sete de Setembro"),
    Place("60130240", City("CE", "Fortaleza", "2304400", 1389), "São João do Tauape", "Avenida Pontes Vieira"),
    Place("64000160", City("PI", "Teresina", "2211001", 1219), "Centro", "Praça Marechal Deodoro da Fonseca"),
    Place("65010450", City("MA", "São Luís", "2111300", 921), "Centro", "Avenida Dom Pedro II"),
    Place("66010020", City("PA", "Belém", "1501402", 427), "Campina", "Boulevard Castilhos França"),
    Place("68900100", City("AP", "Macapá", "1600303", 605), "Central", "Rua Cândido Mendes"),
    Place("69010001", City("AM", "Manaus", "1302603", 255), "Centro", "Avenida Eduardo Ribeiro"),
    Place("69301380", City("RR", "Boa Vista", "1400100", 301), "Centro", "Praça do Centro Cívico"),
    Place("69900060", City("AC", "Rio Branco", "1200401", 139), "Centro", "Avenida Getúlio Vargas"),
    Place("70040020", _BRASILIA, "Asa Norte", "SBN Quadra 2"),
    Place("70058900", _BRASILIA, _ESPLANADE, "Esplanada dos Ministérios Bloco G"),
    Place("70150900", _BRASILIA, _ESPLANADE, "Praça dos Três Poderes"),
    Place("70836900", _BRASILIA, "Asa Norte", "SGAN Quadra 601"),
    Place("74005010", City("GO", "Goiânia", "5208707", 9373), "Setor Central", "Avenida Goiás"),
    Place("76801084", City("RO", "Porto Velho", "1100205", 3), "Centro", "Avenida Sete de Setembro"),
    Place("77001002", City("TO", "Palmas", "1721000", 9733), "Plano Diretor Norte", "Praça dos Girassóis"),
    Place("78005569", City("MT", "Cuiabá", "5103403", 9067), "Centro", "Praça Alencastro"),
    Place("79002070", City("MS", "Campo Grande", "5002704", 9051), "Centro", "Avenida Afonso Pena"),
    Place("80020100", City("PR", "Curitiba", "4106902", 7535), "Centro", "Praça Tiradentes"),
    Place("88010400", City("SC", "Florianópolis", "4205407", 8105), "Centro", "Praça Quinze de Novembro"),
    Place("90010300", City("RS", "Porto Alegre", "4314902", 8801), "Centro Histórico", "Praça Marechal Deodoro"),
)

_TOWNS: Final[tuple[Place, ...]] = (
    Place("53990000", City("PE", "Fernando de Noronha", "2605459", 3034)),
    Place("72980000", City("GO", "Pirenópolis", "5217302", 9537)),
    Place("98400000", City("RS", "Frederico Westphalen", "4308508", 8663)),
)

PLACES: Final[Mapping[str, Place]] = MappingProxyType({place.cep: place for place in STREETS + _TOWNS})
"""All places, by postal code."""
