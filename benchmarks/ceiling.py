"""How near a sweep comes to what this processor can do: its own matrix products, nothing between them.

The products of one sweep are noted as they are made: kind, shapes, and which weights. Replayed in the same
order with the same weights they are the ceiling: the same operations, the same traffic of weights, nothing
else. What the sweep takes beyond that is norms, activations, softmax, copies and Python.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.sides import Headscope, Side
from benchmarks.tasks import Cell, Task
from benchmarks.timing import timed

ROWS = (16, 112, 512, 2048)
_FASTEST_OF = 15


@dataclass
class Products(TorchDispatchMode):
    """Notes every matrix product that is made inside its block."""

    weights: dict[int, Tensor]  # by the address of their storage
    found: list[Callable[[], Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, network: nn.Module) -> "Products":
        """Weights are kept as they are; of other operands only the shape is kept."""
        return cls({_address(parameter): parameter for parameter in network.parameters()})

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _PRODUCTS:
            self.found.append(self._noted(func, args))
            return func(*args, **(kwargs or {}))
        with self:
            result = func.decompose(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {})) if result is NotImplemented else result

    def _noted(self, func: Any, args: tuple[Any, ...]) -> Callable[[], Any]:
        kept = [self._kept(x) if isinstance(x, Tensor) else x for x in args]
        return lambda: func(*(_filled(x) if isinstance(x, _Shape) else x for x in kept))

    def _kept(self, x: Tensor) -> Any:
        return x.detach() if _address(x) in self.weights else _Shape(tuple(x.shape), x.dtype, str(x.device))


@dataclass(frozen=True)
class _Shape:
    shape: tuple[int, ...]
    dtype: torch.dtype
    device: str


_PRODUCTS = {
    torch.ops.aten.mm.default,
    torch.ops.aten.addmm.default,
    torch.ops.aten.bmm.default,
    torch.ops.aten.baddbmm.default,
    *([torch.ops.mkldnn._linear_pointwise.default] if hasattr(torch.ops.mkldnn, "_linear_pointwise") else []),
}
_filling: dict[tuple[torch.dtype, str], Tensor] = {}


def _filled(wanted: _Shape) -> Tensor:
    """An operand of this shape, out of one piece of memory that all share."""
    n = torch.Size(wanted.shape).numel()
    key = (wanted.dtype, wanted.device)
    if key not in _filling or _filling[key].numel() < n:
        _filling[key] = torch.randn(n, dtype=wanted.dtype, device=wanted.device)
    return _filling[key][:n].view(wanted.shape)


def _address(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


@torch.inference_mode()
def share_of_ceiling(
    network: nn.Module, side: Headscope, task: Task, cells: Sequence[Cell], n_repeats: int
) -> dict[str, Any]:
    """CPU seconds of a sweep with both runs, and of its products alone, in turn."""

    def sweep() -> None:
        side.whole(task, cells)

    with Products.of(network) as products:
        sweep()

    def replay() -> None:
        for product in products.found:
            product()

    replay()
    pairs = [(timed(sweep).cpu, timed(replay).cpu) for _ in range(n_repeats)]
    seconds, alone = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "side": side.name,
        "n_cells": len(cells),
        "sweep_seconds": seconds,
        "products_seconds": alone,
        "n_products": len(products.found),
        "n_repeats": n_repeats,
    }


def flops_of(action: Callable[[], Any]) -> int:
    """Floating-point operations of all matrix products, as torch counts them; it does not know oneDNN's."""
    with FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops()


def rates(sides: list[Side], width: int, inner: int) -> list[dict[str, Any]]:
    """GFLOP/s of one linear layer with warm weights, by backend and number of rows."""
    from analysis.linear import _onednn_linear

    linears = {"oneDNN": _onednn_linear}
    found = []
    for backend in dict.fromkeys(side.backend for side in sides):
        for rows in ROWS:
            x, weight = torch.randn(rows, width), torch.randn(inner, width)
            seconds = _fastest(linears.get(backend, F.linear), x, weight)
            rate = 2 * rows * width * inner / seconds / 1e9
            found.append({"backend": backend, "rows": rows, "gigaflop_per_second": rate})
    return found


@torch.inference_mode()
def _fastest(linear: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> float:
    return min(timed(lambda: linear(x, weight)).wall for _ in range(_FASTEST_OF))
