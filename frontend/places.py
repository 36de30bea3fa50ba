"""A place in words: its name in the history strip, and what differs between two places."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from frontend.options import WEIGHTINGS
from frontend.phrases import (
    DIRECTION_NAME,
    METRIC_NAME,
    NODES_NAME,
    POSITIONS_NAME,
    SOURCE_NAME,
)
from frontend.state import DEFAULT, FIELDS, State
from frontend.vocabulary import MUTATION_NAME
from frontend.words import NONE, VIEW_NAME, count, visible

PAGE_NAME = {
    "map": "Map",
    "heads": "Heads",
    "training": "Training",
    "compare": "Compare",
    "prompts": "Prompts",
}
SECTION_NAME = {
    "every_token": "Every token",
    "thumbnails": "All heads, small",
    "where": "Where",
    "paths": "Paths",
    "repair": "Self-repair",
    "knock": "Knock-out",
    "edges": "Edges",
    "curves": "Curves",
    "subspace": "Subspace",
    "low_rank": "Low rank",
    "steer": "Steering",
    "mutations": "Mutations",
    "nth_item": "Place or letter",
    "qk": "QK-score",
    "bias": "Label bias",
}
FIELD_NAME = {
    "page": "page",
    "set": "prompts",
    "split": "split",
    "n": "pairs",
    "options": "options in a question",
    "format": "form of a label",
    "prelude": "first sentence",
    "shots": "examples before the question",
    "nodes": "patch",
    "source": "values from",
    "view": "colour of the map",
    "sort": "order of the table",
    "index": "question",
    "measure": "sections measured",
    "heads": "heads taken together",
    "verdicts": "own verdicts",
    "by": "heads sorted by",
    "find": "filter",
    "rows": "rows shown",
    "step": "training step",
    "at": "key at",
    "overlay": "laid over",
    "receivers": "receivers of paths",
}
VALUE_NAME: Mapping[str, Mapping[str, str]] = {
    "page": PAGE_NAME,
    "view": VIEW_NAME,
    "nodes": NODES_NAME,
    "metric": METRIC_NAME,
    "direction": DIRECTION_NAME,
    "positions": POSITIONS_NAME,
    "source": SOURCE_NAME,
    "mutation": MUTATION_NAME,
    "overlay": MUTATION_NAME,
    "weighting": {name: name.replace("_", "-") for name in WEIGHTINGS},
}
ADDED = ("pins", "notes", "verdicts")  # what a reader adds; it is no place, and comes along to every other


def without_additions(place: State) -> State:
    """Only where it is, and how it is looked at."""
    return replace(place, **{name: getattr(DEFAULT, name) for name in ADDED})


def title(place: State) -> str:
    """`Map · total effect · L23H2`, `L23H0 · Subspace`."""
    first = str(place.node) if place.page == "head" else PAGE_NAME.get(place.page, place.page.capitalize())
    parts = [first]
    if place.page == "map":
        to = f" → {', '.join(place.receivers)}" if place.receivers else ""
        parts += [VIEW_NAME[place.view].lower(), *([f"{place.node}{to}"] if place.node else [])]
    if place.page == "heads":
        parts += [words for words in (_other(place, "category"), place.find) if words]
    if place.page in ("map", "head"):
        parts += [f"question {place.index + 1}"] if place.index else []
        parts += [name for field in ("metric", "mutation") if (name := _other(place, field))]
    parts += [SECTION_NAME.get(name, name.replace("_", " ").capitalize()) for name in place.measure[:2]]
    return visible(" · ".join(parts) + (" …" if len(place.measure) > 2 else ""))


def _other(place: State, field: str) -> str:
    """A value in words where it is not the usual one."""
    value = getattr(place, field)
    return "" if value == getattr(DEFAULT, field) else said(field, value)


def differences(left: State, right: State) -> list[tuple[str, str, str]]:
    """Each field in which two places differ, in words, with both values."""
    return [
        (
            FIELD_NAME.get(name, name.replace("_", " ")),
            said(name, getattr(left, name)),
            said(name, getattr(right, name)),
        )
        for name in ("page", *FIELDS)
        if getattr(left, name) != getattr(right, name)
    ]


def said(name: str, value: Any) -> str:
    """A value of the address in words."""
    if value is None or value in ("", ()):
        return "the server’s own" if name == "model" and value is None else NONE
    if name in SPECIAL:
        return SPECIAL[name](value)
    if isinstance(value, tuple):
        return visible(", ".join(one if isinstance(one, str) else ": ".join(one) for one in value))
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return VALUE_NAME.get(name, {}).get(text) or visible(text.replace("_", " ") if name != "model" else text)


SPECIAL: Mapping[str, Callable[[Any], str]] = {
    "index": lambda index: str(index + 1),
    "n": lambda n: count(n, "pair"),
    "measure": lambda names: ", ".join(str(SECTION_NAME.get(one, one.replace("_", " "))) for one in names),
}
