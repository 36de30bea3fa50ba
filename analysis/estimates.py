"""Attribution patching: what a patch would do, estimated to first order. A preview, never a measurement.

    estimate = (source value − base value) · ∂ metric / ∂ value in the base run

for heads, MLPs, attention blocks, the residual stream and values (Nanda 2023). A query or a key acts through
a softmax, which is far from linear where attention is nearly all or nothing; so the pattern is computed
exactly with the one patched query or key (the QK fix of AtP*, Kramár et al. 2024):

    estimate = (pattern with the patch − pattern) · ∂ metric / ∂ pattern

Exact where everything downstream is linear. One backward pass serves all nodes and positions.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.activations import Activations, Suffix
from analysis.adapter import AttentionCall, attention_pattern, weights_from_scores
from analysis.errors import BadQuestion
from analysis.gradients import Gradients, Readout, for_each_head, of_inputs, of_pattern
from analysis.metrics import METRICS, Answers, MetricName, log_normaliser
from analysis.model import LanguageModel
from analysis.nodes import Kind
from analysis.pair_runs import PairRuns, distractors
from analysis.run import record

NO_ESTIMATE: dict[MetricName, str] = {
    "accuracy": "it moves in jumps, so its slope is zero",
    "letter_kl": "it is smallest in the base run, so its slope there is zero",
}


def metric_readout(model: LanguageModel, runs: PairRuns, metric: MetricName) -> Readout:
    """The metric as a function of the final position, to be differentiated.

    Raises `BadQuestion` for a metric that has no slope.
    """
    if metric in NO_ESTIMATE:
        raise BadQuestion(f"{metric} cannot be estimated: {NO_ESTIMATE[metric]}. Measure it instead.")
    base_logits = model.answer_logits(runs.base.hidden, runs.answer_ids)
    distractor = distractors(base_logits.cpu(), runs)
    with torch.inference_mode(False):  # copies, as inference tensors cannot enter a graph
        answer_ids, correct, distractor, base_logits = (
            x.clone().to(model.device) for x in (runs.answer_ids, runs.correct, distractor, base_logits)
        )

    def readout(hidden: Tensor) -> Tensor:
        logits = model.cap(model.parts.unembedding(hidden).float())
        answers = logits.gather(-1, answer_ids)
        return METRICS[metric](Answers(answers, correct, distractor, base_logits, logits.logsumexp(-1)))

    return readout


def effects_of_rows(
    model: LanguageModel, runs: PairRuns, metric: MetricName, hidden: Float[Tensor, "row batch d_model"]
) -> Float[Tensor, "batch row"]:
    """Metric in each world − metric of the base run, from what the worlds hold after the final norm."""
    rows = torch.cat([runs.base.hidden[None], hidden])
    logits = model.answer_logits(rows, runs.answer_ids).transpose(0, 1).cpu()
    over_vocabulary = METRICS[metric].over_vocabulary
    normaliser = log_normaliser(model, rows).transpose(0, 1).cpu() if over_vocabulary else None
    base_logits = logits[:, 0]
    answers = Answers(logits, runs.correct, distractors(base_logits, runs), base_logits, normaliser)
    values = METRICS[metric](answers)
    return values[:, 1:] - values[:, :1]


def base_of(model: LanguageModel, runs: PairRuns) -> Activations:
    """The base run with its keys and values; run again for models that are patched with plain hooks."""
    return runs.activations or record(model, runs.base_ids, runs.start)


@torch.inference_mode()
def node_estimates(
    gradients: Gradients, base: Suffix, source: Suffix, kind: Kind, *, qk_fix: bool = True
) -> Float[Tensor, "batch node pos"]:
    """Estimated total effects of every node of a kind, in the order of `nodes_of`; in the metric's unit.

    `base` and `source` hold the same positions, those of `gradients`. Without the QK fix queries and keys are
    taken to be linear as well, to see what it does.
    """
    if kind in ("queries", "keys", "values"):
        estimate = _OF_INPUT[kind] if qk_fix else partial(linear_estimate, of=kind)
        by_layer = torch.stack(
            [
                estimate(call, with_source(call, source), of_z)
                for call, of_z in zip(gradients.calls, gradients.z, strict=True)
            ]
        )
    else:
        by_layer = _of_writes(gradients, base, source, kind)
    return rearrange(by_layer, "layer batch node pos -> batch (layer node) pos").cpu()


def _of_writes(
    gradients: Gradients, base: Suffix, source: Suffix, kind: Kind
) -> Float[Tensor, "layer batch node pos"]:
    if kind == "residual":
        return _dot(source.resid_pre - base.resid_pre, gradients.resid_pre)[:, :, None]
    mlps = _dot(source.mlp_writes - base.mlp_writes, gradients.mlp_writes)[:, :, None]
    if kind == "mlps":
        return mlps
    heads = _dot(source.z - base.z, gradients.z).transpose(2, 3)
    if kind == "attention":
        return heads.sum(2, keepdim=True)  # all heads of a layer together
    return torch.cat([heads, mlps], dim=2) if kind == "all" else heads


def _dot(change: Float[Tensor, "*axes d_model"], slope: Float[Tensor, "*axes d_model"]) -> Tensor:
    return (change.float() * slope.float()).sum(-1)


def with_source(call: AttentionCall, source: Suffix) -> AttentionCall:
    """The source's queries, keys and values in this call, written out for every head; the rest is shared."""
    n_earlier = call.key.shape[2] - call.query.shape[2]
    patched = for_each_head(
        replace(
            call,
            query=source.query[call.layer],
            key=torch.cat([call.key[:, :, :n_earlier], source.keys[call.layer]], dim=2),
            value=torch.cat([call.value[:, :, :n_earlier], source.values[call.layer]], dim=2),
        )
    )
    return patched


