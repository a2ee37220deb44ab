"""The custom resource definitions, made from the models: what the API server checks is what the operator reads.

A CRD takes no general JSON schema but a structural one (https://kubernetes.io/docs/tasks/extend-kubernetes/
custom-resources/custom-resource-definitions/#specifying-a-structural-schema). Every text and list is bounded, so that
the API server can estimate the cost of the rules.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, Final

import yaml
from pydantic import BaseModel
from typing_extensions import override

from conecta_operator.api import conecta_api, conecta_grant
from conecta_operator.api.conecta_api import ConectaApi, ConectaApiSpec, ConectaApiStatus
from conecta_operator.api.conecta_grant import ConectaGrant, ConectaGrantSpec, ConectaGrantStatus
from conecta_operator.api.objects import CONECTA_API, CONECTA_GRANT, Kind, Manifest

__all__ = ["DEFINITIONS", "Column", "Definition", "custom_resource_definition", "files", "structural"]

Schema = dict[str, Any]

_KEPT: Final = frozenset(
    {
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    },
)
_DROPPED: Final = frozenset({"$defs", "additionalProperties", "title"})
"""The API server prunes or refuses unknown fields anyway; titles repeat the field's name. Of maps, whose every field is
additional, the schema of the values is kept."""

_HEADER: Final = """\
# Generated from the models in operator/src/conecta_operator/api. Don't edit: change a model, then run
#   python -m conecta_operator.crds --write
"""


@dataclass(frozen=True)
class Column:
    """What `kubectl get` shows of an object; `wide` only with `-o wide`."""

    name: str
    path: str
    description: str
    wide: bool = False
    type: str = "string"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """All that a CRD is made from."""

    kind: Kind
    short_name: str
    model: type[BaseModel]
    spec: type[BaseModel]
    status: type[BaseModel]
    name: Schema
    """Rules for `metadata.name`, beyond those of every Kubernetes object."""
    columns: tuple[Column, ...]


def _of_ready(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


_READY: Final = Column("Ready", _of_ready("status"), "Whether it serves.")
_REASON: Final = Column("Reason", _of_ready("reason"), "Why, in one word.")
_MESSAGE: Final = Column("Message", _of_ready("message"), "Why, and what to do.", wide=True)
_URL: Final = ".status.url"
_AGE: Final = Column("Age", ".metadata.creationTimestamp", "Time since it was created.", type="date")

DEFINITIONS: Final = (
    Definition(
        kind=CONECTA_API,
        short_name="cnapi",
        model=ConectaApi,
        spec=ConectaApiSpec,
        status=ConectaApiStatus,
        name={"type": "string", "maxLength": conecta_api.MAX_NAME, "pattern": conecta_api.NAME},
        columns=(
            _READY,
            _REASON,
            Column("URL", _URL, "Where receivers call it."),
            Column("Approval", ".spec.access.approval", "Who decides over grants."),
            Column("Title", ".spec.title", "Name in the catalogue.", wide=True),
            _MESSAGE,
            _AGE,
        ),
    ),
    Definition(
        kind=CONECTA_GRANT,
        short_name="cngrant",
        model=ConectaGrant,
        spec=ConectaGrantSpec,
        status=ConectaGrantStatus,
        name={"type": "string", "maxLength": conecta_grant.MAX_NAME},
        columns=(
            _READY,
            _REASON,
            Column("Provider", ".spec.apiRef.namespace", "Namespace of the API."),
            Column("API", ".spec.apiRef.name", "Name of the API."),
            Column("Application", ".spec.application.name", "The receiver's system."),
            Column("Secret", ".status.binding.name", "Where the key lies."),
            Column("URL", _URL, "Where the application calls the API.", wide=True),
            _MESSAGE,
            _AGE,
        ),
    ),
)


def custom_resource_definition(definition: Definition) -> Manifest:
    """The CRD of one kind."""
    kind = definition.kind
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": str(kind)},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced",
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [definition.short_name],
                "categories": ["conecta"],
            },
            "versions": [
                {
                    "name": kind.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_printer_column(column) for column in definition.columns],
                    "schema": {"openAPIV3Schema": _object_schema(definition)},
                },
            ],
        },
    }


def files() -> dict[str, str]:
    """The text of each generated file, by its name."""
    return {
        f"{definition.kind}.yaml": _HEADER
        + yaml.dump(custom_resource_definition(definition), Dumper=_Plain, allow_unicode=True, width=120)
        for definition in DEFINITIONS
    }


class _Plain(yaml.SafeDumper):
    """Without anchors: what is used twice stands there twice."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of what a model reads. Raises ValueError where it has none."""
    schema = model.model_json_schema()
    return _structural(schema, schema.get("$defs", {}))


def _object_schema(definition: Definition) -> Schema:
    return {
        "type": "object",
        "description": "\n\n".join(_paragraphs(getdoc(definition.model) or "")),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object", "properties": {"name": definition.name}},
            "spec": structural(definition.spec),
            "status": structural(definition.status),
        },
    }


def _printer_column(column: Column) -> Schema:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
        "priority": int(column.wide),
    }


def _structural(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    flat = _flat(schema, definitions)
    unknown = flat.keys() - _KEPT - _DROPPED
    if unknown:
        raise ValueError(f"no structural schema can say {', '.join(sorted(unknown))}")
    result = {keyword: deepcopy(value) for keyword, value in flat.items() if keyword in _KEPT}
    if result.get("default", ...) in (None, []):
        del result["default"]
    if isinstance(result.get("default"), dict):
        result["default"] = {}
    if "properties" in result:
        result["properties"] = {name: _structural(field, definitions) for name, field in result["properties"].items()}
    if "description" in result:
        result["description"], *_ = _paragraphs(result["description"])
    if "items" in result:
        result["items"] = _structural(result["items"], definitions)
        result.setdefault("x-kubernetes-list-type", "atomic")
    if isinstance(flat.get("additionalProperties"), dict):
        result["additionalProperties"] = _structural(flat["additionalProperties"], definitions)
    return result


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _flat(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema without references and without `or null`: an optional field is one that is not required."""
    outer = dict(schema)
    if "$ref" in outer:
        inner = definitions[outer.pop("$ref").removeprefix("#/$defs/")]
    elif "anyOf" in outer:
        inner, *others = (choice for choice in outer.pop("anyOf") if choice != {"type": "null"})
        if others:
            raise ValueError("no structural schema can say anyOf")
    else:
        return outer
    flat = _flat(inner, definitions)
    checks = [*flat.get("x-kubernetes-validations", ()), *outer.get("x-kubernetes-validations", ())]
    return flat | outer | ({"x-kubernetes-validations": checks} if checks else {})
