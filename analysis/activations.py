"""What runs of prompts hold, as frozen records of tensors, and prompts as batches of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.errors import MisalignedPrompts, NonFinite
from analysis.prompts import Prompt


@dataclass(frozen=True)
class FinalPosition:
    """What a run holds at the final position."""

    resid_pre: Float[Tensor, "layer batch d_model"]  # before each layer; the first is the embedding
    z: Float[Tensor, "layer batch head d_head"]
    mlp_writes: Float[Tensor, "layer batch d_model"]
    resid_final: Float[Tensor, "batch d_model"]
    hidden: Float[Tensor, "batch d_model"]  # resid_final after the final norm

    @property
    def embedding(self) -> Float[Tensor, "batch d_model"]:
        """Token embedding, with the position embedding where it is learned."""
        return self.resid_pre[0]


@dataclass(frozen=True)
class Suffix:
    """What a run holds from position `start` on; what a patch may take."""

    start: int
    differs_from: int  # before this position it holds what the base run holds
    resid_pre: Float[Tensor, "layer batch pos d_model"]
    query: Float[Tensor, "layer batch head pos d_head"]  # after rotary embedding and QK-norm, like the keys
    keys: Float[Tensor, "layer batch kv_head pos d_head"]
    values: Float[Tensor, "layer batch kv_head pos d_head"]
    z: Float[Tensor, "layer batch pos head d_head"]
    mlp_writes: Float[Tensor, "layer batch pos d_model"]
    resid_final: Float[Tensor, "batch d_model"]
    hidden: Float[Tensor, "batch d_model"]

    def at(self, places: Int[Tensor, "batch pos"], start: int) -> "Suffix":
        """The values of other places of each prompt, as those of the positions from `start` on."""
        places = places.to(self.z.device) - self.start

        def moved(values: Tensor, axis: int) -> Tensor:
            before, after = [1] * (axis - 2), [1] * (values.ndim - axis - 1)
            index = places.view(1, len(places), *before, places.shape[1], *after)
            return values.gather(axis, index.expand(*values.shape[:axis], -1, *values.shape[axis + 1 :]))

        return replace(
            self,
            start=start,
            differs_from=0,
            **{name: moved(getattr(self, name), 2) for name in ("resid_pre", "z", "mlp_writes")},
            **{name: moved(getattr(self, name), 3) for name in ("query", "keys", "values")},
        )

    @property
    def final(self) -> FinalPosition:
        """The last of these positions."""
        return FinalPosition(
            resid_pre=self.resid_pre[:, :, -1],
            z=self.z[:, :, -1],
            mlp_writes=self.mlp_writes[:, :, -1],
            resid_final=self.resid_final,
            hidden=self.hidden,
        )


@dataclass(frozen=True)
class Activations:
    """One run of prompts of equal length."""

    token_ids: Int[Tensor, "batch pos"]
    keys: Float[Tensor, "layer batch kv_head pos d_head"]  # after rotary embedding and QK-norm
    values: Float[Tensor, "layer batch kv_head pos d_head"]
    masks: tuple[Tensor | None, ...]  # per layer, "#batch 1 query_pos key_pos", added to the scores
    query: Float[Tensor, "layer batch head d_head"]  # of the final position
    pattern: Float[Tensor, "layer batch head key_pos"]  # of the final position
    suffix: Suffix

    @property
    def final(self) -> FinalPosition:
        """What the run holds at the final position."""
        return self.suffix.final


def stack_tokens(prompts: Sequence[Prompt]) -> Int[Tensor, "batch pos"]:
    """The prompts' tokens as one batch; `MisalignedPrompts` unless they are equally long."""
    lengths = sorted({len(prompt.token_ids) for prompt in prompts})
    if len(lengths) != 1:
        raise MisalignedPrompts(f"Prompts in one run must have the same number of tokens, not {lengths}.")
    return torch.tensor([prompt.token_ids for prompt in prompts])


def stack_answers(prompts: Sequence[Prompt]) -> Int[Tensor, "batch answer"]:
    """The label tokens of each prompt; `MisalignedPrompts` unless all have equally many options."""
    counts = sorted({len(prompt.label_ids) for prompt in prompts})
    if len(counts) != 1:
        raise MisalignedPrompts(f"Prompts in one run must have the same number of options, not {counts}.")
    return torch.tensor([prompt.label_ids for prompt in prompts])


def first_difference(left: Int[Tensor, "batch pos"], right: Int[Tensor, "batch pos"]) -> int:
    """The first position where any prompt differs; the final position if none does; 0 if lengths differ."""
    if left.shape != right.shape:
        return 0
    differing = (left != right).any(0).nonzero()
    return int(differing[0]) if len(differing) else left.shape[1] - 1


def check_finite(final: FinalPosition) -> None:
    """Raise `NonFinite` with the first place that holds a NaN or an infinity."""
    if final.hidden.isfinite().all() and final.mlp_writes.isfinite().all() and final.z.isfinite().all():
        return
    for layer in range(len(final.resid_pre)):
        places = {
            f"the residual stream before layer {layer}": final.resid_pre[layer],
            f"the heads of layer {layer}": final.z[layer],
            f"MLP{layer}": final.mlp_writes[layer],
        }
        for place, tensor in places.items():
            if not tensor.isfinite().all():
                raise NonFinite(f"The model computes values that are not finite; the first are in {place}.")
    raise NonFinite("The model computes values that are not finite; the first are in the final norm.")
