"""What a receiver changes in its own grant: suspension, and the replacement of its key."""

from dataclasses import dataclass
from typing import Final

from conecta_cli.decisions.grants import keys, shown
from conecta_cli.errors import NotPossible
from conecta_operator.api.objects import Manifest

__all__ = ["Rotation", "is_replaced", "restoration", "rotation", "suspension"]

AT_ONCE: Final = "0s"


def suspension(grant: Manifest, *, suspended: bool) -> Manifest:
    """The patch of the grant; empty when it is so already."""
    if bool(grant["spec"].get("suspended")) == suspended:
        return {}
    return {"spec": {"suspended": suspended}}


@dataclass(frozen=True)
class Rotation:
    """The patch of the grant, the serial in it, the keys that are to be replaced, and what the overlap was before."""

    patch: Manifest
    serial: int
    replaced: frozenset[str]
    overlap: str | None


def rotation(grant: Manifest, *, now: bool) -> Rotation:
    """What has the key replaced. `now`: with no overlap, so that a key in wrong hands opens nothing from then on."""
    held = frozenset(key["clientId"] for key in keys(grant))
    if not held:
        name = shown(grant)
        raise NotPossible(f"grant {name} has no key that could be replaced; kubectl conecta why {name} says why")
    credential = grant["spec"].get("credential") or {}
    serial = int(credential.get("serial") or 0) + 1
    wanted = {"serial": serial} | ({"overlap": AT_ONCE} if now else {})
    patch = {
        "metadata": {"resourceVersion": grant["metadata"]["resourceVersion"]},
        "spec": {"credential": wanted},
    }
    return Rotation(patch, serial, held, credential.get("overlap"))


def is_replaced(grant: Manifest, rotation: Rotation) -> bool:
    """Whether none of the old keys works any longer, and a new one does."""
    held = {key["clientId"] for key in keys(grant)}
    return bool(held) and held.isdisjoint(rotation.replaced)


def restoration(grant: Manifest, rotation: Rotation) -> Manifest:
    """The patch that gives later rotations the overlap that they had; empty when somebody has changed it since."""
    credential = grant["spec"].get("credential") or {}
    is_ours = (credential.get("serial"), credential.get("overlap")) == (rotation.serial, AT_ONCE)
    if not is_ours or rotation.overlap == AT_ONCE:
        return {}
    return {
        "metadata": {"resourceVersion": grant["metadata"]["resourceVersion"]},
        "spec": {"credential": {"overlap": rotation.overlap}},
    }
