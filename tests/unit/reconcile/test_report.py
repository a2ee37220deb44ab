"""A status is written when it says something new, and an Event tells what happened."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conecta_operator.api.objects import Manifest
from conecta_operator.errors import ClusterUnavailable, Conflict
from conecta_operator.reconcile.news import News, news
from conecta_operator.reconcile.report import Report, patched
from tests.support.fake_cluster import FakeCluster, RecordedEvent
from tests.unit.reconcile.stand_ins import api_key, api_manifest

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


def condition(kind: str, status: str, reason: str, message: str = "as it is") -> Manifest:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def status(*conditions: Manifest) -> Manifest:
    return {"conditions": list(conditions)}


READY = status(condition("Ready", "True", "Ready"))
PENDING = status(condition("Ready", "False", "Pending"), condition("Reconciling", "True", "Progressing"))
CONFLICTED = status(
    condition("Accepted", "False", "Conflicted"),
    condition("Ready", "False", "Conflicted", "an older API has the path"),
    condition("Stalled", "True", "NeedsChange"),
)


async def reported(before: Manifest, patch: Manifest) -> FakeCluster:
    cluster = FakeCluster(api_manifest("cep", status=before))
    await Report(cluster)(cluster.objects[api_key("cep")], patch)
    return cluster


async def test_a_status_that_says_something_new_is_written() -> None:
    cluster = await reported({}, {**PENDING, "url": "https://x"})
    assert cluster.objects[api_key("cep")]["status"] == {**PENDING, "url": "https://x"}


async def test_a_field_that_no_longer_holds_goes_away() -> None:
    cluster = await reported({"url": "https://x", "observedGeneration": 1}, {"url": None})
    assert cluster.objects[api_key("cep")]["status"] == {"observedGeneration": 1}


@pytest.mark.parametrize("patch", [PENDING, {**PENDING, "url": None}, {}], ids=["same", "nothing to remove", "empty"])
async def test_a_status_that_says_it_already_is_not_written(patch: Manifest) -> None:
    assert (await reported(PENDING, patch)).journal.writes == []


async def test_a_status_that_moved_on_is_not_written_over() -> None:
    cluster = FakeCluster(api_manifest("cep"))
    read = cluster.objects[api_key("cep")]
    cluster.put({**read, "status": {"url": "https://other"}})
    with pytest.raises(Conflict):
        await Report(cluster)(read, PENDING)


async def test_what_happened_is_an_event() -> None:
    cluster = await reported(PENDING, CONFLICTED)
    assert cluster.events == [RecordedEvent(api_key("cep"), "Warning", "Conflicted", "an older API has the path")]


async def test_a_lost_event_does_no_harm() -> None:
    cluster = FakeCluster(api_manifest("cep"))

    async def refuse(*_: Any, **__: Any) -> None:
        raise ClusterUnavailable("403")

    cluster.record_event = refuse  # type: ignore[method-assign]
    await Report(cluster)(cluster.objects[api_key("cep")], READY)
    assert cluster.objects[api_key("cep")]["status"] == READY


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, PENDING, ("Normal", "Pending"), id="the first look"),
        pytest.param(PENDING, READY, ("Normal", "Ready"), id="it became ready"),
        pytest.param(READY, CONFLICTED, ("Warning", "Conflicted"), id="somebody has to change something"),
        pytest.param(CONFLICTED, PENDING, ("Normal", "Pending"), id="somebody did"),
        pytest.param(READY, READY, None, id="nothing"),
        pytest.param(
            PENDING, status(condition("Ready", "False", "Pending", "still")), None, id="nothing but another message"
        ),
        pytest.param(
            READY,
            status(condition("Ready", "True", "Ready"), condition("Reconciling", "True", "ProgressingWithRetry")),
            None,
            id="an attempt failed and it is as ready as before",
        ),
        pytest.param({}, {"url": "https://x"}, None, id="no statement at all"),
    ],
)
def test_an_event_tells_when_readiness_changes(
    before: Manifest, after: Manifest, expected: tuple[str, str] | None
) -> None:
    happened = news(before, after)
    assert (happened and (happened.type_, happened.reason)) == expected
    assert happened is None or isinstance(happened, News)


@given(document=OBJECT, patch=OBJECT)
def test_a_merge_patch_applied_twice_is_applied_once(document: Manifest, patch: Manifest) -> None:
    once = patched(document, patch)
    assert patched(once, patch) == once


@given(document=OBJECT, patch=OBJECT)
def test_a_merge_patch_changes_neither_document_nor_patch(document: Manifest, patch: Manifest) -> None:
    copies = repr((document, patch))
    patched(document, patch)
    assert repr((document, patch)) == copies


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7386_hold(document: Manifest, patch: Manifest, result: Manifest) -> None:
    assert patched(document, patch) == result
