"""Fills in templates: strict, one object each, every value encoded as JSON.

Strict means: a missing variable raises, and a value can't become structure, because `finalize` writes each as JSON,
which is YAML (https://yaml.org/spec/1.2.2/ section 1.3).
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any, Final, Self

import jinja2
import yaml

from conecta_operator.api.objects import Manifest, key_of
from conecta_operator.render.contexts import CONTEXTS, Context

__all__ = ["Forms", "environment"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _as_json(value: object) -> str:
    # Undefined goes through str(), whose own error names the variable.
    if isinstance(value, jinja2.Undefined):
        return str(value)
    text = json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)
    # JSON would escape what is beyond U+FFFF as two surrogates, which YAML does not join.
    return "".join(character if " " <= character <= "~" else f"\\U{ord(character):08x}" for character in text)


def environment() -> jinja2.Environment:
    """The strict Jinja environment: no autoescape, since nothing is HTML and every value is JSON."""
    strict = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        finalize=_as_json,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, not HTML
    )
    strict.globals.clear()  # `namespace` is one of Jinja's own, and would stand in for a variable that is missing
    return strict


class Forms:
    """All templates, parsed. `write` turns a context into the manifest of its template."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        strict = environment()
        self._templates = {CONTEXTS[name]: strict.from_string(source) for name, source in sources.items()}

    @classmethod
    def load(cls) -> Self:
        """The templates that are shipped with the package."""
        folder = files("conecta_operator") / "templates"
        return cls({name: (folder / name).read_text(encoding="utf-8") for name in CONTEXTS})

    def write(self, context: Context) -> Manifest:
        """The one object that the context's template yields.

        Raises jinja2.UndefinedError for a template that asks for more than its context has, and KeyError for a kind
        that the operator does not know: both are bugs of ours, which the tests over all templates find.
        """
        values = {field.name: getattr(context, field.name) for field in fields(context)}
        text = self._templates[type(context)].render(values)
        manifest: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
        key_of(manifest)
        return manifest
