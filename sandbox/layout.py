"""Where everything of a sandbox lies: one folder below the repository, and every path in it."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["REPOSITORY", "Layout"]

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Layout:
    """The paths of one sandbox; nothing is created by asking."""

    repository: Path = REPOSITORY

    @property
    def state(self) -> Path:
        """All that a sandbox writes, and all that `make down` removes."""
        return self.repository / ".sandbox"

    @property
    def test_state(self) -> Path:
        """What takes the place of `state` in the namespaces of `make test`."""
        return self.repository / ".sandbox-test"

    @property
    def environment_file(self) -> Path:
        """For a shell to source."""
        return self.state / "env"

    @property
    def kubeconfig(self) -> Path:
        """Of the platform team's administrator."""
        return self.state / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Every program of the sandbox under its name; goes on PATH."""
        return self.state / "bin"

    @property
    def pki(self) -> Path:
        """Certificates and their keys."""
        return self.state / "pki"

    @property
    def ca_file(self) -> Path:
        """The certificate that signs all others."""
        return self.pki / "ca.crt"

    @property
    def kubeconfigs(self) -> Path:
        """Of the services: each has an identity of its own."""
        return self.state / "kubeconfigs"

    @property
    def logs(self) -> Path:
        """One file for each service."""
        return self.state / "logs"

    @property
    def data(self) -> Path:
        """What services keep."""
        return self.state / "data"

    @property
    def run(self) -> Path:
        """Generated configuration, sockets, records of processes."""
        return self.state / "run"

    @property
    def records(self) -> Path:
        """One file for each process that was started."""
        return self.run / "services"

    @property
    def gateway_certificates(self) -> Path:
        """Secrets of Envoy Gateway's certgen as files, a folder each."""
        return self.run / "gateway-certificates"

    @property
    def wasm_cache(self) -> Path:
        """What Envoy Gateway sees as /var/lib/eg."""
        return self.data / "envoy-gateway"

    @property
    def infra_socket(self) -> Path:
        """Where Envoy Gateway asks for its infrastructure."""
        return self.run / "infra" / "provider.sock"

    @property
    def pulumi_state(self) -> Path:
        """Pulumi's file backend."""
        return self.state / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's plugin cache and credentials."""
        return self.state / "pulumi-home"

    @property
    def pulumi_passphrase(self) -> Path:
        """The file that `PULUMI_CONFIG_PASSPHRASE_FILE` names."""
        return self.state / "pulumi-passphrase"

    @property
    def ratelimit_settings(self) -> Path:
        """What the service that counts calls is to count."""
        return self.run / "ratelimit" / "config"

    def log(self, service: str) -> Path:
        """Return the log file of a service."""
        return self.logs / f"{service}.log"

    def certificate(self, name: str) -> Path:
        """Return the file of a certificate of the sandbox's own CA."""
        return self.pki / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return the file of a private key."""
        return self.pki / f"{name}.key"

    def service_kubeconfig(self, service: str) -> Path:
        """Return the file by which a service reaches the API server."""
        return self.kubeconfigs / service

    def create(self) -> None:
        """Make the folders, for their owner's eyes only."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.state.chmod(0o700)
        for folder in (
            self.bin,
            self.pki,
            self.kubeconfigs,
            self.logs,
            self.wasm_cache,
            self.records,
            self.gateway_certificates,
            self.infra_socket.parent,
            self.ratelimit_settings,
            self.pulumi_state,
            self.pulumi_home,
        ):
            folder.mkdir(parents=True, exist_ok=True)
