"""What is measured on demand: where in the prompt, by which paths, who repairs, how few nodes suffice."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend import specs
from frontend.figures.curves import curves_figure
from frontend.figures.paths import edge_table, knock_out_table, path_table, repair_table
from frontend.figures.positions import count_words, position_figure, squares
from frontend.panels import section
from frontend.panels.links import place_of
from frontend.panels.section import Section
from frontend.phrases import METRIC_PHRASE, METRIC_UNIT, colours, for_set, in_unit
from frontend.theme import Palette

Json = dict[str, Any]
Want = Mapping[str, Any]


def where(body: Json, want: Want, _palette: Palette) -> list[Any]:
    """Effects at every token of the chosen question."""
    place = place_of(want["address"])
    metric = place.metric
    unit = in_unit(METRIC_UNIT[metric])
    run = "clean prompt" if place.direction == "denoising" else "corrupt prompt"
    said = (
        f"Question {place.index + 1} of {place.n}. Change of {METRIC_PHRASE[metric]}, {unit}, when one node "
        f"is patched from the {run} at one token. {colours(metric)} Tokens before the first difference are "
        "the same in both prompts and are left out; underlined ones differ."
    )
    words = f"{for_set(said, place.set)} {count_words(body['details'])}"
    return [position_figure(squares(body), str(place.node), words)]


def paths(body: Json, want: Want, _palette: Palette) -> list[Any]:
    """Path effects to every later node."""
    return path_table(body, place_of(want["address"]), want["choices"])


def edges(body: Json, want: Want, _palette: Palette) -> list[Any]:
    """The strongest edges of the chosen question."""
    return edge_table(body, place_of(want["address"]), body["details"]["n_measured"])


def repair(body: Json, want: Want, _palette: Palette) -> list[Any]:
    """Changes of direct effects."""
    return repair_table(body, place_of(want["address"]))


def knock(body: Json, want: Want, _palette: Palette) -> list[Any]:
    """Effects of cut attention."""
    return knock_out_table(body, place_of(want["address"]), want["choices"]["metric"])


def curves(body: Json, _want: Want, palette: Palette) -> list[Any]:
    """Curves over k."""
    return curves_figure(body, palette)


def ranked(spec: Want, effects: Json) -> Json:
    """The spec of the curves, from the effects that rank the nodes."""
    return specs.curves(dict(spec), effects["details"]["ranking"]["order"])


WHERE = Section(
    "where",
    "Where in the prompt",
    "Patches every head of this layer (or every MLP) at every token. Estimates come first, hollow; each "
    "fills as it is measured.",
    where,
    unit="step",
)
PATHS = Section(
    "paths",
    "Paths",
    "Which later queries, keys, values and MLPs carry what this node writes, each path measured alone.",
    paths,
)
REPAIR = Section(
    "repair", "Self-repair", "Who writes more, or less, once this node no longer does its part.", repair
)
KNOCK = Section(
    "knock",
    "Knock-out",
    "The head may not look at one kind of token: what is that attention good for?",
    knock,
)
EDGES = Section(
    "edges",
    "Strongest edges",
    "Which node reaches which later one on this question: all edges are estimated at once, the strongest "
    "then measured.",
    edges,
    unit="step",
)
CURVES = Section(
    "curves",
    "How few nodes are enough?",
    "Heads and MLPs are added in the order of their attribution, and the loss over the letters is measured "
    "with the first k alone and without them; grey are random orders. This takes longer than a map.",
    curves,
    then=ranked,
    before="First the ranking",
    plots=True,
)
ON_HEAD = (WHERE, PATHS, REPAIR, KNOCK)


def layout() -> list[Any]:
    """The sections of the page of a node."""
    others = html.Div([section.layout(one) for one in (PATHS, REPAIR, KNOCK)], className="cards sections")
    return [section.layout(WHERE), others]


def map_layout() -> list[Any]:
    """The sections of the map page."""
    return [section.layout(EDGES), section.layout(CURVES)]
