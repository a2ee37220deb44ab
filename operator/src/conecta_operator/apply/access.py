"""Where the API server is, and who we are there."""

from dataclasses import dataclass, field

__all__ = ["ApiServer"]


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """What it takes to connect: for whoever opens connections of its own, such as the watches."""

    url: str
    ca_file: str | None
    token: str | None = field(repr=False)
    certificate_file: str | None
    private_key_file: str | None
    proxy: str | None
    is_unverified: bool
