"""What every panel needs to know of the state that an address stands for."""

from dataclasses import replace
from typing import Any

from frontend import ids, specs
from frontend.figures.choices import choices_of
from frontend.state import DEFAULT, write
from frontend.state import State as Place

Json = dict[str, Any]


def shown_model(place: Place, default: str) -> str | None:
    """The model as the address names it: always on a head page, otherwise only if it is not the default."""
    if place.page == "head":
        return place.model or default
    return None if place.model == default else place.model


def wants(place: Place, default: str) -> dict[str, Json | None]:
    """What every panel needs to know of a state; None for panels of the other page."""
    on_map = place.page == "map"
    node = place.node
    address = fields_of(replace(place, measure=()), default)  # a link to elsewhere measures nothing
    prompts = fields_of(place_of_prompts(place), default)
    plain = fields_of(replace(place, view=DEFAULT.view, sort=DEFAULT.sort, measure=()), default)
    pair = {"index": place.index, "n": place.n, "spec": specs.prompts(place)}
    panels: dict[str, Json | None] = dict.fromkeys(ids.WANTS)
    panels[ids.WANT_MODEL] = {"model": place.model, "address": prompts}
    panels[ids.WANT_CHOICES] = {"address": address}
    if on_map:
        panels[ids.WANT_QUESTION] = pair
        panels[ids.WANT_GATE] = {"spec": specs.gate(place)}
        panels[ids.WANT_MAP] = {
            "spec": specs.sweep(place),
            "view": place.view,
            "sort": place.sort,
            "model": place.model,
            "address": fields_of(replace(place, node=None, index=0, measure=()), default),
        }
        panels[ids.WANT_PAIR] = {**pair, **_pair(place), "address": plain} if node else {"node": None}
    elif node:
        panels[ids.WANT_HEAD] = {
            "node": str(node),
            "spec": specs.writers_sweep(place),
            "address": address,
        }
        panels[ids.WANT_PATTERN] = _pattern(place)
        panels[ids.WANT_TOKENS] = {**pair, **_pair(place), "weighting": place.weighting}
        panels[ids.WANT_PROFILE] = {"node": str(node), "spec": specs.attribution(place)}
    return panels | {ids.WANT_SECTION[name]: want for name, want in sections(place, default).items()}


def sections(place: Place, default: str) -> dict[str, Json]:
    """What the sections that are measured on demand ask for, and whether the address says to measure them."""
    shown = {"address": fields_of(replace(place, measure=()), default), "choices": choices_of(place)}
    return {
        name: {**shown, "spec": spec, "asked": name in place.measure}
        for name, spec in section_specs(place).items()
    }


def section_specs(place: Place) -> dict[str, specs.Spec]:
    """The sections of a page with their specs. That of the curves is the ranking that they start from."""
    node = place.node
    if place.page == "map":
        return {"edges": specs.edges(place), "curves": specs.ranking(place)}
    if node is None:
        return {}
    both = {
        "where": specs.position_effects(place, node),
        "paths": specs.paths(place, node),
        "repair": specs.self_repair(place, node),
    }
    return both if node.head is None else both | {"knock": specs.knock_out(place, node)}


def place_of_prompts(place: Place) -> Place:
    """Only which model and which prompts."""
    kept = (
        "model",
        "set",
        "split",
        "n",
        "seed",
        "sampler",
        "options",
        "labels",
        "format",
        "prelude",
        "shots",
    )
    return replace(DEFAULT, **{name: getattr(place, name) for name in kept})


def fields_of(place: Place, default: str) -> Json:
    """The address of a state as path and query, to be parsed again by a panel that writes links."""
    path, search = write(replace(place, model=shown_model(place, default)))
    return {"path": path, "search": search, "default": default}


def _pair(place: Place) -> Json:
    node = place.node
    if node is None:
        return {"node": None}
    tokens = None if node.head is None else specs.token_attention(place, node)
    return {"node": str(node), "effects": specs.pair_effects(place, node), "tokens": tokens}


def _pattern(place: Place) -> Json | None:
    node = place.node
    if node is None or node.head is None:
        return None
    return {"node": str(node), "spec": specs.attention(place, node)}
