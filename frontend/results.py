"""Reading a result body of the API: tables with named axes, means with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from frontend.nodes import Node

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """A mean over prompts with its 95 % interval; `low` and `high` are None for a single prompt."""

    mean: float
    low: float | None = None
    high: float | None = None
    unit: str = "logit"


def estimate(body: Json, name: str, *indices: int) -> Estimate | None:
    """One value of a table; None where it was not computed."""
    table = body["tables"].get(name)
    if table is None:
        return None
    mean, low, high = (_at(table.get(part), indices) for part in ("mean", "low", "high"))
    return None if mean is None else Estimate(mean, low, high, table["unit"])


def estimates(body: Json, name: str, *indices: int) -> list[Estimate | None]:
    """One row of a table: all values along the axis after the given indices."""
    table = body["tables"].get(name)
    row = _at(table["mean"], indices) if table else None
    return [estimate(body, name, *indices, place) for place in range(len(row or []))]


def nodes(body: Json) -> list[Node]:
    """The nodes of a result's `node` axis, in its order."""
    return [Node.read(entry["label"]) for entry in body["coordinates"]["node"]]


def named(body: Json, axis: str) -> list[str]:
    """The names along an axis."""
    return [one["label"] if isinstance(one, Mapping) else one for one in body["coordinates"].get(axis, [])]


def node_index(body: Json, node: Node) -> int | None:
    """Where a node stands on the `node` axis."""
    found = nodes(body)
    return found.index(node) if node in found else None


def component_index(body: Json, node: Node) -> int | None:
    """Where a node stands on the `component` axis."""
    kind = "mlp" if node.head is None else "head"
    places = [(entry["kind"], entry["layer"], entry["head"]) for entry in body["coordinates"]["component"]]
    wanted = (kind, node.layer, node.head)
    return places.index(wanted) if wanted in places else None


def reason(body: Json, table: str, *names: str) -> str:
    """Why a value is missing, by the names of its place on the axes; empty where nothing is said."""
    where = " ".join(names)
    return next(
        (one["reason"] for one in body["failures"] if (one["table"], one["where"]) == (table, where)), ""
    )


def pair_of(body: Json, index: int) -> Json | None:
    """A pair of a `prompts` result by its index in the draw."""
    return next((pair for pair in body["details"]["pairs"] if pair["index"] == index), None)


def _at(values: Any, indices: tuple[int, ...]) -> Any:
    for index in indices:
        if values is None:
            return None
        values = values[index]
    return values
