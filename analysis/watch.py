"""What heads attend to from the final position, in every changed world of a sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations
from analysis.nodes import Head


@dataclass(frozen=True)
class Watch:
    """Attention of some heads, each to its positions. It fills itself while rows go up.

    A row that begins above a head attends there as the base run does.
    """

    positions: Mapping[Head, Int[Tensor, "batch answer"]]
    attention: Float[Tensor, "row batch head answer"]  # sums to 1 over all positions of the prompt
    rows: tuple[int, ...] = ()  # of the sweep that is going up
    worlds: tuple[int, ...] = ()  # which of `attention` they are

    @classmethod
    def of(
        cls, base: Activations, positions: Mapping[Head, Int[Tensor, "batch answer"]], n_worlds: int
    ) -> "Watch":
        """As the base run attends, in every world."""
        positions = {head: at.to(base.pattern.device) for head, at in positions.items()}
        seen = [base.pattern[head.layer][:, head.head].gather(1, at) for head, at in positions.items()]
        return cls(positions, torch.stack(seen, dim=1).expand(n_worlds, -1, -1, -1).clone())

    def of_rows(self, rows: Sequence[int], worlds: Sequence[int]) -> "Watch":
        """The same watch, on the rows of a sweep."""
        return replace(self, rows=tuple(rows), worlds=tuple(worlds))

    def look(self, layer: int, pattern: Float[Tensor, "batch kv_head group row pos key_pos"]) -> None:
        """Keep what the rows that have begun attend to in this layer."""
        begun = [place for place, row in enumerate(self.rows) if row < pattern.shape[3]]
        rows, worlds = [self.rows[place] for place in begun], [self.worlds[place] for place in begun]
        for index, (head, positions) in enumerate(self.positions.items()):
            if head.layer == layer and begun:
                kv_head, group = divmod(head.head, pattern.shape[2])
                seen = pattern[:, kv_head, group, rows, -1].transpose(0, 1)
                self.attention[worlds, :, index] = seen.gather(2, positions.expand(len(rows), -1, -1))

    def keep(self, world: int, pattern: Float[Tensor, "layer batch head key_pos"]) -> None:
        """Keep one world, from the whole patterns of its final position."""
        for index, (head, positions) in enumerate(self.positions.items()):
            self.attention[world, :, index] = pattern[head.layer][:, head.head].gather(1, positions)
