"""Rotary position embedding as a matrix for each position, asked of the network's own module.

    rotated = R_p · x       for a query or key x of a head at position p (Su et al. 2021)

A network may turn only the first part of the vector, scale it, use other frequencies in some layers, or have
no rotation at all (R_p = 1): nothing of that is written down here, it is what the module answers.
"""

import inspect

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.errors import UnsupportedModel
from analysis.model import LanguageModel


@torch.inference_mode()
def rotations(
    model: LanguageModel, layer: int, positions: Int[Tensor, "*batch"], n_positions: int
) -> Float[Tensor, "*batch d_head d_head"]:
    """R_p in one layer for positions of prompts of `n_positions` tokens, in float32 on the CPU."""
    turned = _cosines_and_sines(model, layer, n_positions)
    if turned is None:
        return torch.eye(model.d_head).expand(*positions.shape, -1, -1)
    cosine, sine = (x[positions] for x in turned)
    matrices = torch.eye(model.d_head).repeat(*positions.shape, 1, 1)
    n_turned = cosine.shape[-1]
    quarter_turn = _quarter_turn(n_turned)
    matrices[..., :n_turned, :n_turned] = torch.diag_embed(cosine) + sine[..., None] * quarter_turn
    return matrices


def _quarter_turn(size: int) -> Float[Tensor, "d_head d_head"]:
    """Takes (x, y) to (−y, x), as halves of a vector."""
    unit, nothing = torch.eye(size // 2), torch.zeros(size // 2, size // 2)
    return torch.cat([torch.cat([nothing, -unit], dim=1), torch.cat([unit, nothing], dim=1)])


def _cosines_and_sines(
    model: LanguageModel, layer: int, n_positions: int
) -> tuple[Float[Tensor, "pos _"], Float[Tensor, "pos _"]] | None:
    """As the network's module gives them; None where it has none and says nothing of rotation."""
    module = getattr(model.network.base_model, "rotary_emb", None)
    config = model.network.config
    if module is None:
        if getattr(config, "rope_parameters", None) is not None:
            raise UnsupportedModel(f"headscope does not find the rotation of this {model.family!r} model.")
        return None
    options = {}
    if "layer_type" in inspect.signature(module.forward).parameters:  # Gemma 3: local layers turn faster
        options["layer_type"] = config.layer_types[layer]
    anything = torch.zeros(1, 1, 1, device=model.device)  # says the device and the precision
    positions = torch.arange(n_positions, device=model.device)[None]
    cosine, sine = module(anything, positions, **options)
    return cosine[0].float().cpu(), sine[0].float().cpu()
