"""Carries out what a plan says, step by step.

A crash or an error between any two steps is harmless: plans are made so that the next reconcile finishes what is left.
"""

from collections.abc import Iterable
from typing import assert_never

from conecta_operator.api.objects import GROUP, Manifest, key_of
from conecta_operator.apply.cluster import Cluster
from conecta_operator.apply.issuer import Issuer
from conecta_operator.plan.plans import (
    AllowKeys,
    DeleteObject,
    DenyKeys,
    PutKey,
    RemoveKey,
    SetFinalizers,
    Step,
    WriteObject,
)
from conecta_operator.reconcile.denials import Denials

__all__ = ["Steps", "described"]


class Steps:
    """The hands. Raises what `Cluster` and `Issuer` raise, and then does none of the steps that are left."""

    def __init__(self, *, cluster: Cluster, issuer: Issuer) -> None:
        self._cluster = cluster
        self._issuer = issuer
        self._denials = Denials(cluster)

    async def carry_out(self, steps: Iterable[Step], subject: Manifest) -> Manifest:
        """Do all steps in order. Yields the subject of the plan as it is stored afterwards."""
        for step in steps:
            if isinstance(step, SetFinalizers):
                subject = await self._cluster.replace(_with_finalizers(subject, step.finalizers))
            else:
                await self.take(step)
        return subject

    async def take(self, step: WriteObject | DeleteObject | PutKey | RemoveKey | DenyKeys | AllowKeys) -> None:
        """Do one step that is not about the subject of a plan."""
        match step:
            case WriteObject(manifest, over=None):
                await self._cluster.create(manifest)
            case WriteObject(manifest):
                await self._cluster.replace(manifest)
            case DeleteObject(manifest):
                await self._cluster.delete(manifest)
            case PutKey(key, secret):
                await self._issuer.put(key, secret)
            case RemoveKey(client_id):
                await self._issuer.remove(client_id)
            case DenyKeys(api, until):
                await self._denials.add(api, until)
            case AllowKeys(api, client_ids):
                await self._denials.lift(api, client_ids)
            case _:
                assert_never(step)


def _with_finalizers(subject: Manifest, ours: tuple[str, ...]) -> Manifest:
    metadata = subject["metadata"]
    theirs = [finalizer for finalizer in metadata.get("finalizers") or [] if not finalizer.startswith(f"{GROUP}/")]
    return {**subject, "metadata": {**metadata, "finalizers": [*theirs, *ours]}}


def described(step: Step) -> str:
    """The step in a few words, for the log: names only."""
    match step:
        case SetFinalizers(finalizers):
            words = f"finalizers [{', '.join(finalizers)}]"
        case WriteObject(manifest, over):
            words = f"{'create' if over is None else 'replace'} {key_of(manifest)}"
        case DeleteObject(manifest):
            words = f"delete {key_of(manifest)}"
        case PutKey(key):
            words = f"put key {key.client_id}"
        case RemoveKey(client_id):
            words = f"remove key {client_id}"
        case DenyKeys(api, until):
            words = f"deny keys [{', '.join(sorted(until))}] at {key_of(api)}"
        case AllowKeys(api, client_ids):
            words = f"allow keys [{', '.join(sorted(client_ids))}] at {key_of(api)}"
        case _:
            assert_never(step)
    return words
