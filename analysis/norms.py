"""A norm whose divisor is held fixed. That makes it linear, and what enters it divisible into parts.

LayerNorm and RMSNorm in all their variants (Gemma's gain of 1 + weight, norms without gain, ...) are probed
with known vectors instead of being read, so no family needs to say which one it has.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

_PROBE = 256.0  # large, so that the norm's epsilon vanishes beside its square


@dataclass(frozen=True)
class FrozenNorm:
    """norm(x) = gain · (x − mean(x), if it centres) / scale + shift, with one run's scale, in float32."""

    gain: Float[Tensor, " d_model"]
    shift: Float[Tensor, " d_model"]
    centres: bool
    scale: Float[Tensor, " batch"]

    def __call__(
        self, part: Float[Tensor, "*component batch d_model"]
    ) -> Float[Tensor, "*component batch d_model"]:
        """What a part of x becomes. The parts of x, and `shift` once, sum to norm(x)."""
        part = part.float()
        if self.centres:
            part = part - part.mean(-1, keepdim=True)
        return self.gain * part / self.scale[:, None]


@torch.inference_mode()
def freeze(norm: nn.Module, x: Float[Tensor, "batch d_model"]) -> FrozenNorm:
    """The norm as it acts on `x`, its divisor held fixed from now on."""
    zero = torch.zeros_like(x[:1])
    alternating = torch.ones_like(zero)
    alternating[:, 1::2] = -1  # mean 0 and root mean square 1, as the width of a model is even
    shift = norm(zero)[0].float()
    gain = (norm(_PROBE * alternating)[0].float() - shift) * alternating[0].float()
    of_constant = norm(zero + _PROBE)[0].float() - shift
    centres = bool(
        of_constant.norm() < 0.5 * gain.norm()
    )  # LayerNorm maps constants to 0, RMSNorm to its gain
    unscaled = FrozenNorm(gain, shift, centres, torch.ones_like(x[:, 0], dtype=torch.float32))(x)
    scale = unscaled.square().sum(-1) / (unscaled * (norm(x).float() - shift)).sum(-1)
    return FrozenNorm(gain, shift, centres, scale)
