"""What all heads attend to, write and cause at the final position; categories of heads are decided on it.

All heads at once: their effects, attributions and attention come from one pass of a pair's two runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations
from analysis.effects import effects_in
from analysis.model import LanguageModel
from analysis.nodes import nodes_of
from analysis.norms import freeze
from analysis.pair_runs import PairRuns
from analysis.prompts import Prompt
from analysis.run import record

WEIGHTINGS = ("raw", "value_weighted")


@dataclass(frozen=True)
class HeadLooks:
    """All heads of a model on prompts with equally many options, float32 on the CPU.

    What is attended to, from the final position, as shares of all that the head attends to; then what it
    writes and causes there. Heads are in the order of the layers.
    """

    labels: Float[Tensor, "pair weighting head answer"]  # on each option's label
    contents: Float[Tensor, "pair weighting head answer"]  # on each option's content
    newlines: Float[Tensor, "pair weighting head answer"]  # on the line's end after each option
    suffix: Float[Tensor, "pair weighting head"]  # on the tokens after the options, its own among them
    sink: Float[Tensor, "pair weighting head"]  # on the first token
    attribution: Float[Tensor, "pair head answer"]  # logits, not centred, on the clean prompt
    total_effect: Float[Tensor, "pair head"]  # on the centred logit of the correct answer, noising
    incoming: Float[Tensor, "pair layer answer"]  # logits read from the residual stream before each layer

    def reordered(self, order: Int[Tensor, "pair answer"]) -> "HeadLooks":
        """The same with the answers of each pair in another order, given as their places now."""

        def ordered(values: Tensor) -> Tensor:
            index = order.view(len(order), *[1] * (values.ndim - 2), -1)
            return values.gather(-1, index.expand_as(values))

        names = ("labels", "contents", "newlines", "attribution", "incoming")
        return replace(self, **{name: ordered(getattr(self, name)) for name in names})


@torch.inference_mode()
def look_at_heads(model: LanguageModel, runs: PairRuns, prompts: Sequence[Prompt]) -> HeadLooks:
    """Everything about all heads from two runs; `prompts` are those of the base run, which must be clean."""
    effects = effects_in(model, runs, nodes_of("heads", model.n_layers, model.n_heads))
    assert effects.attribution is not None  # heads at the final position have one
    weights = attention_shares(model, runs.activations or record(model, runs.base_ids))
    n_options = len(prompts[0].label_ids)

    def on_options(part: str) -> Tensor:
        roles = [[f"{part}_{prompt.question.labels[i]}" for i in range(n_options)] for prompt in prompts]
        return pooled(weights, prompts, roles)

    suffix = pooled(weights, prompts, [["suffix"]] * len(prompts))
    return HeadLooks(
        labels=on_options("label"),
        contents=on_options("content"),
        newlines=on_options("newline"),
        suffix=suffix[..., 0],
        sink=weights[..., 0],
        attribution=effects.attribution,
        total_effect=effects.total_effect(),
        incoming=incoming_logits(model, runs),
    )


def attention_shares(model: LanguageModel, run: Activations) -> Float[Tensor, "batch weighting head key_pos"]:
    """Each head's attention from the final position, as it is and times |v|, as shares that sum to 1."""
    pattern = run.pattern.float()
    lengths = run.values.float().norm(dim=-1)  # layer batch kv_head key_pos
    lengths = lengths.repeat_interleave(model.n_heads // lengths.shape[2], dim=2)  # groups share values
    value_weighted = pattern * lengths
    shares = torch.stack([pattern, value_weighted / value_weighted.sum(-1, keepdim=True)])
    return shares.permute(2, 0, 1, 3, 4).flatten(2, 3).cpu()


def pooled(
    weights: Float[Tensor, "batch weighting head key_pos"],
    prompts: Sequence[Prompt],
    roles: Sequence[Sequence[str]],
) -> Float[Tensor, "batch weighting head role"]:
    """The weight on all tokens with each role together; every prompt has its own list of roles."""
    member = torch.tensor(
        [
            [[role in of_token for of_token in prompt.roles] for role in of_prompt]
            for prompt, of_prompt in zip(prompts, roles, strict=True)
        ]
    )
    return einsum(
        weights,
        member.float(),
        "batch weighting head key_pos, batch role key_pos -> batch weighting head role",
    )


def incoming_logits(model: LanguageModel, runs: PairRuns) -> Float[Tensor, "pair layer answer"]:
    """What the final norm and the unembedding make of the residual stream before each layer ("logit lens").

    The norm's scale is the run's own, so later writes simply add to it. Before a final soft-cap.
    """
    norm = freeze(model.parts.final_norm, runs.base.resid_final)
    hidden = norm(runs.base.resid_pre) + norm.shift
    return model.uncapped_logits(hidden, runs.answer_ids).transpose(0, 1).cpu()
