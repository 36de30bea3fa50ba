"""What every panel needs to know of the state that an address stands for."""

from dataclasses import replace
from typing import Any

from frontend import ids, specs
from frontend.figures import runs
from frontend.figures.choices import choices_of
from frontend.marks import reaches
from frontend.nodes import Node
from frontend.options import COMPUTED, PAGES, PATTERNS
from frontend.phrases import is_text_set
from frontend.places import title, without_additions
from frontend.state import DEFAULT, href, write
from frontend.state import State as Place

Json = dict[str, Any]
VECTORS = ("at", "rope", "centring")
OWN = {  # what a section is drawn by beside its spec; another section need not be drawn anew for it
    "subspace": (*VECTORS, "overlay", "cloud", "flat"),
    "low_rank": (*VECTORS, "rank", "curve"),
    "steer": ("at", "rope", "rank", "steer_vector", "steer_mode", "strength"),
    "mutations": ("rank", "kind", "bars", "bar"),
    "probes": ("role",),
    "receivers": ("receivers",),
}
TABLE = ("by", "order", "category", "find", "rows")  # how the table of all heads is looked at
SCATTER = ("x", "y", "colour", "pins")  # and the scatter beside it
COMPARED = ("left", "right", "between")  # what stands side by side
FOLLOWING = {  # what a section follows at once: it is quick enough to be measured with every such choice
    **{name: OWN[name] for name in ("subspace", "steer", "probes")},
    **{name: ("index",) for name in PATTERNS},
}
LABELLED = (*COMPUTED, "bias", "qk")  # sections that look at the labels of options
PROMPTS = (  # which prompts, as the form behind their chip has them
    *("set", "split", "n", "seed", "sampler", "options"),
    *("labels", "format", "prelude", "shots", "mutation"),
)
MARKS = ("pins", "notes", "receivers")  # drawn over what is there by the page's script
DRAWN_BY = {"camera", *TABLE, *SCATTER, *COMPARED, *MARKS}.union(*OWN.values())


def shown_model(place: Place, default: str) -> str | None:
    """The model as the address names it: always on a head page, otherwise only if it is not the default."""
    if place.page == "head":
        return place.model or default
    return None if place.model == default else place.model


def wants(place: Place, default: str) -> dict[str, Json | None]:
    """What the panels of a page need to know of a state; None for one that has nothing to show there.

    A panel of another page is not named: out of sight it keeps what it has, so that going back draws nothing.
    """
    if place.page == "training" and place.set == DEFAULT.set:
        place = replace(place, set=runs.SET)
    on_map = place.page == "map"
    node = place.node
    address = fields_of(plain(place), default)  # a link to elsewhere measures nothing
    prompts = fields_of(place_of_prompts(place), default)
    looked = fields_of(replace(plain(place), view=DEFAULT.view, sort=DEFAULT.sort), default)
    pair = {"index": place.index, "n": place.n, "spec": specs.prompts(place)}
    panels: dict[str, Json | None] = {}
    panels[ids.WANT_MODEL] = {"model": place.model, "address": prompts}
    panels[ids.WANT_PAGES] = {"page": place.page, "address": prompts}
    panels |= of_bar(place, default)
    if place.page in ids.CHOICES_ON:
        panels[ids.WANT_CHOICES] = {"address": address}
    if on_map:
        panels[ids.WANT_QUESTION] = pair
        panels[ids.WANT_GATE] = {"spec": specs.gate(place)}
        panels[ids.WANT_MAP] = {
            "spec": specs.sweep(place),
            "view": place.view,
            "sort": place.sort,
            "model": place.model,
            "address": fields_of(replace(plain(place), node=None, index=0), default),
        }
        panels[ids.WANT_PAIR] = {**pair, **_pair(place), "address": looked} if node else {"node": None}
    elif place.page in (*PAGES.values(), "figure"):
        panels |= of_pages(place, default)
    elif node:
        panels[ids.WANT_HEAD] = {
            "node": str(node),
            "spec": specs.writers_sweep(place),
            "address": address,
        }
        panels[ids.WANT_PATTERN] = _pattern(place)
        panels[ids.WANT_TOKENS] = {**pair, **_pair(place), "weighting": place.weighting}
        panels[ids.WANT_PROFILE] = {"node": str(node), "spec": specs.attribution(place)}
        panels[ids.WANT_VERDICT] = _verdict(place, address)
    asked = sections(place, default)
    return panels | {want: asked.get(name) for name, want in ids.WANT_SECTION.items()}


def of_bar(place: Place, default: str) -> dict[str, Json | None]:
    """What the strip below the bar needs: where the reader is, and what is marked."""
    named = replace(without_additions(place), model=shown_model(place, default))
    here = {"address": href(named), "title": title(place)}
    return {ids.WANT_HISTORY: here, ids.WANT_MARKS: marks(place, default)}


def marks(place: Place, default: str) -> Json:
    """What a reader has marked, and the measurement that knows the marked nodes' effects."""
    owner = place.node.owner if place.node and place.page in ("map", "head") else None
    return {
        "page": place.page,
        "node": str(owner) if owner else None,
        "pins": list(place.pins),
        "receivers": list(place.receivers),
        "notes": dict(place.notes),
        "spec": specs.writers_sweep(place),
        "address": fields_of(replace(plain(place), node=owner), default),
    }


