"""The answers in the base run, in the source run, and in one more world per intervention.

Metrics are applied afterwards, so the same worlds serve all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from analysis.errors import NonFinite
from analysis.interventions import Intervention
from analysis.metrics import METRICS, Answers, MetricName, chosen, log_normaliser
from analysis.model import LanguageModel
from analysis.pair_runs import PairRuns, distractors

BASE, SOURCE, FIRST = 0, 1, 2  # rows: the base run, the source run, the first intervention


@dataclass(frozen=True)
class Worlds:
    """Answers' logits by world, on the CPU: the base run, the source run, then one world per intervention."""

    logits: Float[Tensor, "pair row answer"]
    correct: Int[Tensor, " pair"]
    distractor: Int[Tensor, " pair"]
    log_normaliser: Float[Tensor, "pair row"] | None = (
        None  # where a metric over the vocabulary was asked for
    )

    def metric(self, name: MetricName) -> Float[Tensor, "pair row"]:
        """One number per world."""
        base = self.logits[:, BASE]
        return METRICS[name](Answers(self.logits, self.correct, self.distractor, base, self.log_normaliser))

    def effects(self, name: MetricName) -> Float[Tensor, "pair row"]:
        """Metric in each changed world − metric of the base run; the base and source rows are left out."""
        values = self.metric(name)
        return values[:, FIRST:] - values[:, BASE, None]

    def flips(self) -> Bool[Tensor, "pair row"]:
        """Whether a change gives another answer the highest logit; the base and source rows are left out."""
        choices = chosen(self.logits)
        return choices[:, FIRST:] != choices[:, BASE, None]

    def of_pair(self, index: int) -> dict[str, Shaped[Tensor, "..."]]:
        """One pair's tensors by name; stacked over pairs they make `Worlds` again."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: values[index] for name, values in named.items() if values is not None}


@torch.inference_mode()
def worlds_of(
    model: LanguageModel,
    runs: PairRuns,
    interventions: Sequence[Intervention],
    *,
    over_vocabulary: bool = False,
) -> Worlds:
    """Make each change in a world of its own. Over the vocabulary, its normaliser is computed too."""
    changed = [runs.hidden_in(interventions)] if interventions else []  # first: they go up with the runs
    hidden = torch.cat([torch.stack([runs.base.hidden, runs.source.hidden]), *changed])
    logits = model.answer_logits(hidden, runs.answer_ids)
    normaliser = _per_pair(log_normaliser(model, hidden)) if over_vocabulary else None
    if not logits.isfinite().all():
        raise NonFinite("Some changed worlds have logits that are not finite.")
    return Worlds(
        logits=_per_pair(logits),
        correct=runs.correct,
        distractor=distractors(_per_pair(logits)[:, BASE], runs),
        log_normaliser=normaliser,
    )


def _per_pair(values: Float[Tensor, "row batch ..."]) -> Float[Tensor, "batch row ..."]:
    return values.transpose(0, 1).contiguous().cpu()
