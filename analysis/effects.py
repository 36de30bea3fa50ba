"""Total, direct and indirect effects of nodes, from both runs of prompt pairs.

    total effect     metric with the node patched and everything after it recomputed − the base run's metric
    direct effect    the part that reaches the logits through the residual stream, no other node reacting
    indirect effect  total − direct; not additive over nodes

Noising: a useful node has a negative effect. Denoising: a useful node has a positive one. Direct effects and
attribution exist for heads and MLPs patched at the final position. (Lieberum et al. 2023.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis.attribution import node_attributions
from analysis.errors import NonFinite
from analysis.interventions import Patch
from analysis.metrics import METRICS, Answers, MetricName, chosen, log_normaliser
from analysis.model import LanguageModel
from analysis.nodes import Node, Writer, all_nodes, check_nodes
from analysis.pair_runs import Direction, EngineName, PairRuns, distractors, pairs_by_pass, run_pairs
from analysis.prompts import PromptPair
from analysis.writes import write_changes


@dataclass(frozen=True)
class NodeEffects:
    """Logits of the answers in every world, per prompt pair; effects follow from them. Float32, CPU."""

    nodes: tuple[Node, ...]
    base_logits: Float[Tensor, "pair answer"]
    source_logits: Float[Tensor, "pair answer"]
    patched_logits: Float[Tensor, "pair node answer"]  # everything downstream recomputed
    correct: Int[Tensor, " pair"]
    distractor: Int[Tensor, " pair"]
    engine: EngineName
    direct_logits: Float[Tensor, "pair node answer"] | None = None  # only norms on the direct path recomputed
    direct_logits_frozen: Float[Tensor, "pair node answer"] | None = None  # those norms' scales held: linear
    attribution: Float[Tensor, "pair node answer"] | None = None  # of the clean run, before a final soft-cap
    base_normaliser: Float[Tensor, " pair"] | None = None  # log Σ exp(logit) over the vocabulary, on request
    source_normaliser: Float[Tensor, " pair"] | None = None
    patched_normaliser: Float[Tensor, "pair node"] | None = None

    def base_metric(self, metric: MetricName = "centred_logit") -> Float[Tensor, " pair"]:
        return self._measure(metric, self.base_logits, self.base_normaliser)

    def source_metric(self, metric: MetricName = "centred_logit") -> Float[Tensor, " pair"]:
        return self._measure(metric, self.source_logits, self.source_normaliser)

    def total_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        patched = self._measure(metric, self.patched_logits, self.patched_normaliser)
        return patched - self.base_metric(metric)[:, None]

    @property
    def has_direct(self) -> bool:
        """Whether direct effects and attribution exist."""
        return self.direct_logits is not None

    def direct_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        """With the norms recomputed."""
        assert self.direct_logits is not None
        return self._change(metric, self.direct_logits)

    def direct_effect_frozen(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        """With the norms' scales held fixed; for the centred logit, a difference of two attributions."""
        assert self.direct_logits_frozen is not None
        return self._change(metric, self.direct_logits_frozen)

    def indirect_effect(self, metric: MetricName = "centred_logit") -> Float[Tensor, "pair node"]:
        return self.total_effect(metric) - self.direct_effect(metric)

    def net_attribution(self) -> Float[Tensor, "pair node"]:
        """Attribution to the centred logit of the correct answer."""
        assert self.attribution is not None
        return self._measure("centred_logit", self.attribution)

    def flips(self) -> Bool[Tensor, "pair node"]:
        """Whether the patch changes which answer has the highest logit."""
        return chosen(self.patched_logits) != chosen(self.base_logits)[:, None]

    def _change(
        self, metric: MetricName, logits: Float[Tensor, "pair node answer"]
    ) -> Float[Tensor, "pair node"]:
        return self._measure(metric, logits) - self.base_metric(metric)[:, None]

    def _measure(
        self,
        metric: MetricName,
        logits: Float[Tensor, "pair *node answer"],
        normaliser: Float[Tensor, " pair *node"] | None = None,
    ) -> Float[Tensor, " pair *node"]:
        answers = Answers(logits, self.correct, self.distractor, self.base_logits, normaliser)
        return METRICS[metric](answers)


