"""What can be patched, as values: heads, MLPs, attention blocks, the residual stream, queries, keys, values.

Labels are made here; they are looked up among all nodes of a model and never parsed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from analysis.errors import UnknownNode


@dataclass(frozen=True, order=True)
class Head:
    """One attention head's z, and so its write; `L9H6` is layer 9, head 6, both counted from 0."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}"


@dataclass(frozen=True, order=True)
class Mlp:
    """The write of a whole MLP; `MLP3` is that of layer 3."""

    layer: int

    def __str__(self) -> str:
        return f"MLP{self.layer}"


@dataclass(frozen=True, order=True)
class Attention:
    """All heads of a layer together; `ATTN3` is the attention of layer 3."""

    layer: int

    def __str__(self) -> str:
        return f"ATTN{self.layer}"


@dataclass(frozen=True, order=True)
class Residual:
    """The residual stream before a layer; `RESID0` is the embedding (with learned positions)."""

    layer: int

    def __str__(self) -> str:
        return f"RESID{self.layer}"


@dataclass(frozen=True, order=True)
class Query:
    """A head's query, after rotary embedding and QK-norm; `L9H6.q`."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}.q"


@dataclass(frozen=True, order=True)
class Key:
    """The key as one head sees it, rotated like the query; `L9H6.k`.

    Other heads that share it keep theirs.
    """

    layer: int
    head: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}.k"


@dataclass(frozen=True, order=True)
class Value:
    """The value as one head sees it; `L9H6.v`. Other heads that share it keep theirs."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"L{self.layer}H{self.head}.v"


@dataclass(frozen=True)
class Logits:
    """Where every path ends: the final norm and the unembedding. It can receive, not be patched."""

    def __str__(self) -> str:
        return "logits"


LOGITS = Logits()
Writer = Head | Mlp
"""The nodes that write to the residual stream: attribution and direct effects exist for these."""
Node = Head | Mlp | Attention | Residual | Query | Key | Value
Receiver = Query | Key | Value | Mlp | Logits

Kind = Literal["all", "heads", "mlps", "attention", "residual", "queries", "keys", "values"]
_PER_HEAD: dict[str, type[Head | Query | Key | Value]] = {
    "heads": Head,
    "queries": Query,
    "keys": Key,
    "values": Value,
}
_PER_LAYER: dict[str, type[Mlp | Attention | Residual]] = {
    "mlps": Mlp,
    "attention": Attention,
    "residual": Residual,
}


def all_nodes(n_layers: int, n_heads: int) -> tuple[Writer, ...]:
    """Every head and MLP in the order of the computation: the heads of layer 0, MLP0, and so on."""
    return tuple(
        node
        for layer in range(n_layers)
        for node in (*(Head(layer, head) for head in range(n_heads)), Mlp(layer))
    )


def nodes_of(kind: Kind, n_layers: int, n_heads: int) -> tuple[Node, ...]:
    """Every node of one kind, layer by layer; `all` means heads and MLPs."""
    if kind == "all":
        return all_nodes(n_layers, n_heads)
    if kind in _PER_LAYER:
        return tuple(_PER_LAYER[kind](layer) for layer in range(n_layers))
    return tuple(_PER_HEAD[kind](layer, head) for layer in range(n_layers) for head in range(n_heads))


def nodes_named(labels: Sequence[str], n_layers: int, n_heads: int) -> tuple[Node, ...]:
    """The nodes with these labels, looked up among all that there are; raises `UnknownNode`."""
    by_label = _by_label(n_layers, n_heads)
    check_labels(labels, n_layers, n_heads)
    return tuple(by_label[label] for label in labels)


def writers_named(labels: Sequence[str], n_layers: int, n_heads: int) -> tuple[Writer, ...]:
    """Like `nodes_named`, for heads and MLPs only."""
    nodes = nodes_named(labels, n_layers, n_heads)
    return tuple(_only_writer(node) for node in nodes)


def receivers_named(labels: Sequence[str], n_layers: int, n_heads: int) -> tuple[Receiver, ...]:
    """The receivers of paths with these labels: queries, keys, values, MLPs and the logits."""
    found = []
    for label in labels:
        node = LOGITS if label == str(LOGITS) else nodes_named([label], n_layers, n_heads)[0]
        if not isinstance(node, Receiver):
            raise UnknownNode(f"{label} cannot receive a path; give a query, key, value, MLP or the logits.")
        found.append(node)
    return tuple(found)


def check_nodes(nodes: Iterable[Node], n_layers: int, n_heads: int) -> None:
    """Raise `UnknownNode` for the first node that a model of this size does not have."""
    check_labels([str(node) for node in nodes], n_layers, n_heads)


def check_labels(labels: Iterable[str], n_layers: int, n_heads: int) -> None:
    """Raise `UnknownNode` for the first label that no node of such a model has."""
    known = _by_label(n_layers, n_heads)
    for label in labels:
        if label not in known:
            raise UnknownNode(
                f"{label} does not exist: this model has layers 0 to {n_layers - 1} and heads 0 to "
                f"{n_heads - 1}. Nodes are written L9H6, MLP3, ATTN3, RESID3, L9H6.q, L9H6.k, L9H6.v."
            )


def _only_writer(node: Node) -> Writer:
    if not isinstance(node, Writer):
        raise UnknownNode(f"{node} is no head and no MLP; it has no write of its own.")
    return node


@cache
def _by_label(n_layers: int, n_heads: int) -> dict[str, Node]:
    kinds: tuple[Kind, ...] = ("all", "attention", "residual", "queries", "keys", "values")
    return {str(node): node for kind in kinds for node in nodes_of(kind, n_layers, n_heads)}
