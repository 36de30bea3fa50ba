"""Pinned heads side by side on the same questions: verdicts, numbers, attention, two of them subtracted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.controls import node_link
from frontend.figures.heads import titles, verdict_of
from frontend.figures.legend import heated, legend
from frontend.figures.tables import most_attended
from frontend.figures.tokens import WEIGHTING_SENTENCE, sink_note, strip, token_strip, token_values
from frontend.nodes import Node
from frontend.results import Estimate, estimate, node_index
from frontend.state import State
from frontend.theme import SCALE_FLOOR
from frontend.words import NONE, effect, interval, number, percent, role_name, signed, spread

Json = Mapping[str, Any]
EFFECTS = {
    "total effect": "total_effect",
    "direct effect": "direct_effect",
    "indirect effect": "indirect_effect",
    "attribution": "attribution",
}
SMALLEST_SCALE = 0.1  # of differences in attention: never finer


@dataclass(frozen=True)
class Pinned:
    """One pinned node, with what has come of it so far."""

    node: Node
    effects: Json | None = None
    categories: Json | None = None
    roles: Json | None = None  # its attention by kind of token
    tokens: Json | None = None  # its attention on the question that is shown

    def mean(self, table: str) -> Estimate | None:
        """One of its effects over all pairs."""
        row = node_index(self.effects, self.node) if self.effects else None
        return estimate(self.effects, table, row) if self.effects and row is not None else None

    def share(self, role: str, weighting: str) -> Estimate | None:
        """Its attention on one kind of token, over all pairs."""
        if self.roles is None:
            return None
        named = [one["label"] for one in self.roles["coordinates"]["role"]]
        if role not in named:
            return None
        chosen = self.roles["coordinates"]["weighting"].index(weighting)
        return estimate(self.roles, "by_role", chosen, named.index(role))


def numbers_table(pins: Sequence[Pinned], place: State) -> html.Table:
    """A column for every pin: verdict, mean effects, attention on the correct label, with their intervals."""
    head = html.Tr(
        [html.Td(), *(html.Th(node_link(pin.node, place), scope="col", className="number") for pin in pins)]
    )
    verdicts = html.Tr([html.Th("verdict", scope="row"), *(_verdict(pin, place) for pin in pins)])
    rows = [
        html.Tr(
            [html.Th(name, scope="row"), *(_cell(pin.mean(table), effect, spread) for pin in pins)],
        )
        for name, table in EFFECTS.items()
    ]
    looks = html.Tr([html.Th("attention on the correct label", scope="row"), *map(_on_label, pins)])
    flips = html.Tr(
        [
            html.Th("pairs whose letter flips", scope="row"),
            *(_cell(pin.mean("flips"), _percent, lambda value: interval(value, percent)) for pin in pins),
        ]
    )
    body = html.Tbody([verdicts, *rows, looks, flips])
    return html.Table([html.Thead(head), body], className="table pinned")


def _verdict(pin: Pinned, place: State) -> html.Td:
    found = verdict_of(pin.categories, str(pin.node)) if pin.categories else None
    if found is None or pin.categories is None:
        why = "" if pin.node.head is not None else "an MLP has no category"
        return html.Td([NONE, html.Span(why, className="spread")], className="number")
    named, mine = titles(pin.categories), dict(place.verdicts).get(str(pin.node))
    shown = mine or found["category"]
    below = (
        f"yours; measured {named.get(found['category'], '')}"
        if mine
        else f"confidence {number(found['confidence'])}"
    )
    return html.Td([named.get(shown, shown), html.Span(below, className="spread")], className="number")


def _cell(
    value: Estimate | None, write: Callable[[Estimate], str], bounds: Callable[[Estimate], str]
) -> html.Td:
    if value is None:
        return html.Td(NONE, className="number")
    return html.Td([write(value), html.Span(bounds(value), className="spread")], className="number")


def _percent(value: Estimate) -> str:
    return percent(value.mean)


def _on_label(pin: Pinned) -> html.Td:
    seen = estimate(pin.roles, "on_correct_label", 0) if pin.roles else None
    return _cell(seen, lambda value: number(value.mean), lambda value: interval(value, number))


def roles_table(pins: Sequence[Pinned], weighting: str, between: tuple[Pinned, Pinned] | None) -> html.Table:
    """Attention by kind of token, a column for every pin, and the difference of two of them."""
    listed = {role["label"]: role for pin in pins if pin.roles for role in pin.roles["coordinates"]["role"]}
    rows = most_attended(
        (role, [pin.share(name, weighting) for pin in pins]) for name, role in listed.items()
    )
    apart = {role["label"]: _apart(between, role["label"], weighting) for role, _ in rows}
    largest = max([SMALLEST_SCALE, *(abs(value) for value in apart.values() if value is not None)])
    columns = [html.Th(str(pin.node), scope="col", className="number") for pin in pins]
    if between:
        columns.append(html.Th(f"{between[1].node} less {between[0].node}", scope="col", className="number"))
    lines = [
        html.Tr(
            [
                html.Th(role_name(role["label"]), scope="row", title=role["meaning"]),
                *(_share(share) for share in shares),
                *([_difference(apart[role["label"]], largest)] if between else []),
            ]
        )
        for role, shares in rows
    ]
    head = html.Thead(html.Tr([html.Th("attention on"), *columns]))
    return html.Table([head, html.Tbody(lines)], className="table pinned")


def _share(value: Estimate | None) -> html.Td:
    return html.Td(number(value.mean if value else None), className="number", title=interval(value, number))


def _apart(between: tuple[Pinned, Pinned] | None, role: str, weighting: str) -> float | None:
    first, second = (pin.share(role, weighting) for pin in between) if between else (None, None)
    return second.mean - first.mean if first and second else None


def _difference(value: float | None, largest: float) -> html.Td:
    words = signed(value)
    if value is None or words == signed(0.0):  # what reads as nothing is not coloured
        return html.Td(words, className="number")
    return heated(words, value, largest)


def strips(pins: Sequence[Pinned], weighting: str) -> html.Div:
    """The same question under every pinned head."""
    shown = [
        html.Figure(
            [
                html.Figcaption(str(pin.node)),
                token_strip(pin.tokens, weighting),
                html.P(sink_note(pin.tokens, weighting), className="note"),
            ]
        )
        for pin in pins
        if pin.tokens
    ]
    return html.Div([*shown, html.P(WEIGHTING_SENTENCE[weighting], className="note")], className="strips")


def difference_strip(first: Pinned, second: Pinned, weighting: str) -> list[Any]:
    """Where the second attends more (blue) or less (red) than the first, token by token."""
    if first.tokens is None or second.tokens is None:
        return []
    before, after = (token_values(pin.tokens, weighting) for pin in (first, second) if pin.tokens)
    values = [new - old for old, new in zip(before, after, strict=True)]
    unit = "logit" if weighting == "signed" else "fraction"
    floor = SCALE_FLOOR["logit"] if unit == "logit" else SMALLEST_SCALE
    largest = max([floor, *(abs(value) for value in values[1:])])
    names = f"{second.node} less {first.node}"
    said = f"On the first token {names} is {signed(values[0], 3)}; it is not coloured."
    return [
        html.Div(
            [html.H3(f"Attention of {names}"), legend(largest, unit)],
            className="card-head",
        ),
        strip(first.tokens, values, largest, lambda value: signed(value, 3), **attrs(data_difference=names)),
        html.P(f"Blue: more under {second.node}. Red: more under {first.node}. {said}", className="note"),
    ]
