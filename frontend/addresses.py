"""From a spec back to the place in the dashboard where its figure stands: the inverse of `specs`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from frontend import options
from frontend.heads import THRESHOLDS
from frontend.nodes import Node
from frontend.own import read
from frontend.state import DEFAULT, State, with_page

Json = Mapping[str, Any]
PROMPTS = {  # field of the address: field of a spec's prompts
    "set": "set",
    "split": "split",
    "n": "n",
    "seed": "seed",
    "index": "index",
    "options": "n_options",
    "labels": "label_style",
    "format": "format",
    "prelude": "prelude",
    "shots": "shots",
    "sampler": "sampler",
    "mutation": "mutation",
}
CHOSEN = ("metric", "direction", "source")  # named alike in the parameters of most analyses
SECTION = {  # the section that shows an analysis, where it has one
    "position_effects": "where",
    "self_repair": "repair",
    "knock_out": "knock",
    "edge_estimates": "edges",
    "qk_scores": "qk",
    "pattern": "every_token",
    "thumbnails": "thumbnails",
    **{name: name for name in ("paths", "curves", "bias", *options.COMPUTED)},
}
LOOKS = {  # what of the address decides how the figure of a stored result is drawn
    "prompts": ("index",),
    "attribution": ("node", "sort"),
    "effects": ("view", "node", "sort"),
    "token_attention": ("weighting",),
    "categories": ("node", "by", "order", "category", "find", "rows", "verdicts"),
    "subspace": ("cloud", "flat", "camera"),
    "low_rank": ("rank", "curve"),
    "mutations": ("bars", "bar"),
}
PAGE = {"categories": "heads", "qk_scores": "heads", "checkpoint": "training"}


def state_of(spec: Json) -> State:
    """The state in which the dashboard shows the figure of a spec, posted or resolved.

    What the dashboard cannot ask for is left out: the figure itself has it.
    """
    analysis, parameters = name_of(spec), spec.get("parameters") or {}
    section = SECTION.get(analysis)
    place = replace(
        DEFAULT,
        page=PAGE.get(analysis, "map"),
        model=model_of(spec),
        measure=(section,) if section else (),
        **_prompts(spec.get("prompts") or {}),
        **(_choices(parameters) if analysis != "curves" else {}),  # their metric is not the map's
    )
    return with_page(replace(place, **OWN.get(analysis, _nothing)(parameters)))


def drawn_by(spec: Json, looks: State) -> State:
    """The state of a spec's figure, looked at as an address says where that is not the default."""
    own = state_of(spec)
    said = {name: getattr(looks, name) for name in LOOKS.get(name_of(spec), ())}
    chosen = {name: value for name, value in said.items() if value != getattr(DEFAULT, name)}
    own = replace(own, **chosen, theme=looks.theme)
    return own if own.view in own.views else replace(own, view=DEFAULT.view)


def shown_as(spec: Json, place: State) -> State:
    """The address of a spec's figure by itself, looked at as a place in the dashboard looks at it."""
    own, looks = state_of(spec), LOOKS.get(name_of(spec), ())
    seen = {name: getattr(place, name) for name in looks if getattr(place, name) != getattr(own, name)}
    return replace(DEFAULT, page="figure", **seen)


def name_of(spec: Json) -> str:
    """The analysis of a spec; a resolved one names its version too."""
    analysis = spec.get("analysis") or ""
    return analysis["name"] if isinstance(analysis, Mapping) else analysis


def model_of(spec: Json) -> str | None:
    """The model of a spec; a resolved one says exactly which."""
    model = spec.get("model")
    return model["id"] if isinstance(model, Mapping) else model


def _choices(parameters: Json) -> dict[str, Any]:
    return {name: parameters[name] for name in CHOSEN if parameters.get(name) in _allowed(name)}


def _prompts(prompts: Json) -> dict[str, Any]:
    found = {field: prompts[name] for field, name in PROMPTS.items() if prompts.get(name) is not None}
    kept = {field: value for field, value in found.items() if value in _allowed(field, value)}
    own = prompts.get("own_mutation")
    return kept | ({"own": read(json.dumps(own))} if own else {})


