"""The running platform's objects, through kubectl, as users have it."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import yaml

from conecta_operator.api.objects import Manifest

__all__ = ["agency_namespace", "apply", "condition", "eventually", "find", "get", "kubectl", "wait_ready"]

_RBAC: Final = "rbac.authorization.k8s.io"


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run kubectl against the platform (KUBECONFIG comes with the `platform` fixture)."""
    done = subprocess.run(  # noqa: PLW1510 - judged below, with its words
        ["kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=90
    )
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done


def apply(*manifests: Manifest) -> None:
    """Apply manifests as a GitOps pipeline does."""
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def find(kind: str, namespace: str, name: str) -> Manifest | None:
    """The object, or None when there is none."""
    where = ["-n", namespace] if namespace else []
    done = kubectl("get", kind, name, *where, "-o", "json", "--ignore-not-found")
    return json.loads(done.stdout) if done.stdout.strip() else None


def get(kind: str, namespace: str, name: str) -> Manifest:
    """The object, which must exist."""
    found = find(kind, namespace, name)
    assert found is not None, f"no {kind} {namespace}/{name}"
    return found


def condition(manifest: Manifest, type_: str) -> dict[str, Any]:
    """One of the object's conditions; empty when it isn't stated."""
    return next((c for c in manifest.get("status", {}).get("conditions", []) if c["type"] == type_), {})


def eventually(check: Callable[[], object], seconds: float = 10) -> float:
    """Wait until the check holds; yields how long that took. The last failure is raised when time is over."""
    started = time.monotonic()
    while True:
        try:
            if check():
                return time.monotonic() - started
            failure: AssertionError = AssertionError(f"still not so after {seconds} s")
        except AssertionError as error:
            failure = error
        if time.monotonic() - started > seconds:
            raise failure
        time.sleep(0.1)


def wait_ready(kind: str, namespace: str, name: str, seconds: int = 20) -> None:
    """Wait as `kubectl wait --for=condition=Ready` does; what the object says is in the failure."""
    done = kubectl(
        "wait", "--for=condition=Ready", f"--timeout={seconds}s", "-n", namespace, f"{kind}/{name}", check=False
    )
    if done.returncode:
        raise AssertionError(f"{done.stderr}\n{yaml.safe_dump(get(kind, namespace, name).get('status'))}")


@contextmanager
def agency_namespace(slug: str) -> Iterator[str]:
    """A namespace of a new agency, as Pulumi makes it for the operator; gone afterwards."""
    name = f"{slug}-{uuid.uuid4().hex[:6]}"
    labels = {"conecta.gov.br/agency": name, "conecta.gov.br/cnpj": "00394460005887", "conecta.gov.br/siorg": "1929"}
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "conecta-operator", "namespace": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "conecta-operator-secrets"},
        "subjects": [{"kind": "ServiceAccount", "name": "conecta-operator", "namespace": "conecta-system"}],
    }
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}, binding)
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