def node_effects(
    model: LanguageModel,
    pairs: Sequence[PromptPair],
    nodes: Sequence[Node] | None = None,
    *,
    direction: Direction = "noising",
) -> NodeEffects:
    """Effects of nodes (all heads and MLPs by default), patched at the final position.

    Prompts may differ in length; those that agree share their runs.
    """
    together = pairs_by_pass(model, pairs)
    groups = [
        effects_in(model, run_pairs(model, [pairs[index] for index in indices], direction=direction), nodes)
        for indices in together
    ]
    order = torch.tensor([index for indices in together for index in indices]).argsort()
    return groups[0] if len(groups) == 1 else _in_order(groups, order)


def _in_order(groups: Sequence[NodeEffects], order: Int[Tensor, " pair"]) -> NodeEffects:
    """Effects of several groups of pairs as one, in the order given."""
    joined: dict[str, Any] = {}
    for name, value in vars(groups[0]).items():
        if isinstance(value, Tensor):
            value = torch.cat([getattr(group, name) for group in groups])[order]
        joined[name] = value
    return NodeEffects(**joined)


@torch.inference_mode()
def effects_in(
    model: LanguageModel,
    runs: PairRuns,
    nodes: Sequence[Node] | None = None,
    *,
    positions: Bool[Tensor, "batch pos"] | None = None,
    over_vocabulary: bool = False,
) -> NodeEffects:
    """Effects of the nodes between two runs that have been made, at the final position or at these.

    `over_vocabulary`: also what metrics over the whole vocabulary need, one product with W_U per node.
    """
    nodes = all_nodes(model.n_layers, model.n_heads) if nodes is None else tuple(nodes)
    check_nodes(nodes, model.n_layers, model.n_heads)
    positions = runs.final if positions is None else positions
    patched = runs.hidden_in([Patch((node,), positions) for node in nodes])
    rows = torch.cat([torch.stack([runs.base.hidden, runs.source.hidden]), patched])
    logits = _per_pair("patched logits", model.answer_logits(rows, runs.answer_ids))
    found: dict[str, Tensor] = {}
    writers = [node for node in nodes if isinstance(node, Writer)]
    if len(writers) == len(nodes) and torch.equal(positions, runs.final):
        found |= _direct(model, runs, writers)
    if over_vocabulary:
        normaliser = _per_pair("normalisers", log_normaliser(model, rows))
        names = ("base_normaliser", "source_normaliser", "patched_normaliser")
        found |= dict(zip(names, (normaliser[:, 0], normaliser[:, 1], normaliser[:, 2:]), strict=True))
    return NodeEffects(
        nodes=nodes,
        base_logits=logits[:, 0],
        source_logits=logits[:, 1],
        patched_logits=logits[:, 2:],
        correct=runs.correct,
        distractor=distractors(logits[:, 0], runs),
        engine="plain hooks" if runs.activations is None else "exact",
        **found,
    )


def _direct(model: LanguageModel, runs: PairRuns, nodes: Sequence[Writer]) -> dict[str, Tensor]:
    """Direct effects in closed form, from the two runs alone."""
    ids = runs.answer_ids
    base_parts, source_parts = (
        node_attributions(model, run, nodes, ids, scales=runs.base) for run in (runs.base, runs.source)
    )
    if runs.direction == "noising":
        clean_parts = base_parts
    else:
        clean_parts = node_attributions(model, runs.source, nodes, ids, scales=runs.source)
    resid_final = runs.base.resid_final + write_changes(model, runs.base, runs.source, nodes)
    logits = {
        "direct_logits": model.answer_logits(model.parts.final_norm(resid_final.to(model.dtype)), ids),
        "direct_logits_frozen": model.cap(
            model.uncapped_logits(runs.base.hidden, ids) + source_parts - base_parts
        ),
        "attribution": clean_parts,
    }
    return {name: _per_pair(name.replace("_", " "), values) for name, values in logits.items()}


def _per_pair(name: str, values: Float[Tensor, "row batch ..."]) -> Float[Tensor, "batch row ..."]:
    if not values.isfinite().all():
        raise NonFinite(f"The {name} of some nodes are not finite.")
    return values.transpose(0, 1).contiguous().cpu()
