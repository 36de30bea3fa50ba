"""What one head attends to from the final position, and what it writes from there. One prompt at a time.

Four weightings of the same row: the pattern itself; the pattern times the length of each value vector, so
that attention to tokens with nothing to say does not count (Lieberum et al. 2023); times the length of what
that value becomes in the head's write; and, signed, what each token adds to the centred logits through this
head, which sums to the head's centred attribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import Activations, stack_answers, stack_tokens
from analysis.model import LanguageModel
from analysis.nodes import Head, check_nodes
from analysis.norms import freeze
from analysis.prompts import Prompt
from analysis.run import record
from analysis.writes import frozen_attention_norm

WEIGHTINGS = ("raw", "value_weighted", "output_weighted")


@dataclass(frozen=True)
class HeadAttention:
    """One head's attention from the final position of one prompt, as float32 on the CPU."""

    head: Head
    raw: Float[Tensor, " key_pos"]  # sums to 1
    value_weighted: Float[Tensor, " key_pos"]  # times |v|
    output_weighted: Float[Tensor, " key_pos"]  # times |W_O v|, before a norm that may follow
    signed: Float[Tensor, "key_pos answer"]  # logits, centred over the answers
    correct: int

    @property
    def net(self) -> Float[Tensor, " key_pos"]:
        """What each token adds to the centred logit of the correct answer, in logits."""
        return self.signed[:, self.correct]

    @property
    def shares(self) -> Float[Tensor, "weighting key_pos"]:
        """The pattern as it is, and the other weightings without sign as shares of their sum."""
        weighted = torch.stack([self.value_weighted, self.output_weighted])
        return torch.cat([self.raw[None], weighted / weighted.sum(-1, keepdim=True)])


def head_attention(model: LanguageModel, prompt: Prompt, head: Head) -> HeadAttention:
    """Run one prompt and look at one head."""
    return attention_in(model, record(model, stack_tokens([prompt])), prompt, head)


@torch.inference_mode()
def attention_in(model: LanguageModel, run: Activations, prompt: Prompt, head: Head) -> HeadAttention:
    """Look at one head in a run of this one prompt."""
    check_nodes([head], model.n_layers, model.n_heads)
    pattern = run.pattern[head.layer, 0, head.head]
    group_size = model.n_heads // run.values.shape[2]
    values = run.values[head.layer, 0, head.head // group_size]  # the group's heads share them
    written = model.project_head(head.layer, head.head, pattern[:, None] * values)
    parts = written[:, None].float()  # key_pos batch d_model
    attention_norm = frozen_attention_norm(model, run.final, head.layer)
    if attention_norm is not None:
        parts = attention_norm(parts)
    final_norm = freeze(model.parts.final_norm, run.final.resid_final)
    logits = model.unembed(final_norm(parts), stack_answers([prompt]))[:, 0]
    return HeadAttention(
        head=head,
        raw=pattern.float().cpu(),
        value_weighted=(pattern * values.norm(dim=-1)).float().cpu(),
        output_weighted=written.float().norm(dim=-1).cpu(),
        signed=(logits - logits.mean(-1, keepdim=True)).cpu(),
        correct=prompt.correct,
    )


def by_role(
    weights: Float[Tensor, " key_pos"], roles: Sequence[Sequence[str]], names: Sequence[str]
) -> Float[Tensor, " role"]:
    """The weight on all tokens of each role together. NaN for a role that this prompt does not have."""
    member = torch.tensor([[name in token_roles for token_roles in roles] for name in names])
    pooled = (weights * member).sum(-1)
    return pooled.masked_fill(~member.any(-1), torch.nan)


def at_labels(weights: Float[Tensor, " key_pos"], prompt: Prompt) -> Float[Tensor, " answer"]:
    """The weight on each option's label."""
    return weights[list(prompt.label_positions)]
