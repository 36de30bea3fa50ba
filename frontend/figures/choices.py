"""The row of choices: what is patched, where, with which values, in which run, and what is measured."""

from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.controls import go, select
from frontend.phrases import DIRECTION_NAME, METRIC_NAME, NODES_NAME, POSITIONS_NAME, SOURCE_NAME
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
    fields = [select(name, CHOICES[name][1], getattr(place, name), CHOICES[name][0]) for name in names]
    usual = {name: getattr(DEFAULT, name) for name in names}
    if replace(place, **usual) == place:
        return [html.Div(fields, className="choices")]
    return [html.Div([*fields, go("Defaults", className="quiet", **usual)], className="choices")]


def choices_of(place: State) -> dict[str, str]:
    """The choices that sentences speak of."""
    return {name: getattr(place, name) for name in CHOICES if name != "nodes"}
