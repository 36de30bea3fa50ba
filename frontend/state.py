"""What the address of the page says: a frozen value, read from the URL and written back to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from frontend.compared import FIELDS as COMPARED_FIELDS
from frontend.fields import Field, camera, choice, decimal, id_of, several, whole
from frontend.heads import FIELDS as HEADS_FIELDS
from frontend.heads import ROWS
from frontend.marks import FIELDS as MARKS_FIELDS
from frontend.nodes import Node
from frontend.options import (
    AT,
    BARS,
    CENTRINGS,
    CLOUDS,
    DIRECTIONS,
    FLAT,
    FORMATS,
    KINDS,
    LABELS,
    METRICS,
    MUTATIONS,
    NODES,
    PAGES,
    POSITIONS,
    PROBED,
    ROPES,
    SAMPLERS,
    SECTIONS,
    SORTS,
    SOURCES,
    SPLITS,
    STEER_MODES,
    STEER_VECTORS,
    VIEWS,
    WEIGHTINGS,
)
from frontend.own import FIELDS as OWN_FIELDS
from frontend.permanent import FIELDS as FIGURE_FIELDS
from frontend.permanent import FIGURE_PATH

HEAD_PATH = re.compile(r"/m/([^/]+)/([^/]+)/?")
IN_PATH = {"head": {"model", "node"}, "figure": {"figure"}}  # fields that the path has already


@dataclass(frozen=True)
class State:
    """Everything that decides what the page shows. `model=None` is the server's default model."""

    page: str = "map"
    model: str | None = None
    set: str = "stated-facts"
    split: str = "held_out"
    n: int = 32
    seed: int = 0
    sampler: str = "swap_options"
    options: int = 4
    labels: str = "letters"
    format: str = "(A)"
    prelude: bool = False
    shots: int = 0
    nodes: str = "all"
    metric: str = "centred_logit"
    direction: str = "noising"
    positions: str = "final"
    source: str = "counterfactual"
    view: str = "total"
    sort: str = "strength"
    index: int = 0
    node: Node | None = None
    weighting: str = "raw"
    measure: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[tuple[str, str], ...] = ()
    by: str = "total_effect"
    order: str = "strength"
    category: str = "all"
    find: str = ""
    rows: int = ROWS
    step: int | None = None
    mutation: str = "none"
    at: str = "label"
    rope: str = "post"
    centring: str = "prompt"
    rank: int = 3
    overlay: str = "none"
    cloud: str = "both"
    flat: str = "12"
    kind: str = "qk"
    curve: str = "qk"
    steer_vector: str = "query"
    steer_mode: str = "swap"
    strength: float = 1.0
    bars: str = "centred_logit"
    bar: str = ""
    role: str = "label"
    camera: str = ""
    own: str = ""
    pins: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    left: str = ""
    right: str = ""
    between: tuple[str, ...] = ()
    x: str = "label_mass"
    y: str = "total_effect"
    colour: str = "category"
    figure: str = ""
    embed: int = 0
    theme: str = ""

    @property
    def views(self) -> tuple[str, ...]:
        """What the map can show: attribution and direct effects belong to writes at the final position."""
        return VIEWS if self.nodes == "all" and self.positions == "final" else ("total",)


FIELDS: Mapping[str, Field] = {
    "model": id_of("a model"),
    "set": id_of("a prompt set"),
    "split": choice(*SPLITS),
    "n": whole(1, 1000),
    "seed": whole(0, 2**31 - 1),
    "sampler": choice(*SAMPLERS),
    "options": whole(2, 10),
    "labels": choice(*LABELS),
    "format": choice(*FORMATS),
    "prelude": Field(lambda text: {"true": True, "false": False}[text], "true or false"),
    "shots": whole(0, 5),
    "nodes": choice(*NODES),
    "metric": choice(*METRICS),
    "direction": choice(*DIRECTIONS),
    "positions": choice(*POSITIONS),
    "source": choice(*SOURCES),
    "view": choice(*VIEWS),
    "sort": choice(*SORTS),
    "index": whole(0, 999),
    "node": Field(Node.read, "a node such as L23H2 or MLP24"),
    "weighting": choice(*WEIGHTINGS),
    "measure": several(*SECTIONS),
    **HEADS_FIELDS,
    "step": whole(0, 10**9),
    "mutation": choice(*MUTATIONS),
    "at": choice(*AT),
    "rope": choice(*ROPES),
    "centring": choice(*CENTRINGS),
    "rank": whole(1, 512),
    "overlay": choice(*MUTATIONS),
    "cloud": choice(*CLOUDS),
    "flat": choice(*FLAT),
    "kind": choice(*KINDS),
    "curve": choice(*KINDS),
    "steer_vector": choice(*STEER_VECTORS),
    "steer_mode": choice(*STEER_MODES),
    "strength": decimal(-5, 5),
    "bars": choice(*BARS),
    "bar": choice(*MUTATIONS),
    "role": choice(*PROBED),
    "camera": camera(),
    **OWN_FIELDS,
    **MARKS_FIELDS,
    **FIGURE_FIELDS,
    **COMPARED_FIELDS,
}


