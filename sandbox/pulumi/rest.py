"""The Kubernetes API as the stand-in needs it: discovery, server-side apply, get, delete, over plain HTTPS.

The Kubernetes client does what differs from cluster to cluster (kubeconfig, TLS, tokens); its models would only be in
the way: we pass on what the program wrote.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigLoader, KubeConfigMerger

from sandbox.pulumi.settings import Settings

__all__ = [
    "CONNECTIONS",
    "ApiError",
    "Cluster",
    "ClusterError",
    "Endpoint",
    "NotServed",
    "Unreachable",
    "active_cluster",
]

Manifest: TypeAlias = dict[str, Any]

CONNECTIONS: Final = 128
"""As many as there may be threads that use them: what waits must never keep others from working."""
TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
RETRIES: Final = urllib3.Retry(
    total=4,
    redirect=0,
    status_forcelist=(429, 503),
    allowed_methods=None,  # all that we send may be sent twice
    backoff_factor=0.2,
    raise_on_status=False,
)
AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class ClusterError(Exception):
    """Root of what goes wrong with the cluster; the text is for the person at the CLI."""


class Unreachable(ClusterError):
    """There is no cluster where the settings say."""


class NotServed(ClusterError):
    """The API server does not know the kind (yet)."""


class ApiError(ClusterError):
    """The API server refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Endpoint:
    """Where objects of one kind live."""

    base: str
    plural: str
    namespaced: bool

    def path(self, metadata: Mapping[str, Any]) -> str:
        """The path of one object."""
        parts = ["namespaces", metadata["namespace"]] if self.namespaced else []
        return "/".join([self.base, *parts, self.plural, metadata["name"]])


class Cluster:
    """One API server, spoken to as the settings say. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        loader = _loader(settings)
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS
        loader.load_and_set(configuration)
        self.namespace: str = settings.namespace or loader.current_context["context"].get("namespace") or "default"
        self._host = str(configuration.host)
        self._client = ApiClient(configuration)
        self._known: dict[tuple[str, str], Endpoint] = {}

    def find(self, api_version: str, kind: str) -> Endpoint:
        """Where the kind lives. What is missing is asked for anew each time: its definition may have just arrived."""
        if (api_version, kind) not in self._known:
            self._discover(api_version)
        try:
            return self._known[api_version, kind]
        except KeyError:
            raise NotServed(f"the API server does not serve {kind} of {api_version}") from None

    def _discover(self, api_version: str) -> None:
        base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self.request("GET", base)["resources"]
        except ApiError as error:
            if error.status != 404:  # noqa: PLR2004
                raise
            return
        for entry in listed:
            if "/" not in entry["name"]:
                self._known[api_version, entry["kind"]] = Endpoint(base, entry["name"], entry["namespaced"])

    def apply(self, obj: Manifest, *, manager: str, force: bool, dry_run: bool) -> Manifest:
        """The object as it is after server-side apply."""
        query = {"fieldManager": manager, "force": json.dumps(force), "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        path = self.find(obj["apiVersion"], obj["kind"]).path(obj["metadata"])
        return self.request("PATCH", f"{path}?{urlencode(query)}", obj, "application/apply-patch+yaml")

    def get(self, api_version: str, kind: str, metadata: Mapping[str, Any]) -> Manifest | None:
        """The object, or None when it, its namespace or its kind is not there."""
        try:
            return self.request("GET", self.find(api_version, kind).path(metadata))
        except NotServed:
            return None
        except ApiError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            raise

    def delete(self, obj: Manifest, *, propagation: str) -> None:
        """Ask for the deletion of exactly this object, not of one that took its name since."""
        options = {"propagationPolicy": propagation, "preconditions": {"uid": obj["metadata"]["uid"]}}
        path = self.find(obj["apiVersion"], obj["kind"]).path(obj["metadata"])
        try:
            self.request("DELETE", path, options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def capabilities(self) -> tuple[str, list[str]]:
        """The version of the API server, and all it serves (`apps/v1`, `apps/v1/Deployment`): what helm asks for."""
        served: list[str] = []
        for root in ("/api", "/apis"):
            for group in self.request("GET", root, accept=AGGREGATED)["items"]:
                name = group["metadata"].get("name")
                for version in group.get("versions", []):
                    api_version = f"{name}/{version['version']}" if name else version["version"]
                    served.append(api_version)
                    served += [f"{api_version}/{entry['responseKind']['kind']}" for entry in version["resources"]]
        return self.request("GET", "/version")["gitVersion"], served

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Manifest:
        """The answer of the API server; its refusal as an ApiError."""
        headers = {"Accept": accept, "Content-Type": content_type}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            answer = self._client.rest_client.pool_manager.request(
                method,
                self._host + path,
                headers=headers,
                body=None if body is None else json.dumps(body),
                timeout=TIMEOUT,
                retries=RETRIES,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"the Kubernetes cluster at {self._host} is unreachable: {error}") from error
        return _content(answer.status, answer.data)


def _content(status: int, data: bytes) -> Manifest:
    try:
        content: Manifest = json.loads(data)
    except ValueError:
        content = {"message": data.decode(errors="replace").strip()}
    if status >= 400:  # noqa: PLR2004
        raise ApiError(status, content.get("message") or f"HTTP status {status}")
    return content


def active_cluster(settings: Settings) -> Any:
    """The kubeconfig's entry of the cluster that the settings choose, or None when it can't be read."""
    try:
        loader = _loader(settings)
        name = loader.current_context["context"]["cluster"]
        return loader._config["clusters"].get_with_name(name)["cluster"].value  # noqa: SLF001  # no public way
    except (Unreachable, ConfigException):
        return None


def _loader(settings: Settings) -> Any:
    """Both ways to name a kubeconfig: its content, or the path of a file (or several, as in $KUBECONFIG)."""
    try:
        return KubeConfigLoader(_kubeconfig(settings.kubeconfig), active_context=settings.context)
    except (ConfigException, OSError, yaml.YAMLError) as error:
        raise Unreachable(f"no usable kubeconfig: {error}") from error


def _kubeconfig(given: str | None) -> Any:
    if given and isinstance(content := yaml.safe_load(given), dict):
        return content
    merged = KubeConfigMerger(str(Path(given).expanduser()) if given else KUBE_CONFIG_DEFAULT_LOCATION).config
    if merged is None:
        raise ConfigException("the file does not exist or is empty")
    return merged
