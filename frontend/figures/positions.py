"""Effects by node and token as a table whose cells are the figure: estimates hollow, measured ones filled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.legend import heat, heat_class, legend
from frontend.phrases import with_unit
from frontend.results import Estimate, estimates, reason
from frontend.theme import SCALE_FLOOR
from frontend.words import effect, number, role_name, token

Json = Mapping[str, Any]
HINT = "Click a cell, or move with the arrow keys, to read its number."


@dataclass(frozen=True)
class Square:
    """One node at one token: what is known there."""

    node: str
    column: Json
    measured: Estimate | None
    guessed: Estimate | None
    reason: str

    @property
    def value(self) -> Estimate | None:
        """What is drawn."""
        return self.measured or self.guessed

    @property
    def state(self) -> str:
        """measured, estimate, pending or failed."""
        if self.measured:
            return "measured"
        if self.guessed:
            return "estimate"
        return "failed" if self.reason else "pending"

    @cached_property
    def words(self) -> str:
        """The number and everything that it depends on."""
        where = f"{self.node} at “{token(self.column['text'])}” ({place_words(self.column)})"
        if self.measured:
            told = f": measured {_told(self.measured)}"
            return where + told + (f", estimated {_told(self.guessed)}" if self.guessed else "")
        if self.guessed:
            return f"{where}: estimated {_told(self.guessed)}, not measured"
        return f"{where}: {self.reason or 'not measured yet'}"


def place_words(column: Json) -> str:
    """`token 31; label, correct; differs`."""
    differs = ["the prompts differ here"] if column["differs"] else []
    roles = [
        role_name(role) for role in column["roles"][1:] or column["roles"]
    ]  # the first is the general one
    return "; ".join([f"token {column['position']}", *roles, *differs])


def squares(body: Json) -> list[list[Square]]:
    """All cells, a row for every node."""
    columns = body["coordinates"]["pos"]
    done = body["complete"]
    rows = []
    for at, node in enumerate(body["coordinates"]["node"]):
        found = estimates(body, "total_effect", at), estimates(body, "estimate", at)
        rows.append(
            [
                Square(
                    node["label"],
                    column,
                    found[0][place] if found[0] else None,
                    found[1][place] if found[1] else None,
                    _reason(body, node["label"], column) if done else "",
                )
                for place, column in enumerate(columns)
            ]
        )
    return rows


def _reason(body: Json, node: str, column: Json) -> str:
    return reason(body, "total_effect", node, str(column["position"])) or "no value came out"


def position_figure(rows: Sequence[Sequence[Square]], own: str, said: str) -> html.Div:
    """The figure, and beside it what it means. Arrow keys move through it, a cell's words say its number.

    The page's script makes the table from the data of one element: as elements of their own, some hundred
    cells would keep the browser busy for seconds at every change of the page.
    """
    largest, unit = _scale(rows)
    words = [
        html.P(HINT, className="readout", role="status", **attrs(aria_live="polite")),
        html.P(said, className="note"),
        html.Div(_keys(), className="squares-key"),
        legend(largest, unit),
    ]
    table = html.Div(className="squares-scroll", **attrs(data_squares=json.dumps(table_data(rows, own))))
    return html.Div([table, html.Div(words, className="squares-words")], className="squares-figure")


def table_data(rows: Sequence[Sequence[Square]], own: str) -> Json:
    """What the table is made from: headings and their words; class, strength, words and name of each cell."""
    largest, _ = _scale(rows)
    columns = [square.column for square in rows[0]] if rows else []
    return {
        "label": "Effects by node and token",
        "columns": [_heading(column) for column in columns],
        "rows": [
            {
                "name": row[0].node,
                "own": row[0].node == own,
                "cells": [_cell(square, largest) for square in row],
            }
            for row in rows
            if row
        ],
    }


def _scale(rows: Sequence[Sequence[Square]]) -> tuple[float, str]:
    shown = [square.value for row in rows for square in row if square.value]
    unit = shown[0].unit if shown else "logit"
    floor = SCALE_FLOOR.get(unit, 0.0)
    return (max([floor, *(abs(value.mean) for value in shown)]) if shown else 0.0), unit


def _keys() -> list[html.Span]:
    names = {"measured": "measured", "estimate": "estimate (attribution patching)", "pending": "not yet"}
    return [
        html.Span([html.I(className=f"square heat negative {state}", style={"--w": "70%"}), name])
        for state, name in names.items()
    ]


def _heading(column: Json) -> list[str]:
    differs = " differs" if column["differs"] else ""
    return [f"token-name{_end(column)}{differs}", token(column["text"]), place_words(column)]


def _cell(square: Square, largest: float) -> list[str]:
    value = square.value.mean if square.value else 0.0
    classes = ["square", square.state] + ([heat_class(value)] if square.value else [])
    share = heat(value, largest)["--w"] if square.value else ""
    name = f"{square.node} {square.column['position']}"
    return [" ".join(classes) + _end(square.column), share, square.words, name]


def _end(column: Json) -> str:
    return " line-end" if "\n" in column["text"] else ""


def _told(value: Estimate) -> str:
    return with_unit(effect(value), value.unit)


def count_words(details: Json) -> str:
    """How many cells are measured, and how well the estimates were."""
    said = f"{details['n_measured']} of {details['n_cells']} cells are measured."
    if details.get("no_estimate"):
        return f"{said} There are no estimates: {details['no_estimate']}."
    if details.get("spearman") is None:
        return said
    agreement = number(details["spearman"])
    return f"{said} Over them, estimates and measurements have a rank correlation of {agreement}."
