"""Measure, on the model at hand, how far our numbers are from plain transformers. Takes about a second.

Two short prompts of random tokens that share their first half: enough to exercise our attention function, the
continued source run, the sum of attributions, and the exact engine on some random nodes.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from analysis import naive
from analysis.attribution import attribute
from analysis.interventions import Intervention, Patch
from analysis.model import Certificate, LanguageModel
from analysis.nodes import all_nodes
from analysis.patching import patched_hidden
from analysis.precision import HALF, PrecisionError, precision_error
from analysis.run import record_pair

_N_TOKENS, _N_ANSWERS = 24, 5
_N_ROUNDED = 32  # patches for the rounding error, which varies more than the engine's
# Rounding grows with the size of the numbers: 1e-4 logits in float32 where logits are of the size of 10.
_RELATIVE_TOLERANCE, _HALF_PRECISION_TOLERANCE = 1e-5, 2e-2
_SMALLEST_SCALE = 10.0


@torch.inference_mode()
def certify(model: LanguageModel, *, n_patches: int = 8, seed: int = 0) -> Certificate:
    """The largest differences found, in logits. A model with a failed one is patched with plain hooks."""
    draw = torch.Generator().manual_seed(seed)
    base_ids, source_ids = _random_pair(model.vocab_size, draw)
    base, source = record_pair(model, base_ids, source_ids, _N_TOKENS // 2)
    plain = naive.plain_logits(model, base_ids)
    answer_ids = torch.randint(model.vocab_size, (1, _N_ANSWERS), generator=draw)
    attribution = attribute(model, base.final, answer_ids, torch.zeros(1, dtype=torch.long))

    patches = _random_patches(model, n_patches, draw)
    exact = model.logits(patched_hidden(model, base, source, patches))
    plain_source = naive.record_plainly(model, source_ids, _N_TOKENS // 2)
    hooks = naive.patched_logits(model, base_ids, plain_source, patches)
    half = model.dtype in HALF
    tolerance = _HALF_PRECISION_TOLERANCE if half else _RELATIVE_TOLERANCE
    return Certificate(
        logits=_largest(model.logits(base.final.hidden) - plain),
        attributions=attribution.residual,
        patches=_largest(exact - hooks),
        n_patches=len(patches),
        tolerance=tolerance * max(_SMALLEST_SCALE, _largest(plain)),
        precision=_rounding(model, base_ids, source_ids, draw) if half else None,
    )


def _rounding(
    model: LanguageModel,
    base_ids: Int[Tensor, "1 pos"],
    source_ids: Int[Tensor, "1 pos"],
    draw: torch.Generator,
) -> PrecisionError:
    """How far effects in the model's own type are from the same in float32."""
    patches = _random_patches(model, _N_ROUNDED, draw)

    def effects() -> Tensor:
        base, source = record_pair(model, base_ids, source_ids, _N_TOKENS // 2)
        patched = model.logits(patched_hidden(model, base, source, patches))
        return (patched - model.logits(base.final.hidden))[:, 0]

    return precision_error(model.network, effects)


def _largest(values: Tensor) -> float:
    return float(values.abs().max())


def _random_pair(vocab_size: int, draw: torch.Generator) -> tuple[Int[Tensor, "1 pos"], Int[Tensor, "1 pos"]]:
    base = torch.randint(vocab_size, (1, _N_TOKENS), generator=draw)
    source = torch.randint(vocab_size, (1, _N_TOKENS), generator=draw)
    source[:, : _N_TOKENS // 2] = base[:, : _N_TOKENS // 2]
    return base, source


def _random_patches(model: LanguageModel, n_patches: int, draw: torch.Generator) -> list[Intervention]:
    """Heads and MLPs in turn at the final position and at all that differ."""
    nodes, patches = all_nodes(model.n_layers, model.n_heads), []
    for index in torch.randperm(len(nodes), generator=draw)[:n_patches].tolist():
        positions = torch.zeros(1, _N_TOKENS, dtype=torch.bool)
        positions[:, _N_TOKENS - 1 if len(patches) % 2 else _N_TOKENS // 2 :] = True
        patches.append(Patch((nodes[index],), positions))
    return patches
