"""A small Pulumi project of its own on the running platform: its stack, its namespace, its custom kind."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import yaml

from sandbox.environment import pulumi_backend
from sandbox.pulumi.install import install

__all__ = ["PASSWORD", "Project"]

PASSWORD = "correct-horse-battery-staple"

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

settings = pulumi.Config()
name, rate, many = settings.require("name"), settings.require_int("rate"), settings.require_int("many")
password = settings.require_secret("password")
group = f"{name}.example.org"

cluster = k8s.Provider(
    "cluster",
    cluster_identifier=name,
    enable_server_side_apply=True,
    enable_patch_force=True,
    upsert_existing_objects=True,
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)


def options(**more):
    return pulumi.ResourceOptions(provider=cluster, **more)


spec = {"type": "object", "properties": {"rate": {"type": "integer", "minimum": 1}}}
plans = k8s.apiextensions.v1.CustomResourceDefinition(
    "plans",
    metadata={"name": f"plans.{group}"},
    spec={
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": "Plan", "plural": "plans"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }
        ],
    },
    opts=options(),
)
space = k8s.core.v1.Namespace("space", metadata={"name": name}, opts=options())
place = space.metadata["name"]
k8s.apiextensions.CustomResource(
    "gold",
    api_version=f"{group}/v1",
    kind="Plan",
    metadata={"name": "gold", "namespace": place},
    spec={"rate": rate},
    opts=options(depends_on=[plans]),
)
k8s.core.v1.Secret(
    "key", metadata={"name": "key", "namespace": place}, string_data={"password": password}, opts=options()
)
k8s.helm.v4.Chart("greeting", chart="./chart", namespace=place, values={"password": password}, opts=options())
k8s.yaml.v2.ConfigGroup(
    "many",
    objs=[
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{number}", "namespace": place}}
        for number in range(many)
    ]
    + [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "leaf", "namespace": place},
            "data": {"password": password},
        }
    ],
    opts=options(),
)
"""

TEMPLATE = """
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  password: {{ .Values.password | quote }}
"""


class Project:
    """One project with one stack; everything of it lies in one folder."""

    def __init__(self, folder: Path, *, many: int = 0) -> None:
        self.name = f"stand-in-{uuid.uuid4().hex[:8]}"
        self.kind = f"plans.{self.name}.example.org"
        self.folder = folder
        self.environment = os.environ | {
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": pulumi_backend(folder / "state"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
        }
        self._write()
        self.run("stack", "init", "test")
        self.run("config", "set", "--secret", "password", PASSWORD)
        self.configure(name=self.name, rate=10, many=many)

    def _write(self) -> None:
        (self.folder / "state").mkdir()
        (self.folder / "passphrase").write_text("made up for this test")
        templates = self.folder / "chart" / "templates"
        templates.mkdir(parents=True)
        (templates / "secret.yaml").write_text(TEMPLATE)
        (self.folder / "chart" / "Chart.yaml").write_text("{apiVersion: v2, name: greeting, version: 0.1.0}")
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "stand-in", "runtime": runtime}))
        (self.folder / "__main__.py").write_text(PROGRAM)
        install(self.folder / "home")

    @property
    def files(self) -> list[Path]:
        """All files of the state, history and backups included."""
        return [path for path in (self.folder / "state").rglob("*") if path.is_file()]

    def configure(self, **settings: object) -> None:
        """Change the stack's settings."""
        self.run("config", "set-all", *(part for k, v in settings.items() for part in ("--plaintext", f"{k}={v}")))

    def command(self, *arguments: str) -> list[str]:
        """The command line of the CLI."""
        return ["pulumi", "-C", str(self.folder), "--non-interactive", "--color", "never", *arguments]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI to its end."""
        done = subprocess.run(  # noqa: PLW1510 - judged below, with its words
            self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=120
        )
        if check and done.returncode:
            raise AssertionError(f"pulumi {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done

    def up(self, *arguments: str) -> str:
        """Run `pulumi up`; what it said."""
        return self.run("up", "--yes", "--skip-preview", *arguments).stdout
