"""The sandbox itself: what it promises to whoever runs it."""

import http.client
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sandbox import ports
from sandbox.layout import Layout
from sandbox.ports import PORTS
from sandbox.probes import request, tls_context
from sandbox.processes import Processes
from sandbox.services import NAMES
from sandbox.steps import Report
from sandbox.up import up
from tests.support.kubectl import kubectl

pytestmark = pytest.mark.usefixtures("platform")


def listeners() -> set[tuple[str, int]]:
    return {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    }


def pids(layout: Layout) -> dict[str, int | None]:
    states = {name: Processes(layout).state(name) for name in NAMES}
    return {name: state.pid for name, state in states.items() if state and state.is_running}


def sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_only_what_cannot_be_told_to_listens_beyond_loopback() -> None:
    beyond = {port for address, port in listeners() if not address.startswith("127.")}
    assert beyond <= {18000, 18001, 18002, 8080, 9443, 19001}


def test_every_port_is_in_the_table() -> None:
    """The port check before the start would miss one that isn't."""
    assert {port for _, port in listeners()} == {port.number for port in PORTS if port.service in NAMES}


def test_status_shows_all_services_running() -> None:
    shown = sandbox("status")
    assert shown.returncode == 0, shown.stdout
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == list(NAMES)


def test_a_second_up_restarts_what_has_died_and_nothing_else(platform: Layout) -> None:
    before = pids(platform)
    victims = ("demo-backend", "envoy", "envoy-gateway")
    for victim in victims:
        pid = before[victim]
        assert pid
        os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
    dead = sandbox("status")
    assert dead.returncode == 1
    assert all(f"{victim} has died with exit code -9" in dead.stdout for victim in victims)
    said = io.StringIO()
    up(platform, Report(said))
    after = pids(platform)
    assert set(after) == set(NAMES)
    assert {name for name in NAMES if before[name] != after[name]} == set(victims)
    assert "2 calls answered 200" in said.getvalue()


def test_a_second_up_provisions_nothing_anew(platform: Layout) -> None:
    said = io.StringIO()
    up(platform, Report(said))
    (line,) = (line for line in said.getvalue().splitlines() if line.strip().startswith("pulumi up"))
    assert line.endswith(" unchanged")
    assert "created" not in line


def test_the_environment_file_serves_a_shell_however_often_it_is_sourced(platform: Layout) -> None:
    script = f". {platform.environment_file}; . {platform.environment_file}; env; kubectl config current-context"
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-euc", script], env=environment, capture_output=True, text=True, check=True)
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert shown["PATH"] == f"{platform.bin}:/usr/bin:/bin"
    assert shown["CONECTA_GATEWAY_URL"] == "https://localhost:10443"
    assert Path(shown["CONECTA_CA"]).read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE-----")
    assert done.stdout.splitlines()[-1] == "conecta-sandbox"


@pytest.mark.parametrize("certificate", ["admin", "gateway-infra", "etcd"])
def test_etcd_admits_nobody_but_the_api_server(platform: Layout, certificate: str) -> None:
    context = tls_context(platform.ca_file, (platform.certificate(certificate), platform.key(certificate)))
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        request("GET", ports.ETCD, "/health", tls=context)


@pytest.mark.parametrize(
    "port", [ports.ETCD, ports.APISERVER, ports.KCM, ports.HYDRA_PUBLIC, ports.HYDRA_ADMIN, ports.DEMO_BACKEND]
)
def test_services_speak_tls(port: int) -> None:
    """To a request in clear they say nothing, or that it is a bad one."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer or b" 400 " in answer or answer.startswith(b"\x15\x03")


def test_nobody_holds_a_credential_of_system_masters(platform: Layout) -> None:
    user = json.loads(kubectl("auth", "whoami", "-o", "json").stdout)["status"]["userInfo"]
    assert user["username"] == "platform-admin"
    assert "system:masters" not in user["groups"]
    assert not platform.service_kubeconfig("bootstrap").exists()


def test_the_operator_has_the_rights_of_its_chart_only(platform: Layout) -> None:
    operator = ("--kubeconfig", str(platform.service_kubeconfig("operator")))
    user = json.loads(kubectl(*operator, "auth", "whoami", "-o", "json").stdout)["status"]["userInfo"]
    assert user["username"] == "system:serviceaccount:conecta-system:conecta-operator"
    assert kubectl(*operator, "auth", "can-i", "update", "httproutes", "-A", check=False).stdout.strip() == "yes"
    for refused in (("create", "namespaces"), ("update", "clusterroles"), ("create", "pods", "-A"), ("*", "*", "-A")):
        assert kubectl(*operator, "auth", "can-i", *refused, check=False).stdout.strip() == "no", refused


def test_private_keys_are_for_their_owner_only(platform: Layout) -> None:
    files = [
        *platform.pki.glob("*.key"),
        platform.kubeconfig,
        *platform.kubeconfigs.iterdir(),
        platform.run / "hydra.yaml",
    ]
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert platform.state.stat().st_mode & 0o777 == 0o700


def test_the_api_server_keeps_an_audit_log_without_contents(platform: Layout) -> None:
    with platform.log("audit").open(encoding="utf-8") as lines:
        event = json.loads(next(lines))
    assert event["level"] == "Metadata"
    assert "requestObject" not in event


def test_the_machine_has_no_certs_folder() -> None:
    """Envoy Gateway reads /certs: in a root of its own."""
    assert not Path("/certs").exists()
