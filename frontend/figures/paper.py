"""Figures that papers accept: for every analysis a plotly figure with the sizes, fonts and axes of print."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from frontend.addresses import name_of, state_of
from frontend.figures import paper_causes, paper_heads, paper_model, paper_small, paper_text
from frontend.figures.paper_page import Figure, Panel, page
from frontend.phrases import for_set, set_of
from frontend.state import State
from frontend.theme import LIGHT, Palette

Json = Mapping[str, Any]
Draw = Callable[[Json, State, Palette], Sequence[Sequence[Panel]]]
DRAWN: Mapping[str, Draw] = {
    "prompts": paper_model.prompts,
    "gate": paper_model.gate,
    "attribution": paper_model.attribution,
    "effects": paper_causes.effects,
    "position_effects": paper_causes.position_effects,
    "curves": paper_causes.curves,
    "paths": paper_causes.paths,
    "edge_estimates": paper_causes.edge_estimates,
    "self_repair": paper_causes.self_repair,
    "knock_out": paper_causes.knock_out,
    "attention": paper_heads.attention,
    "token_attention": paper_text.token_attention,
    "pattern": paper_text.pattern,
    "thumbnails": paper_small.thumbnails,
    "categories": paper_heads.categories,
    "qk_scores": paper_heads.qk_scores,
    "subspace": paper_heads.subspace,
    "low_rank": paper_heads.low_rank,
    "mutations": paper_heads.mutations,
    "nth_item": paper_heads.nth_item,
    "bias": paper_model.bias,
    "steer": paper_heads.steer,
    "probes": paper_heads.probes,
    "pseudocode": paper_heads.pseudocode,
    "checkpoint": paper_model.checkpoint,
}


def paper(body: Json, place: State | None = None, palette: Palette = LIGHT) -> Figure:
    """The figure of a result for print, with its own width and height; `place` chooses what is drawn.

    It has no title, since a paper's caption says it; numbers, scale and colours are those of the dashboard.
    """
    analysis = name_of(body["spec"])
    draw = DRAWN.get(analysis, paper_model.anything)
    figure = page(draw(body, place or state_of(body["spec"]), palette), palette)
    for words in _titles(figure):
        words["text"] = for_set(words["text"], set_of(body))
    return figure


def _titles(figure: Figure) -> list[Figure]:
    """What the figure says in its own words: titles of panels, axes and colour bars."""
    layout = figure["layout"]
    axes = [layout[name]["title"] for name in layout if name.startswith(("xaxis", "yaxis"))]
    markers = [trace.get("marker", {}) for trace in figure["data"]]
    bars = [marker["colorbar"]["title"] for marker in markers if "colorbar" in marker]
    return [*layout["annotations"], *axes, *bars]
