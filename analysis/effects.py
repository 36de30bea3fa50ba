"""Total, direct and indirect effects of heads and MLPs at the final position.

    total effect     metric with the node patched and everything after it recomputed − the base run's metric
    direct effect    the part that reaches the logits through the residual stream, no other node reacting
    indirect effect  total − direct; not additive over nodes

Noising: base = clean, source = corrupt; a useful node has a negative effect. Denoising: base = corrupt,
source = clean; a useful node has a positive one. In both directions the answers are the labels of the *clean*
prompt and the correct one is the clean prompt's, so the two can be compared. (Lieberum et al. 2023.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis import naive
from analysis.attribution import node_attributions
from analysis.errors import NonFinite
from analysis.metrics import METRICS, MetricName, chosen
from analysis.model import LanguageModel
from analysis.nodes import Node, all_nodes, check_nodes
from analysis.patching import patched_hidden
from analysis.prompts import PromptPair
from analysis.run import (
    Activations,
    FinalPosition,
    record,
    record_final,
    record_source,
    stack_answers,
    stack_tokens,
)
from analysis.writes import write_changes

Direction = Literal["noising", "denoising"]


@dataclass(frozen=True)
class PairRuns:
    """Both runs of some prompt pairs. Made once, any number of nodes can be patched between them."""

    base_ids: Int[Tensor, "batch pos"]
    base: FinalPosition
    source: FinalPosition
    activations: Activations | None  # of the base run; None where the exact engine must not be used
    answer_ids: Int[Tensor, "batch answer"]
    correct: Int[Tensor, " batch"]
    corrupt_correct: Int[Tensor, " batch"]  # which answer is right in the corrupt prompt
    direction: Direction


@dataclass(frozen=True)
class NodeEffects:
    """Logits of the answers in every world, per prompt pair; effects follow from them. Float32, CPU."""

    nodes: tuple[Node, ...]
    base_logits: Float[Tensor, "pair answer"]
    source_logits: Float[Tensor, "pair answer"]
    patched_logits: Float[Tensor, "pair node answer"]  # everything downstream recomputed
    direct_logits: Float[Tensor, "pair node answer"]  # only the norms on the direct path recomputed
    direct_logits_frozen: Float[Tensor, "pair node answer"]  # those norms' scales held fixed: linear
    attribution: Float[Tensor, "pair node answer"]  # of the clean run, before a final soft-cap
    correct: Int[Tensor, " pair"]
    distractor: Int[Tensor, " pair"]
    engine: Literal["exact", "plain hooks"]

    def base_metric(self, metric: MetricName = "centred_logit") -> Float[Tensor, " pair"]:
        return METRICS[metric](self.base_logits, self.correct, self.distractor)

    def source_metric(self, metric: MetricName = "centred_logit") -> Float[Tensor, " pair"]:
        return METRICS[metric](self.source_logits, self.correct, self.distractor)

    def total_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        return self._change(metric, self.patched_logits)

    def direct_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        """With the norms recomputed."""
        return self._change(metric, self.direct_logits)

    def direct_effect_frozen(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        """With the norms' scales held fixed; for the centred logit, a difference of two attributions."""
        return self._change(metric, self.direct_logits_frozen)

    def indirect_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        return self.total_effect(metric) - self.direct_effect(metric)

    def net_attribution(self) -> Float[Tensor, "pair node"]:
        """Attribution to the centred logit of the correct answer."""
        return METRICS["centred_logit"](self.attribution, self.correct, self.distractor)

    def flips(self) -> Bool[Tensor, "pair node"]:
        """Whether the patch changes which answer has the highest logit."""
        return chosen(self.patched_logits) != chosen(self.base_logits)[:, None]

    def _change(
        self, metric: MetricName, logits: Float[Tensor, "pair node answer"]
    ) -> Float[Tensor, "pair node"]:
        return METRICS[metric](logits, self.correct, self.distractor) - self.base_metric(metric)[:, None]


def node_effects(
    model: LanguageModel,
    pairs: Sequence[PromptPair],
    nodes: Sequence[Node] | None = None,
    *,
    direction: Direction = "noising",
) -> NodeEffects:
    """Effects of the nodes (all heads and MLPs by default) in pairs that can share a run.

    The clean prompts must be of one length and the corrupt prompts too; the two lengths may differ.
    """
    return effects_in(model, run_pairs(model, pairs, direction=direction), nodes)


