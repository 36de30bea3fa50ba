"""Places in words: names in the history strip, and what differs between two of them."""

import pytest

from frontend import ids
from frontend.nodes import Node
from frontend.panels.history import differences_table, place_at
from frontend.panels.wants import wants
from frontend.places import differences, title
from frontend.state import FIELDS, State
from tests.frontend.conftest import text_of


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (State(), "Map · total effect"),
        (State(view="direct", node=Node(1, 0)), "Map · direct · L1H0"),
        (State(node=Node(0, 1), receivers=("L1H0", "MLP1")), "Map · total effect · L0H1 → L1H0, MLP1"),
        (State(index=3, metric="accuracy"), "Map · total effect · question 4 · accuracy"),
        (State(page="head", node=Node(23, 0)), "L23H0"),
        (State(page="head", node=Node(23, 0), measure=("subspace",)), "L23H0 · Subspace"),
        (State(page="head", node=Node(2), measure=("where", "paths", "repair")), "MLP2 · Where · Paths …"),
        (State(page="heads", category="suppressor", find="L2<b>"), "Heads · suppressor · L2<b>"),
        (State(page="training"), "Training"),
    ],
)
def test_a_place_has_a_name(place: State, name: str) -> None:
    assert title(place) == name


def test_what_differs_is_said_in_words() -> None:
    left = State(n=8, node=Node(1, 0), metric="letter_loss")
    right = State(page="head", model="tiny", node=Node(1, 1), prelude=True, measure=("low_rank",))
    assert differences(left, right) == [
        ("page", "Map", "head"),
        ("model", "the server’s own", "tiny"),
        ("pairs", "8 pairs", "32 pairs"),
        ("first sentence", "no", "yes"),
        ("metric", "loss, letters only", "centred logit"),
        ("node", "L1H0", "L1H1"),
        ("sections measured", "–", "Low rank"),
    ]
    assert differences(left, left) == []
    assert "same place" in text_of(differences_table(left, left))


def test_every_field_can_be_told() -> None:
    """Whatever field an address gets, two places that differ in it can be compared."""
    examples = {"node": "L1H0", "pins": "L1H0", "verdicts": "L1H0:other", "notes": "L1H0:said", "n": "7"}
    for name, text in examples.items():
        found = differences(State(), place_at(f"/?{name}={text}"))
        assert len(found) == 1 and all(found[0]), name
    assert set(examples) <= set(FIELDS)


def test_what_a_reader_adds_is_no_place() -> None:
    """Going back in the strip keeps pins, notes and verdicts: they are not part of its addresses."""
    place = State(model="tiny", node=Node(1, 0))
    added = State(
        model="tiny",
        node=Node(1, 0),
        pins=("L0H0",),
        notes=(("L1H0", "a"),),
        verdicts=(("L1H0", "other"),),
    )
    here = wants(place, "tiny")[ids.WANT_HISTORY]
    assert here == wants(added, "tiny")[ids.WANT_HISTORY]
    assert here == {"address": "/?node=L1H0", "title": "Map · total effect · L1H0"}
