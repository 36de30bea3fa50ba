"""What can be changed in a run, as values. Each is made in a world of its own: one row of the engine."""

from dataclasses import dataclass

from jaxtyping import Bool
from torch import Tensor

from analysis.nodes import LOGITS, Head, Key, Mlp, Node, Query, Receiver, Value, Writer


@dataclass(frozen=True, eq=False)
class Patch:
    """Some nodes take the source's values at some positions of the base prompt; all else is recomputed."""

    nodes: tuple[Node, ...]
    positions: Bool[Tensor, "batch pos"]

    @property
    def layer(self) -> int:
        """Below it nothing changes."""
        return min(node.layer for node in self.nodes)


@dataclass(frozen=True, eq=False)
class KnockOut:
    """Some heads, at some query positions, no longer see some key positions; the others share the weight."""

    heads: tuple[Head, ...]
    queries: Bool[Tensor, "batch pos"]
    keys: Bool[Tensor, "batch pos"]

    @property
    def layer(self) -> int:
        """Below it nothing changes."""
        return min(head.layer for head in self.heads)

    @property
    def positions(self) -> Bool[Tensor, "batch pos"]:
        """Where the run is changed."""
        return self.queries


@dataclass(frozen=True, eq=False)
class PathPatch:
    """The receivers, and only they, read a residual stream in which the sender has the source's value.

    Everything after the receivers is recomputed. All later receivers together give the sender's total effect,
    none of them nothing, the logits alone its direct effect with the norms recomputed.
    (Wang et al. 2022, "path patching"; here any set of edges at once, as in Goldowsky-Dill et al. 2023.)
    """

    sender: Writer
    receivers: frozenset[Receiver]
    positions: Bool[Tensor, "batch pos"]

    @property
    def layer(self) -> int:
        """Below it nothing changes."""
        return self.sender.layer


Intervention = Patch | KnockOut | PathPatch


def every_receiver(sender: Writer, n_layers: int, n_heads: int) -> tuple[Receiver, ...]:
    """Whatever may read the sender's write, in the order of the computation.

    The MLP of a head's own layer is among them; where it stands beside the attention it reads nothing new.
    """
    own_mlp = [Mlp(sender.layer)] if isinstance(sender, Head) else []
    later = [
        node
        for layer in range(sender.layer + 1, n_layers)
        for node in (
            *(kind(layer, head) for head in range(n_heads) for kind in (Query, Key, Value)),
            Mlp(layer),
        )
    ]
    return (*own_mlp, *later, LOGITS)
