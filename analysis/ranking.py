"""Which nodes to look at first: rank by mean effect, and keep the few that carry most of it.

    coverage(k) = Σ of the k largest effects / Σ of all positive effects

The smallest set that reaches a fixed share is the paper's way to pick output nodes (Lieberum et al. 2023).
"""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Ranking:
    """Nodes in order of their effect, largest first; equal ones in the order of the computation."""

    order: Int[Tensor, " node"]  # indices of the nodes
    coverage: Float[Tensor, " node"]  # share of the positive effects that the first k + 1 nodes carry
    n_selected: int  # the smallest number of nodes that reaches the share
    n_negative: int

    @property
    def selected(self) -> Int[Tensor, " component"]:
        """The nodes that carry the share, largest first."""
        return self.order[: self.n_selected]

    @property
    def negative(self) -> Int[Tensor, " component"]:
        """Nodes that work against the answer, strongest first."""
        return self.order[len(self.order) - self.n_negative :].flip(0)


def rank_nodes(effects: Float[Tensor, " node"], *, share: float = 0.8) -> Ranking:
    """Rank nodes by an effect that is positive where they help, such as the mean net attribution."""
    order = effects.argsort(descending=True, stable=True)
    positive = effects[order].clamp(min=0).double()
    coverage = positive.cumsum(0) / positive.sum()
    reached = (coverage >= share).nonzero()
    return Ranking(
        order=order,
        coverage=coverage.float(),
        n_selected=int(reached[0]) + 1 if len(reached) else 0,
        n_negative=int((effects < 0).sum()),
    )
