"""docs/reference: what users write and what they are told, as the models say it.

`python -m conecta_operator.reference --write` makes the pages, `--check` says whether they are fresh.
"""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

from conecta_operator.api.conditions import REASONS, ConditionType
from conecta_operator.api.legal_basis import LegalBasis
from conecta_operator.api.objects import Manifest
from conecta_operator.api.schema import DEFINITIONS, Definition, custom_resource_definition
from conecta_operator.generated import Generated

__all__ = ["REFERENCE", "meanings"]

_NOTE: Final = "<!-- Generated from the models: change these, then run python -m conecta_operator.reference --write -->"


def meanings(words: type[StrEnum]) -> dict[str, str]:
    """What is written below each member of an enumeration, by its value. Raises ValueError if something is missing."""
    (definition,) = ast.parse(dedent(inspect.getsource(words))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - that is what a class's source is
    found = {}
    for statement, after in pairwise(definition.body):
        match statement, after:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                found[words[name].value] = " ".join(text.split())
            case _:
                continue
    if missing := [word.value for word in words if word.value not in found]:
        raise ValueError(f"{words.__name__} does not say what {', '.join(missing)} means")
    return found


def pages() -> dict[str, str]:
    """The text of each page, by the name of its file."""
    return {"conditions.md": _conditions(), "custom-resources.md": _custom_resources()}


def _conditions() -> str:
    types = meanings(ConditionType)
    return _page(
        "# Conditions",
        "Each ConectaApi and ConectaGrant says in `status.conditions` what became of it: whether something holds "
        "(`status`), why in one word for programs (`reason`), and why for people (`message`). `Reconciling` and "
        "`Stalled` are there only while they are True, as kstatus has it. A message says what is wrong, where, and "
        "what to do.",
        "## Types",
        _table(("Condition", "Means"), ((_code(type_), _prose(types[type_])) for type_ in REASONS)),
        "## Reasons",
        _table(("Condition", "Status", "Reason", "Means"), _reasons()),
    )


def _reasons() -> Iterator[tuple[str, ...]]:
    for type_, words in REASONS.items():
        for reason, text in meanings(words).items():
            status, _, meaning = text.partition(": ")
            yield _code(type_), status, _code(reason), _prose(meaning[:1].upper() + meaning[1:])


def _custom_resources() -> str:
    return _page(
        "# Custom resources",
        "What providers and receivers write, and what they are told. `kubectl explain` says the same.",
        *(part for definition in DEFINITIONS for part in _custom_resource(definition)),
        "## Legal bases",
        "Values of `spec.legalBasis`: what of the LGPD (Law 13,709/2018) can apply to public bodies.",
        _table(("Value", "Means"), ((_code(basis), _prose(text)) for basis, text in meanings(LegalBasis).items())),
    )


def _custom_resource(definition: Definition) -> Iterator[str]:
    crd = custom_resource_definition(definition)["spec"]
    (version,) = crd["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    names = crd["names"]
    words = [names["plural"], *names["shortNames"], *names["categories"]]
    yield f"## {names['kind']}"
    yield _prose(schema["description"])
    yield f"`apiVersion: {definition.kind.api_version}`; for kubectl {', '.join(_code(word) for word in words)}."
    for part in ("spec", "status"):
        fields = _fields(schema["properties"][part], part)
        yield _table(("Field", "Type", "Rules", "Means"), fields)


def _fields(schema: Manifest, path: str) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        from_outside = (rule for rule in _checks(schema) if rule.get("fieldPath") == f".{name}")
        rules = [*(["required"] if name in required else []), *_rules(field, from_outside)]
        yield _code(f"{path}.{name}"), _type(field), "; ".join(rules), _prose(field["description"])
        yield from _fields(field, f"{path}.{name}")
        yield from _fields(field.get("items", {}), f"{path}.{name}[]")


def _type(field: Manifest) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "enum" in field:
        return " ".join(_code(value) for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    return str(field.get("format", field["type"]))


def _rules(field: Manifest, from_outside: Iterable[Manifest]) -> Iterator[str]:
    """What is demanded of a field's value, in words; its default last."""
    yield from _measure(field.get("minLength"), field.get("maxLength"), "characters")
    yield from _measure(field.get("minItems"), field.get("maxItems"), "entries")
    number = "as a number" if field.get("x-kubernetes-int-or-string") else ""
    yield from _measure(field.get("minimum"), field.get("maximum"), number)
    if "pattern" in field:
        yield _code(field["pattern"])
    if keys := field.get("x-kubernetes-list-map-keys"):
        yield f"each {_code(' and '.join(keys))} once"
    own = (rule for rule in [*_checks(field), *_checks(field.get("items", {}))] if "fieldPath" not in rule)
    yield from (_prose(rule["message"]) for rule in (*own, *from_outside))
    if field.get("default", {}) != {}:
        yield f"default {_code(_yaml(field['default']))}"


def _checks(schema: Manifest) -> list[Manifest]:
    checks: list[Manifest] = schema.get("x-kubernetes-validations", [])
    return checks


def _measure(least: Any, most: Any, unit: str) -> Iterator[str]:
    if least is not None and least == most:
        yield f"only {least} {unit}".rstrip()
    elif least is not None and most is not None:
        yield f"{least} to {most} {unit}".rstrip()
    elif least is not None:
        yield f"at least {least} {unit}".rstrip()
    elif most is not None:
        yield f"at most {most} {unit}".rstrip()


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _page(*parts: str) -> str:
    return "\n\n".join([_NOTE, *parts]) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _prose(text: str) -> str:
    """Text in which nothing but `code` means anything to Markdown."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace("|", r"\|").replace("*", r"\*") for part in parts[::2]]
    return "`".join(parts)


REFERENCE: Final = Generated(module="conecta_operator.reference", folder=Path("docs/reference"), files=pages)

if __name__ == "__main__":
    sys.exit(REFERENCE.main())
