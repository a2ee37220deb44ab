"""The stand-in Kubernetes provider, as Pulumi's engine speaks to it (gRPC). For sandboxes only.

It stands in for the official `pulumi-resource-kubernetes` on machines that can't download it. It knows server-side
apply, Helm charts from local folders, and manifests. It does not know render mode, Patch resources, Helm releases,
functions, and files or charts from elsewhere: it refuses them by name.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
import pulumi
from google.protobuf import empty_pb2
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from typing_extensions import override

from sandbox.pulumi.components import VERSION, Components
from sandbox.pulumi.diff import Verdict
from sandbox.pulumi.lifecycle import Halfway, Lifecycle
from sandbox.pulumi.lifeline import when_orphaned
from sandbox.pulumi.rest import CONNECTIONS, Cluster, ClusterError, active_cluster
from sandbox.pulumi.settings import Settings, problems
from sandbox.pulumi.values import from_struct, redact, to_struct

__all__ = ["StandIn", "main"]

T = TypeVar("T")

REGISTRATIONS: Final = 64
"""How many children of components may wait at the same time to be made."""

NO_LIMIT: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class StandIn(ProviderServicer):
    """One provider resource of a stack: one process, one cluster."""

    def __init__(self, engine: str) -> None:
        super().__init__(Components(self._connect, self._construct_in_worker), [], engine)
        self._workers = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="cluster")
        self._cancelled = threading.Event()
        self._connecting = threading.Lock()
        self._settings = Settings()
        self._cluster: Cluster | None = None
        self._lifecycle = Lifecycle(self._settings, self._connect, self._cancelled)

    def cancel(self) -> None:
        """End all waiting."""
        self._cancelled.set()

    def _connect(self) -> Cluster:
        """The cluster, once somebody needs it: a provider may be configured before its cluster is there."""
        with self._connecting:
            if self._cluster is None:
                self._cluster = Cluster(self._settings)
            return self._cluster

    async def _in_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    async def _construct_in_worker(self, work: Callable[[], T]) -> T:
        try:
            return await self._in_worker(work)
        except ClusterError as error:
            raise pulumi.RunError(str(error)) from error

    async def _answer(self, context: Any, inputs: Mapping[str, Any], work: Callable[[], T]) -> T:
        """What the work yields; what goes wrong is told to the engine, without secrets."""
        try:
            return await self._in_worker(work)
        except Halfway as halfway:
            context.set_trailing_metadata((("grpc-status-details-bin", _details(halfway, inputs)),))
            await context.abort(grpc.StatusCode.UNKNOWN, redact(str(halfway), inputs))
        except ClusterError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, redact(str(error), inputs))
        raise AssertionError("unreachable: abort raises")

    @override
    async def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    @override
    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    @override
    async def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "kubernetes", "version": "{VERSION}"}}')

    @override
    async def CheckConfig(self, request: Any, context: Any) -> Any:
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in problems(from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @override
    async def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = from_struct(request.old_inputs or request.olds), from_struct(request.news)
        before, after = Settings.of(old), Settings.of(new)
        if before.cluster_identifier or after.cluster_identifier:
            is_other_cluster = before.cluster_identifier != after.cluster_identifier
        else:
            is_other_cluster = active_cluster(before) != active_cluster(after)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=changed if is_other_cluster else [],
        )

    @override
    async def Configure(self, request: Any, context: Any) -> Any:
        self._settings = Settings.of(dict(request.variables) | from_struct(request.args))
        self._lifecycle = Lifecycle(self._settings, self._connect, self._cancelled)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, acceptResources=True, acceptOutputs=True, supportsPreview=True
        )

    @override
    async def Invoke(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the stand-in provider has no function {request.tok}")

    @override
    async def Check(self, request: Any, context: Any) -> Any:
        olds, news = from_struct(request.olds), from_struct(request.news)

        def work() -> dict[str, Any]:
            return self._lifecycle.check(request.type, request.name, olds, news, request.randomSeed)

        return provider_pb2.CheckResponse(inputs=to_struct(await self._answer(context, news, work)))

    @override
    async def Diff(self, request: Any, context: Any) -> Any:
        olds, news = from_struct(request.olds), from_struct(request.news)
        return _diff_response(self._lifecycle.diff(request.urn, olds, news))

    @override
    async def Create(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.properties)
        state = await self._answer(
            context,
            inputs,
            lambda: self._lifecycle.create(request.urn, inputs, timeout=request.timeout, preview=request.preview),
        )
        return provider_pb2.CreateResponse(id="" if request.preview else state.id, properties=to_struct(state.outputs))

    @override
    async def Read(self, request: Any, context: Any) -> Any:
        olds, inputs = from_struct(request.properties), from_struct(request.inputs)
        state = await self._answer(
            context, inputs, lambda: self._lifecycle.read(request.id, request.type, olds, inputs)
        )
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=state.id, properties=to_struct(state.outputs), inputs=to_struct(state.inputs)
        )

    @override
    async def Update(self, request: Any, context: Any) -> Any:
        olds, inputs = from_struct(request.olds), from_struct(request.news)
        state = await self._answer(
            context,
            inputs,
            lambda: self._lifecycle.update(olds, inputs, timeout=request.timeout, preview=request.preview),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(state.outputs))

    @override
    async def Delete(self, request: Any, context: Any) -> Any:
        olds = from_struct(request.properties)
        await self._answer(context, olds, lambda: self._lifecycle.delete(olds, timeout=request.timeout))
        return empty_pb2.Empty()

    @override
    async def Construct(self, request: Any, context: Any) -> Any:
        try:
            return await super().Construct(request, context)
        except pulumi.RunError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))

    @override
    async def Cancel(self, request: Any, context: Any) -> Any:
        self.cancel()
        return empty_pb2.Empty()


def _diff_response(verdict: Verdict) -> provider_pb2.DiffResponse:
    detailed = {
        str(change): provider_pb2.PropertyDiff(kind=change.kind + change.replaces, inputDiff=True)  # type: ignore[arg-type]
        for change in verdict.changes
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({str(change.path[0]) for change in verdict.changes}),
        replaces=[str(change) for change in verdict.replaces],
        deleteBeforeReplace=verdict.deletes_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _details(halfway: Halfway, inputs: Mapping[str, Any]) -> bytes:
    """The half-done object as Pulumi takes it from an error's metadata."""
    failure = provider_pb2.ErrorResourceInitFailed(
        id=halfway.state.id,
        properties=to_struct(halfway.state.outputs),
        inputs=to_struct(halfway.state.inputs),
        reasons=[redact(reason, inputs) for reason in halfway.reasons],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=redact(str(halfway), inputs))
    status.details.add().Pack(failure)
    return status.SerializeToString()


async def _serve(engine: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(REGISTRATIONS))
    stand_in = StandIn(engine)
    server = grpc.aio.server(options=NO_LIMIT)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(stand_in, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    when_orphaned(partial(loop.call_soon_threadsafe, stopped.set))
    print(port, flush=True)  # noqa: T201  # how Pulumi learns where we are
    await stopped.wait()
    stand_in.cancel()
    await server.stop(grace=1)


def main() -> None:
    """Serve until the CLI that started us says stop, or is gone."""
    parser = argparse.ArgumentParser(prog="pulumi-resource-kubernetes (stand-in for sandboxes)", description=__doc__)
    parser.add_argument("engine", help="address of Pulumi's engine")
    arguments, _ = parser.parse_known_args()
    asyncio.run(_serve(arguments.engine))
    sys.stdout.flush()
    os._exit(0)  # threads that still wait for an answer of the cluster must not keep us
