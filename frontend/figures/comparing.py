"""Two measurements of the same nodes as values: differences, whether intervals meet, ranks, specs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from frontend.figures.grid import Grid, grid_of
from frontend.nodes import Node
from frontend.results import Estimate
from frontend.theme import SCALE_FLOOR
from frontend.words import count, effect, spread

Json = Mapping[str, Any]
OF_NO_INTEREST = ("analysis", "schema")  # both are of the same analysis
NAMED = {"model.id": "model", "prompts.n": "pairs", "prompts.n_options": "options in a question"}
DIGESTS = {"prompts.pairs": "questions", "model.weights": "weights"}  # names mostly say what differs


@dataclass(frozen=True)
class Both:
    """One node in two results."""

    node: Node
    left: Estimate | None
    right: Estimate | None
    comparable: bool = True

    @property
    def difference(self) -> Estimate | None:
        """Right less left, where both were measured in the same unit."""
        if self.left is None or self.right is None or not self.comparable:
            return None
        return Estimate(self.right.mean - self.left.mean, unit=self.left.unit)

    @property
    def overlap(self) -> bool | None:
        """Whether the 95 % intervals meet; None without two intervals."""
        bounds = [bound for one in (self.left, self.right) if one for bound in (one.low, one.high)]
        if len(bounds) != 4 or None in bounds or not self.comparable:
            return None
        low, high, other_low, other_high = (float(bound or 0) for bound in bounds)
        return low <= other_high and other_low <= high

    @property
    def sentence(self) -> str:
        """Both numbers, the difference, and what the intervals say."""
        parts = [f"left {_told(self.left)}", f"right {_told(self.right)}"]
        if self.difference:
            parts.append(f"difference {effect(self.difference)}")
        meets = {True: "the intervals overlap", False: "the intervals are apart", None: ""}[self.overlap]
        return f"{self.node}: " + "; ".join([*parts, *([meets] if meets else [])]) + "."


def _told(value: Estimate | None) -> str:
    return f"{effect(value)} {spread(value)}".strip() if value else "not measured"


@dataclass(frozen=True)
class Two:
    """Two results, one table of each as a grid, and why they cannot be subtracted, if so."""

    left: Grid
    right: Grid
    why_not: str = ""

    @property
    def nodes(self) -> Iterator[Both]:
        """Every node of either, in the order of the computation."""
        for node in sorted({*self.left.cells, *self.right.cells}, key=_order):
            values = (
                grid.cells[node].value if node in grid.cells else None for grid in (self.left, self.right)
            )
            yield Both(node, *values, comparable=not self.why_not)

    @property
    def largest(self) -> float:
        """Where the common scale of both ends; 0 where they have none."""
        return max(self.left.largest, self.right.largest) if self.left.unit == self.right.unit else 0.0

    @property
    def largest_difference(self) -> float:
        """Where the scale of the difference ends."""
        found = [abs(both.difference.mean) for both in self.nodes if both.difference]
        return max(SCALE_FLOOR.get(self.left.unit, 0.0), *found) if found else 0.0


def _order(node: Node) -> tuple[int, bool, int]:
    return node.layer, node.head is None, node.head or 0


def two_of(left: Json, right: Json, table: str) -> Two:
    """The same table of two `effects` results."""
    grids = grid_of(left, table), grid_of(right, table)
    return Two(*grids, why_not=_why_not(*grids, (left, right)))


def _why_not(left: Grid, right: Grid, bodies: tuple[Json, Json]) -> str:
    """Why two grids cannot be subtracted; empty where they can."""
    if left.kind != right.kind:
        return "No difference: what is patched are not the same kinds of node."
    sizes = [(grid.n_layers, grid.n_heads) for grid in (left, right)]
    if sizes[0] != sizes[1]:
        told = " and ".join(f"{count(layers, 'layer')} of {count(heads, 'head')}" for layers, heads in sizes)
        return f"No difference: the models have {told}, so a node of one is no node of the other."
    metrics = [body["details"].get("metric") for body in bodies]
    if metrics[0] != metrics[1] or left.unit != right.unit:
        named = " and ".join(str(metric).replace("_", " ") for metric in metrics)
        return f"No difference: the metrics are {named}, whose numbers cannot be subtracted."
    return ""


def rank_correlation(two: Two) -> tuple[float, int] | None:
    """Spearman's rank correlation over the nodes that both have, and how many these are."""
    pairs = [(both.left.mean, both.right.mean) for both in two.nodes if both.left and both.right]
    if len(pairs) < 3 or two.why_not:
        return None
    first, second = (_ranks(values) for values in zip(*pairs, strict=True))
    middle = (len(pairs) + 1) / 2
    product = sum((one - middle) * (other - middle) for one, other in zip(first, second, strict=True))
    sizes = [sqrt(sum((rank - middle) ** 2 for rank in ranks)) for ranks in (first, second)]
    return (product / (sizes[0] * sizes[1]), len(pairs)) if all(sizes) else None


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1 on; equal values share the middle of their ranks."""
    order = sorted(values)
    first = {value: place for place, value in reversed(list(enumerate(order, 1)))}
    last = {value: place for place, value in enumerate(order, 1)}
    return [(first[value] + last[value]) / 2 for value in values]


def what_differs(left: Json, right: Json) -> list[tuple[str, str, str]]:
    """Every field in which two resolved specs differ, with both values in words."""
    flat = [dict(_flat(body["spec"])) for body in (left, right)]
    names = [name for name in {**flat[0], **flat[1]} if flat[0].get(name) != flat[1].get(name)]
    said = [name for name in names if name not in DIGESTS]
    found = [(_field(name), _value(flat[0].get(name)), _value(flat[1].get(name))) for name in said]
    hidden = [name for name in names if name in DIGESTS and not _said(name, said)]
    return found + [(DIGESTS[name], "as they were then", "changed, under the same name") for name in hidden]


def _said(digest: str, names: Sequence[str]) -> bool:
    """Whether a difference in what a digest stands for is told by its names."""
    return any(name.split(".")[0] == digest.split(".")[0] for name in names)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for part, inside in value.items():
            if name or part not in OF_NO_INTEREST:
                yield from _flat(inside, f"{name}.{part}" if name else part)
    else:
        yield name, value


def _field(name: str) -> str:
    plain = name.removeprefix("prompts.").removeprefix("parameters.").replace(".", " ").replace("_", " ")
    return NAMED.get(name, plain)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).replace("_", " ")
