"""What users say about the network: whose pods call, and who else may reach the pods that answer."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from conecta_operator.api.fields import Cidr, Written, rules

__all__ = ["AllowedPeer", "BackendNetworkPolicy", "IpBlock", "LabelSelector", "Workload"]

_LABEL_VALUE: Final = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
_MOST_LABELS: Final = 8
_KEYS_ARE_LABELS: Final = (
    "self.all(key, !format.qualifiedName().validate(key).hasValue())",
    "must have keys that labels can have, such as app or app.kubernetes.io/name",
)
_EXCEPTIONS_LIE_WITHIN: Final = (
    "!has(self.except) || !isCIDR(self.cidr) || self.except.all(part, !isCIDR(part) || ("
    "cidr(self.cidr).containsCIDR(cidr(part)) && cidr(part).prefixLength() > cidr(self.cidr).prefixLength()))"
)

LabelValue = Annotated[str, Field(max_length=63, pattern=_LABEL_VALUE, description="Value of the label.")]
PodPort = Annotated[int, Field(ge=1, le=65535, description="Port on which pods listen. Example: 9090.")]


class LabelSelector(Written):
    """Labels that all of them have."""

    match_labels: dict[str, LabelValue] = Field(
        min_length=1,
        max_length=_MOST_LABELS,
        description="Labels, 1 to 8, that what is meant has, all of them. Example: {app: agendamento}.",
        json_schema_extra=rules(_KEYS_ARE_LABELS),
    )


class IpBlock(Written):
    """A range of addresses."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (_EXCEPTIONS_LIE_WITHIN, "must lie within cidr, and be smaller", ".except"),
        ),
    )

    cidr: Cidr = Field(description="Range of IP addresses, IPv4 or IPv6. Example: 10.20.0.0/16.")
    except_: tuple[Cidr, ...] = Field(
        default=(),
        alias="except",
        max_length=8,
        description="Parts of the range that are not meant, up to 8. Example: [10.20.30.0/24].",
    )

    @property
    def as_manifest(self) -> dict[str, Any]:
        """As NetworkPolicy has it."""
        return {"cidr": self.cidr, **({"except": list(self.except_)} if self.except_ else {})}


class AllowedPeer(Written):
    """Somebody else who may reach the backend's pods: pods by their labels, or addresses."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))",
                "must have ipBlock, or namespaceSelector and podSelector or one of these",
            ),
        ),
    )

    namespace_selector: LabelSelector | None = Field(
        default=None,
        description=(
            "Namespaces of the pods. Default, beside podSelector: that of the ConectaApi. "
            "Example: {matchLabels: {kubernetes.io/metadata.name: monitoring}}."
        ),
    )
    pod_selector: LabelSelector | None = Field(
        default=None,
        description="Pods there. Default, beside namespaceSelector: all. Example: {matchLabels: {app: prometheus}}.",
    )
    ip_block: IpBlock | None = Field(
        default=None,
        description="Addresses outside of the cluster, instead of pods. Example: {cidr: 10.20.0.0/16}.",
    )
    ports: tuple[PodPort, ...] = Field(
        default=(),
        max_length=8,
        description=(
            "Ports of the backend's pods (TCP), up to 8. Default: the one that the gateway calls. Example: [9090]."
        ),
    )

    @property
    def as_manifest(self) -> dict[str, Any]:
        """The peer, as NetworkPolicy has it."""
        if self.ip_block is not None:
            return {"ipBlock": self.ip_block.as_manifest}
        selectors = {"namespaceSelector": self.namespace_selector, "podSelector": self.pod_selector}
        return {
            field: {"matchLabels": selector.match_labels}
            for field, selector in selectors.items()
            if selector is not None
        }


class BackendNetworkPolicy(Written):
    """Who may reach the backend's pods, beside the gateway."""

    enabled: bool = Field(
        default=True,
        description=(
            "Whether NetworkPolicies are written for the backend: its pods are reached by the gateway only, and the "
            "gateway may reach them. false: none is written, and whoever looks after the network lets the gateway "
            "through. Default: true."
        ),
    )
    also_allow_from: tuple[AllowedPeer, ...] = Field(
        default=(),
        max_length=16,
        description=(
            "Who else may reach the backend's pods, up to 16 entries; for service only. "
            "Example: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}, ports: [9090]}]."
        ),
    )


class Workload(Written):
    """Where in this cluster the application runs."""

    pod_selector: LabelSelector = Field(
        description=(
            "The application's pods, in the namespace of the ConectaGrant. While the grant is approved, they may reach "
            "the gateway and the cluster's DNS, and what other NetworkPolicies allow, and nothing else. "
            "Example: {matchLabels: {app: agendamento}}."
        ),
    )
