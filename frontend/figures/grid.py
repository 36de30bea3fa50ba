"""The cells of the map as values: a row per head and one per layer; each measured, pending or failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from frontend.nodes import OF_A_LAYER, Node
from frontend.results import Estimate, estimate, nodes
from frontend.theme import SCALE_FLOOR

MEASURED, PENDING, FAILED = "measured", "pending", "failed"
PART = {"attention": "attn", "residual": "resid", "queries": "q", "keys": "k", "values": "v"}
KIND = {part: kind for kind, part in PART.items()}
PER_LAYER = ("attention", "residual")


@dataclass(frozen=True)
class Cell:
    """One node on the map. `reason` says why a failed one has no value."""

    node: Node
    state: str
    value: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """Cells side by side, one a layer, and what stands at their left."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Grid:
    """All nodes of one kind and the values of one view; `all` are the heads with the MLPs below."""

    n_layers: int
    n_heads: int
    n: int = 0
    cells: Mapping[Node, Cell] = field(default_factory=dict)
    failure: str = ""  # why no cell will get a value
    kind: str = "all"
    unit: str = "logit"

    def cell(self, node: Node) -> Cell:
        """The cell of a node; one without a value yet is pending, or failed like all the others."""
        return self.cells.get(node) or Cell(node, FAILED if self.failure else PENDING, None, self.failure)

    @cached_property
    def head_rows(self) -> list[Row]:
        """A row for every head, or none where the nodes are whole layers."""
        heads = () if self.kind in PER_LAYER else range(self.n_heads)
        return [self._row(f"H{head}", head) for head in heads]

    @cached_property
    def layer_row(self) -> Row | None:
        """The row of what a layer has once: its MLP, its attention or the residual stream before it."""
        if self.kind not in ("all", *PER_LAYER):
            return None
        return self._row(OF_A_LAYER[PART.get(self.kind, "")], None)

    @cached_property
    def rows(self) -> list[Row]:
        """All rows from the top."""
        return [*self.head_rows, *([self.layer_row] if self.layer_row else [])]

    @cached_property
    def measured(self) -> list[Cell]:
        """Cells with a value."""
        return [cell for cell in self.cells.values() if cell.value is not None]

    @cached_property
    def largest(self) -> float:
        """Largest absolute value, where the colour scale ends; 0 while nothing is measured."""
        values = [abs(cell.value.mean) for cell in self.measured if cell.value]
        return max(SCALE_FLOOR.get(self.unit, 0.0), *values) if values else 0.0

    def _row(self, name: str, head: int | None) -> Row:
        part = PART.get(self.kind, "")
        return Row(name, [self.cell(Node(layer, head, part)) for layer in range(self.n_layers)])


def outline(dimensions: Mapping[str, Any] | None, failure: str = "", kind: str = "all") -> Grid | None:
    """The empty grid of a model whose sizes are known."""
    if not dimensions:
        return None
    return Grid(dimensions["n_layers"], dimensions["n_heads"], failure=failure, kind=kind)


def grid_of(body: Mapping[str, Any], table: str) -> Grid:
    """One table of an `effects` result over all nodes of a kind."""
    failed = {one["where"]: one["reason"] for one in body["failures"] if one["table"] == table}
    listed = nodes(body)
    cells = {}
    for place, node in enumerate(listed):
        value = estimate(body, table, place)
        reason = failed.get(str(node), "")
        state = MEASURED if value is not None else FAILED if reason or body["complete"] else PENDING
        cells[node] = Cell(node, state, value, reason or "No value came out.")
    heads = [node.head for node in listed if node.head is not None]
    return Grid(
        1 + max(node.layer for node in listed),
        1 + max(heads, default=-1),
        body["n_done"],
        cells,
        kind=KIND.get(listed[0].part, "all"),
        unit=body["tables"].get(table, {}).get("unit", "logit"),
    )


def ranked(grid: Grid, order: str) -> list[Cell]:
    """Measured cells: strongest first, lowest, highest, or in the order of the computation."""

    def mean(cell: Cell) -> float:
        return cell.value.mean if cell.value else 0.0

    if order == "node":
        return sorted(
            grid.measured, key=lambda cell: (cell.node.layer, cell.node.head is None, cell.node.head or 0)
        )
    keys = {"strength": lambda cell: -abs(mean(cell)), "lowest": mean, "highest": lambda cell: -mean(cell)}
    return sorted(grid.measured, key=keys[order])
