"""The table in environments/README.md is the one of the code."""

import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.network_settings import ANYWHERE, Place
from infra.settings import StackSettings
from tests.infra.recorder import ROOT

ROW = re.compile(r"^\| `(?P<key>[^`]+)` \| [^|]+ \| (?P<default>[^|]+) \|")
UNSET = {
    "rates.mode": "`Local`, with several replicas `Shared`",
    "agencies.<agency>.limits": "those of `limits`",
    "agencies.<agency>.namespaces": "`[<agency>]`",
    "cluster.network.issuerAdminPort": "that of `issuer.adminUrl`",
    "cluster.network.issuerPublicPort": "that of `issuer.publicUrl`",
    "cluster.network.quotaPort": "that of `rates`",
    "gateway.bindAddress": "all addresses",
}


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key below a model, dotted, with its field."""
    for field in model.model_fields.values():
        key = f"{prefix}{field.alias}"
        parts = [field.annotation, *typing.get_args(field.annotation)]
        inner = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel) and part is not Place]
        if inner and key not in UNSET:
            yield from fields(inner[0], f"{key}.<agency>." if field.alias == "agencies" else f"{key}.")
        else:
            yield key, field


def default(key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default in (None, ()):
        return UNSET.get(key, "none")
    if field.default in (ANYWHERE, (ANYWHERE,)):
        return "anywhere"
    value: Any = field.default
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def test_the_readme_has_every_key_with_its_default_and_no_other() -> None:
    text = (ROOT / "environments" / "README.md").read_text(encoding="utf-8")
    rows = [row.groupdict() for row in map(ROW.match, text.splitlines()) if row]
    assert {row["key"]: row["default"] for row in rows} == {
        key: default(key, field) for key, field in fields(StackSettings)
    }
    assert len(rows) == len({row["key"] for row in rows})


def test_the_project_declares_every_part_and_no_other() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert set(project["config"]) == {field.alias for field in StackSettings.model_fields.values()}
    optional = {field.alias: field.default for field in StackSettings.model_fields.values() if not field.is_required()}
    optional = {key: {} if isinstance(value, BaseModel) else value for key, value in optional.items()}
    assert {key: value["default"] for key, value in project["config"].items() if "default" in value} == optional


def test_the_project_finds_its_stacks_and_its_python() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["stackConfigDir"] == "environments"
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
