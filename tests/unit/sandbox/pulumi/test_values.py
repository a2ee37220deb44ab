"""Pulumi's wire values: numbers, secrets, unknowns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.rpc import wrap_rpc_secret as secret

from sandbox.pulumi.values import (
    UNKNOWN,
    annotate,
    fold_string_data,
    from_struct,
    guard,
    has_secret,
    has_unknown,
    redact,
    strip,
    to_struct,
    without_nulls,
)

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_value_comes_back_from_the_wire_as_it_went(value: dict[str, Any]) -> None:
    assert from_struct(to_struct(value)) == value


def test_whole_numbers_are_no_floats_after_the_wire() -> None:
    came = from_struct(to_struct({"replicas": 2, "nested": [{"ratio": 0.5}, 3]}))

    assert came == {"replicas": 2, "nested": [{"ratio": 0.5}, 3]}
    assert isinstance(came["replicas"], int)


def test_what_is_null_in_a_manifest_is_left_out_but_not_from_lists() -> None:
    assert without_nulls({"metadata": {"creationTimestamp": None, "name": "a"}, "enum": [None, "x"]}) == {
        "metadata": {"name": "a"},
        "enum": [None, "x"],
    }


def test_secrets_are_unwrapped_at_any_depth() -> None:
    assert strip({"a": secret({"b": [secret("c")]})}) == {"a": {"b": ["c"]}}


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        pytest.param({"a": [{"b": secret("c")}]}, True, id="deep inside"),
        pytest.param({"a": ["b"]}, False, id="nowhere"),
    ],
)
def test_a_secret_is_found_wherever_it_is(value: Any, *, holds: bool) -> None:
    assert has_secret(value) is holds


def test_an_unknown_is_found_inside_a_secret() -> None:
    assert has_unknown({"a": secret([UNKNOWN])})
    assert not has_unknown({"a": secret(["known"])})


@pytest.mark.parametrize(
    ("output", "inputs", "annotated"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": secret(1)}, {"a": secret(1), "b": 2}, id="only what was secret"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": secret(1)}}, {"a": {"b": secret(1), "c": 2}}, id="nested"),
        pytest.param({"a": [1, 2]}, {"a": [secret(1)]}, {"a": secret([1, 2])}, id="a list with one is one"),
        pytest.param({"a": {"b": 1}}, {"a": secret({"b": 1})}, {"a": secret({"b": 1})}, id="a whole object"),
        pytest.param({"a": 1}, {}, {"a": 1}, id="what the inputs do not know"),
    ],
)
def test_an_output_is_a_secret_where_its_input_was_one(output: Any, inputs: Any, annotated: Any) -> None:
    assert annotate(output, inputs) == annotated


def test_the_contents_of_a_secret_object_are_always_secret() -> None:
    obj = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"a": "YQ=="}, "stringData": {"b": "c"}}

    assert guard(obj) == obj | {"data": secret({"a": "YQ=="}), "stringData": secret({"b": "c"})}


def test_the_contents_of_other_objects_are_not() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}

    assert guard(obj) == obj


def test_string_data_is_folded_into_data_and_wins() -> None:
    obj = {"kind": "Secret", "data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"}}

    assert fold_string_data(obj) == {"kind": "Secret", "data": {"a": "bmV3", "b": "Yg=="}}


def test_errors_show_neither_a_secret_nor_its_base64_form_nor_what_it_encodes() -> None:
    inputs = {"data": secret({"token": "aHVudGVyMg=="}), "other": secret("s3cret")}

    assert (
        redact("refused: hunter2, aHVudGVyMg==, s3cret, czNjcmV0, name", inputs)
        == "refused: [secret], [secret], [secret], [secret], name"
    )


def test_errors_without_secrets_stay_as_they_are() -> None:
    assert redact("spec.rate: Invalid value: 0", {"spec": {"rate": 0}}) == "spec.rate: Invalid value: 0"
