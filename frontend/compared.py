"""What the address says of a comparison: two runs, two of the pinned heads, the axes of the scatter."""

import re
from collections.abc import Mapping

from frontend.fields import Field, choice
from frontend.nodes import Node

MEASURES = ("label_mass", "diagonal_share", "total_effect", "net_attribution", "confidence", "qk_score")
COLOURS = ("category", "layer", "none")
OTHER_MODEL = "model:"  # in place of a key: the same measurement on another model
KEY = re.compile(r"[0-9a-f]{64}|model:[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def _run(text: str) -> str:
    if not KEY.fullmatch(text):
        raise ValueError(text)
    return text


def _between(text: str) -> tuple[str, ...]:
    first, second = (str(Node.read(part)) for part in text.split(","))
    if first == second:
        raise ValueError(text)
    return first, second


FIELDS: Mapping[str, Field] = {
    "left": Field(_run, "the key of a result, or model: and the id of a model"),
    "right": Field(_run, "the key of a result, or model: and the id of a model"),
    "between": Field(_between, "two different nodes such as L23H0,L23H2"),
    "x": choice(*MEASURES),
    "y": choice(*MEASURES),
    "colour": choice(*COLOURS),
}
EMPTIED = ("left", "right", "between")  # an empty text takes these out of the address
