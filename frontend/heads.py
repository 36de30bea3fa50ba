"""What the address says of all heads at once: categories, thresholds, own verdicts, order of the table."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from frontend.fields import Field, choice, id_of, whole
from frontend.nodes import Node

CATEGORIES = (
    "correct_letter",
    "single_letter",
    "uniform",
    "amplification",
    "content_gatherer",
    "newline",
    "suppressor",
    "other",
)
THRESHOLDS = (
    "label_mass",
    "diagonal",
    "diagonal_each",
    "entropy",
    "last_mass",
    "boost",
    "content_ratio",
    "newline_ratio",
    "small_effect",
)
COLUMNS = (
    "head",
    "category",
    "confidence",
    "net_attribution",
    "total_effect",
    "label_mass",
    "diagonal_share",
    "qk_score",
)
ORDERS = ("strength", "lowest", "highest")
ROWS = 200  # rows of the table before more are asked for: every element costs the browser


def head(text: str) -> str:
    """The label of a head, as it is written everywhere; `ValueError` for any other node."""
    node = Node.read(text)
    if node.head is None or node.part:
        raise ValueError(text)
    return str(node)


def in_order(label: str) -> Any:
    """For sorting: heads in the order of the computation, other names by the alphabet."""
    return Node.read(label) if re.fullmatch(r"L\d+H\d+", label) else label


def _threshold(text: str) -> str:
    if not re.fullmatch(r"\d{1,2}(\.\d{1,4})?", text, re.ASCII) or float(text) > 10:
        raise ValueError(text)
    return f"{float(text):g}"


def _heads(text: str) -> tuple[str, ...]:
    return tuple(sorted({head(part) for part in text.split(",")}, key=in_order))


def _entries(key: Callable[[str], str], value: Callable[[str], str], allowed: str) -> Field:
    """`key:value` with commas between them, each key once, in the order of the keys."""

    def read(text: str) -> tuple[tuple[str, str], ...]:
        pairs = [part.split(":") for part in text.split(",")]
        found = {key(name): value(chosen) for name, chosen in pairs}
        return tuple((name, found[name]) for name in sorted(found, key=in_order))

    return Field(read, allowed)


VERDICTS = _entries(head, choice(*CATEGORIES).read, "heads with a category each, such as L23H2:amplification")
MOVED = _entries(choice(*THRESHOLDS).read, _threshold, "numbers from 0 to 10 for " + ", ".join(THRESHOLDS))

FIELDS: Mapping[str, Field] = {
    "heads": Field(_heads, "heads such as L23H0,L23H2"),
    "verdicts": VERDICTS,
    "thresholds": MOVED,
    "by": choice(*COLUMNS),
    "order": choice(*ORDERS),
    "category": choice("all", *CATEGORIES),
    "find": id_of("a head or a category, or a part of it"),
    "rows": whole(1, 100_000),
}
EMPTIED = ("heads", "verdicts", "thresholds", "find")  # an empty text takes these out of the address
ENTRIES = {"verdict": "verdicts", "threshold": "thresholds"}  # a control sets one entry of these


def entered(
    change: Mapping[str, str], before: Callable[[str], tuple[tuple[str, str], ...]]
) -> dict[str, str]:
    """Texts of fields in which a control changes one entry: `L23H2:other` sets it, `L23H2:` takes it out."""
    new = {}
    for name, field in ENTRIES.items():
        if name in change:
            key, _, value = change[name].partition(":")
            entries = {**dict(before(field)), key: value}
            new[field] = ",".join(f"{one}:{chosen}" for one, chosen in entries.items() if chosen)
    return new
