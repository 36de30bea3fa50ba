"""Path effects: what a sender does to the answer through each of its readers.

Only the receiver reads a residual stream in which the sender has the source's value: the query, key or value
input of a later head, a later MLP, or the logits. What comes after the receiver is recomputed, in full.

    path effect = metric with that one path patched − metric of the base run

The path to the logits is the direct effect, norms recomputed. All paths at once are the total effect; the
single ones do not add up to it, as receivers act on each other. (Wang et al. 2022, section 3; Goldowsky-Dill
et al. 2023.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from analysis.interventions import Intervention, Patch, PathPatch
from analysis.metrics import MetricName
from analysis.nodes import Key, Logits, Mlp, Query, Receiver, Value, Writer
from analysis.worlds import Worlds

INPUTS: dict[type[Receiver], str] = {Query: "q", Key: "k", Value: "v", Mlp: "mlp", Logits: "logits"}


@dataclass(frozen=True)
class PathEffects:
    """Effects of one sender: through each receiver alone, through all of them together, and in total."""

    worlds: Worlds  # those of `path_interventions`

    def path_effect(self, metric: MetricName) -> Float[Tensor, "pair receiver"]:
        return self.worlds.effects(metric)[:, :-2]

    def all_paths(self, metric: MetricName) -> Float[Tensor, " pair"]:
        """Through all the receivers at once."""
        return self.worlds.effects(metric)[:, -2]

    def total_effect(self, metric: MetricName) -> Float[Tensor, " pair"]:
        """Of the sender, through whatever reads it."""
        return self.worlds.effects(metric)[:, -1]


def path_interventions(
    sender: Writer, receivers: Sequence[Receiver], positions: Bool[Tensor, "batch pos"]
) -> tuple[Intervention, ...]:
    """Each path alone, all together, and the sender itself: what `PathEffects` is read from."""
    alone = [PathPatch(sender, frozenset([receiver]), positions) for receiver in receivers]
    return (*alone, PathPatch(sender, frozenset(receivers), positions), Patch((sender,), positions))
