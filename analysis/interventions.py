"""What can be changed in a run, as values. Each is made in a world of its own: one row of the engine."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
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


@dataclass(frozen=True, eq=False)
class Affine:
    """x → A x + b; b may differ by prompt."""

    matrix: Float[Tensor, "d_head d_head"]
    shift: Float[Tensor, "batch d_head"]


@dataclass(frozen=True, eq=False)
class Sight:
    """What one head sees otherwise at the final position. None: as it is.

    Its query is mapped after everything below has been recomputed. Keys and values stand at earlier
    positions, where no intervention at the final position can change them, so they are given as they shall
    be. Other heads that share a key or value see the old one.
    """

    head: Head
    positions: Int[Tensor, "batch answer"]  # where the keys and values stand, before the final position
    query: Affine | None = None
    keys: Float[Tensor, "batch answer d_head"] | None = None
    values: Float[Tensor, "batch answer d_head"] | None = None


@dataclass(frozen=True, eq=False)
class Rewrite:
    """Some heads, in any layers, see their query, keys or values otherwise; all else is recomputed."""

    sights: tuple[Sight, ...]
    n_positions: int  # length of the prompts

    @property
    def layer(self) -> int:
        """Below it nothing changes."""
        return min(sight.head.layer for sight in self.sights)

    @property
    def positions(self) -> Bool[Tensor, "batch pos"]:
        """The final position."""
        final = torch.zeros(len(self.sights[0].positions), self.n_positions, dtype=torch.bool)
        final[:, -1] = True
        return final


Intervention = Patch | KnockOut | PathPatch | Rewrite


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
