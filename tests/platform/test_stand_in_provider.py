"""The stand-in provider and the language host, under the real CLI and on the real API server."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.layout import Layout
from tests.support.kubectl import eventually, find, get, kubectl
from tests.support.stand_in import PASSWORD, Project

ENCODED = base64.b64encode(PASSWORD.encode()).decode()


@pytest.fixture(scope="module")
def project(platform: Layout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose objects have been made by one `up` on a cluster that knew nothing of them."""
    assert platform.kubeconfig.exists()
    made = Project(tmp_path_factory.mktemp("project"))
    try:
        made.up()
        yield made
    finally:
        kubectl("delete", "namespace", made.name, "--wait=false", "--ignore-not-found")
        kubectl("delete", "customresourcedefinition", made.kind, "--wait=false", "--ignore-not-found")


def test_definition_resource_namespace_and_chart_are_made_in_one_run(project: Project) -> None:
    assert get(project.kind, project.name, "gold")["spec"] == {"rate": 10}
    assert get("secret", project.name, "key")["data"] == {"password": ENCODED}
    assert get("secret", project.name, "greeting")["data"] == {"password": ENCODED}


def test_a_second_up_changes_nothing_and_warns_of_nothing(project: Project) -> None:
    said = project.up("--expect-no-changes")

    assert "warning" not in said


def test_a_secret_is_nowhere_in_state_or_previews_in_clear(project: Project) -> None:
    texts = [path.read_text() for path in project.files]
    texts.append(project.run("preview", "--json", "--refresh").stdout)

    assert any("ciphertext" in text for text in texts)
    assert not any(clear in text for text in texts for clear in (PASSWORD, ENCODED))


def test_drift_is_shown_by_a_refreshing_preview_and_repaired_by_a_refreshing_up(project: Project) -> None:
    kubectl("patch", project.kind, "gold", "-n", project.name, "--type=merge", "-p", '{"spec":{"rate":99}}')
    kubectl("patch", "secret", "key", "-n", project.name, "--type=merge", "-p", '{"data":{"password":"eA=="}}')
    kubectl("delete", "secret", "greeting", "-n", project.name)

    steps = json.loads(project.run("preview", "--json", "--refresh").stdout)["steps"]
    changes = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in steps if step["op"] not in {"same", "refresh"}}
    assert changes == {"gold": "update", "key": "update", f"greeting:{project.name}/greeting": "create"}

    project.up("--refresh")
    test_definition_resource_namespace_and_chart_are_made_in_one_run(project)


def test_a_preview_shows_what_the_api_server_would_refuse_with_its_field(project: Project) -> None:
    project.configure(rate=-1)
    try:
        refused = project.run("preview", check=False)
    finally:
        project.configure(rate=10)

    assert refused.returncode
    assert "spec.rate: Invalid value: -1" in refused.stdout + refused.stderr


def test_a_killed_cli_leaves_no_process_and_the_next_up_makes_up_for_it(project: Project) -> None:
    project.configure(many=25)
    cli = subprocess.Popen(
        project.command("up", "--yes", "--skip-preview"),
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: find("configmap", project.name, "m0"), seconds=30)
    plugins = psutil.Process(cli.pid).children(recursive=True)
    cli.kill()
    cli.wait()
    _, alive = psutil.wait_procs(plugins, timeout=10)
    assert plugins
    assert alive == []

    project.run("cancel", "--yes")
    project.up()
    names = kubectl("get", "configmaps", "-n", project.name, "-o", "name").stdout.split()
    assert {f"configmap/m{number}" for number in range(25)} <= set(names)


@pytest.mark.usefixtures("platform")
def test_destroy_ends_when_the_namespace_and_all_in_it_are_gone(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.up()
    project.run("destroy", "--yes", "--skip-preview")

    assert find("namespace", "", project.name) is None
    assert find("customresourcedefinition", "", project.kind) is None
    assert json.loads(project.run("stack", "export").stdout)["deployment"].get("resources", []) == []
