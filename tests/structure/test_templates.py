"""Templates are forms to be filled in: no logic, and exactly the variables that their contexts give."""

import dataclasses
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from conecta_operator.render.contexts import CONTEXTS

FOLDER = Path(__file__).parents[2] / "templates"
SUFFIX = ".yaml.j2"
TEMPLATES = sorted(FOLDER.glob(f"*{SUFFIX}"))

every_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name.removesuffix(SUFFIX))


def tree(source: str) -> nodes.Template:
    """The template, parsed without Jinja's globals: `namespace` is one of them, and a variable of ours."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - nothing is rendered
    environment.globals.clear()
    return environment.parse(source)


def is_name(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) or (isinstance(node, nodes.Getattr) and is_name(node.node))


def transgressions(node: nodes.Node) -> list[str]:
    """What is not: text, the output of a name or an attribute, or a plain `for` over one of them."""
    match node:
        case nodes.Template(body=body):
            return [found for child in body for found in transgressions(child)]
        case nodes.Output(nodes=parts):
            strange = [part for part in parts if not isinstance(part, nodes.TemplateData) and not is_name(part)]
            return [f"line {part.lineno}: output of {type(part).__name__}" for part in strange]
        case nodes.For(target=nodes.Name(), iter=over, body=body, else_=[], test=None, recursive=False) if is_name(
            over
        ):
            return [found for child in body for found in transgressions(child)]
        case _:
            return [f"line {node.lineno}: {type(node).__name__}"]


def test_there_is_a_context_for_every_template_and_a_template_for_every_context() -> None:
    assert {path.name for path in TEMPLATES} == set(CONTEXTS)


def test_every_template_has_a_context_of_its_own() -> None:
    assert len(set(CONTEXTS.values())) == len(CONTEXTS)


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=lambda context: context.__name__)
def test_a_context_is_a_frozen_dataclass(context: type) -> None:
    assert dataclasses.is_dataclass(context)
    assert context.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_what_is_shipped_is_what_is_tested(root: Path) -> None:
    shipped = root / "operator" / "src" / "conecta_operator" / "templates"
    assert shipped.resolve() == FOLDER.resolve()


@every_template
def test_a_template_is_named_by_its_kind_and_its_purpose(template: Path) -> None:
    kind, purpose = template.name.removesuffix(SUFFIX).split(".")
    kinds = [line.split()[1] for line in template.read_text(encoding="utf-8").splitlines() if line.startswith("kind:")]
    assert [kind] == [written.lower() for written in kinds]
    assert purpose


@every_template
def test_a_template_has_no_logic(template: Path) -> None:
    assert transgressions(tree(template.read_text(encoding="utf-8"))) == []


@every_template
def test_a_template_asks_for_exactly_the_fields_of_its_context(template: Path) -> None:
    asked = find_undeclared_variables(tree(template.read_text(encoding="utf-8")))
    assert asked == {field.name for field in dataclasses.fields(CONTEXTS[template.name])}


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{ name }}", id="a name"),
        pytest.param("{{ owner.name.first }}", id="an attribute of an attribute"),
        pytest.param("text {# and a comment #}", id="text and a comment"),
        pytest.param("{% for item in items %}{{ item.name }}{% endfor %}", id="a loop"),
        pytest.param("{% for a in all %}{% for b in a.parts %}{{ b }}{% endfor %}{% endfor %}", id="a loop in a loop"),
    ],
)
def test_a_form_may_have(source: str) -> None:
    assert transgressions(tree(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{% if a %}b{% endif %}", id="if"),
        pytest.param("{% set a = 1 %}", id="set"),
        pytest.param("{% macro a() %}{% endmacro %}", id="macro"),
        pytest.param("{% include 'a' %}", id="include"),
        pytest.param("{% raw %}{% endraw %}{{ a | upper }}", id="filter"),
        pytest.param("{{ a | default('b') }}", id="default"),
        pytest.param("{{ a ~ b }}", id="assembled text"),
        pytest.param("{{ a + 1 }}", id="arithmetic"),
        pytest.param("{{ a() }}", id="call"),
        pytest.param("{{ a['b'] }}", id="item"),
        pytest.param("{{ 'a' }}", id="constant"),
        pytest.param("{{ a if b }}", id="conditional output"),
        pytest.param("{% for a in b if a %}{% endfor %}", id="for with if"),
        pytest.param("{% for a in b %}{% else %}c{% endfor %}", id="for with else"),
        pytest.param("{% for a, b in c %}{% endfor %}", id="for with two targets"),
        pytest.param("{% for a in b.items() %}{% endfor %}", id="for over a call"),
        pytest.param("{% for a in b recursive %}{% endfor %}", id="recursive for"),
        pytest.param("{% for a in b %}{% if a %}{% endif %}{% endfor %}", id="if in a for"),
    ],
)
def test_a_form_may_not_have(source: str) -> None:
    assert transgressions(tree(source)) != []
