"""CNPJ numbers, with letters since 2026."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cnpj import check_digits, is_cnpj

BASES = st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param("00394460005887", True, id="digits only, of Receita Federal"),
        pytest.param("12ABC34501DE35", True, id="letters, the example of the rule itself"),
        pytest.param("00394460005886", False, id="wrong second check digit"),
        pytest.param("00394460005897", False, id="wrong first check digit"),
        pytest.param("12abc34501de35", False, id="small letters"),
        pytest.param("12ABC34501DEA5", False, id="a letter as check digit"),
        pytest.param("00.394.460/0058-87", False, id="punctuation"),
        pytest.param("0039446000588", False, id="too short"),
        pytest.param("00394460005887\n", False, id="a line end behind it"),
        pytest.param("00000000000000", False, id="all the same"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_cnpj_is_told_from_what_only_looks_like_one(text: str, *, valid: bool) -> None:
    assert is_cnpj(text) == valid


@given(BASES.filter(lambda base: len(set(base)) > 1))
def test_a_number_with_its_own_check_digits_is_a_cnpj(base: str) -> None:
    assert is_cnpj(base + check_digits(base))


@given(BASES, st.integers(0, 99))
def test_a_number_with_other_check_digits_is_none(base: str, number: int) -> None:
    digits = f"{number:02}"
    assert digits == check_digits(base) or not is_cnpj(base + digits)
