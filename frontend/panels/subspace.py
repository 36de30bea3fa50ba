"""What the queries and keys of a head mean: its subspace, what remains in it, patching inside it."""

from collections.abc import Mapping
from typing import Any

from dash import Output, dcc, html, no_update

from frontend import ids
from frontend.figures.attributes import attrs
from frontend.figures.controls import select, together
from frontend.figures.low_rank import low_rank_figure
from frontend.figures.map import CONFIG
from frontend.figures.points import clouds, scene
from frontend.figures.sliders import slider
from frontend.figures.steer import steer_figure, steer_sentence
from frontend.figures.subspace import beside_scene, scene_head, subspace_figure
from frontend.options import COMPUTED
from frontend.panels import section
from frontend.panels.links import place_of
from frontend.panels.section import Section
from frontend.theme import Palette
from frontend.vocabulary import (
    AT_NAME,
    CENTRING_NAME,
    OVERLAY_NAME,
    ROPE_NAME,
    STEER_MODE_NAME,
    STEER_VECTOR_NAME,
)

Json = dict[str, Any]
Want = Mapping[str, Any]
SCENE_CONFIG: Any = {**CONFIG, "scrollZoom": False}  # the wheel scrolls the page


def _vectors(want: Want) -> list[Any]:
    place = place_of(want["address"])
    return [
        select("at", AT_NAME, place.at, "keys at"),
        select("rope", ROPE_NAME, place.rope, "position code"),
        select("centring", CENTRING_NAME, place.centring, "centred by"),
    ]


def subspace_controls(want: Want) -> list[Any]:
    """Which vectors, and what lies over them."""
    place = place_of(want["address"])
    over = select("overlay", OVERLAY_NAME, place.overlay, "mutation laid over")
    return [html.Div([*_vectors(want), over], className="choices")]


def low_rank_controls(want: Want) -> list[Any]:
    """Which heads, which of their vectors."""
    return [*together(place_of(want["address"])), html.Div(_vectors(want), className="choices")]


def steer_controls(want: Want) -> list[Any]:
    """What is patched, how, in how many dimensions."""
    place = place_of(want["address"])
    fields = [
        select("steer_vector", STEER_VECTOR_NAME, place.steer_vector, "patch"),
        select("steer_mode", STEER_MODE_NAME, place.steer_mode, "how"),
        slider("rank", place.rank, (1, 16, 1), "dimensions"),
    ]
    if place.steer_mode == "move":
        fields.append(slider("strength", place.strength, (-1, 3, 0.25), "strength"))
    said = html.P(steer_sentence(place), className="note")
    return [html.Div(fields, className="choices"), said]


def scene_layout() -> html.Div:
    """The one scene of the page. It stays when the rest is drawn anew, and so does its camera."""
    said = (
        "Queries and keys in three dimensions. Arrow keys turn the view, plus and minus bring it closer. "
        "The table of points has the numbers."
    )
    graph = dcc.Graph(id=ids.SCENE, figure={}, config=SCENE_CONFIG, responsive=True)
    box = html.Div(graph, className="scene", tabIndex=0, role="group", **attrs(aria_label=said))
    left = html.Div([html.Div(id=ids.SCENE_HEAD, className="card-head"), box])
    return html.Div(
        [left, html.Div(id=ids.SCENE_BESIDE, className="stack")],
        id=ids.SCENE_ROW,
        className="points",
        hidden=True,
    )


def subspace(body: Json, want: Want, palette: Palette) -> list[Any]:
    """Shares, flat twins, patterns."""
    return subspace_figure(body, place_of(want["address"]), palette)


def low_rank(body: Json, want: Want, palette: Palette) -> list[Any]:
    """Curves over the rank."""
    return low_rank_figure(body, place_of(want["address"]), palette)


def steer(body: Json, _want: Want, _palette: Palette) -> list[Any]:
    """Before and after."""
    return steer_figure(body)


SUBSPACE = Section(
    "subspace",
    "Subspace",
    "The head’s queries at the final position and its keys at the options, along the directions in which "
    "they vary most. Fitted on the other split, drawn for these prompts.",
    subspace,
    controls=subspace_controls,
    above=scene_layout,
    plots=True,
)
LOW_RANK = Section(
    "low_rank",
    "Low rank",
    "Queries, keys or values keep only r dimensions: how many does the behaviour need?",
    low_rank,
    controls=low_rank_controls,
    plots=True,
)
STEER = Section(
    "steer",
    "Patch inside the subspace",
    "Only these few dimensions of the query or the keys change, all others stay: do attention and answer "
    "follow?",
    steer,
    controls=steer_controls,
)
ALL = (SUBSPACE, LOW_RANK, STEER)
SCENE_OUTPUTS = {
    "figure": Output(ids.SCENE, "figure"),
    "head": Output(ids.SCENE_HEAD, "children"),
    "beside": Output(ids.SCENE_BESIDE, "children"),
    "hidden": Output(ids.SCENE_ROW, "hidden"),
}
CONTENTS = {
    "subspace": "Subspace",
    "low_rank": "Low rank",
    "steer": "Patch inside",
    "mutations": "Mutations",
    "nth_item": "Nth item or letter",
    "pseudocode": "Algorithm",
    "probes": "Layers",
    "where": "Where",
    "paths": "Paths",
    "repair": "Self-repair",
    "knock": "Knock-out",
}


def contents() -> html.Nav:
    """Links to the sections further down; an MLP has fewer."""
    links = [
        html.A(title, href=f"#{ids.section(name, 'card')}", className="of-head" if name in COMPUTED else "")
        for name, title in CONTENTS.items()
    ]
    return html.Nav(links, className="contents", **attrs(aria_label="On this page"))


def layout() -> list[Any]:
    """The sections, one below the other."""
    return [section.layout(one) for one in ALL]


def scene_parts(body: Json | None, want: Json | None, palette: Palette) -> Json:
    """The scene and what stands beside it; hidden, and left as it is, while there is nothing to show."""
    if body is None or want is None:
        return {"figure": no_update, "head": no_update, "beside": no_update, "hidden": True}
    place = place_of(want["address"])
    return {
        "figure": scene(clouds(body), place.cloud, want["camera"], palette),
        "head": scene_head(place),
        "beside": beside_scene(body, place, palette),
        "hidden": False,
    }
