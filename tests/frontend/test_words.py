"""Words and numbers: real minus signs, visible marks, nothing that a figure could read as HTML."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend import words
from frontend.results import Estimate


@pytest.mark.parametrize(
    ("value", "text"), [(-2.664, "−2.66"), (2.38, "+2.38"), (0.0, "0.00"), (-0.001, "0.00"), (None, "–")]
)
def test_signed(value: float | None, text: str) -> None:
    assert words.signed(value) == text


def test_not_finite_is_no_number() -> None:
    assert words.signed(float("nan")) == words.NONE
    assert words.signed(float("inf")) == words.NONE


@pytest.mark.parametrize(
    ("value", "text"), [(8e-6, "8e−6"), (1.0, "1e0"), (0.0, "0"), (None, "–"), (2.4e-5, "2e−5")]
)
def test_tiny(value: float | None, text: str) -> None:
    assert words.tiny(value) == text


def test_interval() -> None:
    assert words.interval(Estimate(-2.0, -2.5, -1.5)) == "[−2.50, −1.50]"
    assert words.interval(Estimate(-2.0)) == ""


def test_tokens_show_what_cannot_be_seen() -> None:
    assert words.token(" the\n") == "·the⏎"
    assert words.token("") == "∅"
    assert words.token("a\u202eb\x07") == "a⟨202E⟩b⟨7⟩"


@given(st.text())
def test_labels_are_escaped_and_nothing_is_invisible(text: str) -> None:
    written = words.label(text)
    assert "<" not in written and ">" not in written
    assert all(character.isprintable() for character in html.unescape(written))


def test_role_names() -> None:
    assert words.role_name("label_correct") == "label, correct"
    assert words.role_name("open_bracket") == "open bracket"