def of_pages(place: Place, default: str) -> dict[str, Json | None]:
    """What the pages on all heads and on training need. The heads ticked are the browser's to show."""
    if place.page == "figure":
        address = fields_of(replace(place, measure=()), default)
        return {ids.WANT_FIGURE: {"key": place.figure, "address": address}}
    if place.page == "heads":
        shown = replace(plain(place, *TABLE), heads=())
        points = replace(plain(place, *SCATTER), heads=())
        return {
            ids.WANT_HEADS: {"spec": specs.categories(place), "address": fields_of(shown, default)},
            ids.WANT_SCATTER: {"spec": specs.categories(place), "address": fields_of(points, default)},
        }
    if place.page == "compare":
        return of_compare(place, default)
    if place.page == "prompts":
        return {ids.WANT_PROMPTS: of_prompts(place, default)}
    shown = replace(place_of_prompts(place), page="training", step=place.step)
    return {ids.WANT_TRAINING: {"address": fields_of(shown, default)}}


def of_prompts(place: Place, default: str) -> Json:
    """Which pairs are listed, which one is looked at, and whose tokenizer reads them."""
    shown = replace(place_of_prompts(place), page="prompts", index=place.index)
    return {"model": place.model, "address": fields_of(shown, default)}


def of_compare(place: Place, default: str) -> dict[str, Json | None]:
    """What the pinned heads need, and which two runs stand side by side."""
    shown = replace(plain(place, "pins", "between"), node=None)
    heads = [node for label in place.pins if (node := Node.read(label)).head is not None]
    attention = {f"attention of {node}": specs.attention(place, node) for node in heads}
    tokens = {f"tokens of {node}": specs.token_attention(place, node) for node in heads}
    sweeps = {"effects": specs.writers_sweep(place)} if place.pins else {}
    sweeps |= {"categories": specs.categories(place)} if heads else {}
    runs = {"left": place.left, "right": place.right, "view": place.view, "spec": specs.sweep(place)}
    return {
        ids.WANT_COMPARE: {
            "pins": list(place.pins),
            "between": list(place.between),
            "sweeps": sweeps,
            "heads": attention | tokens,
            "address": fields_of(shown, default),
        },
        ids.WANT_RUNS: runs,
    }


def sections(place: Place, default: str) -> dict[str, Json]:
    """What the sections that are measured on demand ask for, and whether the address says to measure them."""
    return {
        name: {
            "address": fields_of(section_place(name, place), default),
            "choices": choices_of(place),
            "spec": spec,
            "asked": name in place.measure or name == "receivers",
            **({"camera": place.camera} if name == "subspace" else {}),
        }
        for name, spec in section_specs(place).items()
    }


def section_place(name: str, place: Place) -> Place:
    """What a section is drawn by; the small pictures of all heads are the same whichever is selected."""
    own = plain(place, *OWN.get(name, ()))
    return replace(own, node=None) if name == "thumbnails" else own


def section_specs(place: Place) -> dict[str, specs.Spec]:
    """The sections of a page with their specs; plain texts have no labels to look at."""
    found = _section_specs(place)
    if is_text_set(place.set):
        return {name: spec for name, spec in found.items() if name not in LABELLED}
    return found


def _section_specs(place: Place) -> dict[str, specs.Spec]:
    """That of the curves is the ranking that they start from."""
    node = place.node
    if place.page == "map":
        whole = {"thumbnails": specs.thumbnails(place), "edges": specs.edges(place)}
        whole |= {"curves": specs.ranking(place), "bias": specs.bias(place)}
        return whole | _to_receivers(place)
    if place.page == "heads":
        return {"qk": specs.qk_scores(place)}
    if place.page != "head":
        return {}
    if node is None:
        return {}
    both = {
        "where": specs.position_effects(place, node),
        "paths": specs.paths(place, node),
        "repair": specs.self_repair(place, node),
    }
    return both if node.head is None else both | _of_a_head(place, node)


def _to_receivers(place: Place) -> dict[str, specs.Spec]:
    """Paths from the selected node, once a receiver is chosen that comes after it."""
    sender = place.node
    if sender is None or sender != sender.owner:
        return {}
    possible = any(reaches(sender, Node.read(label)) for label in place.receivers)
    return {"receivers": specs.paths(place, sender)} if possible else {}


def _of_a_head(place: Place, node: Node) -> dict[str, specs.Spec]:
    return {
        "every_token": specs.pattern(place, node),
        "knock": specs.knock_out(place, node),
        "subspace": specs.subspace(place, node),
        "low_rank": specs.low_rank(place, node),
        "steer": specs.steer(place, node),
        "mutations": specs.mutations(place, node),
        "nth_item": specs.nth_item(place, node),
        "pseudocode": specs.pseudocode(place, node),
        "probes": specs.probes(place),
    }


def plain(place: Place, *own: str) -> Place:
    """Without what only single sections are drawn by, but for those fields that a section owns."""
    return replace(place, measure=(), **{name: getattr(DEFAULT, name) for name in DRAWN_BY - set(own)})


def same(after: Json | None, before: Json | None) -> bool:
    """Whether a panel need not be drawn anew. Its reader turned the camera, so the scene has it already."""
    return {**(after or {}), "camera": ""} == {**(before or {}), "camera": ""} and bool(after) == bool(before)


def place_of_prompts(place: Place) -> Place:
    """Only which model and which prompts."""
    kept = ("model", "own", *PROMPTS)
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


def _verdict(place: Place, address: Json) -> Json | None:
    node = place.node
    if node is None or node.head is None or is_text_set(place.set):
        return None
    return {"node": str(node), "spec": specs.categories(place), "address": address}


def _pattern(place: Place) -> Json | None:
    node = place.node
    if node is None or node.head is None:
        return None
    return {"node": str(node), "spec": specs.attention(place, node)}
