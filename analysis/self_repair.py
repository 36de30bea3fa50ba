"""Self-repair: how every component's direct effect changes when one node is patched.

    change(c) = attribution of c in the patched run − in the base run,    both with the base run's final scale

of the correct answer's centred logit. The change of the patched node itself is its direct effect; what later
components add is their answer to it, of the opposite sign where they repair the damage. Norms after the
attention (Gemma, OLMo 2) have each run's own scale, which makes the sum exact:

    Σ changes = total effect in logits read out with the base run's scale

With such a norm a patched head also rescales its layer's other heads, so they change too, and its own change
is not the frozen direct effect of `analysis.effects`, which keeps the base run's scale in that norm as well.
(McGrath et al. 2023, "The Hydra effect"; Rushing and Nanda 2024.)
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import FinalPosition
from analysis.attribution import Component, attribute, components_of
from analysis.interventions import Patch
from analysis.model import LanguageModel
from analysis.nodes import Writer
from analysis.norms import freeze
from analysis.pair_runs import PairRuns


@dataclass(frozen=True)
class SelfRepair:
    """Changes of the correct answer's centred logit after patching one node, in logits. Float32, CPU."""

    node: Writer
    components: tuple[Component, ...]
    change: Float[Tensor, "batch component"]
    total_effect_frozen: Float[
        Tensor, " batch"
    ]  # read out with the base run's scale, before a final soft-cap
    total_effect: Float[Tensor, " batch"]  # as the model reads it out
    norm_change: Float[Tensor, " batch"]  # final norm's scale in the patched run / in the base run − 1

    @property
    def direct_effect(self) -> Float[Tensor, " batch"]:
        """The patched node's own change."""
        labels = [component.label for component in self.components]
        return self.change[:, labels.index(str(self.node))]

    @property
    def residual(self) -> float:
        """Largest |Σ changes − total effect| in logits read out with the base run's scale."""
        return float((self.change.sum(1) - self.total_effect_frozen).abs().max())


@torch.inference_mode()
def self_repair(model: LanguageModel, runs: PairRuns, node: Writer) -> SelfRepair:
    """Patch one node at the final position and see how everything else reacts."""
    base, patched = runs.base, runs.finals_in([Patch((node,), runs.final)])
    change = _net_attributions(model, runs, patched) - _net_attributions(model, runs, base)
    norm, patched_norm = (freeze(model.parts.final_norm, run.resid_final) for run in (base, patched))
    frozen = model.unembed(norm(patched.resid_final - base.resid_final), runs.answer_ids)
    logits = [model.answer_logits(run.hidden, runs.answer_ids) for run in (patched, base)]
    return SelfRepair(
        node=node,
        components=components_of(model),
        change=change,
        total_effect_frozen=_centred(frozen, runs),
        total_effect=_centred(logits[0] - logits[1], runs),
        norm_change=(patched_norm.scale / norm.scale - 1).cpu(),
    )


def _net_attributions(
    model: LanguageModel, runs: PairRuns, run: FinalPosition
) -> Float[Tensor, "batch component"]:
    """Attributions of a run to the correct answer, centred, with the base run's scale in the final norm."""
    with_base_scale = replace(run, resid_final=runs.base.resid_final)
    return attribute(model, with_base_scale, runs.answer_ids, runs.correct).net


def _centred(logits: Float[Tensor, "batch answer"], runs: PairRuns) -> Float[Tensor, " batch"]:
    """The correct answer's logit − mean over the answers."""
    logits = logits.cpu()
    return logits.gather(1, runs.correct[:, None])[:, 0] - logits.mean(1)
