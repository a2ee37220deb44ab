"""What values of a stack's settings can be, and what its parts have in common."""

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from infra.cnpj import is_cnpj

__all__ = [
    "Cnpj",
    "Count",
    "HostAndPort",
    "HttpsOrigin",
    "Image",
    "IpAddress",
    "IpRange",
    "Label",
    "Memory",
    "MilliCpu",
    "Name",
    "PodLabels",
    "Port",
    "SettingsPart",
    "SiorgCode",
    "Text",
]

_DIGEST: Final = re.compile(r"^[^\s@]+@sha256:[0-9a-f]{64}$")


def _https_origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        complete = parts.scheme == "https" and parts.hostname is not None and parts.port != 0
    except ValueError:
        complete = False
    if not complete or text != f"https://{parts.netloc}" or "@" in text:
        raise ValueError("must be https://<host>, perhaps with :<port>, and nothing after it")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("must be an IP address") from None


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if re.fullmatch(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?", host) and port.isdecimal() and 0 < int(port) < 65536:  # noqa: PLR2004
        return text
    raise ValueError("must be <host>:<port>")


def _range(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError("must be a range of IP addresses, <address>/<bits>, with no bit set after these") from None


def _by_digest(text: str) -> str:
    if not _DIGEST.search(text):
        raise ValueError("must name an image by its digest: <registry>/<name>@sha256:<64 hexadecimal digits>")
    return text


def _checked_cnpj(text: str) -> str:
    if not is_cnpj(text):
        raise ValueError("must be a CNPJ: 14 characters without punctuation, with right check digits")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=253)]
Label = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Port = Annotated[int, Field(ge=1, le=65535)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port), Field(max_length=260)]
Text = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=200)]
HttpsOrigin = Annotated[str, AfterValidator(_https_origin)]
IpAddress = Annotated[str, AfterValidator(_address)]
IpRange = Annotated[str, AfterValidator(_range)]
PodLabels = Annotated[str, Field(pattern=r"^[^=,\s]+=[^=,\s]*(,[^=,\s]+=[^=,\s]*)*$", max_length=512)]
"""As kubectl takes them: app=a,component=b."""
Cnpj = Annotated[str, AfterValidator(_checked_cnpj)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(Mi|Gi)$")]
MilliCpu = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}m$")]
Image = Annotated[str, AfterValidator(_by_digest)]
SiorgCode = Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]


class SettingsPart(BaseModel):
    """Keys are written in camelCase; what isn't a key is a mistake, and so is a value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)
