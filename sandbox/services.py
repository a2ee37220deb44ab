"""The services of the sandbox as a table: how each is started, and how one knows that it is ready.

`STAGES` says who needs whom: a service is ended before those of earlier stages. Those of `ON_DEMAND` are started only
when the stack's settings ask for them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

from sandbox import issuer
from sandbox.counting import ratelimit_service, redis_service
from sandbox.environment import GATEWAY_URL
from sandbox.envoy_process import DRAIN_SECONDS, envoy_service
from sandbox.layout import Layout
from sandbox.pki import ETCD_CLIENT
from sandbox.ports import (
    APISERVER,
    DEMO_BACKEND,
    ETCD,
    ETCD_PEER,
    GATEWAY_HEALTH,
    HYDRA_ADMIN,
    HYDRA_PUBLIC,
    KCM,
    OPERATOR_PROBE,
    QUOTA,
)
from sandbox.probes import answers, listens
from sandbox.processes import Service

__all__ = ["NAMES", "ON_DEMAND", "STAGES", "services", "write_audit_policy"]

STAGES: Final = (
    ("etcd",),
    ("kube-apiserver",),
    ("kube-controller-manager", "hydra", "demo-backend", "gateway-infra", "redis"),
    ("ratelimit",),
    ("envoy-gateway", "envoy", "quota-controller"),
    ("operator",),
)
ON_DEMAND: Final = ("redis", "ratelimit")
NAMES: Final = tuple(name for stage in STAGES for name in stage if name not in ON_DEMAND)
"""The services of every sandbox."""
CONTROLLERS: Final = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "validatingadmissionpolicy-status-controller",
)
QUOTA_CONTROLLERS: Final = ("resourcequota-controller",)
"""By itself, and started when our kinds are there: it looks for new ones every 30 seconds only, and while it doesn't
know a kind, nobody can make an object of it where a quota counts them. No `make up` shall wait for that."""


def services(layout: Layout, infra_contract: Path) -> dict[str, Service]:
    """Return all services by name."""
    table = (
        _etcd(layout),
        _apiserver(layout),
        _controllers(layout, "kube-controller-manager", KCM, CONTROLLERS),
        _controllers(layout, "quota-controller", QUOTA, QUOTA_CONTROLLERS),
        _hydra(layout),
        _demo_backend(layout),
        _gateway_infra(layout, infra_contract),
        redis_service(layout),
        ratelimit_service(layout),
        _envoy_gateway(layout),
        envoy_service(layout),
        _operator(layout),
    )
    return {service.name: service for service in table}


def write_audit_policy(layout: Layout) -> None:
    """Write who-did-what-when for the API server to log, without contents."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }
    (layout.run / "audit-policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")


def _etcd(layout: Layout) -> Service:
    client, peer = f"https://127.0.0.1:{ETCD}", f"https://127.0.0.1:{ETCD_PEER}"
    identity = (layout.certificate("etcd-client"), layout.key("etcd-client"))
    return Service(
        name="etcd",
        argv=(
            str(layout.bin / "etcd"),
            f"--data-dir={layout.data / 'etcd'}",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
            *_files({
                "cert-file": layout.certificate("etcd"),
                "key-file": layout.key("etcd"),
                "trusted-ca-file": layout.ca_file,
            }),
            "--client-cert-auth", f"--client-cert-allowed-hostname={ETCD_CLIENT}",
            *_files({
                "peer-cert-file": layout.certificate("etcd"),
                "peer-key-file": layout.key("etcd"),
                "peer-trusted-ca-file": layout.ca_file,
            }),
            "--peer-client-cert-auth", "--peer-cert-allowed-cn=etcd",
            "--unsafe-no-fsync", "--log-level=warn",
        ),
        is_ready=answers(ETCD, "/health", ca_file=layout.ca_file, client=identity),
    )  # fmt: skip


def _apiserver(layout: Layout) -> Service:
    return Service(
        name="kube-apiserver",
        argv=(
            str(layout.bin / "kube-apiserver"),
            f"--etcd-servers=https://127.0.0.1:{ETCD}",
            *_files({
                "etcd-cafile": layout.ca_file,
                "etcd-certfile": layout.certificate("etcd-client"),
                "etcd-keyfile": layout.key("etcd-client"),
                "tls-cert-file": layout.certificate("apiserver"),
                "tls-private-key-file": layout.key("apiserver"),
                "client-ca-file": layout.ca_file,
                "service-account-key-file": layout.pki / "service-account.pub",
                "service-account-signing-key-file": layout.key("service-account"),
                "audit-policy-file": layout.run / "audit-policy.yaml",
                "audit-log-path": layout.log("audit"),
            }),
            "--audit-log-maxsize=50", "--audit-log-maxbackup=1",
            "--bind-address=127.0.0.1", f"--secure-port={APISERVER}",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.96.0.0/24",
            "--authorization-mode=RBAC", "--profiling=false",
        ),
        is_ready=answers(APISERVER, "/readyz", ca_file=layout.ca_file),
        time_limit=120,
    )  # fmt: skip


