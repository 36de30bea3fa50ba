"""Title, numbers and sentence of the page of one node."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import html

from frontend.figures.controls import link
from frontend.figures.evidence import NUMBERS, big_number, why_not
from frontend.nodes import Node
from frontend.phrases import METRIC_PHRASE, for_set, patched, set_of
from frontend.results import Estimate, estimate
from frontend.state import State
from frontend.words import NONE, VIEW_TABLE, count, effect, interval, number, percent, spread, tiny

Json = Mapping[str, Any]


def neighbours(place: State, dimensions: Mapping[str, Any] | None) -> list[Any]:
    """The node's name between the nodes before and after it, and the way back to the map."""
    node = place.node or Node(0)
    before, after = (_step(node, dimensions, by) for by in (-1, 1))
    return [
        link(f"← {before}", replace(place, node=before)) if before else html.Span(),
        html.H1(str(node), className="node-name"),
        link(f"{after} →", replace(place, node=after)) if after else html.Span(),
        link("Back to the map", replace(place, page="map"), className="button push", id="back-to-map"),
    ]


def _step(node: Node, dimensions: Mapping[str, Any] | None, by: int) -> Node | None:
    """The next head in the order of the computation, or the MLP of the next layer."""
    if dimensions is None:
        return None
    layers, heads = dimensions["n_layers"], dimensions["n_heads"]
    if node.head is None:
        return Node(node.layer + by) if 0 <= node.layer + by < layers else None
    place = node.layer * heads + node.head + by
    return Node(place // heads, place % heads) if 0 <= place < layers * heads else None


@dataclass(frozen=True)
class Measured:
    """A node in an `effects` result over all nodes, where it is `row`, and its attention if that has come."""

    node: Node
    effects: Json
    row: int
    pattern: Json | None = None

    def mean(self, table: str) -> Estimate | None:
        """One of its numbers with its interval."""
        return estimate(self.effects, table, self.row)

    @property
    def n(self) -> str:
        """Over how many pairs."""
        return count(self.effects["n_done"], "pair")


def head_numbers(place: State, known: Measured | None, pattern: Json | None) -> list[html.Div]:
    """Means over all pairs, each with its 95 % interval, or why there is none."""
    shown = []
    for view, name in NUMBERS.items():
        mean = known.mean(VIEW_TABLE[view]) if known else None
        below = spread(mean) or why_not(place, view)
        shown.append(big_number(name, effect(mean), below, id=f"head-{view}"))
    if place.node and place.node.head is not None:
        shown.append(_attention(pattern))
    flips = known.mean("flips") if known else None
    below = f"{known.n}, certificate {tiny(known.effects['provenance']['certificate'])}" if known else ""
    share = percent(flips.mean if flips else None)
    return [*shown, big_number(for_set("pairs whose letter flips", place.set), share, below, id="head-flips")]


def _attention(pattern: Json | None) -> html.Div:
    seen = estimate(pattern, "on_correct_label", 0) if pattern else None
    name = "attention on the correct label"
    if pattern and not pattern["complete"]:
        name += f", {pattern['n_done']} of {count(pattern['n'], 'pair')}"
    value = number(seen.mean) if seen else NONE
    return big_number(name, value, interval(seen, number), id="head-attention")


def head_sentence(known: Measured, choices: Mapping[str, str]) -> str:
    """What was measured, in plain words: the effect of the patch, where the head looks, what it writes."""
    parts = [_effect(known, choices)]
    complete = known.pattern if known.pattern and known.pattern["complete"] else None
    looks = estimate(complete, "on_correct_label", 0) if complete else None
    if looks:
        parts.append(
            f"From the final position, {percent(looks.mean)} of its attention is on the correct label."
        )
    writes = known.mean("attribution")
    if writes:
        gives = "adds {} logits to" if round(writes.mean, 2) >= 0 else "takes {} logits from"
        amount = number(abs(writes.mean))
        parts.append(f"On the clean prompts its own write {gives.format(amount)} the correct letter.")
    return for_set(" ".join(parts), set_of(known.effects))


def _effect(known: Measured, choices: Mapping[str, str]) -> str:
    total, n = known.mean("total_effect"), known.n
    if total is None:
        return f"The effect of {known.node} could not be measured."
    how = patched(choices)
    start, what = f"{how[0].upper()}{how[1:]}, {known.node}", METRIC_PHRASE[choices["metric"]]
    bounds = spread(total)
    if total.low is not None and total.high is not None and total.low <= 0 <= total.high:
        change = f"changes {what} by {effect(total)} on average over {n}"
        return f"{start} {change}; the 95 % interval {bounds} includes zero."
    does = "lowers" if total.mean < 0 else "raises"
    change = f"{does} {what} by {effect(total).lstrip('+−')} on average over {n}"
    return f"{start} {change}{f' (95 % interval {bounds})' if bounds else ''}."
