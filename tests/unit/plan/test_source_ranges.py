"""The addresses that both an API and a grant allow."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.plan.source_ranges import common


@pytest.mark.parametrize(
    ("some", "others", "both"),
    [
        pytest.param(["203.0.113.0/24"], ["203.0.113.128/25"], ("203.0.113.128/25",), id="one holds the other"),
        pytest.param(["203.0.113.0/24"], ["203.0.113.0/24"], ("203.0.113.0/24",), id="the same"),
        pytest.param(["203.0.113.0/25"], ["203.0.113.128/25"], (), id="neighbours"),
        pytest.param(["0.0.0.0/0"], ["2001:db8::/32"], (), id="another version"),
        pytest.param(["::/0", "0.0.0.0/0"], ["2001:db8::/32"], ("2001:db8::/32",), id="everything"),
        pytest.param(["10.0.0.0/8", "10.1.0.0/16"], ["10.1.2.0/24"], ("10.1.2.0/24",), id="one that two hold"),
    ],
)
def test_of_two_ranges_that_meet_the_narrower_is_common(
    some: list[str], others: list[str], both: tuple[str, ...]
) -> None:
    assert common(some, others) == both
    assert common(others, some) == both


NETWORKS = st.lists(
    st.builds(lambda host, bits: str(ip_network((host, bits), strict=False)), st.integers(0, 255), st.integers(24, 32)),
    max_size=6,
)


@given(some=NETWORKS, others=NETWORKS)
def test_an_address_is_in_the_common_ranges_if_and_only_if_it_is_in_both(some: list[str], others: list[str]) -> None:
    def within(number: int, ranges: list[str]) -> bool:
        return any(ip_address(number) in ip_network(place) for place in ranges)

    shared = [*common(some, others)]
    for number in range(256):
        assert within(number, shared) == (within(number, some) and within(number, others))
