"""An analysis from check to summary, its values stored on the way as they are between pairs."""

from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import load, save


def values_of(analysis: Any, model: Any, pairs: Sequence[Any], parameters: Any) -> dict[str, torch.Tensor]:
    """The stacked values of all pairs, each written to bytes and read back."""
    each = [load(save(analysis.compute(model, pair, parameters))) for pair in pairs]
    return {name: torch.stack([one[name] for one in each]) for name in each[0]}


def summary_of(analysis: Any, model: Any, pairs: Sequence[Any], parameters: Any) -> Any:
    """What the analysis says about these pairs."""
    analysis.check(model, pairs, parameters)
    return analysis.summarise(model, pairs, values_of(analysis, model, pairs, parameters), parameters)
