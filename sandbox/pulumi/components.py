"""Charts and manifests: one registration of the program becomes many objects.

Each object is registered with the engine, which then has it created by this same process. The registrations wait in
threads of asyncio's default pool, so the work on the cluster must have a pool of its own, or both wait for ever.
"""

import glob
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import pulumi
from pulumi.provider import ConstructResult, Provider
from typing_extensions import override

from sandbox.pulumi import charts
from sandbox.pulumi.manifests import Manifest, crd_scopes, needs, parse
from sandbox.pulumi.names import child_name, group_of, token_of
from sandbox.pulumi.rest import Cluster, NotServed

__all__ = ["VERSION", "Components"]

VERSION: Final = "4.34.2"
"""Of the official provider that we stand in for, and of its SDK."""

CHART: Final = "kubernetes:helm.sh/v4:Chart"
CONFIG_FILE: Final = "kubernetes:yaml/v2:ConfigFile"
CONFIG_GROUP: Final = "kubernetes:yaml/v2:ConfigGroup"

IDENTITY: Final = ("apiVersion", "kind", "metadata")
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
KEEP: Final = "helm.sh/resource-policy"

T = TypeVar("T")
Arguments: TypeAlias = Mapping[str, Any]
InWorker: TypeAlias = Callable[[Callable[[], T]], Awaitable[T]]


