"""The rows of the exact engine as tokens of a pass: what they stand on, where they stand, and when they join.

A row is some positions of the base prompt, from `start` on, in a world in which one intervention is made.
The rows of a prompt are tokens of one sequence, row by row, behind those of the runs that are recorded in the
same pass, if any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from analysis.activations import Activations, Suffix
from analysis.layers import Layers
from analysis.recording import Recorder, Recording
from analysis.sweep_plan import SweepPlan
from analysis.watch import Watch

PerLayer = Tensor | Layers
"""A tensor with a leading layer axis, or one that is filled while the pass goes up."""


@dataclass(frozen=True)
class Ground:
    """What the rows stand on: the base run, stored or still going up in front of them."""

    token_ids: Int[Tensor, "batch pos"]
    keys: PerLayer
    values: PerLayer
    masks: Sequence[Tensor | None]
    resid_pre: PerLayer
    n_front: int  # tokens of the pass in front of the rows

    @classmethod
    def stored(cls, base: Activations) -> "Ground":
        """A base run that was recorded before."""
        return cls(base.token_ids, base.keys, base.values, base.masks, base.suffix.resid_pre, n_front=0)

    @classmethod
    def growing(cls, recorder: Recorder) -> "Ground":
        """A base run that is recorded in the same pass."""
        return cls(
            token_ids=recorder.tokens[:, : recorder.n_base],
            keys=recorder.keys,
            values=recorder.values,
            masks=recorder.masks,
            resid_pre=recorder.base.resid_pre,
            n_front=recorder.n_tokens,
        )


@dataclass(frozen=True)
class Rows:
    """The rows of one pass."""

    ground: Ground
    source: Suffix | Recording
    plan: SweepPlan
    start: int
    changed: Bool[Tensor, "batch row pos"]  # where each row takes the source's values, from `start` on
    watch: Watch | None = None  # sees what the rows attend to

    @property
    def n_positions(self) -> int:
        """Tokens of a row."""
        return self.ground.token_ids.shape[1] - self.start

    @property
    def tokens(self) -> Int[Tensor, "batch pos"]:
        """The base prompts' own, once for every row. Only their number and their places count."""
        return self.ground.token_ids[:, self.start :].repeat(1, len(self.plan.positions))

    @property
    def positions(self) -> Int[Tensor, " pos"]:
        """Where the tokens stand in the prompts."""
        return torch.arange(self.start, self.start + self.n_positions).repeat(len(self.plan.positions))

    @property
    def kept(self) -> Int[Tensor, " pos"]:
        """Places of the rows' final positions in the pass, in the order of the rows."""
        rows = torch.arange(len(self.plan.positions))
        return self.ground.n_front + (rows + 1) * self.n_positions - 1

    @property
    def read_out(self) -> Int[Tensor, " row"]:
        """Places of the final positions in which the interventions are read out, in their order."""
        return self.kept[self.plan.read_out]

    @property
    def n_tokens_by_layer(self) -> list[int]:
        """Tokens of the pass in every layer, those in front included."""
        rows = accumulate(layer.n_new_rows for layer in self.plan.layers)
        return [self.ground.n_front + n_rows * self.n_positions for n_rows in rows]
