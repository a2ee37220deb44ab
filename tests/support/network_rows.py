"""Manifests with what users say about the network, right and wrong: see `custom_resource_rows`."""

from typing import Any

from tests.support.api_rows import API, SERVICE
from tests.support.grant_rows import GRANT

__all__ = ["ACCEPTED", "FREE", "REFUSED"]

_POLICY = "spec.backend.networkPolicy"
_PEERS = f"{_POLICY}.alsoAllowFrom"
_SELECTOR = "spec.workload.podSelector"
MONITORING = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
APP = {"matchLabels": {"app": "agendamento"}}


def policy(**fields: Any) -> dict[str, Any]:
    return {"spec.backend": {"service": SERVICE, "networkPolicy": fields}}


def peer(**fields: Any) -> dict[str, Any]:
    return policy(alsoAllowFrom=[fields])


def block(cidr: str, *parts: str) -> dict[str, Any]:
    return peer(ipBlock={"cidr": cidr, "except": list(parts)} if parts else {"cidr": cidr})


def labels(**values: str) -> dict[str, Any]:
    return {"spec.workload": {"podSelector": {"matchLabels": {key.replace("__", "/"): values[key] for key in values}}}}


ACCEPTED = [
    (API, policy(), "a network policy that says nothing"),
    (API, policy(enabled=False), "no network policy"),
    (API, {_POLICY: {"enabled": False}}, "no network policy for a URL"),
    (API, policy(alsoAllowFrom=[]), "nobody else at the backend"),
    (API, peer(namespaceSelector=MONITORING, podSelector=APP, ports=[9090, 9091]), "some pods at other ports"),
    (API, peer(namespaceSelector=MONITORING), "all pods of some namespaces"),
    (API, peer(podSelector=APP), "some pods of the same namespace"),
    (API, block("203.0.113.0/24"), "addresses"),
    (API, block("0.0.0.0/0", "10.0.0.0/8", "127.0.0.0/8"), "addresses but for some"),
    (API, block("2001:db8::/32", "2001:db8:1::/48"), "IPv6 addresses but for some"),
    (API, policy(alsoAllowFrom=[{"podSelector": APP}] * 16), "sixteen others"),
    (API, block("10.0.0.0/8", *(f"10.{n}.0.0/16" for n in range(8))), "eight parts of a range that are not meant"),
    (API, peer(podSelector=APP, ports=list(range(1, 9))), "eight ports"),
    (GRANT, labels(app="agendamento"), "a workload"),
    (GRANT, labels(app__name="a", **{"app.example.gov.br__component_2": "Web.1"}), "labels with prefixes"),
    (GRANT, labels(app=""), "a label without value"),
    (GRANT, labels(**{f"l{n}": "x" * 63 for n in range(8)}), "eight labels, with values of 63 characters"),
    (GRANT, labels(**{"p" * 63 + "." + "q" * 63 + "__" + "n" * 63: "v"}), "a label with a long name"),
]

REFUSED = [
    (API, policy(enabled="no"), f"{_POLICY}.enabled", "a text for a truth"),
    (
        API,
        {_POLICY: {"alsoAllowFrom": [{"podSelector": APP}]}},
        _POLICY,
        "others who may reach what is outside of the cluster",
    ),
    (API, policy(alsoAllowFrom=[{"podSelector": APP}] * 17), _PEERS, "seventeen others"),
    (API, peer(), f"{_PEERS}[0]", "anybody"),
    (API, peer(ports=[80]), f"{_PEERS}[0]", "anybody at some port"),
    (API, peer(podSelector=APP, ipBlock={"cidr": "10.0.0.0/8"}), f"{_PEERS}[0]", "pods and addresses in one"),
    (API, peer(podSelector={}), f"{_PEERS}[0].podSelector.matchLabels", "pods by nothing"),
    (API, peer(podSelector={"matchLabels": {}}), f"{_PEERS}[0].podSelector.matchLabels", "pods by no labels"),
    (
        API,
        peer(namespaceSelector={"matchLabels": {}}),
        f"{_PEERS}[0].namespaceSelector.matchLabels",
        "namespaces by no labels",
    ),
    (API, peer(ipBlock={}), f"{_PEERS}[0].ipBlock.cidr", "no addresses"),
    (API, block("10.0.0.0"), f"{_PEERS}[0].ipBlock.cidr", "an address for a range"),
    (API, block("10.0.0.1/8"), f"{_PEERS}[0].ipBlock.cidr", "a range that starts within itself"),
    (API, block("10.0.0.0/8", "11.0.0.0/16"), f"{_PEERS}[0].ipBlock.except", "a part of another range"),
    (API, block("10.0.0.0/8", "10.0.0.0/8"), f"{_PEERS}[0].ipBlock.except", "a part that is all of it"),
    (API, block("0.0.0.0/0", "2001:db8::/32"), f"{_PEERS}[0].ipBlock.except", "an IPv6 part of IPv4"),
    (API, block("10.0.0.0/8", "x"), f"{_PEERS}[0].ipBlock.except[0]", "a part that is no range"),
    (
        API,
        block("10.0.0.0/8", *(f"10.{n}.0.0/16" for n in range(9))),
        f"{_PEERS}[0].ipBlock.except",
        "nine parts that are not meant",
    ),
    *(
        (API, peer(podSelector=APP, ports=[port]), f"{_PEERS}[0].ports[0]", f"others at port {port}")
        for port in (0, 65536)
    ),
    (API, peer(podSelector=APP, ports=list(range(1, 10))), f"{_PEERS}[0].ports", "nine ports"),
    (GRANT, {"spec.workload": {}}, _SELECTOR, "a workload without pods"),
    (GRANT, {"spec.workload": {"podSelector": {}}}, f"{_SELECTOR}.matchLabels", "a workload of all pods"),
    (GRANT, labels(), f"{_SELECTOR}.matchLabels", "a workload by no labels"),
    (GRANT, labels(**{f"l{n}": "x" for n in range(9)}), f"{_SELECTOR}.matchLabels", "nine labels"),
    (GRANT, labels(app="x" * 64), f"{_SELECTOR}.matchLabels.app", "a label's value of 64 characters"),
    (GRANT, labels(app="-x"), f"{_SELECTOR}.matchLabels.app", "a label's value that none can be"),
    *(
        (GRANT, labels(**{key: "x"}), f"{_SELECTOR}.matchLabels", f"a label named {what}")
        for key, what in (
            ("-a", "with a dash in front"),
            ("a" * 64, "by 64 characters"),
            ("A.example__app", "with a prefix that is no domain"),
            ("a__b__c", "with two slashes"),
        )
    ),
]

FREE = [
    (GRANT, {"spec": {"workload": {"podSelector": APP}}}, "a grant's workload"),
    (API, {"spec": {"backend": {"networkPolicy": {"enabled": False}}}}, "whether an API has network policies"),
]
