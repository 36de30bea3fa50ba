"""A faster matrix product for linear layers, where this processor has one. Float32 either way.

torch multiplies with MKL, which runs at about half speed on some processors; oneDNN, also in torch, does
not. Which is faster is measured once per process.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_REQUIRED_SPEEDUP = 1.15  # below this, timing noise decides
_REPEATS = 7


def fast_linear() -> AbstractContextManager[object]:
    """Inside the block linear layers use the faster of the two products."""
    return _OneDnnLinear() if _onednn_is_faster() else nullcontext()


class _OneDnnLinear(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is F.linear and not kwargs and _fits(*args):
            return _onednn_linear(*args)
        return func(*args, **(kwargs or {}))


def _fits(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    """oneDNN's product is for inference in float32 on the CPU."""
    same = x.dtype == weight.dtype == torch.float32 and x.device.type == weight.device.type == "cpu"
    return same and x.numel() > 0 and (bias is None or bias.dtype == torch.float32)


def _onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


@cache
def _onednn_is_faster() -> bool:
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    with torch.inference_mode():
        return _seconds(F.linear) > _REQUIRED_SPEEDUP * _seconds(_onednn_linear)


def _seconds(linear: Callable[[Tensor, Tensor], Tensor]) -> float:
    """The fastest of a few products of the size of a small model's MLP."""
    x, weight = torch.ones(128, 512), torch.ones(1536, 512)
    fastest = float("inf")
    for _ in range(_REPEATS):
        start = time.perf_counter()
        linear(x, weight)
        fastest = min(fastest, time.perf_counter() - start)
    return fastest
