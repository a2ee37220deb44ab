"""`make up`: the whole platform, step by step, ending with a call that was granted."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from sandbox import counting, gateway_install, issuer, pulumi_stack
from sandbox.commands import CommandFailed, Commands
from sandbox.down import remove_if_empty, stop_in_order
from sandbox.environment import write_environment_file
from sandbox.errors import SandboxError, ServiceDied
from sandbox.gateway_install import ensure_certificates, ensure_definitions, ensure_rights
from sandbox.granted_call import CALLS, Call, curl, make_call
from sandbox.kubeconfigs import (
    bootstrap_kubeconfig,
    ensure_service_account_kubeconfig,
    write_certificate_kubeconfigs,
)
from sandbox.layout import Layout
from sandbox.locks import locked
from sandbox.pki import ensure_pki
from sandbox.ports import GATEWAY, PORTS, taken
from sandbox.private_root import check_possible
from sandbox.probes import Answer, responds
from sandbox.processes import Processes, Service, wait_until
from sandbox.programs import link_programs
from sandbox.pulumi.install import install as install_pulumi_parts
from sandbox.services import NAMES, ON_DEMAND, services, write_audit_policy
from sandbox.steps import Report, Step, run_steps
from sandbox.tools import Tools, ToolsError, ensure

__all__ = ["up"]

PLUGIN: Final = Path(sys.executable).with_name("kubectl-conecta")
"""What `kubectl conecta` runs; installed with the operator, beside the Python that we run on."""
ADMINISTRATORS: Final = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "conecta-platform-team"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "conecta:administrators"}],
}


def up(layout: Layout, report: Report) -> None:
    """Bring the sandbox up, or what of it is missing; if that fails, stop what was started and raise SandboxError."""
    started = time.monotonic()
    with locked(layout.state, lambda: report.say("another command works on this sandbox: waiting for it …")):
        processes = Processes(layout)
        try:
            _check_machine(processes)
        except SandboxError:
            remove_if_empty(layout)
            raise
        layout.create()
        report.say("conecta sandbox")
        tools = _tools(layout, report)
        run = _Run(layout, tools, processes, report)
        try:
            run_steps(run.steps(), report, run.watch)
        except BaseException as failure:
            run.clean_up(failure)
            raise
    report.say(f"  {'everything':<26}{time.monotonic() - started:6.1f} s")
    _farewell(report, run.answers)


class _Run:
    """One run of `make up`: its steps, what they started and what they found out."""

    def __init__(self, layout: Layout, tools: Tools, processes: Processes, report: Report) -> None:
        self._layout = layout
        self._tools = tools
        self._processes = processes
        self._report = report
        self._commands = Commands(layout)
        self._services = services(layout, tools.share / "remoteinfra" / "service.proto")
        self._started: list[str] = []
        self.answers: list[tuple[Call, Answer]] = []

    def steps(self) -> list[Step]:
        """Return what is to be done and what needs what; steps that need none of each other run at the same time."""
        return [
            Step("certificates", self._certificates),
            self._serving("etcd", "certificates"),
            self._serving("kube-apiserver", "etcd"),
            Step("administrator", self._administrator, ("kube-apiserver",)),
            self._serving("kube-controller-manager", "kube-apiserver"),
            Step("hydra's database", self._issuer_database, ("certificates",)),
            self._serving("hydra", "hydra's database"),
            Step("signing key", self._signing_key, ("hydra",)),
            self._serving("demo-backend", "certificates"),
            Step("pulumi's parts", self._pulumi_parts, ("certificates",)),
            Step("gateway's CRDs", self._gateway_definitions, ("administrator",)),
            Step("gateway's rights", self._gateway_rights, ("administrator",)),
            Step("gateway's certificates", self._gateway_certificates, ("gateway's rights",)),
            self._serving("gateway-infra", "gateway's rights"),
            self._serving("envoy-gateway", "gateway's CRDs", "gateway's certificates", "gateway-infra"),
            Step(
                "pulumi up",
                lambda: pulumi_stack.provision(self._layout, self._commands),
                ("pulumi's parts", "envoy-gateway", "kube-controller-manager"),
            ),
            Step("rates", self._rates, ("pulumi up",)),
            Step("gateway", self._gateway, ("pulumi up",)),
            Step("operator", self._operator, ("pulumi up", "signing key")),
            self._serving("quota-controller", "pulumi up"),
            Step("quotas", self._quotas, ("quota-controller",)),
            Step("agencies", self._agencies, ("quotas",)),
            Step("everything is Ready", self._ready, ("operator", "agencies", "gateway", "rates", "demo-backend")),
            Step("the granted call", self._granted_call, ("everything is Ready",)),
        ]

    def watch(self) -> None:
        """Fail if something that we started has died meanwhile."""
        self._processes.check(self._started)

    def clean_up(self, failure: BaseException) -> None:
        """Stop what this run has started; everything, if a service died: the others are no use without it."""
        names = (*NAMES, *ON_DEMAND) if isinstance(failure, ServiceDied) else self._started
        if stopped := stop_in_order(self._processes, names, grace=3):
            self._report.say(f"stopped: {', '.join(stopped)}")

    def _serving(self, name: str, *needs: str) -> Step:
        return Step(name, lambda: self._serve(self._services[name]), needs)

    def _serve(self, service: Service) -> str:
        is_new = self._processes.start(service)
        if is_new:
            self._started.append(service.name)
        self._processes.await_ready(service)
        return "" if is_new else "was running"

    def _certificates(self) -> str:
        issued = ensure_pki(self._layout)
        write_certificate_kubeconfigs(self._layout)
        write_audit_policy(self._layout)
        issuer.write_configuration(self._layout)
        gateway_install.write_configuration(self._layout)
        write_environment_file(self._layout)
        return f"{len(issued)} issued" if issued else ""

    def _administrator(self) -> str:
        if self._may_everything():
            return ""
        kubeconfig = bootstrap_kubeconfig(self._layout)
        try:
            self._commands.kubectl(
                "--kubeconfig", kubeconfig, "apply", "--server-side", "--filename=-",
                standard_input=json.dumps(ADMINISTRATORS),
            )  # fmt: skip
        finally:
            kubeconfig.unlink()
        wait_until(self._may_everything, 10, "the platform's administrator has no rights 10 s after they were given")
        return "bound to cluster-admin"

    def _may_everything(self) -> bool:
        try:
            self._commands.kubectl("auth", "can-i", "*", "*", "--all-namespaces")
        except CommandFailed:
            return False
        return True

    def _issuer_database(self) -> str:
        issuer.migrate(self._layout, self._commands)
        return ""

    def _signing_key(self) -> str:
        return "RSA-2048 put in" if issuer.ensure_signing_key(self._layout) else ""

    def _pulumi_parts(self) -> str:
        install_pulumi_parts(self._layout.pulumi_home)
        pulumi_stack.prepare(self._layout, self._commands)
        return ""

    def _gateway_definitions(self) -> str:
        return "applied" if ensure_definitions(self._layout, self._commands, self._chart) else "are there"

    def _gateway_rights(self) -> str:
        ensure_rights(self._commands, self._chart, self._layout.run)
        ensure_service_account_kubeconfig(
            self._layout, self._commands, "envoy-gateway", gateway_install.NAMESPACE, gateway_install.ACCOUNT
        )
        return ""

    def _gateway_certificates(self) -> str:
        ensure_certificates(self._layout, self._commands)
        return ""

    @property
    def _chart(self) -> Path:
        return self._tools.share / "gateway-helm"

    def _gateway(self) -> str:
        envoy = self._services["envoy"]
        wait_until(
            lambda: self._processes.state("envoy") is not None, 30,
            "Envoy Gateway has not asked for an Envoy within 30 s; see the logs of envoy-gateway and gateway-infra",
        )  # fmt: skip
        note = self._serve(envoy)
        answers = responds(GATEWAY, self._layout.ca_file)
        wait_until(answers, 30, f"nothing answers at port {GATEWAY}; see the logs of envoy and envoy-gateway")
        return note

    def _rates(self) -> str:
        if not counting.take_settings(self._layout, self._commands):
            self._processes.stop(reversed(ON_DEMAND))
            return "counted by Envoy"
        for name in ON_DEMAND:
            self._serve(self._services[name])
        return "counted by ratelimit and Redis"

    def _operator(self) -> str:
        is_new = ensure_service_account_kubeconfig(
            self._layout, self._commands, "operator", "conecta-system", "conecta-operator"
        )
        if is_new:
            self._processes.stop(["operator"])  # the token that it had is worth nothing any more
        return self._serve(self._services["operator"])

    def _quotas(self) -> str:
        """Wait until it is known how much of each quota is used: till then nothing is let in."""
        counted = r"--for=jsonpath={.status.used.count/conectagrants\.conecta\.gov\.br}"
        self._commands.kubectl("wait", counted, "--timeout=60s", "--all-namespaces", "--all", "resourcequotas")
        return ""

    def _agencies(self) -> str:
        lines = self._commands.kubectl("apply", *self._manifests_of_agencies).splitlines()
        changed = [line for line in lines if not line.endswith(" unchanged")]
        return f"{len(changed)} of {len(lines)} objects changed" if changed else ""

    @property
    def _manifests_of_agencies(self) -> tuple[str, ...]:
        return "--recursive", f"--filename={self._layout.repository / 'environments' / 'agencies'}"

    def _ready(self) -> str:
        try:
            self._commands.kubectl("wait", "--for=condition=Ready", "--timeout=60s", *self._manifests_of_agencies)
        except CommandFailed as error:
            seen = self._commands.kubectl("get", "conectaapis,conectagrants", "--all-namespaces", "--output=wide")
            raise SandboxError(f"not everything is Ready after 60 s; see the operator's log\n{seen}") from error
        return ""

    def _granted_call(self) -> str:
        self.answers = [(call, make_call(self._layout, self._commands, call)) for call in CALLS]
        return f"{len(self.answers)} calls answered 200"


def _check_machine(processes: Processes) -> None:
    """Fail, before anything is started, when something that a service needs can't be had."""
    ports = [port for port in PORTS if not processes.is_running(port.service)]
    if held := taken(ports):
        lines = "\n".join(f"  {port}" for port in held)
        raise SandboxError(f"these ports are in use:\n{lines}\nEnd what holds them, then try again.")
    if not processes.is_running("envoy-gateway"):
        with tempfile.TemporaryDirectory(prefix="conecta-") as mount_point:
            check_possible(Path(mount_point))


def _tools(layout: Layout, report: Report) -> Tools:
    started = time.monotonic()
    try:
        tools = ensure()
    except ToolsError as error:
        raise SandboxError(str(error)) from error
    link_programs([*tools.bin.iterdir(), PLUGIN], layout.bin)
    report.done("tools", time.monotonic() - started, "")
    return tools


def _farewell(report: Report, answers: list[tuple[Call, Answer]]) -> None:
    for call, answer in answers:
        report.say(
            f"\n{call.method} {call.path}: {answer.status}\n{json.dumps(answer.json(), ensure_ascii=False, indent=2)}"
        )
    report.say(f"""
To repeat a call:

. .sandbox/env
{curl(CALLS[0])}

What to try next:
  kubectl get conectaapis,conectagrants -A     what the two agencies have written, and how it is
  kubectl explain conectagrant.spec            what can be written
  pulumi preview --stack sandbox               what the platform team would change
  make status, make logs SERVICE=operator      how the services are
  make down                                    end everything, leave nothing""")
