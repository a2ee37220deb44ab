"""Linux namespaces, by the system calls that Python 3.11 lacks: what `unshare`, `mount` and `ip link` do."""

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError

__all__ = ["NETWORK", "bind", "bring_up_loopback", "enter", "give_private_root", "make_mounts_private"]

MOUNT: Final = 0x00020000
NETWORK: Final = 0x40000000
USER: Final = 0x10000000
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
SIOCGIFFLAGS: Final = 0x8913
SIOCSIFFLAGS: Final = 0x8914
IFF_UP: Final = 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespaces: int = 0, *, as_root: bool = False) -> None:
    """Move this process into a mount namespace, and others, of its own; by a user namespace where that is needed.

    `as_root`: whoever needs a user namespace is root in it, so that its children can do the same again.
    """
    if _unshare(MOUNT | namespaces) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    if code := _unshare(USER | MOUNT | namespaces):
        who = "root" if user == 0 else "an ordinary user"
        why = "their number is limited" if code == errno.ENOSPC else os.strerror(code)
        raise SandboxError(
            f"this machine lets {who} make no namespaces ({why}). "
            "Run as root, in a container with the capability SYS_ADMIN, or allow user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
            "user.max_user_namespaces > 0)."
        )
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{0 if as_root else user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{0 if as_root else group} {group} 1", encoding="ascii")


def make_mounts_private() -> None:
    """From here on, no mount of ours is seen outside."""
    _mount(None, Path("/"), None, MS_REC | MS_PRIVATE)


def bind(source: Path, target: Path) -> None:
    """Show one folder or file in the place of another."""
    _mount(source, target, None, MS_BIND | MS_REC)


def bring_up_loopback() -> None:
    """Switch `lo` on: in a new network namespace it is off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack_from("16xh", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0)))[0]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def give_private_root(mount_point: Path, grafts: Mapping[Path, Path]) -> None:
    """Change to a root of our own that shows the machine's files and, at some paths, folders of our choice.

    The real root is neither written to nor seen changed by anybody else; `mount_point` stays an empty folder for them.
    """
    make_mounts_private()
    working_directory = Path.cwd()
    _mount(None, mount_point, "tmpfs", 0)
    _mirror(Path("/"), mount_point, frozenset(grafts))
    for place, source in grafts.items():
        target = mount_point / place.relative_to("/")
        target.mkdir(parents=True, exist_ok=True)
        bind(source, target)
    os.chroot(mount_point)
    os.chdir(working_directory)


def _mirror(real: Path, shown: Path, grafts: frozenset[Path]) -> None:
    for entry in real.iterdir():
        place = shown / entry.name
        if entry in grafts:
            continue
        if entry.is_symlink():
            place.symlink_to(entry.readlink())
        elif any(entry in graft.parents for graft in grafts):
            place.mkdir()
            _mirror(entry, place, grafts)
        elif entry.is_dir():
            place.mkdir()
            bind(entry, place)
        else:
            place.touch()
            bind(entry, place)


def _unshare(flags: int) -> int:
    return 0 if _libc.unshare(flags) == 0 else ctypes.get_errno()


def _mount(source: Path | None, target: Path, kind: str | None, flags: int) -> None:
    arguments = [None if text is None else os.fsencode(text) for text in (source or kind, target, kind)]
    if _libc.mount(*arguments, ctypes.c_ulong(flags), None) != 0:
        code = ctypes.get_errno()
        hint = " (is AppArmor or seccomp in the way?)" if code in {errno.EPERM, errno.EACCES} else ""
        raise SandboxError(f"mounting {target} failed: {os.strerror(code)}{hint}")
