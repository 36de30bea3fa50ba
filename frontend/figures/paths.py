"""What a node causes beyond its own write: paths to later nodes, self-repair, and attention that was cut."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.bars import Bar, beside, ranked_bars
from frontend.figures.controls import link
from frontend.nodes import Node
from frontend.phrases import METRIC_PHRASE, colours, for_set, in_unit, patched
from frontend.results import estimate, reason
from frontend.state import State
from frontend.words import effect, number, percent, role_name, spread

Json = Mapping[str, Any]
INPUT = {"q": "query", "k": "key", "v": "value", "mlp": "", "logits": "directly"}
SHOWN = 10
INTERVAL = "95 % interval"


def path_table(body: Json, place: State, choices: Mapping[str, str]) -> list[Any]:
    """The strongest receivers, and all paths at once beside the total effect."""
    bars = [
        measured_bar(body, "path_effect", at, receiver_name(entry["label"], entry["input"], place))
        for at, entry in enumerate(body["coordinates"]["receiver"])
    ]
    both = beside(
        ("all paths together", estimate(body, "all_paths")), ("total effect", estimate(body, "total_effect"))
    )
    how = how_read(choices)
    said = (
        f"Change of {METRIC_PHRASE[choices['metric']]}, {_unit(body, 'path_effect')}, when one receiver "
        f"alone reads {place.node} {how}. {colours(choices['metric'])} Paths need not add up, but all "
        "of them at once are the total effect."
    )
    return [
        both,
        html.P(for_set(said, place.set), className="note"),
        *ranked_bars(bars, ("receiver", "path effect", INTERVAL), SHOWN),
    ]


def how_read(choices: Mapping[str, str]) -> str:
    """How a path takes its value from the other run: never from a mean, at the final position or at all."""
    positions = "final" if choices["positions"] == "final" else "all"
    return patched({**choices, "source": "counterfactual", "positions": positions})


def measured_bar(body: Json, table: str, at: int, name: Any) -> Bar:
    """A row of a table with one axis: value and interval, or why there is none."""
    (axis,) = body["tables"][table]["axes"]
    value = estimate(body, table, at)
    bounds = html.Td(spread(value), className="number bounds")
    return Bar(name, value, reason(body, table, body["coordinates"][axis][at]["label"]), (bounds,))


def receiver_name(label: str, entry: str, place: State) -> list[Any]:
    """A receiver as a link to its node, and which of its inputs it is."""
    node = None if entry == "logits" else Node.read(label).owner
    return [*_linked(node, label, place), " ", html.Span(INPUT[entry], className="note")]


def _linked(node: Node | None, label: str, place: State) -> list[Any]:
    return [link(str(node), replace(place, node=node), className="node-link")] if node else [label]


def edge_table(body: Json, place: State, how_many: int) -> list[Any]:
    """The strongest edges between nodes on one question: estimates hollow, measured ones filled."""
    bars = []
    for at, edge in enumerate(body["coordinates"]["edge"]):
        measured, guessed = estimate(body, "measured", at), estimate(body, "estimate", at)
        sender = _linked(Node.read(edge["sender"]), edge["sender"], place)
        name = [*sender, " → ", *receiver_name(edge["receiver"], edge["input"], place)]
        shown = html.Td(effect(guessed), className="number")
        bars.append(Bar(name, measured or guessed, more=(shown,), hollow=measured is None))
    said = (
        f"Question {place.index + 1} of {place.n}. Change of {METRIC_PHRASE[place.metric]}, "
        f"{_unit(body, 'estimate')}, when one path alone takes its value from the other prompt at the final "
        f"position. {colours(place.metric)} Hollow bars are estimates (attribution patching); of the "
        f"{len(bars)} strongest, {how_many} are measured."
    )
    return [
        html.P(for_set(said, place.set), className="note"),
        *ranked_bars(bars, ("edge", "effect", "estimate"), SHOWN),
    ]


def repair_table(body: Json, place: State) -> list[Any]:
    """Whose direct effects change when a node is patched, and what that comes to."""
    bars = [
        replace(
            measured_bar(body, "change", at, _component(entry, place)), own=entry["label"] == str(place.node)
        )
        for at, entry in enumerate(body["coordinates"]["component"])
    ]
    numbers = beside(
        (f"of {place.node} itself", estimate(body, "direct_effect")),
        ("all changes together", estimate(body, "total_effect_frozen")),
        ("total effect", estimate(body, "total_effect")),
    )
    said = (
        f"Change of what each component writes directly for the correct letter’s centred logit, "
        f"{_unit(body, 'change')}, when {place.node} is patched; final norm as in the run that is edited. A "
        f"sign against that of {place.node} repairs its loss. Together they are the total effect, but for "
        "the norm."
    )
    return [
        numbers,
        html.P(for_set(said, place.set), className="note"),
        *ranked_bars(bars, ("component", "change", INTERVAL), SHOWN),
    ]


def _component(entry: Json, place: State) -> Any:
    if entry["kind"] not in ("head", "mlp"):
        return entry["label"]
    node = Node.read(entry["label"])
    if node == place.node:
        return [str(node), html.Span("itself", className="tag")]
    return _linked(node, entry["label"], place)


def knock_out_table(body: Json, place: State, metric: str) -> list[Any]:
    """What cutting the attention to each kind of token does, beside the attention that was cut."""
    bars = [
        Bar(
            html.Span(role_name(role["label"]), title=role["meaning"]),
            estimate(body, "effect", at),
            reason(body, "effect", role["label"]),
            _cut(body, at),
        )
        for at, role in enumerate(body["coordinates"]["role"])
    ]
    said = (
        f"Change of {METRIC_PHRASE[metric]}, {_unit(body, 'effect')}, on the clean prompt when {place.node} "
        "may not look from the final position at one kind of token; its other attention grows to fill the "
        f"gap. {colours(metric)}"
    )
    columns = ("kind of token", "effect", "attention cut", for_set("letter flips", place.set))
    table = ranked_bars(bars, columns, SHOWN)
    return [html.P(for_set(said, place.set), className="note"), *table]


def _cut(body: Json, at: int) -> tuple[html.Td, ...]:
    weight, flips = estimate(body, "weight", at), estimate(body, "flips", at)
    return (
        html.Td(number(weight.mean if weight else None), className="number"),
        html.Td(percent(flips.mean if flips else None), className="number"),
    )


def _unit(body: Json, table: str) -> str:
    return in_unit(body["tables"][table]["unit"])