def parse(pathname: str, search: str) -> tuple[State, list[str]]:
    """The state that an address stands for, and a sentence for every part of it that is not usable.

    A part that is not usable keeps its default, so there is always something to show.
    """
    state, problems = _parse_path(pathname)
    values = dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
    in_path = IN_PATH.get(state.page, set())
    changed, more = changes({name: text for name, text in values.items() if name not in in_path})
    state = replace(state, **changed)
    problems += more
    if state.index >= state.n and state.page != "figure":  # which has as many as it has
        problems.append(
            f"index: there are {state.n} pairs, counted from 0, so there is no {state.index}. Using 0."
        )
        state = replace(state, index=0)
    if state.view not in state.views:
        problems.append(
            "view: attribution, direct and indirect effects exist for heads and MLPs at the final position "
            "only. Showing total effects."
        )
        state = replace(state, view="total")
    return state, problems


def changes(values: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Texts of named fields as typed values, and a sentence for each that cannot be read."""
    changed: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in values.items():
        field = FIELDS.get(name)
        if field is None:
            problems.append(f"{_short(name)}: the address of this page has no such field; it is ignored.")
            continue
        try:
            changed[name] = field.read(text)
        except (ValueError, KeyError):
            problems.append(f"{name}: {_short(text)!r} cannot be used; allowed is {field.allowed}.")
    return changed, problems


def write(state: State) -> tuple[str, str]:
    """Path and query of a state; only what differs from the defaults is written. `parse` undoes it."""
    head = state.page == "head" and state.node is not None and state.model is not None
    figure = state.page == "figure" and bool(state.figure)
    plain = next((path for path, page in PAGES.items() if page == state.page), "/")
    path = f"/m/{quote(state.model or '', safe='')}/{state.node}" if head else plain
    path = f"/f/{state.figure}" if figure else path
    in_path = IN_PATH[state.page] if head or figure else set()
    query = [
        (name, (field.write or _text)(getattr(state, name)))
        for name, field in FIELDS.items()
        if name not in in_path and getattr(state, name) != getattr(DEFAULT, name)
    ]
    return path, f"?{urlencode(query, safe=',:')}" if query else ""


def href(state: State) -> str:
    """The address of a state on this server."""
    return "".join(write(state))


def _parse_path(pathname: str) -> tuple[State, list[str]]:
    if pathname in ("", "/"):
        return DEFAULT, []
    if pathname.rstrip("/") in PAGES:
        return State(page=PAGES[pathname.rstrip("/")]), []
    if figure := FIGURE_PATH.fullmatch(pathname):
        return State(page="figure", figure=figure[1]), []
    found = HEAD_PATH.fullmatch(pathname)
    if not found:
        return DEFAULT, [f"There is no page at {_short(unquote(pathname))}; this is the map."]
    model, label = (unquote(part) for part in found.groups())
    changed, problems = changes({"model": model, "node": label})
    if problems:
        return DEFAULT, problems
    return with_page(State(page="head", **changed)), []


def with_page(state: State) -> State:
    """A node that has no page of its own is shown on that of its head, or selected on the map."""
    if state.page != "head":
        return state if state.page == "figure" else replace(state, figure="", embed=0, theme="")
    owner = state.node.owner if state.node else None
    return replace(state, node=owner) if owner else replace(state, page="map")


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(part if isinstance(part, str) else ":".join(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


DEFAULT = State()
