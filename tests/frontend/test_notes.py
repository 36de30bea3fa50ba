"""Notes on a node: what is kept of them, how long they may be, and that their text is only ever text."""

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.figures.notes import note_data, notes_list
from frontend.marks import NOTE, NOTES, clean, read_notes, write_notes
from frontend.panels.router import changed
from frontend.state import State, parse, write
from tests.frontend.conftest import text_of

HOSTILE = "<script>window.__pwned = 1</script>\" '><b>&amp;,:;%1E + L2H0:x"


@given(st.text(max_size=60))
def test_whatever_is_typed_comes_back_as_the_same_text(text: str) -> None:
    place, problems = changed(State(), {"note": f"L1H0:{text}"})
    assert not problems
    kept = clean(text)
    assert place.notes == ((("L1H0", kept),) if kept else ())
    assert clean(kept) == kept
    if not any("\ud800" <= mark <= "\udfff" for mark in kept):
        assert parse(*write(place))[0] == place


def test_a_note_with_every_mark_of_an_address_is_one_note() -> None:
    place, _ = changed(State(notes=(("L0H0", "first"),)), {"note": f"MLP1:{HOSTILE}"})
    assert place.notes == (("L0H0", "first"), ("MLP1", HOSTILE))
    path, search = write(place)
    assert "<" not in search and parse(path, search) == (place, [])
    assert read_notes(parse_qs(search[1:])["notes"][0]) == place.notes


def test_an_empty_note_is_none() -> None:
    place, _ = changed(State(notes=(("L0H0", "first"), ("L1H0", "second"))), {"note": "L0H0:  "})
    assert place.notes == (("L1H0", "second"),)
    assert changed(place, {"note": "L1H0:"})[0].notes == ()


def test_what_is_too_long_is_refused_with_the_limits_and_nothing_is_cut() -> None:
    before = State(notes=(("L0H0", "first"),))
    place, problems = changed(before, {"note": f"L1H0:{'x' * (NOTE + 1)}"})
    assert place == before and f"{NOTE} characters each" in problems[0]
    full = State(notes=tuple((f"L{layer}H0", "x" * NOTE) for layer in range(NOTES // NOTE)))
    place, problems = changed(full, {"note": "L9H0:y"})
    assert place == full and f"{NOTES} in all" in problems[0]
    assert changed(full, {"note": f"L0H0:{'y' * NOTE}"})[1] == []


@pytest.mark.parametrize("text", ["L1H0", "L1H0:", "ATTN3:words", "nothing:words", "L1H0:" + "x" * 501])
def test_a_note_in_an_address_that_cannot_be_used_is_said(text: str) -> None:
    place, problems = parse("/", f"?notes={text}")
    assert place.notes == () and problems[0].startswith("notes")


def test_a_note_on_a_part_of_a_head_is_one_on_the_head() -> None:
    assert read_notes("L1H0.q:said") == (("L1H0", "said"),)
    assert write_notes(read_notes("MLP1:b\x1eL1H0:a\x1eL0H3:c")) == "L0H3:c\x1eL1H0:a\x1eMLP1:b"


def test_the_page_gets_the_text_as_data_and_the_lengths_to_say() -> None:
    told = json.loads(note_data("L1H0", {"L1H0": HOSTILE, "MLP0": "four"}))
    assert told == {"node": "L1H0", "text": HOSTILE, "most": NOTE, "most_in_all": NOTES, "others": 4}
    assert note_data(None, {"L1H0": "a"}) == ""


def test_notes_to_read_show_what_cannot_be_seen() -> None:
    assert text_of(notes_list([("L1H0", "one\n\u202etwo")])) == "L1H0one⟨202E⟩two"
    assert notes_list([]) == []
