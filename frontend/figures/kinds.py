"""Every kind of figure: for each analysis its name in words and what draws a stored result of it, alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dash import dcc, html

from frontend.figures import alone, alone_map
from frontend.figures.attributes import attrs
from frontend.figures.choices import choices_of
from frontend.figures.points import clouds, scene
from frontend.figures.subspace import beside_scene, scene_head
from frontend.panels import bias, causes, heads, mutations, pattern, subspace, thumbnails
from frontend.panels.section import Section
from frontend.panels.wants import fields_of
from frontend.state import State
from frontend.theme import Palette

Json = Mapping[str, Any]
Draw = Callable[[Json, State, Palette], list[Any]]


@dataclass(frozen=True)
class Kind:
    """One kind of figure: its analysis, its title, what draws a complete result of it."""

    name: str
    title: str
    draw: Draw


def _as_section(section: Section) -> Draw:
    """As the dashboard draws it under a heading of its own."""

    def draw(body: Json, place: State, palette: Palette) -> list[Any]:
        return section.draw(dict(body), want_of(place), palette)

    return draw


def want_of(place: State) -> dict[str, Any]:
    """What the router tells a section of a state."""
    address = fields_of(place, place.model or "")
    return {"address": address, "choices": choices_of(place), "camera": place.camera}


def _subspace(body: Json, place: State, palette: Palette) -> list[Any]:
    """The scene with what stands beside it, then everything below."""
    graph = dcc.Graph(
        figure=scene(clouds(body), place.cloud, place.camera, palette),
        config=subspace.SCENE_CONFIG,
        responsive=True,
    )
    said = "Queries and keys in three dimensions. The table of points has the numbers."
    box = html.Div(graph, className="scene", tabIndex=0, role="group", **attrs(aria_label=said))
    left = html.Div([html.Div(scene_head(place), className="card-head"), box])
    right = html.Div(beside_scene(body, place, palette), className="stack")
    return [
        html.Div([left, right], className="points"),
        *_as_section(subspace.SUBSPACE)(body, place, palette),
    ]


FOUND = (
    Kind("prompts", "Prompt pairs", alone.prompts),
    Kind("gate", "Can the model do it?", alone.gate),
    Kind("attribution", "Attribution", alone_map.attribution),
    Kind("effects", "Effects of nodes", alone_map.effects),
    Kind("position_effects", "Effects by token", _as_section(causes.WHERE)),
    Kind("curves", "How few nodes are enough", _as_section(causes.CURVES)),
    Kind("paths", "Path effects", _as_section(causes.PATHS)),
    Kind("edge_estimates", "Strongest edges", _as_section(causes.EDGES)),
    Kind("self_repair", "Self-repair", _as_section(causes.REPAIR)),
    Kind("knock_out", "Knock-out of attention", _as_section(causes.KNOCK)),
    Kind("attention", "Attention by kind of token", alone.attention),
    Kind("token_attention", "Attention on one prompt", alone.token_attention),
    Kind("categories", "Categories of heads", alone.categories),
    Kind("qk_scores", "QK-scores", _as_section(heads.QK)),
    Kind("subspace", "Subspace", _subspace),
    Kind("low_rank", "Low rank", _as_section(subspace.LOW_RANK)),
    Kind("mutations", "Mutations", _as_section(mutations.MUTATIONS)),
    Kind("nth_item", "Nth item or letter", _as_section(mutations.NTH_ITEM)),
    Kind("bias", "Selection bias", _as_section(bias.BIAS)),
    Kind("steer", "Patch inside the subspace", _as_section(subspace.STEER)),
    Kind("probes", "What the layers know", _as_section(mutations.PROBES)),
    Kind("pseudocode", "The head as an algorithm", _as_section(mutations.PSEUDOCODE)),
    Kind("checkpoint", "One step of a training", alone.checkpoint),
    Kind("pattern", "Attention of every token", _as_section(pattern.PATTERN)),
    Kind("thumbnails", "Attention of all heads", _as_section(thumbnails.THUMBNAILS)),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in FOUND})


def kind_of(name: str) -> Kind:
    """The kind of an analysis; one that this version does not know is shown as its tables."""
    return KINDS.get(name) or Kind(name, name.replace("_", " ").capitalize(), alone.tables)
