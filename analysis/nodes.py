"""Nodes of a model as values: attention heads and MLP layers. Labels are made here and never parsed back."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.errors import UnknownNode


@dataclass(frozen=True, order=True)
class Head:
    """One attention head; `L9H6` is layer 9, head 6, both counted from 0."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}"


@dataclass(frozen=True, order=True)
class Mlp:
    """The whole MLP of one layer; `MLP3` is that of layer 3."""

    layer: int

    def __str__(self) -> str:
        return f"MLP{self.layer}"


Node = Head | Mlp


def all_nodes(n_layers: int, n_heads: int) -> tuple[Node, ...]:
    """Every head and MLP in the order of the computation: the heads of layer 0, MLP0, and so on."""
    return tuple(
        node
        for layer in range(n_layers)
        for node in (*(Head(layer, head) for head in range(n_heads)), Mlp(layer))
    )


def nodes_named(labels: Sequence[str], n_layers: int, n_heads: int) -> tuple[Node, ...]:
    """The nodes with these labels, looked up among all that there are; raises `UnknownNode`."""
    by_label = {str(node): node for node in all_nodes(n_layers, n_heads)}
    for label in labels:
        if label not in by_label:
            raise UnknownNode(_unknown(label, n_layers, n_heads))
    return tuple(by_label[label] for label in labels)


def check_nodes(nodes: Sequence[Node], n_layers: int, n_heads: int) -> None:
    """Raise `UnknownNode` for the first node that a model of this size does not have."""
    known = set(all_nodes(n_layers, n_heads))
    for node in nodes:
        if node not in known:
            raise UnknownNode(_unknown(str(node), n_layers, n_heads))


def _unknown(label: str, n_layers: int, n_heads: int) -> str:
    return f"{label} does not exist: this model has layers 0 to {n_layers - 1} and heads 0 to {n_heads - 1}."
