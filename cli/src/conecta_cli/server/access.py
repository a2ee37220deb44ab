"""Which API server, as whom, and in which namespace: from the kubeconfig, as kubectl reads it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import load_incluster_config
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigLoader, KubeConfigMerger

from conecta_cli.errors import Unreachable

__all__ = ["Access", "Impersonation", "access"]

_POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True)
class Impersonation:
    """Whom the API server is asked to take us for, with our right to impersonate."""

    user: str
    uid: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """As the Kubernetes API wants it: one header for each group."""
        uid = (("Impersonate-Uid", self.uid),) if self.uid else ()
        return (("Impersonate-User", self.user), *uid, *(("Impersonate-Group", group) for group in self.groups))


@dataclass(frozen=True)
class Access:
    """How to connect. `namespaces`: those of all contexts with the same cluster and user, the active one's first."""

    configuration: Configuration
    namespaces: tuple[str, ...]
    impersonation: Impersonation | None


def access(kubeconfig: str | None, context: str | None, impersonation: Impersonation | None) -> Access:
    """What the kubeconfig says; without one, the service account of the pod that we run in. Raises Unreachable."""
    paths = kubeconfig or os.environ.get("KUBECONFIG") or KUBE_CONFIG_DEFAULT_LOCATION
    if kubeconfig is not None and not Path(kubeconfig).expanduser().is_file():
        raise Unreachable(f"there is no kubeconfig {kubeconfig}")
    try:
        merged = KubeConfigMerger(paths).config
        if merged is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            return _in_pod(impersonation)
        if merged is None:
            raise Unreachable(f"there is no kubeconfig {paths}: set KUBECONFIG, or use --kubeconfig")
        loader = KubeConfigLoader(config_dict=merged, active_context=context, config_base_path=None)
        configuration = _configuration()
        loader.load_and_set(configuration)
        return Access(configuration, _namespaces(loader), impersonation or _configured(merged, loader))
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Unreachable(f"the kubeconfig is of no use: {' '.join(str(error).split())}") from None


def _configuration() -> Configuration:
    configuration = Configuration()
    configuration.retries = False
    return configuration


def _in_pod(impersonation: Impersonation | None) -> Access:
    configuration = _configuration()
    load_incluster_config(client_configuration=configuration)
    namespace = _POD_NAMESPACE.read_text(encoding="utf-8").strip() if _POD_NAMESPACE.exists() else _DEFAULT_NAMESPACE
    return Access(configuration, (namespace,), impersonation)


def _namespaces(loader: KubeConfigLoader) -> tuple[str, ...]:
    def identity(context: dict[str, Any]) -> tuple[Any, Any]:
        return context.get("cluster"), context.get("user")

    active = loader.current_context["context"]
    alike: Sequence[dict[str, Any]] = [active, *(entry["context"] for entry in loader.list_contexts())]
    named = [entry.get("namespace") or _DEFAULT_NAMESPACE for entry in alike if identity(entry) == identity(active)]
    return tuple(dict.fromkeys(named))


def _configured(merged: Any, loader: KubeConfigLoader) -> Impersonation | None:
    """What the user's entry says (`as`, `as-uid`, `as-groups`): to ignore it would be to act with more rights."""
    name = loader.current_context["context"].get("user")
    entry = merged["users"].get_with_name(name, safe=True) if name and merged.safe_get("users") else None
    user = (entry.value.get("user") or {}) if entry else {}
    if not user.get("as"):
        return None
    return Impersonation(user["as"], user.get("as-uid"), tuple(user.get("as-groups") or ()))
