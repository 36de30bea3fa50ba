"""Canonical JSON: equal values get equal bytes, different values different ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.keys import canonical_json, key_for

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab\u00e9\u0301"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_the_form_is_as_documented() -> None:
    value = {"b": [1, 1.0, 0.1, True, None], "a": "é\n"}
    assert canonical_json(value) == '{"a":"é\\n","b":[1,1.0,0.1,true,null]}'.encode()


def test_the_key_is_the_sha256_of_the_form() -> None:
    assert key_for({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(VALUES)
def test_it_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(VALUES, VALUES)
def test_keys_are_equal_exactly_where_the_values_are(one: object, other: object) -> None:
    same = repr(_sorted(one)) == repr(_sorted(other))  # repr tells 1 from 1.0 and from True
    assert (key_for(one) == key_for(other)) == same


def _sorted(value: object) -> object:
    match value:
        case dict():
            return "object", sorted((key, _sorted(item)) for key, item in value.items())
        case list():
            return [_sorted(item) for item in value]
        case float():
            return value or 0.0
    return value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_an_object_does_not_count(value: dict[str, int]) -> None:
    assert key_for(dict(reversed(value.items()))) == key_for(value)


def test_what_counts_as_equal() -> None:
    assert key_for({"x": -0.0}) == key_for({"x": 0.0})
    assert key_for([(1, 2)]) == key_for([[1, 2]])
    assert key_for(1) != key_for(1.0)
    assert key_for("\u00e9") != key_for("e\u0301"), "composed and decomposed text are different texts"
    assert key_for([1, 23]) != key_for([12, 3])
    assert key_for(["a", "b"]) != key_for(["a,b"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")], "\ud800", {"\udfff": 1}])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        key_for(value)


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {"a": object()}, {1, 2}])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        key_for(value)
