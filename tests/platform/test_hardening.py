"""Workloads of our charts where Pod Security is `restricted`, before the real API server. A warning is a failure."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from conecta_operator.api.objects import Manifest
from tests.support.changes import ABSENT, but
from tests.support.kubectl import get, kubectl

pytestmark = pytest.mark.usefixtures("platform")

CHART: Final = Path(__file__).parents[2] / "charts" / "conecta-operator"
HOME: Final = "conecta-system"
VALUES: Final = {
    "image": f"registry.example/conecta-operator@sha256:{'0' * 64}",
    "gateway": {"url": "https://apigateway.example.gov.br"},
    "issuer": {
        "url": "https://apigateway.example.gov.br",
        "publicUrl": "https://hydra-public.hydra.svc",
        "adminUrl": "https://hydra-admin.hydra.svc:4445",
        "caConfigMap": "kube-root-ca.crt",
    },
}
CONTROLLERS: Final = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}


def workloads() -> list[Manifest]:
    """Every object of the chart that makes pods."""
    command = ["helm", "template", "any-name", str(CHART), "--namespace", HOME, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(VALUES), capture_output=True, text=True, check=True, timeout=60)
    return [each for each in yaml.safe_load_all(done.stdout) if each["kind"] in CONTROLLERS]


def pod_of(workload: Manifest) -> Manifest:
    template: dict[str, Any] = workload["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"name": "trial", "namespace": HOME}}


def judged(manifest: Manifest) -> str:
    """What the API server has against it; empty when nothing, not even a warning."""
    return kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest), check=False).stderr


@pytest.mark.parametrize("namespace", [HOME, "conecta-gateway", "receita", "saude"])
def test_only_restricted_pods_run_in_the_namespaces_of_the_platform_and_of_agencies(namespace: str) -> None:
    labels = get("namespace", "", namespace)["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "latest"


def test_every_workload_and_its_pods_are_let_in_without_a_warning() -> None:
    found = workloads()
    assert [each["metadata"]["name"] for each in found] == ["conecta-operator"]
    for workload in found:
        assert judged(workload) == ""
        assert judged(pod_of(workload)) == ""


@pytest.mark.parametrize(
    "path",
    [
        "spec.securityContext.runAsNonRoot",
        "spec.securityContext.seccompProfile",
        "spec.containers.0.securityContext.allowPrivilegeEscalation",
        "spec.containers.0.securityContext.capabilities",
    ],
)
def test_a_pod_that_lacks_one_precaution_is_refused(path: str) -> None:
    """So each of them is there for a reason, and the test above can fail."""
    [workload] = workloads()
    assert "violates PodSecurity" in judged(but(pod_of(workload), {path: ABSENT}))
    assert "would violate PodSecurity" in judged(but(workload, {f"spec.template.{path}": ABSENT}))


def test_containers_write_nothing_to_their_image_and_are_named_by_digest() -> None:
    for workload in workloads():
        for container in pod_of(workload)["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "@sha256:" in container["image"]