def _allowed(field: str, value: Any = None) -> tuple[Any, ...]:
    """What the address accepts for a field; one without a closed list accepts its value."""
    lists = {
        "split": options.SPLITS,
        "labels": options.LABELS,
        "format": options.FORMATS,
        "sampler": options.SAMPLERS,
        "mutation": options.MUTATIONS,
        "metric": options.METRICS,
        "direction": options.DIRECTIONS,
        "source": options.SOURCES,
    }
    return lists.get(field, (value,))


def _nothing(_parameters: Json) -> dict[str, Any]:
    return {}


def _effects(parameters: Json) -> dict[str, Any]:
    """All nodes of a kind are the map; single ones are selected on it."""
    nodes = parameters.get("nodes", DEFAULT.nodes)
    positions = parameters.get("positions", DEFAULT.positions)
    where = {"positions": positions} if positions in options.POSITIONS else {}
    if isinstance(nodes, str):
        return where | {"nodes": nodes}
    part = Node.read(nodes[0]).part
    kinds = {"attn": "attention", "resid": "residual", "q": "queries", "k": "keys", "v": "values"}
    return where | {"nodes": kinds.get(part, "all"), "node": Node.read(nodes[0])}


def _positions(parameters: Json) -> dict[str, Any]:
    layer = parameters.get("layer") or 0
    return {"page": "head", "node": Node(layer, None if parameters.get("kind") == "mlps" else 0)}


def _of(field: str) -> Callable[[Json], dict[str, Any]]:
    """The page of the node that a parameter names."""

    def own(parameters: Json) -> dict[str, Any]:
        positions = parameters.get("positions", DEFAULT.positions)
        return {"page": "head", "node": Node.read(parameters.get(field, "L0H0")), "positions": positions}

    return own


def _head(parameters: Json) -> dict[str, Any]:
    """The page of one head, with the choices that are its own."""
    node = Node(parameters.get("layer", 0), parameters.get("head", 0))
    return {"page": "head", "node": node, **_vectors(parameters)}


def _heads(parameters: Json) -> dict[str, Any]:
    """The page of the first of some heads; several stay together."""
    heads = parameters.get("heads") or ()
    if isinstance(heads, str) or not heads:
        return {"page": "heads"} if isinstance(heads, str) else {"page": "head", "node": Node(0, 0)}
    together = {"heads": tuple(heads)} if len(heads) > 1 else {}
    return {"page": "head", "node": Node.read(heads[0]), **together, **_vectors(parameters)}


def _vectors(parameters: Json) -> dict[str, Any]:
    """Which vectors of a head are taken, and what is done with them."""
    same = ("at", "rope", "centring", "rank", "kind", "strength")
    found = {name: parameters[name] for name in same if name in parameters}
    renamed = {"steer_vector": "vector", "steer_mode": "mode"}
    found |= {field: parameters[name] for field, name in renamed.items() if name in parameters}
    return found | ({"overlay": parameters["mutation"]} if parameters.get("mutation") else {})


def _probes(parameters: Json) -> dict[str, Any]:
    return {"page": "head", "node": Node(0, 0), "role": parameters.get("role", DEFAULT.role)}


def _categories(parameters: Json) -> dict[str, Any]:
    moved = [name for name in sorted(THRESHOLDS) if name in parameters]
    return {"thresholds": tuple((name, f"{parameters[name]:g}") for name in moved)}


OWN: Mapping[str, Callable[[Json], dict[str, Any]]] = {
    "attribution": lambda _: {"view": "attribution"},
    "effects": _effects,
    "position_effects": _positions,
    "paths": _of("sender"),
    "self_repair": _of("node"),
    "knock_out": _heads,
    "attention": _head,
    "token_attention": _head,
    "pattern": _head,
    "categories": _categories,
    "subspace": _head,
    "low_rank": _heads,
    "mutations": _heads,
    "nth_item": _heads,
    "steer": _head,
    "pseudocode": _head,
    "probes": _probes,
}
