"""Filling in templates."""

import dataclasses

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.render.contexts import JwksConfigMap
from conecta_operator.render.forms import Forms, environment

FORMS = Forms.load()
JWKS = JwksConfigMap(name="conecta-jwks", namespace="receita", labels={}, owner_references=(), jwks="{}")


@given(st.text())
def test_no_text_becomes_structure(text: str) -> None:
    manifest = FORMS.write(dataclasses.replace(JWKS, jwks=text, labels={"x": text}))
    assert manifest["data"] == {"jwks": text}
    assert manifest["metadata"]["labels"] == {"x": text}


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'namespace' is undefined"):
        environment().from_string("{{ name }}{{ namespace }}").render(name="x")


def test_a_manifest_of_an_unknown_kind_is_refused() -> None:
    broken = Forms({"configmap.jwks.yaml.j2": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ name }}\n"})
    with pytest.raises(KeyError):
        broken.write(JWKS)
