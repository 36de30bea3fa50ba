"""Figures that the dashboard spreads over several cards, each drawn here as one: attention, heads."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.controls import go, node_link, segmented
from frontend.figures.evidence import big_number
from frontend.figures.heads import Row, arranged, rows_of
from frontend.figures.heads_table import HEADING, MEANING, counts_list, next_order
from frontend.figures.question import question_card
from frontend.figures.runs import Checkpoint
from frontend.figures.tables import ARIA_SORT, label_table, role_table
from frontend.figures.tokens import WEIGHTING_SENTENCE, sink_note, token_strip
from frontend.figures.verdict import verdict_card
from frontend.panels.attention import WEIGHTING_NAME
from frontend.panels.gate import gate_table, more_table
from frontend.panels.training import SHOWN as OF_A_STEP
from frontend.panels.training import best_heads
from frontend.phrases import is_text_set, set_of
from frontend.results import Estimate, estimate, named, pair_of, reason
from frontend.state import State
from frontend.theme import Palette
from frontend.vocabulary import MUTATION_NAME
from frontend.words import NONE, effect, interval, number, percent, role_name, spread, visible

Json = Mapping[str, Any]
LONGEST = 400  # rows of a table that no figure of its own draws


def prompts(body: Json, place: State, _palette: Palette) -> list[Any]:
    """One of the pairs as a person reads it, with the way to the others."""
    pairs = body["details"]["pairs"]
    pair = pair_of(body, place.index) or pairs[0]
    at, n = pair["index"], len(pairs)
    steps = [
        go("Previous", index=(at - 1) % n, className="quiet", disabled=n < 2),
        go("Next", index=(at + 1) % n, className="quiet", disabled=n < 2),
    ]
    head = html.Div(
        [html.H3(f"Question {at + 1}"), html.Div(steps, className="steps")], className="card-head"
    )
    return [head, html.Div(question_card(pair), className="question")]


def gate(body: Json, _place: State, _palette: Palette) -> list[Any]:
    """Accuracy by letter and by content, the verdict, losses and recall."""
    verdict = html.P(body["details"].get("verdict", ""), className="note verdict")
    return [html.Div([gate_table(body), verdict, more_table(body)], className="gate narrow")]


def attention(body: Json, _place: State, _palette: Palette) -> list[Any]:
    """Where one head looks: correct letter by attended label, and by kind of token."""
    letters = "Mean attention from the final position on each label, by the letter that is correct."
    roles = "Mean share of the attention from the final position. A token can be of several kinds; kinds "
    roles += "below 0.01 are left out."
    labels = [
        html.H3("Correct letter × attended label"),
        html.P(letters, className="note"),
        html.Div(label_table(body, "raw"), className="scroll"),
    ]
    return [
        *([] if is_text_set(set_of(body)) else labels),
        html.H3("By kind of token"),
        html.P(roles, className="note"),
        html.Div(role_table(body), className="scroll"),
    ]


def token_attention(body: Json, place: State, _palette: Palette) -> list[Any]:
    """The tokens of one prompt with the chosen weighting as background."""
    note = f"{WEIGHTING_SENTENCE[place.weighting]} {sink_note(dict(body), place.weighting)}"
    return [
        segmented("weighting", WEIGHTING_NAME, place.weighting, "What the background means"),
        token_strip(body, place.weighting),
        html.P(note, className="note"),
    ]


def categories(body: Json, place: State, _palette: Palette) -> list[Any]:
    """How many heads there are of each category, and all heads with their measures; one head's evidence."""
    rows = rows_of(body, place)
    fitting = arranged(rows, place)
    columns = [name for name in HEADING if name != "qk_score"]
    head = html.Tr([_heading(column, place) for column in columns])
    listed = html.Tbody([_head_row(body, row, columns, place) for row in fitting[: place.rows]])
    left = len(fitting) - place.rows
    more = [go(f"Show {left} more", rows=len(fitting), className="quiet")] if left > 0 else []
    table = html.Table([html.Thead(head), listed], className="table nodes heads")
    counts = html.Div(counts_list(rows, place, body), className="narrow")
    card = [html.H3(str(place.node)), *verdict_card(body, place)] if place.node else []
    return [counts, *card, html.Div([table, *more], className="scroll")]