def _controllers(layout: Layout, name: str, port: int, controllers: Iterable[str]) -> Service:
    return Service(
        name=name,
        argv=(
            str(layout.bin / "kube-controller-manager"),
            *_files({
                "kubeconfig": layout.service_kubeconfig("kube-controller-manager"),
                "tls-cert-file": layout.certificate("kcm-server"),
                "tls-private-key-file": layout.key("kcm-server"),
                "service-account-private-key-file": layout.key("service-account"),
                "root-ca-file": layout.ca_file,
            }),
            "--bind-address=127.0.0.1", f"--secure-port={port}",
            "--leader-elect=false", "--use-service-account-credentials=true",
            f"--controllers={','.join(controllers)}",
        ),
        is_ready=answers(port, "/healthz", ca_file=layout.ca_file),
    )  # fmt: skip


def _hydra(layout: Layout) -> Service:
    public = answers(HYDRA_PUBLIC, "/health/ready", ca_file=layout.ca_file)
    admin = answers(HYDRA_ADMIN, "/health/ready", ca_file=layout.ca_file)
    return Service(
        name="hydra",
        argv=(str(layout.bin / "hydra"), "serve", "all", "--sqa-opt-out", "--config", str(layout.run / "hydra.yaml")),
        environment=issuer.ENVIRONMENT,
        is_ready=lambda: public() and admin(),
    )


def _demo_backend(layout: Layout) -> Service:
    return Service(
        name="demo-backend",
        argv=(
            sys.executable, "-m", "sandbox.demo",
            "--port", str(DEMO_BACKEND),
            "--cert", str(layout.certificate("demo-backend")),
            "--key", str(layout.key("demo-backend")),
        ),
        is_ready=answers(DEMO_BACKEND, "/health", ca_file=layout.ca_file),
    )  # fmt: skip


def _gateway_infra(layout: Layout, contract: Path) -> Service:
    return Service(
        name="gateway-infra",
        argv=(sys.executable, "-m", "sandbox.gateway_infra", "--proto", str(contract)),
        environment={"GRPC_ENABLE_FORK_SUPPORT": "0"},  # it starts kubectl in the midst of a call
        is_ready=listens(layout.infra_socket),
    )


def _envoy_gateway(layout: Layout) -> Service:
    return Service(
        name="envoy-gateway",
        argv=(
            sys.executable, "-m", "sandbox.private_root", str(layout.run / "root"),
            f"/certs={layout.gateway_certificates / 'envoy-gateway'}",
            f"/infra={layout.infra_socket.parent}",
            f"/var/lib/eg={layout.wasm_cache}",
            "--",
            str(layout.bin / "envoy-gateway"), "server", "--config-path", str(layout.run / "envoy-gateway.yaml"),
        ),
        environment={
            "KUBECONFIG": str(layout.service_kubeconfig("envoy-gateway")),
            "KUBERNETES_CLUSTER_DOMAIN": "localhost",
            "ENVOY_GATEWAY_NAMESPACE": "envoy-gateway-system",
        },
        is_ready=answers(GATEWAY_HEALTH, "/readyz"),
    )  # fmt: skip


def _operator(layout: Layout) -> Service:
    settings = {
        "GATEWAY_NAMESPACE": "conecta-gateway",
        "GATEWAY_NAME": "conecta",
        "GATEWAY_LISTENER": "https",
        "GATEWAY_URL": GATEWAY_URL,
        "GATEWAY_DRAIN": str(DRAIN_SECONDS),
        "ISSUER_URL": GATEWAY_URL,
        "ISSUER_ADMIN_URL": f"https://localhost:{HYDRA_ADMIN}",
        "ISSUER_PUBLIC_URL": f"https://localhost:{HYDRA_PUBLIC}",
        "ISSUER_CA_FILE": str(layout.ca_file),
        "ALLOW_LOCAL_BACKENDS": "true",
        "PROBE_ADDRESS": "127.0.0.1",
        "PROBE_PORT": str(OPERATOR_PROBE),
    }
    return Service(
        name="operator",
        argv=(sys.executable, "-m", "conecta_operator"),
        environment={"KUBECONFIG": str(layout.service_kubeconfig("operator"))}
        | {f"CONECTA_OPERATOR_{name}": value for name, value in settings.items()},
        is_ready=answers(OPERATOR_PROBE, "/healthz"),
    )


def _files(options: dict[str, Path]) -> Iterable[str]:
    return (f"--{name}={file}" for name, file in options.items())
