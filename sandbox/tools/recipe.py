"""How every program is built. Part of each tool's key: a change here builds all anew."""

from typing import Any, Final

__all__ = ["BUILD_FLAGS", "LINK_FLAGS", "RECIPE", "SETTINGS"]

BUILD_FLAGS: Final = ("-trimpath", "-buildvcs=false")
LINK_FLAGS: Final = ("-s", "-w")

SETTINGS: Final = {
    "GOENV": "off",  # `go env -w` of the user must not change what is built
    "GOFLAGS": "-mod=readonly",
    "GOTOOLCHAIN": "local",  # no download of another Go
    "GOWORK": "off",
}

RECIPE: Final[dict[str, Any]] = {"build": BUILD_FLAGS, "link": LINK_FLAGS, "settings": SETTINGS}
