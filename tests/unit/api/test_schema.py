"""The custom resource definitions that the models make."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from conecta_operator.api.schema import DEFINITIONS, Definition, custom_resource_definition, files, structural
from conecta_operator.crds import CRDS

ROOT = Path(__file__).parents[3]
Schema = dict[str, Any]
each_definition = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.name)


def schema_of(definition: Definition) -> Schema:
    (version,) = custom_resource_definition(definition)["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema within a schema, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


def type_of(schema: Schema) -> str:
    return "int-or-string" if schema.get("x-kubernetes-int-or-string") else str(schema.get("type"))


def is_bounded(schema: Schema) -> bool:
    if type_of(schema) in {"string", "int-or-string"}:
        return bool(schema.keys() & {"maxLength", "enum", "format"})
    if "additionalProperties" in schema:
        return "maxProperties" in schema
    return type_of(schema) != "array" or "maxItems" in schema


def test_the_committed_crds_are_those_that_the_models_make() -> None:
    assert CRDS.stale(ROOT / CRDS.folder) == []


@each_definition
def test_every_part_of_a_schema_has_one_type(definition: Definition) -> None:
    types = {"object", "array", "string", "integer", "boolean", "int-or-string"}
    assert [path for path, node in nodes(schema_of(definition)) if type_of(node) not in types] == []


@each_definition
def test_no_part_of_a_schema_says_what_a_structural_one_cannot(definition: Definition) -> None:
    forbidden = {
        "$ref",
        "$defs",
        "anyOf",
        "allOf",
        "oneOf",
        "not",
        "const",
        "title",
        "nullable",
    }
    assert [path for path, node in nodes(schema_of(definition)) if node.keys() & forbidden] == []


@each_definition
def test_additional_properties_are_those_of_a_map_and_have_a_schema(definition: Definition) -> None:
    maps = [node for _, node in nodes(schema_of(definition)) if "additionalProperties" in node]
    assert maps
    assert all(node["additionalProperties"]["type"] == "string" and "properties" not in node for node in maps)


@each_definition
def test_every_text_list_and_map_is_bounded(definition: Definition) -> None:
    """Otherwise the API server takes the rules for too costly."""
    unbounded = [path for path, node in nodes(schema_of(definition)) if not is_bounded(node)]
    assert unbounded == [".apiVersion", ".kind"]


@each_definition
def test_every_list_says_how_it_merges_and_the_keys_of_a_map_are_required(definition: Definition) -> None:
    for node in (node for _, node in nodes(schema_of(definition)) if type_of(node) == "array"):
        assert node["x-kubernetes-list-type"] in {"map", "atomic"}
        assert set(node.get("x-kubernetes-list-map-keys", ())) <= set(node["items"].get("required", ()))


@each_definition
def test_every_field_that_users_write_is_explained(definition: Definition) -> None:
    spec = schema_of(definition)["properties"]["spec"]
    assert [path for path, node in nodes(spec) if len(node.get("description", "")) < 15] == []


@each_definition
def test_what_is_explained_is_not_about_python(definition: Definition) -> None:
    texts = [node.get("description", "") for _, node in nodes(schema_of(definition))]
    assert [text for text in texts if "_" in text or "None" in text] == []


@each_definition
def test_defaults_are_the_servers_only_where_users_write(definition: Definition) -> None:
    """In status, a default would be a statement that nobody has made."""
    assert [path for path, node in nodes(schema_of(definition)["properties"]["status"]) if "default" in node] == []


@each_definition
def test_every_rule_says_what_is_wrong(definition: Definition) -> None:
    rules = [rule for _, node in nodes(schema_of(definition)) for rule in node.get("x-kubernetes-validations", ())]
    assert rules
    assert all(rule["message"] and rule["message"][0].islower() for rule in rules)


def test_names_of_columns_and_kinds_are_distinct() -> None:
    for definition in DEFINITIONS:
        assert len({column.name for column in definition.columns}) == len(definition.columns)
    assert len({definition.short_name for definition in DEFINITIONS}) == len(DEFINITIONS)


def test_a_file_holds_one_definition_in_plain_yaml() -> None:
    for name, text in files().items():
        definition = yaml.safe_load(text)
        assert name == f"{definition['metadata']['name']}.yaml"
        assert not any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))


def test_rules_of_a_type_and_of_its_field_add_up() -> None:
    url = schema_of(DEFINITIONS[0])["properties"]["spec"]["properties"]["backend"]["properties"]["url"]
    messages = [rule["message"] for rule in url["x-kubernetes-validations"]]
    assert "must start with https://" in messages
    assert "must not carry a user name or password" in messages


class Inner(BaseModel):
    """Some part.

    For developers only.
    """

    text: str = ""


FIELD_TYPES = st.recursive(
    st.sampled_from([str, int, bool, Inner]),
    lambda types: types.map(lambda kind: kind | None) | types.map(lambda kind: tuple[kind, ...]),  # type: ignore[valid-type]
    max_leaves=3,
)


@given(fields=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), FIELD_TYPES, max_size=4))
def test_optional_nested_and_repeated_fields_have_a_structural_schema(fields: dict[str, Any]) -> None:
    described: Any = {f"x{name}": (kind, Field(description="Text.")) for name, kind in fields.items()}
    model = create_model("Made", **described)
    schema = structural(model)
    assert all("type" in node and not node.keys() & {"$ref", "anyOf", "title"} for _, node in nodes(schema))
    assert set(schema.get("properties", {})) == {f"x{name}" for name in fields}


def test_a_field_without_description_is_explained_by_the_first_words_on_its_type() -> None:
    model = create_model("Made", part=(Inner, ...))
    assert structural(model)["properties"]["part"]["description"] == "Some part."


def test_a_list_that_is_empty_by_default_is_absent_by_default() -> None:
    """Whoever left it out does not find it filled in."""
    model = create_model("Made", parts=(tuple[Inner, ...], ()))
    assert "default" not in structural(model)["properties"]["parts"]


@pytest.mark.parametrize("kind", [int | str, dict[str, int] | list[int], float | None | str])
def test_a_choice_between_types_has_no_structural_schema(kind: Any) -> None:
    with pytest.raises(ValueError, match="anyOf"):
        structural(create_model("Made", field=(kind, ...)))


def test_a_keyword_that_is_not_understood_is_named() -> None:
    with pytest.raises(ValueError, match="exclusiveMinimum"):
        structural(create_model("Made", field=(int, Field(gt=3))))
