"""Pins and receivers: how they are put in and taken out of the address, and what is shown of them."""

from typing import Any

import pytest

from frontend import ids
from frontend.figures.pins import node_tools, tray
from frontend.figures.receivers import chosen, receiver_table
from frontend.marks import PINS, reaches
from frontend.nodes import Node
from frontend.panels.router import changed
from frontend.panels.wants import same, wants
from frontend.specs import paths
from frontend.state import State, parse, write
from tests.frontend.conftest import attribute, result, table, text_of, walk

Json = dict[str, Any]
FOUR = ("L0H0", "L0H1", "L1H0", "MLP1")
MARKS: Json = {"pins": ["L1H0"], "receivers": [], "notes": {}}


def test_a_pin_is_put_in_and_taken_out() -> None:
    place, problems = changed(State(), {"pin": "L1H0"})
    assert place.pins == ("L1H0",) and not problems
    place, _ = changed(place, {"pin": "L0H1"})
    assert place.pins == ("L1H0", "L0H1")  # in the order of pinning
    place, _ = changed(place, {"pin": "L1H0"})
    assert place.pins == ("L0H1",)
    assert changed(place, {"pin": "L0H1"})[0].pins == ()


def test_a_fifth_pin_says_so_and_changes_nothing() -> None:
    place, problems = changed(State(pins=FOUR), {"pin": "L2H0"})
    assert place.pins == FOUR and len(FOUR) == PINS
    assert problems and f"at most {PINS}" in problems[0]


def test_pins_survive_every_change_of_page() -> None:
    before = State(model="tiny", pins=FOUR, notes=(("L1H0", "a"),), verdicts=(("L0H1", "other"),))
    for change in ({"page": "heads"}, {"page": "head", "node": "L1H0"}, {"page": "map", "node": ""}):
        after, _ = changed(before, change)
        assert (after.pins, after.notes, after.verdicts) == (before.pins, before.notes, before.verdicts)
        assert parse(*write(after))[0].pins == FOUR


def test_a_pin_draws_no_panel_anew() -> None:
    """Only the strip below the bar and the marks over the map change."""
    for place in (State(model="tiny", node=Node(1, 0)), State(page="head", model="tiny", node=Node(1, 0))):
        before = wants(place, "tiny")
        for change in ({"pin": "L0H1"}, {"note": "L1H0:said"}):
            after = wants(changed(place, change)[0], "tiny")
            assert {name for name in after if not same(after[name], before[name])} == {ids.WANT_MARKS}


@pytest.mark.parametrize(
    ("sender", "receiver", "later"),
    [
        ("L1H0", "L2H3", True),
        ("L1H0", "MLP1", True),
        ("L1H0", "L1H1", False),
        ("L1H0", "L0H0", False),
        ("MLP1", "L1H0", False),
        ("MLP1", "MLP1", False),
        ("MLP1", "MLP2", True),
    ],
)
def test_a_receiver_comes_after_its_sender(sender: str, receiver: str, later: bool) -> None:
    assert reaches(Node.read(sender), Node.read(receiver)) is later


def test_receivers_ask_for_the_paths_of_the_selected_node_and_leave_with_it() -> None:
    place, _ = changed(State(model="tiny", node=Node(0, 1)), {"receiver": "L1H0"})
    asked = wants(place, "tiny")[ids.WANT_SECTION["receivers"]]
    assert asked is not None and asked["asked"] and asked["spec"] == paths(place, Node(0, 1))
    assert changed(place, {"index": "1"})[0].receivers == ("L1H0",)
    assert changed(place, {"node": "L0H0"})[0].receivers == ()
    earlier, _ = changed(State(model="tiny", node=Node(1, 0)), {"receiver": "L0H0"})
    assert wants(earlier, "tiny")[ids.WANT_SECTION["receivers"]] is None


def path_effects() -> Json:
    receivers = [
        {"label": f"L1H0.{part}", "layer": 1, "head": 0, "input": part} for part in ("q", "k", "v")
    ] + [{"label": "MLP1", "layer": 1, "head": None, "input": "mlp"}]
    receivers += [{"label": "logits", "layer": None, "head": None, "input": "logits"}]
    mean = [-2.0, None, 0.25, 1.0, 3.0]
    low, high = ([None if value is None else value + by for value in mean] for by in (-0.1, 0.1))
    return result(
        coordinates={"receiver": receivers},
        tables={"path_effect": table(["receiver"], mean, low, high)},
        failures=[{"table": "path_effect", "where": "L1H0.k", "reason": "not finite"}],
    )


def test_each_input_of_a_receiver_has_its_path_effect() -> None:
    place = State(node=Node(0, 1), receivers=("MLP1", "L1H0", "L0H0", "L2H0"))
    choices = {"metric": "centred_logit", "direction": "noising", "positions": "final"}
    shown = receiver_table(path_effects(), place, choices)
    rows = [text_of(part) for part in walk(shown) if type(part).__name__ == "Tr"]
    assert rows[1:] == [
        "MLP1input+1.00[+0.90, +1.10]",
        "L1H0query−2.00[−2.10, −1.90]",
        "keynot finite",
        "value+0.25[+0.15, +0.35]",
        "L2H0No path leads from L0H1 to L2H0 in this model.",
    ]
    assert "L0H0 does not come after L0H1" in text_of(chosen(place))


def test_the_tray_has_values_only_where_they_were_measured(effects: Json) -> None:
    place = State(model="tiny")
    shown = tray(["L0H0", "MLP0", "L2H0"], place, effects)
    assert text_of(shown) == "PinnedL0H0−2.00×MLP0×L2H0×Compare"
    assert '"page": "compare"' in attribute(shown, "data-go")[-1]
    assert "Compare" not in text_of(tray(["L0H0"], place, None))


def test_the_tools_of_a_node_say_what_a_press_does() -> None:
    assert text_of(node_tools("L1H0", MARKS, paths=True)) == "UnpinPath to …"
    assert text_of(node_tools("L0H0", MARKS, paths=False)) == "Pin"
    full = node_tools("L2H0", MARKS | {"pins": list(FOUR)}, paths=False)
    assert attribute(full, "data-full") == ["true"]
    assert not attribute(node_tools("L0H0", MARKS | {"pins": list(FOUR)}, paths=False), "data-full")
    assert node_tools(None, MARKS, paths=True) == []