def _heading(column: str, place: State) -> html.Th:
    order = next_order(column, place)
    press = go(HEADING[column], by=column, order=order, className="sort", label=f"Sort by {HEADING[column]}")
    numeric = "" if column in ("head", "category") else "number"
    sort = ARIA_SORT[place.order] if place.by == column else "none"
    return html.Th(press, className=numeric, title=MEANING[column], **attrs(aria_sort=sort))


def _head_row(body: Json, row: Row, columns: Sequence[str], place: State) -> html.Tr:
    """A head with its measures; where one was not computed, a dash and the reason behind it."""
    cells: list[Any] = []
    for column in columns[2:]:
        value, signed = row.value(column), column in ("total_effect", "net_attribution")
        shown = effect(value) if signed else number(value.mean if value else None)
        bounds = spread(value) if signed else interval(value, number)
        cells.append(
            html.Td(shown, className="number", title=bounds or reason(body, column, str(row.node)) or None)
        )
    name = node_link(row.node, place)
    return html.Tr([html.Th(name, scope="row"), html.Td(row.own_title or row.title or NONE), *cells])


def checkpoint(body: Json, place: State, _palette: Palette) -> list[Any]:
    """The numbers of one training step, accuracy by mutation, and how many heads do what."""
    step = Checkpoint(body["details"].get("step") or 0, place.model or "", dict(body))
    read = {table: step.value(table, *(["none"] if table == "accuracy" else [])) for table in OF_A_STEP}
    numbers = [
        big_number(
            name,
            write(value.mean) if (value := read[table]) else NONE,
            interval(value, write) if value else reason(body, table),
        )
        for table, (name, write) in OF_A_STEP.items()
    ]
    by_mutation = _named(body, "accuracy", "mutation", percent)
    by_kind = _named(body, "categories", "category", lambda x: number(x, 0), "heads")
    return [
        html.Div(numbers, className="numbers beside"),
        html.P(best_heads(place, step), className="note best-heads"),
        html.Div([by_mutation, by_kind], className="cards two"),
    ]


def _named(body: Json, table: str, axis: str, write: Any, heading: str = "") -> html.Table:
    """A table with one axis: a name, a value, its interval or the reason why there is no value."""
    rows = []
    for at, name in enumerate(named(body, axis)):
        value = estimate(body, table, at)
        shown = write(value.mean) if value else NONE
        told = interval(value, write) or ("" if value else reason(body, table, name))
        words = MUTATION_NAME.get(name, name.replace("_", " "))
        rows.append(
            html.Tr(
                [
                    html.Th(words, scope="row"),
                    html.Td(shown, className="number"),
                    html.Td(told, className="note bounds"),
                ]
            )
        )
    head = html.Tr([html.Th(axis), html.Th(heading or table, className="number"), html.Td()])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="table")


def tables(body: Json, _place: State, _palette: Palette) -> list[Any]:
    """All tables of a result, a row for every value: for results that no figure of their own draws."""
    return [part for name in body["tables"] for part in (html.H3(name.replace("_", " ")), _long(body, name))]


def _long(body: Json, name: str) -> html.Div:
    table = body["tables"][name]
    axes = [body["coordinates"].get(axis) or [] for axis in table["axes"]]
    places = list(product(*(range(len(axis)) for axis in axes)))
    head = [html.Th(axis.replace("_", " ")) for axis in table["axes"]]
    rows = [
        _value_row(body, name, [_label(axis[at]) for axis, at in zip(axes, place, strict=True)], place)
        for place in places[:LONGEST]
    ]
    titles = html.Tr([*head, html.Th(table["unit"] or "value", className="number"), html.Th("95 % interval")])
    left = len(places) - LONGEST
    more = [html.P(f"{left} more values are in the CSV and the JSON.", className="note")] if left > 0 else []
    found = html.Table([html.Thead(titles), html.Tbody(rows)], className="table")
    return html.Div([found, *more], className="scroll")


def _value_row(body: Json, table: str, names: Sequence[str], place: Sequence[int]) -> html.Tr:
    value: Estimate | None = estimate(body, table, *place)
    told = interval(value, number) if value else reason(body, table, *names)
    shown = number(value.mean, 4) if value else ""
    named = [html.Th(visible(role_name(name)), scope="row") for name in names]
    return html.Tr([*named, html.Td(shown, className="number"), html.Td(visible(told) if told else "")])


def _label(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    return str(entry["label"]) if "label" in entry else json.dumps(dict(entry), ensure_ascii=False)
