"""The row of choices: what is patched, where, with which values, in which run, and what is measured."""

from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.controls import go, select
from frontend.options import ROLES, TEXT_ROLES
from frontend.phrases import (
    DIRECTION_NAME,
    METRIC_NAME,
    NODES_NAME,
    POSITIONS_NAME,
    SOURCE_NAME,
    is_text_set,
)
from frontend.state import DEFAULT, State

CHOICES = {
    "nodes": ("patch", NODES_NAME),
    "positions": ("positions", POSITIONS_NAME),
    "source": ("values from", SOURCE_NAME),
    "direction": ("direction", DIRECTION_NAME),
    "metric": ("metric", METRIC_NAME),
}


def choices_row(place: State) -> list[Any]:
    """Five fields; the page of a node has its node already. The defaults are one press away."""
    names = [name for name in CHOICES if place.page == "map" or name != "nodes"]
    fields = [select(name, options_of(name, place), getattr(place, name), CHOICES[name][0]) for name in names]
    usual = {name: getattr(DEFAULT, name) for name in names}
    if replace(place, **usual) == place:
        return [html.Div(fields, className="choices")]
    return [html.Div([*fields, go("Defaults", className="quiet", **usual)], className="choices")]


def options_of(name: str, place: State) -> dict[str, str]:
    """What can be chosen for these prompts: tokens of plain texts have roles of their own."""
    known = CHOICES[name][1]
    if name != "positions":
        return known
    foreign = {*(ROLES if is_text_set(place.set) else TEXT_ROLES)} - {place.positions}
    return {value: text for value, text in known.items() if value not in foreign}


def choices_of(place: State) -> dict[str, str]:
    """The choices that sentences speak of."""
    return {name: getattr(place, name) for name in CHOICES if name != "nodes"}
