"""A mutation of the reader's own in the address: compact JSON, as `prompts.own_mutation` of the API."""

import json
from collections.abc import Mapping
from typing import Any

from frontend.fields import Field

PARTS = {"opening": 20, "closing": 20, "separator": 20, "suffix": 200, "lead": 200, "prelude": 2000}
"""Its texts, and how many characters each may have."""
FILLED = ("separator", "suffix")  # these cannot be empty
N_LABELS, LONGEST_LABEL = (2, 10), 20


def read(text: str) -> str:
    """The one way to write a mutation; `ValueError` for what is none."""
    try:
        found = json.loads(text) if text else {}
    except RecursionError:
        raise ValueError(text) from None
    if not isinstance(found, dict) or not set(found) <= {"labels", *PARTS}:
        raise ValueError(text)
    kept = {name: value for name, value in found.items() if value is not None}
    for name, value in kept.items():
        _check(name, value)
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if kept else ""


def _check(name: str, value: Any) -> None:
    if name == "labels":
        least, most = N_LABELS
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(value)
        if not all(isinstance(label, str) and 1 <= len(label) <= LONGEST_LABEL for label in value):
            raise ValueError(value)
    elif not isinstance(value, str) or len(value) > PARTS[name] or (name in FILLED and not value):
        raise ValueError(value)


def parts_of(own: str) -> dict[str, Any]:
    """What a mutation changes, by name; nothing for the empty one."""
    return json.loads(own) if own else {}


def words(own: str) -> str:
    """A mutation in a few words: `own labels W X Y Z`, `own closing and suffix`."""
    parts: Mapping[str, Any] = parts_of(own)
    labels = [f"labels {' '.join(parts['labels'])}"] if "labels" in parts else []
    return "own " + " and ".join([*labels, *(name for name in PARTS if name in parts)])


FIELDS = {"own": Field(read, "a mutation as JSON, for example {“labels”:[“W”,“X”,“Y”,“Z”]}")}
