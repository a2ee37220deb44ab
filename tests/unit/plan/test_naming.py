"""Names that the operator makes up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.conecta_grant import ConectaGrant
from conecta_operator.plan import naming

GRANT = ConectaGrant.parse(
    {
        "metadata": {
            "name": "agendamento-cep",
            "namespace": "saude",
            "uid": "a1b2c3d4-0000-4000-8000-000000000009",
            "resourceVersion": "1",
            "creationTimestamp": "2026-11-20T00:00:00Z",
        },
        "spec": {"apiRef": {"namespace": "receita", "name": "cep"}, "application": {"name": "agendamento"}},
    }
)


@given(st.integers(min_value=1, max_value=10**8))
def test_a_key_number_survives_the_client_id(number: int) -> None:
    assert naming.key_number(GRANT, naming.client_id("saude", GRANT, number)) == number


@pytest.mark.parametrize(
    "client_id",
    ["saude-agendamento-ffffffff-1", "saude-agendamento-a1b2c3d4-0", "saude-agendamento-a1b2c3d4-", "a1b2c3d4-1", ""],
)
def test_a_client_id_of_another_grant_has_no_number(client_id: str) -> None:
    assert naming.key_number(GRANT, client_id) is None


def test_the_last_number_counts_only_the_grants_own_keys() -> None:
    assert naming.last_key_number(GRANT, ["saude-x-a1b2c3d4-3", "saude-x-ffffffff-9", "saude-x-a1b2c3d4-12"]) == 12
    assert naming.last_key_number(GRANT, []) == 0
