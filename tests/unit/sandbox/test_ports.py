"""Ports of the sandbox: one table, and who holds one that we need."""

import os
import socket

import pytest

from sandbox.ports import PORTS, Port, taken


def a_port(number: int, *, everywhere: bool = False) -> Port:
    return Port(number=number, service="hydra", use="tokens", everywhere=everywhere)


def test_every_port_is_listed_once() -> None:
    numbers = [port.number for port in PORTS]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("everywhere", [False, True], ids=["loopback", "every address"])
def test_a_port_in_use_is_named_with_its_holder(everywhere: bool) -> None:  # noqa: FBT001 - a table's column
    with socket.create_server(("127.0.0.1", 0)) as server:
        (held,) = taken([a_port(server.getsockname()[1], everywhere=everywhere)])
        number = server.getsockname()[1]
    assert str(held).startswith(f"port {number} (hydra, tokens) is held by pid {os.getpid()} (")


def test_a_port_held_by_ipv6_counts_for_a_service_that_listens_everywhere() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("::", 0), family=socket.AF_INET6) as server:
        assert taken([a_port(server.getsockname()[1], everywhere=True)])


def test_a_free_port_is_not_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    assert taken([a_port(number), a_port(number, everywhere=True)]) == []


def test_a_port_on_another_address_is_free_for_loopback() -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        assert taken([a_port(server.getsockname()[1])]) == []