def query_estimate(
    call: AttentionCall, patched: AttentionCall, of_z: Float[Tensor, "batch pos head d_head"]
) -> Float[Tensor, "batch head pos"]:
    """Each position's pattern with the patched query, and what it makes of the same values."""
    change = attention_pattern(replace(call, query=patched.query)) - attention_pattern(call)
    return (change.float() * of_pattern(call, of_z).float()).sum(-1)


def key_estimate(
    call: AttentionCall, patched: AttentionCall, of_z: Float[Tensor, "batch pos head d_head"]
) -> Float[Tensor, "batch head pos"]:
    """The pattern of all positions that see a key, with that one key patched."""
    start = call.key.shape[2] - call.query.shape[2]
    scores = [
        einsum(call.query, keys[:, :, start:], "batch head query d, batch head key d -> batch head query key")
        for keys in (for_each_head(call).key, patched.key)
    ]
    weights = weights_from_scores(torch.stack(scores, dim=-1).float(), call, None)
    pattern, slope = attention_pattern(call).float(), of_pattern(call, of_z).float()
    gain = slope[..., start:] - (pattern * slope).sum(-1, keepdim=True)
    return effect_of_one_key(pattern[..., start:], weights, gain).sum(2)


def effect_of_one_key(
    weight: Float[Tensor, "*axes"], between: Float[Tensor, "*axes pair=2"], gain: Float[Tensor, "*axes"]
) -> Float[Tensor, "*axes"]:
    """What it does to a pattern that one key of weight `weight` is replaced; the others share what is left.

    The key's score changes by δ and no other does, so a pattern A becomes A_p e^δ / Z at this key p and
    A_k / Z elsewhere, Z = 1 + A_p (e^δ − 1). With the pattern's slopes g and `gain` = g_p − Σ_k A_k g_k:

        Σ_k (A'_k − A_k) g_k = A_p (e^δ − 1) gain / Z

    `between`: weights of the key and its replacement in a softmax of these two, whose ratio is e^δ.
    """
    ours, theirs = between.unbind(-1)
    rise = weight * (theirs - ours)
    tiny = torch.finfo(rise.dtype).tiny  # where the mask forbids the key, 0 / 0 must be 0
    return rise * gain / (ours + rise).clamp(min=tiny)


def linear_estimate(
    call: AttentionCall,
    patched: AttentionCall,
    of_z: Float[Tensor, "batch pos head d_head"],
    *,
    of: Literal["queries", "keys", "values"],
) -> Float[Tensor, "batch head pos"]:
    """Change of one head's queries, keys or values times their gradient. For values z is linear: no loss."""
    name, index = _INPUTS[of]
    change = getattr(patched, name) - getattr(for_each_head(call), name)
    n_kept = of_z.shape[1]
    return _dot(change, of_inputs(call, of_z)[index])[..., -n_kept:]


_INPUTS = {"queries": ("query", 0), "keys": ("key", 1), "values": ("value", 2)}
_Estimate = Callable[[AttentionCall, AttentionCall, Tensor], Tensor]
_OF_INPUT: dict[str, _Estimate] = {
    "queries": query_estimate,
    "keys": key_estimate,
    "values": partial(linear_estimate, of="values"),
}


def rank_correlation(left: Float[Tensor, " node"], right: Float[Tensor, " node"]) -> float:
    """Spearman's: the correlation of ranks, equal values sharing one. NaN where one side is constant."""
    ranks = torch.stack([_ranks(left), _ranks(right)])
    return float(torch.corrcoef(ranks)[0, 1])


def _ranks(values: Float[Tensor, " node"]) -> Float[Tensor, " node"]:
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2).double()[place]
