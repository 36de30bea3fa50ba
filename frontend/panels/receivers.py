"""Paths from the selected node to receivers chosen on the map: a section of the evidence card."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.receivers import chosen, receiver_table
from frontend.panels import section
from frontend.panels.links import place_of
from frontend.panels.section import Section
from frontend.theme import Palette

Json = dict[str, Any]


def draw(body: Json, want: Mapping[str, Any], _palette: Palette) -> list[Any]:
    """Path effects through every input of the receivers."""
    return receiver_table(body, place_of(want["address"]), want["choices"])


def controls(want: Mapping[str, Any]) -> list[Any]:
    """Who receives."""
    return chosen(place_of(want["address"]))


RECEIVERS = Section(
    "receivers",
    "Paths to receivers",
    "What reaches a later node alone, everything after it recomputed. All paths of the node are measured at "
    "once, so another receiver costs nothing.",
    draw,
    controls=controls,
)


def layout() -> html.Section:
    """Hidden until a receiver is chosen."""
    return section.layout(RECEIVERS)
