"""Which rows of a sweep take which values in which layer. It knows nodes and rows, and no tensors of a model.

A row is the residual stream of one world in which one intervention is made. A patch, a knock-out and a
rewrite take one row. A path patch takes two: what everybody reads, and beside it (`with_sender`) the same
plus the change of the sender's write, which only its receivers read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jaxtyping import Bool
from torch import Tensor

from analysis.interventions import Intervention, KnockOut, PathPatch, Rewrite, Sight
from analysis.nodes import LOGITS, Attention, Head, Key, Mlp, Node, Query, Residual, Value


@dataclass
class Taken:
    """Row `rows[i]` takes something of head `heads[i]`; from row `origins[i]`, where not from the source."""

    rows: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def add(self, row: int, head: int, origin: int | None = None) -> None:
        """One more."""
        self.rows.append(row)
        self.heads.append(head)
        if origin is not None:
            self.origins.append(origin)


@dataclass
class Copies:
    """Row `rows[i]` takes the whole write of row `origins[i]`."""

    rows: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def add(self, row: int, origin: int) -> None:
        """One more."""
        self.rows.append(row)
        self.origins.append(origin)


@dataclass
class LayerPlan:
    """What happens in one layer, in this order."""

    n_new_rows: int = 0
    residual: list[int] = field(default_factory=list)  # rows that take the source's residual stream
    queries: Taken = field(default_factory=Taken)  # from the source, like the next two
    keys: Taken = field(default_factory=Taken)
    values: Taken = field(default_factory=Taken)
    path_queries: Taken = field(default_factory=Taken)  # from the row with the sender, like the next two
    path_keys: Taken = field(default_factory=Taken)
    path_values: Taken = field(default_factory=Taken)
    cuts: list[tuple[int, KnockOut]] = field(default_factory=list)
    sights: list[tuple[int, Sight]] = field(default_factory=list)
    z_copies: Copies = field(default_factory=Copies)
    z: Taken = field(default_factory=Taken)
    mlp_copies: Copies = field(default_factory=Copies)
    mlps: list[int] = field(default_factory=list)  # rows that take the source's MLP write


@dataclass
class SweepPlan:
    """All layers of one upward pass, and the row in which each intervention is read out."""

    layers: list[LayerPlan]
    read_out: list[int] = field(default_factory=list)
    positions: list[Bool[Tensor, "batch pos"]] = field(default_factory=list)  # per row, where it is changed

    @property
    def first_layer(self) -> int:
        """Where the first rows are appended; nothing below needs to run."""
        return next(layer for layer, plan in enumerate(self.layers) if plan.n_new_rows)


def plan_sweep(
    interventions: Sequence[Intervention], n_layers: int, n_heads: int, *, first_layer: int | None = None
) -> SweepPlan:
    """A plan for interventions in the order of their layers; `first_layer`: all rows start there."""
    plan = SweepPlan([LayerPlan() for _ in range(n_layers)])
    for intervention in interventions:
        start = plan.layers[intervention.layer if first_layer is None else first_layer]
        row, size = len(plan.positions), n_rows(intervention)
        start.n_new_rows += size
        plan.positions += [intervention.positions] * size
        match intervention:
            case PathPatch():
                plan.read_out.append(row + (LOGITS in intervention.receivers))
                _add_paths(plan, row, intervention, n_heads)
            case KnockOut():
                plan.read_out.append(row)
                for layer in {head.layer for head in intervention.heads}:
                    plan.layers[layer].cuts.append((row, intervention))
            case Rewrite():
                plan.read_out.append(row)
                for sight in intervention.sights:
                    plan.layers[sight.head.layer].sights.append((row, sight))
            case _:
                plan.read_out.append(row)
                for node in intervention.nodes:
                    _add_node(plan.layers[node.layer], row, node, n_heads)
    return plan


def n_rows(intervention: Intervention) -> int:
    """How many rows it takes."""
    return 2 if isinstance(intervention, PathPatch) else 1


def _add_node(layer: LayerPlan, row: int, node: Node, n_heads: int) -> None:
    match node:
        case Attention():
            for head in range(n_heads):
                layer.z.add(row, head)
        case Mlp():
            layer.mlps.append(row)
        case Residual():
            layer.residual.append(row)
        case _:
            taken = {Head: layer.z, Query: layer.queries, Key: layer.keys, Value: layer.values}
            taken[type(node)].add(row, node.head)


def _add_paths(plan: SweepPlan, row: int, path: PathPatch, n_heads: int) -> None:
    """Both rows get every write alike, so they keep differing by the change of the sender's write alone."""
    with_sender = row + 1
    for index, layer in enumerate(plan.layers):
        if index >= path.sender.layer:
            receives = Mlp(index) in path.receivers and Mlp(index) != path.sender
            layer.z_copies.add(with_sender, row)
            layer.mlp_copies.add(*((row, with_sender) if receives else (with_sender, row)))
    _add_node(plan.layers[path.sender.layer], with_sender, path.sender, n_heads)
    for receiver in path.receivers:
        if isinstance(receiver, Query | Key | Value) and receiver.layer > path.sender.layer:
            layer = plan.layers[receiver.layer]
            taken = {Query: layer.path_queries, Key: layer.path_keys, Value: layer.path_values}
            taken[type(receiver)].add(row, receiver.head, with_sender)
