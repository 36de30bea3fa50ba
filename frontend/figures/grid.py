"""The cells of the map as values: a row per head, the MLPs apart, each cell measured, pending or failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from frontend.results import Estimate, estimate, nodes
from frontend.state import Node
from frontend.theme import SCALE_FLOOR

MEASURED, PENDING, FAILED = "measured", "pending", "failed"


@dataclass(frozen=True)
class Cell:
    """One node on the map. `reason` says why a failed one has no value."""

    node: Node
    state: str
    value: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True)
class Grid:
    """All nodes of a model and the values of one view."""

    n_layers: int
    n_heads: int
    n: int = 0
    cells: Mapping[Node, Cell] = field(default_factory=dict)
    failure: str = ""  # why no cell will get a value

    def cell(self, node: Node) -> Cell:
        """The cell of a node; one without a value yet is pending, or failed like all the others."""
        return self.cells.get(node) or Cell(node, FAILED if self.failure else PENDING, None, self.failure)

    @cached_property
    def measured(self) -> list[Cell]:
        """Cells with a value."""
        return [cell for cell in self.cells.values() if cell.value is not None]

    @cached_property
    def largest(self) -> float:
        """Largest absolute value, where the colour scale ends; 0 while nothing is measured."""
        values = [abs(cell.value.mean) for cell in self.measured if cell.value]
        return max(SCALE_FLOOR, *values) if values else 0.0


def outline(dimensions: Mapping[str, Any] | None, failure: str = "") -> Grid | None:
    """The empty grid of a model whose sizes are known."""
    return Grid(dimensions["n_layers"], dimensions["n_heads"], failure=failure) if dimensions else None


def grid_of(body: Mapping[str, Any], table: str) -> Grid:
    """One table of an `effects` result over all nodes."""
    failed = {one["where"]: one["reason"] for one in body["failures"] if one["table"] == table}
    listed = nodes(body)
    cells = {}
    for place, node in enumerate(listed):
        value = estimate(body, table, place)
        reason = failed.get(str(node), "")
        state = MEASURED if value is not None else FAILED if reason or body["complete"] else PENDING
        cells[node] = Cell(node, state, value, reason or "No value came out.")
    heads = [node.head for node in listed if node.head is not None]
    return Grid(1 + max(node.layer for node in listed), 1 + max(heads, default=-1), body["n_done"], cells)


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