class Components(Provider):
    """The components of the Kubernetes package that the stand-in knows."""

    def __init__(self, cluster: Callable[[], Cluster], in_worker: InWorker[list[Manifest]]) -> None:
        super().__init__(VERSION)
        self._cluster = cluster
        self._in_worker = in_worker

    @override
    def construct(
        self, name: str, resource_type: str, inputs: Arguments, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """The component with all its objects registered."""
        objects = self._objects(name, resource_type, inputs)
        bundle = Bundle(resource_type, name, options, inputs=inputs, objects=objects, locate=self._locate)
        return ConstructResult(urn=bundle.urn, state={"resources": bundle.resources})

    def _objects(self, name: str, resource_type: str, inputs: Arguments) -> pulumi.Output[list[Manifest]]:
        if resource_type == CHART:
            return pulumi.Output.from_input(dict(inputs)).apply(lambda known: self._chart(name, known))
        if resource_type == CONFIG_FILE:
            return pulumi.Output.from_input(inputs["file"]).apply(lambda file: _read([file]))
        if resource_type == CONFIG_GROUP:
            return _group(inputs)
        raise pulumi.RunError(f"the stand-in provider has no component {resource_type}")

    async def _chart(self, name: str, arguments: Arguments) -> list[Manifest]:
        release = arguments.get("name") or name

        def render() -> list[Manifest]:
            rendered = charts.render(release, arguments, self._cluster())
            return [_in_namespace(obj, arguments.get("namespace")) for obj in rendered]

        return await self._in_worker(render)

    async def _locate(self, objects: Sequence[Manifest]) -> list[Manifest]:
        """The objects with the default namespace where they need one and have none."""
        defined_here = crd_scopes(objects)

        def is_namespaced(obj: Manifest) -> bool:
            try:
                return self._cluster().find(obj["apiVersion"], obj["kind"]).namespaced
            except NotServed:
                return defined_here.get((group_of(obj["apiVersion"]), obj["kind"]), True)

        def locate() -> list[Manifest]:
            return [
                _in_namespace(
                    obj, self._cluster().namespace if is_namespaced(obj) else None, replace=not is_namespaced(obj)
                )
                for obj in objects
            ]

        return await self._in_worker(locate)


def _in_namespace(obj: Manifest, namespace: str | None, *, replace: bool = False) -> Manifest:
    metadata = {key: value for key, value in obj["metadata"].items() if not (replace and key == "namespace")}
    return obj | {"metadata": ({"namespace": namespace} if namespace else {}) | metadata}


def _group(inputs: Arguments) -> pulumi.Output[list[Manifest]]:
    """The objects of all three sources."""
    texts = pulumi.Output.all(inputs.get("yaml"), inputs.get("files")).apply(
        lambda known: parse(known[0] or "") + _read(known[1] or [])
    )
    given = inputs.get("objs") or []
    identities = given if isinstance(given, pulumi.Output) else pulumi.Output.all(*map(_identity, given))

    async def assemble(known: list[Any]) -> list[Manifest]:
        parsed, identified = known
        sources = [texts] * len(parsed)
        sources += [given] * len(identified) if isinstance(given, pulumi.Output) else given
        return [await _whole(*pair) for pair in zip(sources, parsed + identified, strict=True)]

    return pulumi.Output.all(texts, identities).apply(assemble)


def _identity(obj: Any) -> Any:
    return {key: obj[key] for key in IDENTITY if key in obj} if isinstance(obj, dict) else obj


async def _whole(source: Any, known: Manifest) -> Manifest:
    """The object with its identity known and the rest as it came: as outputs, so that secrets stay secrets."""
    if isinstance(source, dict):
        return source | known
    if not await source.is_secret():
        return known
    return {key: value if key in IDENTITY else pulumi.Output.secret(value) for key, value in known.items()}


def _read(patterns: Sequence[str]) -> list[Manifest]:
    objects: list[Manifest] = []
    for pattern in patterns:
        if "://" in pattern:
            raise pulumi.RunError(f"the stand-in provider reads local files only, not {pattern}")
        files = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # relative or absolute, as it comes
        if not files:
            raise pulumi.RunError(f"no file {pattern}")
        for file in files:
            objects += parse(Path(file).read_text(encoding="utf-8"))
    return objects


class Bundle(pulumi.ComponentResource):
    """A component whose children are Kubernetes objects, made in the order in which they need each other."""

    resources: pulumi.Output[Any]

    def __init__(
        self,
        token: str,
        name: str,
        options: pulumi.ResourceOptions | None,
        *,
        inputs: Arguments,
        objects: pulumi.Output[list[Manifest]],
        locate: Callable[[Sequence[Manifest]], Awaitable[list[Manifest]]],
    ) -> None:
        super().__init__(token, name, None, options)
        self._locate = locate
        wishes = pulumi.Output.all(inputs.get("resourcePrefix"), inputs.get("skipAwait"))

        def place(manifests: list[Manifest]) -> pulumi.Output[list[pulumi.Resource]]:
            return wishes.apply(
                lambda known: self._place(manifests, prefix=known[0] or name, skip_await=bool(known[1]))
            )

        self.resources = pulumi.Output.unsecret(objects.apply(place))
        self.register_outputs({"resources": self.resources})

    async def _place(self, objects: Sequence[Manifest], *, prefix: str, skip_await: bool) -> list[pulumi.Resource]:
        located = await self._locate(objects)
        children: dict[int, pulumi.Resource] = {}

        def child(index: int) -> pulumi.Resource:
            if index not in children:
                first = [child(other) for other in needs(located[index], located) if other != index]
                children[index] = self._register(located[index], prefix, first, skip_await=skip_await)
            return children[index]

        return [child(index) for index in range(len(located))]

    def _register(
        self, obj: Manifest, prefix: str, first: Sequence[pulumi.Resource], *, skip_await: bool
    ) -> pulumi.Resource:
        metadata = obj["metadata"]
        annotations = metadata.get("annotations") or {}
        if skip_await:
            metadata = metadata | {"annotations": annotations | {SKIP_AWAIT: "true"}}
        options = pulumi.ResourceOptions(
            parent=self,
            depends_on=list(first),
            version=VERSION,
            retain_on_delete=annotations.get(KEEP) == "keep",
        )
        token = token_of(obj["apiVersion"], obj["kind"])
        return pulumi.CustomResource(token, child_name(prefix, metadata), obj | {"metadata": metadata}, options)
