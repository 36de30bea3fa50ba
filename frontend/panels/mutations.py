"""How far an explanation of a head holds: mutations, line or letter, an algorithm, what layers know."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.controls import select, together
from frontend.figures.mutations import mutations_figure
from frontend.figures.nth_item import nth_item_figure, probes_figure, pseudocode_figure
from frontend.figures.sliders import slider
from frontend.panels import section
from frontend.panels.links import place_of
from frontend.panels.section import Section
from frontend.theme import Palette
from frontend.vocabulary import KIND_NAME, ROLE_NAME

Json = dict[str, Any]
Want = Mapping[str, Any]


def mutations_controls(want: Want) -> list[Any]:
    """What keeps how many dimensions."""
    place = place_of(want["address"])
    fields = [
        slider("rank", place.rank, (1, 16, 1), "dimensions"),
        select("kind", KIND_NAME, place.kind, "of"),
    ]
    return [*together(place), html.Div(fields, className="choices")]


def nth_item_controls(want: Want) -> list[Any]:
    """Which heads."""
    return together(place_of(want["address"]))


def probes_controls(want: Want) -> list[Any]:
    """Where the probes read."""
    place = place_of(want["address"])
    return [html.Div([select("role", ROLE_NAME, place.role, "read")], className="choices")]


def mutations(body: Json, want: Want, palette: Palette) -> list[Any]:
    """Bars and the prompts behind one."""
    return mutations_figure(body, place_of(want["address"]), palette)


def nth_item(body: Json, _want: Want, _palette: Palette) -> list[Any]:
    """Two scores and a swap."""
    return nth_item_figure(body)


def pseudocode(body: Json, _want: Want, _palette: Palette) -> list[Any]:
    """The algorithm and its agreement."""
    return pseudocode_figure(body)


def probes(body: Json, want: Want, palette: Palette) -> list[Any]:
    """Accuracy over layers."""
    return probes_figure(body, place_of(want["address"]), palette)


MUTATIONS = Section(
    "mutations",
    "Mutations",
    "The form of the prompt changes, its question does not. Do a few dimensions of the head still do what "
    "all of them do?",
    mutations,
    controls=mutations_controls,
    plots=True,
)
NTH_ITEM = Section(
    "nth_item",
    "Nth item or letter?",
    "With shuffled labels line and letter come apart: which of the two does the head point at?",
    nth_item,
    controls=nth_item_controls,
)
PSEUDOCODE = Section(
    "pseudocode",
    "As an algorithm",
    "A few lines of code in place of the head, and how often both look at the same option.",
    pseudocode,
)
PROBES = Section(
    "probes",
    "What the layers know",
    "Linear probes of the residual stream: from which layer on does a token know its line, and its symbol? "
    "The same for all heads of a model.",
    probes,
    controls=probes_controls,
    plots=True,
)
ALL = (MUTATIONS, NTH_ITEM, PSEUDOCODE, PROBES)


def layout() -> list[Any]:
    """The bars over the whole width, the others beside each other."""
    others = html.Div([section.layout(one) for one in (PSEUDOCODE, PROBES)], className="cards two sections")
    return [section.layout(MUTATIONS), section.layout(NTH_ITEM), others]