@torch.inference_mode()
def run_pairs(
    model: LanguageModel, pairs: Sequence[PromptPair], *, direction: Direction = "noising"
) -> PairRuns:
    """Run base and source prompts, with plain hooks if the model's certificate has not passed."""
    clean, corrupt = [pair.clean for pair in pairs], [pair.corrupt for pair in pairs]
    base, source = (clean, corrupt) if direction == "noising" else (corrupt, clean)
    base_ids, source_ids = stack_tokens(base), stack_tokens(source)
    activations = None
    if model.certificate is None or model.certificate.passed:
        activations = record(model, base_ids)
        finals = activations.final, record_source(model, source_ids, activations)
    else:
        finals = record_final(model, base_ids), record_final(model, source_ids)
    return PairRuns(
        base_ids=base_ids,
        base=finals[0],
        source=finals[1],
        activations=activations,
        answer_ids=stack_answers(clean),
        correct=torch.tensor([prompt.correct for prompt in clean]),
        corrupt_correct=torch.tensor([prompt.correct for prompt in corrupt]),
        direction=direction,
    )


@torch.inference_mode()
def effects_in(model: LanguageModel, runs: PairRuns, nodes: Sequence[Node] | None = None) -> NodeEffects:
    """Effects of the nodes between two runs that have been made."""
    nodes = all_nodes(model.n_layers, model.n_heads) if nodes is None else tuple(nodes)
    check_nodes(nodes, model.n_layers, model.n_heads)
    ids = runs.answer_ids
    base_logits = model.answer_logits(runs.base.hidden, ids)
    base_parts, source_parts = (
        node_attributions(model, run, nodes, ids, scales=runs.base) for run in (runs.base, runs.source)
    )
    if runs.direction == "noising":
        clean_parts = base_parts
    else:
        clean_parts = node_attributions(model, runs.source, nodes, ids, scales=runs.source)
    logits = {
        "patched_logits": _patched_logits(model, runs, nodes),
        "direct_logits": _direct_logits(model, runs, nodes),
        "direct_logits_frozen": model.cap(
            model.uncapped_logits(runs.base.hidden, ids) + source_parts - base_parts
        ),
        "attribution": clean_parts,
    }
    return NodeEffects(
        nodes=nodes,
        base_logits=base_logits.cpu(),
        source_logits=model.answer_logits(runs.source.hidden, ids).cpu(),
        correct=runs.correct,
        distractor=_distractors(base_logits.cpu(), runs),
        engine="plain hooks" if runs.activations is None else "exact",
        **{name: _per_pair(name, values) for name, values in logits.items()},
    )


def _patched_logits(
    model: LanguageModel, runs: PairRuns, nodes: Sequence[Node]
) -> Float[Tensor, "node batch answer"]:
    patches = [[node] for node in nodes]
    if runs.activations is not None:
        rows = patched_hidden(model, runs.activations, runs.source, patches)
        return model.answer_logits(rows, runs.answer_ids)
    logits = naive.patched_logits(model, runs.base_ids, runs.source, patches)
    return logits.gather(-1, runs.answer_ids.to(logits.device).expand(len(nodes), -1, -1))


def _direct_logits(
    model: LanguageModel, runs: PairRuns, nodes: Sequence[Node]
) -> Float[Tensor, "node batch answer"]:
    """The base run's final residual stream with one write replaced, read out as the model does."""
    resid_final = runs.base.resid_final + write_changes(model, runs.base, runs.source, nodes)
    return model.answer_logits(model.parts.final_norm(resid_final.to(model.dtype)), runs.answer_ids)


def _per_pair(name: str, values: Float[Tensor, "node batch answer"]) -> Float[Tensor, "batch node answer"]:
    if not values.isfinite().all():
        raise NonFinite(f"The {name.replace('_', ' ')} of some nodes are not finite.")
    return values.transpose(0, 1).contiguous().cpu()


def _distractors(base_logits: Float[Tensor, "pair answer"], runs: PairRuns) -> Int[Tensor, " pair"]:
    """The corrupt prompt's correct answer; if it is also the clean one's, the base run's favourite other."""
    others = base_logits.scatter(1, runs.correct[:, None], -torch.inf).argmax(-1)
    return torch.where(runs.corrupt_correct == runs.correct, others, runs.corrupt_correct)
