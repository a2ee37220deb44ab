"""The evaluator of network policies that the truth table rests on, sentence by sentence of the API's documentation."""

from typing import Any

import pytest

from tests.support.network_evaluator import Network, Pod, Port, selects

WEB, METRICS, DNS = Port(8080, "web"), Port(9090, "metrics"), Port(53, "dns", "UDP")
A = Pod("a", "a", {"app": "a"}, "10.0.0.1", (WEB, METRICS))
B = Pod("b", "b", {"app": "b"}, "10.0.0.2", (WEB, METRICS, DNS))
C = Pod("b", "c", {"app": "c", "tier": "x"}, "2001:db8::3", (Port(8443, "web"),))
NAMESPACES = {"a": {"name": "a"}, "b": {"name": "b"}}
INTO_B: dict[str, Any] = {"podSelector": {"matchLabels": {"app": "b"}}, "policyTypes": ["Ingress"]}
OUT_OF_A: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Egress"]}
TCP = {"protocol": "TCP"}


def network(*policies: tuple[str, dict[str, Any]]) -> Network:
    manifests = [{"metadata": {"namespace": namespace}, "spec": spec} for namespace, spec in policies]
    return Network((A, B, C), NAMESPACES, manifests)


def into_b(*rules: dict[str, Any]) -> Network:
    return network(("b", {**INTO_B, "ingress": list(rules)}))


def test_without_policies_everything_is_allowed() -> None:
    assert network().allows(A, B, WEB)


def test_a_pod_that_is_selected_is_reached_by_nobody_without_a_rule() -> None:
    assert not into_b().allows(A, B, WEB)
    assert not into_b().allows(C, B, WEB)


def test_a_policy_is_about_the_pods_that_it_selects_in_its_own_namespace_only() -> None:
    assert into_b().allows(A, C, WEB)
    assert network(("a", {**INTO_B})).allows(A, B, WEB)


def test_a_policy_is_about_the_directions_that_it_names_only() -> None:
    assert into_b().allows(B, A, WEB)
    assert network(("a", OUT_OF_A)).allows(B, A, WEB)
    assert not network(("a", OUT_OF_A)).allows(A, B, WEB)


@pytest.mark.parametrize(("egress", "goes_out"), [({}, True), ({"egress": [{"ports": [{"port": 9090}]}]}, False)])
def test_without_types_a_policy_is_about_ingress_and_about_egress_if_it_has_such_rules(
    egress: dict[str, Any],
    goes_out: bool,  # noqa: FBT001 - a row's expectation
) -> None:
    found = network(("a", {"podSelector": {}, **egress}))
    assert not found.allows(B, A, WEB)
    assert found.allows(A, B, WEB) == goes_out


def test_an_empty_rule_allows_everybody_and_every_port() -> None:
    assert into_b({}).allows(A, B, DNS)


def test_both_ends_must_allow_a_connection() -> None:
    out = ("a", {**OUT_OF_A, "egress": [{"ports": [{**TCP, "port": 8080}]}]})
    into = ("b", {**INTO_B, "ingress": [{"ports": [{**TCP, "port": 9090}]}]})
    assert not network(out, into).allows(A, B, WEB)
    assert not network(out, into).allows(A, B, METRICS)
    assert network(out).allows(A, B, WEB)
    assert network(into).allows(A, B, METRICS)


def test_several_policies_of_one_pod_add_up() -> None:
    one, other = ({**INTO_B, "ingress": [{"ports": [{**TCP, "port": port}]}]} for port in (8080, 9090))
    assert network(("b", one), ("b", other)).allows(A, B, WEB)
    assert network(("b", one), ("b", other), ("b", INTO_B)).allows(A, B, METRICS)


@pytest.mark.parametrize(
    ("peer", "a", "c"),
    [
        pytest.param({"namespaceSelector": {}}, True, True, id="all namespaces"),
        pytest.param({"namespaceSelector": {"matchLabels": {"name": "a"}}}, True, False, id="a namespace"),
        pytest.param({"podSelector": {}}, False, True, id="all pods of the policy's namespace"),
        pytest.param({"podSelector": {"matchLabels": {"app": "a"}}}, False, False, id="a label that is elsewhere"),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"name": "a"}}, "podSelector": {"matchLabels": {"app": "c"}}},
            False,
            False,
            id="both at once",
        ),
        pytest.param({"ipBlock": {"cidr": "10.0.0.0/24"}}, True, False, id="addresses"),
        pytest.param({"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.1/32"]}}, False, False, id="but for some"),
        pytest.param({"ipBlock": {"cidr": "2001:db8::/32"}}, False, True, id="IPv6"),
        pytest.param({"ipBlock": {"cidr": "::/0", "except": ["2001:db8::/64"]}}, False, False, id="IPv6 but for some"),
    ],
)
def test_a_peer_is(peer: dict[str, Any], a: bool, c: bool) -> None:  # noqa: FBT001 - a row's expectations
    allowed = into_b({"from": [peer]})
    assert (allowed.allows(A, B, WEB), allowed.allows(C, B, WEB)) == (a, c)


def test_any_of_several_peers_will_do_and_any_of_several_ports() -> None:
    rule = {
        "from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.1/32"}}],
        "ports": [{**TCP, "port": 9090}, {"protocol": "UDP", "port": 53}],
    }
    assert {port for port in B.ports if into_b(rule).allows(A, B, port)} == {METRICS, DNS}


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param({"port": 8080}, {WEB}, id="TCP unless it is said"),
        pytest.param({"protocol": "UDP"}, {DNS}, id="all ports of a protocol"),
        pytest.param({"protocol": "TCP", "port": "metrics"}, {METRICS}, id="by name"),
        pytest.param({"protocol": "TCP", "port": "dns"}, set(), id="by name and protocol"),
        pytest.param({"protocol": "TCP", "port": 8000, "endPort": 9000}, {WEB}, id="a range"),
    ],
)
def test_a_port_is(port: dict[str, Any], expected: set[Port]) -> None:
    allowed = into_b({"ports": [port]})
    assert {port for port in B.ports if allowed.allows(A, B, port)} == expected


def test_a_named_port_is_that_of_the_pod_that_is_called() -> None:
    out = ("a", {**OUT_OF_A, "egress": [{"ports": [{**TCP, "port": "web"}]}]})
    assert network(out).allows(A, B, WEB)
    assert network(out).allows(A, C, C.ports[0])
    assert not network(out).allows(A, B, METRICS)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "tier", "operator": "In", "values": ["x", "y"]}, True),
        ({"key": "tier", "operator": "NotIn", "values": ["x", "y"]}, False),
        ({"key": "other", "operator": "NotIn", "values": ["x"]}, True),
        ({"key": "tier", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "DoesNotExist"}, False),
    ],
)
def test_an_expression_selects(expression: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a row's expectation
    assert selects({"matchExpressions": [expression]}, C.labels) == expected
    assert not selects({"matchExpressions": [expression], "matchLabels": {"app": "other"}}, C.labels)
