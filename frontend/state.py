"""What the address of the page says: a frozen value, read from the URL and written back to it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from frontend.nodes import Node

HEAD_PATH = re.compile(r"/m/([^/]+)/([^/]+)/?")


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

    @property
    def views(self) -> tuple[str, ...]:
        """What the map can show: attribution and direct effects belong to writes at the final position."""
        return VIEWS if self.nodes == "all" and self.positions == "final" else ("total",)


@dataclass(frozen=True)
class Field:
    """One value of the address: how to read it and, in words, what is allowed."""

    read: Callable[[str], Any]
    allowed: str


def _choice(*words: str) -> Field:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Field(read, "one of " + ", ".join(words))


def _whole(low: int, high: int) -> Field:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Field(read, f"a whole number from {low} to {high}")


def _name(what: str) -> Field:
    def read(text: str) -> str:
        if not re.fullmatch(r"\S(.{0,198}\S)?", text) or not text.isprintable():
            raise ValueError(text)
        return text

    return Field(read, f"the id of {what}, at most 200 characters")


def _several(*words: str) -> Field:
    def read(text: str) -> tuple[str, ...]:
        chosen = set(text.split(","))
        if not chosen <= set(words):
            raise ValueError(text)
        return tuple(word for word in words if word in chosen)

    return Field(read, "some of " + ", ".join(words) + ", with commas between them")


SAMPLERS = ("swap_options", "diff_letter", "same_letter")
SPLITS = ("held_out", "train")
LABELS = ("letters", "random_letters", "numbers", "shuffled")
FORMATS = ("(A)", "A.")
VIEWS = ("attribution", "total", "direct", "indirect")
NODES = ("all", "attention", "residual", "queries", "keys", "values")
METRICS = (
    "centred_logit",
    "logit_difference",
    "letter_loss",
    "letter_probability",
    "letter_kl",
    "accuracy",
    "loss",
    "probability",
)
DIRECTIONS = ("noising", "denoising")
ROLES = (
    "label",
    "label_correct",
    "label_incorrect",
    "content",
    "content_correct",
    "content_incorrect",
    "newline",
    "question",
    "suffix",
)
POSITIONS = ("final", "differing", "all", *ROLES)
SOURCES = ("counterfactual", "mean", "zero")
SECTIONS = ("where", "paths", "repair", "knock", "edges", "curves")
SORTS = ("strength", "lowest", "highest", "node")
WEIGHTINGS = ("raw", "value_weighted", "signed")

FIELDS: Mapping[str, Field] = {
    "model": _name("a model"),
    "set": _name("a prompt set"),
    "split": _choice(*SPLITS),
    "n": _whole(1, 1000),
    "seed": _whole(0, 2**31 - 1),
    "sampler": _choice(*SAMPLERS),
    "options": _whole(2, 10),
    "labels": _choice(*LABELS),
    "format": _choice(*FORMATS),
    "prelude": Field(lambda text: {"true": True, "false": False}[text], "true or false"),
    "shots": _whole(0, 5),
    "nodes": _choice(*NODES),
    "metric": _choice(*METRICS),
    "direction": _choice(*DIRECTIONS),
    "positions": _choice(*POSITIONS),
    "source": _choice(*SOURCES),
    "view": _choice(*VIEWS),
    "sort": _choice(*SORTS),
    "index": _whole(0, 999),
    "node": Field(Node.read, "a node such as L23H2 or MLP24"),
    "weighting": _choice(*WEIGHTINGS),
    "measure": _several(*SECTIONS),
}


def parse(pathname: str, search: str) -> tuple[State, list[str]]:
    """The state that an address stands for, and a sentence for every part of it that is not usable.

    A part that is not usable keeps its default, so there is always something to show.
    """
    state, problems = _parse_path(pathname)
    values = dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
    in_path = {"model", "node"} if state.page == "head" else set()
    changed, more = changes({name: text for name, text in values.items() if name not in in_path})
    state = replace(state, **changed)
    problems += more
    if state.index >= state.n:
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
    path = f"/m/{quote(state.model or '', safe='')}/{state.node}" if head else "/"
    in_path = {"model", "node"} if head else set()
    query = [
        (name, _text(getattr(state, name)))
        for name in FIELDS
        if name not in in_path and getattr(state, name) != getattr(DEFAULT, name)
    ]
    return path, f"?{urlencode(query)}" if query else ""


def href(state: State) -> str:
    """The address of a state on this server."""
    return "".join(write(state))


def _parse_path(pathname: str) -> tuple[State, list[str]]:
    if pathname in ("", "/"):
        return DEFAULT, []
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
        return state
    owner = state.node.owner if state.node else None
    return replace(state, node=owner) if owner else replace(state, page="map")


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


DEFAULT = State()
