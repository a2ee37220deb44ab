"""Whose a namespace is."""

import pytest

from conecta_operator.api.agency import Agency, agency_of


def test_an_agency_is_read_from_the_labels_and_annotation_of_its_namespace() -> None:
    namespace = {
        "metadata": {
            "name": "receita",
            "labels": {
                "conecta.gov.br/agency": "receita",
                "conecta.gov.br/siorg": "1929",
                "conecta.gov.br/cnpj": "00394460005887",
            },
            "annotations": {"conecta.gov.br/agency-name": "Receita Federal"},
        },
    }
    assert agency_of(namespace) == Agency(slug="receita", name="Receita Federal", cnpj="00394460005887", siorg="1929")


def test_an_agency_without_a_registered_name_goes_by_its_slug() -> None:
    namespace = {"metadata": {"name": "receita-h", "labels": {"conecta.gov.br/agency": "receita"}}}
    assert agency_of(namespace) == Agency(slug="receita", name="receita", cnpj="", siorg="")


@pytest.mark.parametrize(
    ("label", "suspended"),
    [("true", True), ("True", True), ("yes", True), ("", True), ("false", False), ("False", False)],
)
def test_any_value_but_false_suspends_an_agency(label: str, suspended: bool) -> None:  # noqa: FBT001 - a row
    labels = {"conecta.gov.br/agency": "saude", "conecta.gov.br/suspended": label}
    agency = agency_of({"metadata": {"name": "saude", "labels": labels}})
    assert agency is not None
    assert agency.suspended is suspended


def test_a_namespace_without_the_label_belongs_to_no_agency() -> None:
    assert agency_of({"metadata": {"name": "default"}}) is None
    assert agency_of({"metadata": {"name": "default", "labels": {"conecta.gov.br/siorg": "1"}}}) is None
    assert agency_of({"metadata": {"name": "default", "labels": {"conecta.gov.br/agency": ""}}}) is None
