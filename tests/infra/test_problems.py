"""What the gateway may say is wrong: every answer has a kind, and every kind a page."""

import re
from typing import Any

import pytest

from conecta_operator.plan import problems
from infra import errors, problem_pages
from infra.problems import PROBLEMS, TOLD_BY_ROUTES, Problem, kinds, members
from tests.infra.recorder import ROOT

URL = "https://gateway.example"
PAGES = ROOT / "docs" / "reference" / "problems"
ISSUE = (400, 401, 403, 404, 405, 410, 413, 415, 429, 502, 503, 504)
LONGEST_PAGE = 4096
"""Bytes of a direct response, as Envoy has it by default."""


def page(slug: str) -> str:
    return (PAGES / f"{slug}.md").read_text(encoding="utf-8")


def statuses(filter_: dict[str, Any]) -> list[tuple[str, int]]:
    """The comparisons of a filter, whether alone or with others."""
    parts = filter_["and_filter"]["filters"] if "and_filter" in filter_ else [filter_]
    comparisons = [part["status_code_filter"]["comparison"] for part in parts if "status_code_filter" in part]
    return [(comparison["op"], comparison["value"]["default_value"]) for comparison in comparisons]


@pytest.mark.parametrize("status", ISSUE)
def test_every_status_that_the_gateway_refuses_with_has_an_answer(status: int) -> None:
    assert [problem for problem in PROBLEMS if problem.status == status and not problem.when] != []


def test_answers_of_one_kind_have_one_title_and_one_status() -> None:
    for slug, title in kinds().items() - TOLD_BY_ROUTES.items():
        alike = {(problem.title, problem.status) for problem in PROBLEMS if problem.slug == slug}
        assert alike == {(title, next(iter(alike))[1])}


def test_a_particular_answer_comes_before_the_general_one_of_its_status() -> None:
    for status in {problem.status for problem in PROBLEMS}:
        general = [not problem.when for problem in PROBLEMS if problem.status == status]
        assert general == sorted(general)
        assert general.count(True) == 1


def test_every_error_fits_an_answer_and_own_words_of_a_route_come_first() -> None:
    first, *others = errors.mappers(URL)
    assert first == {"filter": first["filter"]}, "what it fits keeps its body"
    assert statuses(first["filter"]) == [("LE", 499)]
    assert [statuses(mapper["filter"]) for mapper in others[-2:]] == [[("GE", 500)], [("GE", 400)]]
    assert {operator for mapper in others[:-2] for operator, _ in statuses(mapper["filter"])} == {"EQ"}


def test_there_is_no_default_format_for_it_would_wrap_the_words_of_routes() -> None:
    patch = errors.listener_patches(url=URL, max_body_bytes=1024, counts_together=False)[0]["operation"]
    assert list(patch["value"]) == ["mappers"]


def test_the_body_is_limited_right_before_the_router() -> None:
    operation = errors.listener_patches(url=URL, max_body_bytes=4096, counts_together=False)[-1]["operation"]
    assert "envoy.filters.http.router" in operation["jsonPath"]
    assert operation["value"]["typed_config"]["max_request_bytes"] == 4096


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem.slug} {problem.when}".strip())
def test_an_answer_has_the_members_of_rfc_9457_and_operators_that_envoy_knows(problem: Problem) -> None:
    told = members(problem, URL)
    assert list(told) == ["type", "title", "status", "detail", "requestId"]
    assert told["type"] == f"{URL}/problemas/{problem.slug}"
    assert (told["status"], told["requestId"]) == ("%RESPONSE_CODE%", "%REQ(X-REQUEST-ID)%")
    operators = re.sub("%%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "", problem.detail)
    assert "%" not in operators
    assert problem.detail.endswith(".")


def test_there_is_a_page_for_every_kind_and_no_other() -> None:
    assert {file.stem for file in PAGES.glob("*.md")} == {*kinds(), "README"}


@pytest.mark.parametrize(("slug", "title"), kinds().items())
def test_a_page_says_what_happened_and_what_to_do(slug: str, title: str) -> None:
    text = page(slug)
    assert text.startswith(f"# {title}\n")
    assert "\n## O que aconteceu\n" in text
    assert "\n## O que fazer\n" in text
    (status,) = {problem.status for problem in PROBLEMS if problem.slug == slug} or {400}
    assert f"Status HTTP: {status}" in text


@pytest.mark.parametrize("slug", kinds())
def test_a_page_can_be_served_as_it_is(slug: str) -> None:
    assert "%" not in page(slug)
    assert len(page(slug).encode()) <= LONGEST_PAGE
    assert problem_pages.page(PAGES, slug)["directResponse"]["body"]["inline"] == page(slug)


def test_the_list_of_pages_is_whole() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d{3}) \| \[([a-z-]+)\]\(\2\.md\) \| (.+) \|$", text, re.MULTILINE)
    told = {(str(problem.status), problem.slug, problem.title) for problem in PROBLEMS}
    assert sorted(listed) == sorted(told | {("400", slug, title) for slug, title in TOLD_BY_ROUTES.items()})


def test_every_page_is_served_where_its_type_says() -> None:
    rules = problem_pages.route()["rules"]
    assert len(rules) <= 16, "more need a second HTTPRoute"
    paths = [match["path"] for rule in rules for match in rule["matches"]]
    assert paths == [{"type": "Exact", "value": f"/problemas/{slug}"} for slug in kinds()]


def test_what_the_operator_tells_of_has_pages_too() -> None:
    """The operator knows nothing of the platform's program, so both know these kinds."""
    assert problems.KINDS.items() <= kinds().items()
