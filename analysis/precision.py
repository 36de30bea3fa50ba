"""How much a model's data type rounds off its effects, measured on this very model without a second copy.

bfloat16 and float16 convert to float32 without loss. So the same weights can compute in float32, each
module's cast up while it runs and put back afterwards; an effect is then computed both ways and compared.
How the files themselves were rounded is left out of account: that is part of the model.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

HALF = (torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class PrecisionError:
    """|effect in the model's type − the same effect in float32| over some random patches, in logits."""

    rms: float
    largest: float
    rms_effect: float  # of the effects in float32, to compare with
    n_patches: int


def computing_type(listed: str, device: str) -> str:
    """The type that a model listed as `listed` computes in: float32 on a CPU, its own on an accelerator.

    On a CPU half types are no faster, and effects are small differences of logits.
    """
    return "float32" if torch.device(device).type == "cpu" else listed


@torch.inference_mode()
def precision_error(
    network: nn.Module, effects: Callable[[], Float[Tensor, "row batch token"]]
) -> PrecisionError:
    """Compute some effects twice, as the network is and in float32. Nothing recorded before may be used."""
    ours = effects().float()
    with in_float32(network):
        exact = effects().float()
    error = ours - exact
    return PrecisionError(
        rms=float(error.square().mean().sqrt()),
        largest=float(error.abs().max()),
        rms_effect=float(exact.square().mean().sqrt()),
        n_patches=len(exact),
    )


@contextmanager
def in_float32(network: nn.Module) -> Iterator[None]:
    """Inside the block every module computes in float32. Afterwards the weights are the very same tensors.

    Only one module's weights at a time exist in both types, unless modules with weights contain each other.
    """
    lifted: dict[nn.Parameter, Tensor] = {}
    handles = []
    try:
        for module in network.modules():
            halves = [weight for weight in module.parameters(recurse=False) if weight.dtype in HALF]
            if halves:
                lift, lower = _switch(halves, lifted)
                handles.append(module.register_forward_pre_hook(lift))
                handles.append(module.register_forward_hook(lower))
        yield
    finally:
        for handle in handles:
            handle.remove()
        _restore(list(lifted), lifted)


def _switch(
    weights: list[nn.Parameter], lifted: dict[nn.Parameter, Tensor]
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Hooks that cast these weights up and put them back."""

    def lift(*_: object) -> None:
        with torch.inference_mode(False):  # weights never become inference tensors
            for weight in weights:
                lifted[weight] = weight.data
                weight.data = weight.data.float()

    def lower(*_: object) -> None:
        _restore(weights, lifted)

    return lift, lower


def _restore(weights: list[nn.Parameter], lifted: dict[nn.Parameter, Tensor]) -> None:
    for weight in weights:
        if weight in lifted:
            weight.data = lifted.pop(weight)
