"""Pulumi's wire values as plain JSON and back: whole numbers, secrets, unknowns. Pure.

A secret travels as a dictionary with a signature, an unknown (in previews) as one agreed string. Protobuf knows only
doubles, so `2` comes as `2.0`: whole floats become integers at the edge. Integers above 2^53 can't survive the engine.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

__all__ = [
    "UNKNOWN",
    "annotate",
    "decoded",
    "encoded",
    "fold_string_data",
    "from_struct",
    "guard",
    "has_secret",
    "has_unknown",
    "redact",
    "strip",
    "to_struct",
    "whole_numbers",
    "without_nulls",
]

UNKNOWN: Final[str] = rpc.UNKNOWN
ALWAYS_SECRET: Final = ("data", "stringData")
"""What is a secret in every object of kind Secret, whether its author said so or not."""


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Plain JSON of a protobuf structure; secrets stay wrapped."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "number_value":
        return whole_numbers(value.number_value)
    return None if kind in (None, "null_value") else getattr(value, kind)


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The protobuf structure of plain JSON."""
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def whole_numbers(value: Any) -> Any:
    """The same value with `2.0` written as `2`, at any depth."""
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def without_nulls(value: Any) -> Any:
    """The same value without keys that hold null: `creationTimestamp: null` of generated manifests says nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def strip(value: Any) -> Any:
    """The value without secret wrappers, as the API server wants it."""
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strip(item) for item in value]
    return value


def has_secret(value: Any) -> bool:
    """Whether the value is or holds a secret."""
    return rpc.is_rpc_secret(value) or any(has_secret(item) for item in _items(value))


def has_unknown(value: Any) -> bool:
    """Whether the value is or holds something that only a real run will know."""
    return value == UNKNOWN or any(has_unknown(item) for item in _items(value))


def annotate(output: Any, inputs: Any) -> Any:
    """The output with everything wrapped as a secret that was one in the inputs."""
    if isinstance(output, dict) and isinstance(inputs, dict) and not rpc.is_rpc_secret(inputs):
        return {key: annotate(item, inputs.get(key)) for key, item in output.items()}
    return rpc.wrap_rpc_secret(strip(output)) if has_secret(inputs) else output


def guard(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with the contents of a Secret wrapped as secrets."""
    is_secret_kind = obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"
    return {
        key: rpc.wrap_rpc_secret(strip(item)) if is_secret_kind and key in ALWAYS_SECRET else item
        for key, item in obj.items()
    }


def redact(text: str, values: Any) -> str:
    """The text with every secret of the values blanked: the API server quotes what it refuses."""
    secrets = sorted(set(_secret_texts(values)), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, secrets)), "[secret]", text) if secrets else text


def _secret_texts(value: Any, *, inside: bool = False) -> Iterator[str]:
    inside = inside or rpc.is_rpc_secret(value)
    plain = rpc.unwrap_rpc_secret(value)
    if inside and isinstance(plain, str) and plain and plain != UNKNOWN:
        yield from filter(None, (plain, encoded(plain), decoded(plain)))
    for item in _items(plain):
        yield from _secret_texts(item, inside=inside)


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def encoded(text: str) -> str:
    """The text as `data` of a Secret holds it."""
    return base64.b64encode(text.encode()).decode()


def decoded(data: str) -> str | None:
    """The text that `data` of a Secret holds, or None when it is no text."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def fold_string_data(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with `stringData`, which is write-only, folded into `data`: so a key that is taken out is removed."""
    if obj.get("kind") != "Secret" or "stringData" not in obj:
        return dict(obj)
    folded = {key: encoded(text) for key, text in obj["stringData"].items()}
    return {key: item for key, item in obj.items() if key != "stringData"} | {"data": obj.get("data", {}) | folded}
