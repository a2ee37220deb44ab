"""What a local Helm chart renders for this cluster: `helm template`, in an environment that leaves nothing behind."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import yaml

from sandbox.pulumi.manifests import Manifest, parse
from sandbox.pulumi.rest import Cluster
from sandbox.pulumi.values import whole_numbers

__all__ = ["render"]

UNSUPPORTED: Final = (
    "dependencyUpdate",
    "devel",
    "includeHooks",
    "keyring",
    "plainHttp",
    "postRenderer",
    "repositoryOpts",
    "verify",
)


def render(release: str, arguments: Mapping[str, Any], cluster: Cluster) -> list[Manifest]:
    """The objects of the chart, without its hooks. Charts that ask for capabilities get those of the cluster."""
    if unsupported := [name for name in UNSUPPORTED if arguments.get(name)]:
        raise pulumi.RunError(f"the stand-in provider renders local charts only, without {', '.join(unsupported)}")
    helm = shutil.which("helm")
    if helm is None:
        raise pulumi.RunError("helm is not on PATH; the stand-in provider renders charts with it")
    with tempfile.TemporaryDirectory(prefix="helm-") as home:
        return parse(_run([helm, *_arguments(release, arguments, cluster, home)], home, _values(arguments)))


def _arguments(release: str, arguments: Mapping[str, Any], cluster: Cluster, home: str) -> list[str]:
    version, served = cluster.capabilities()
    files: list[str] = []
    for index, asset in enumerate(arguments.get("valueYamlFiles") or []):
        path = os.path.join(home, f"values-{index}.yaml")  # noqa: PTH118  # goes to helm as text
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(_text(asset))
        files += ["--values", path]
    return [
        *("template", release, arguments["chart"]),
        *("--namespace", arguments.get("namespace") or cluster.namespace),
        *(["--version", arguments["version"]] if arguments.get("version") else []),
        *([] if arguments.get("skipCrds") else ["--include-crds"]),
        *("--no-hooks", "--kube-version", version, "--api-versions", ",".join(served)),
        *files,
        *("--values", "-"),
    ]


def _values(arguments: Mapping[str, Any]) -> str:
    return yaml.safe_dump(_resolved(whole_numbers(arguments.get("values") or {})))


def _resolved(value: Any) -> Any:
    """The values with assets replaced by their text."""
    if isinstance(value, pulumi.Asset):
        return _text(value)
    if isinstance(value, dict):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    return value


def _text(asset: Any) -> str:
    if isinstance(asset, pulumi.StringAsset):
        return str(asset.text)
    if isinstance(asset, pulumi.FileAsset):
        with open(asset.path, encoding="utf-8") as file:  # noqa: PTH123  # relative to the program, where we run
            return file.read()
    raise pulumi.RunError("the stand-in provider reads text and file assets only")


def _run(command: list[str], home: str, values: str) -> str:
    places = {f"HELM_{name}_HOME": home for name in ("CACHE", "CONFIG", "DATA")}
    result = subprocess.run(command, input=values, env=os.environ | places, capture_output=True, text=True, check=False)
    if result.returncode:
        raise pulumi.RunError(result.stderr.strip())
    return result.stdout
