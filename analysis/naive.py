"""The same patches in the plainest way: untouched transformers, one full forward pass per node.

Slow, and free of everything that could be wrong in the exact engine: it is the oracle of the tests and of the
certificate, and the fallback where the certificate does not pass.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.adapter import Look, hooked
from analysis.model import LanguageModel
from analysis.nodes import Head, Node
from analysis.run import FinalPosition


@torch.inference_mode()
def plain_logits(model: LanguageModel, token_ids: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch token"]:
    """Logits at the final position, as transformers computes them."""
    output = model.network(input_ids=token_ids.to(model.device), use_cache=False, logits_to_keep=1)
    return output.logits[:, -1].float()


@torch.inference_mode()
def patched_logits(
    model: LanguageModel,
    token_ids: Int[Tensor, "batch pos"],
    source: FinalPosition,
    patches: Sequence[Sequence[Node]],
) -> Float[Tensor, "row batch token"]:
    """Logits of the base prompts with each set of nodes taking the source's values at the final position."""
    rows = []
    for patch in patches:
        heads = [node for node in patch if isinstance(node, Head)]
        mlps = [node for node in patch if not isinstance(node, Head)]
        with hooked(
            inputs=[(model.parts.attention_outputs[node.layer], _head_patch(node, source)) for node in heads],
            outputs=[
                (model.parts.mlps[node.layer], _last_position_patch(source.mlp_writes[node.layer]))
                for node in mlps
            ],
        ):
            rows.append(plain_logits(model, token_ids))
    return torch.stack(rows)


def _head_patch(node: Head, source: FinalPosition) -> Look:
    n_prompts, n_heads = source.z.shape[1:3]

    def look(z: Tensor) -> Tensor:
        patched = z.clone()
        patched.view(n_prompts, -1, n_heads, source.z.shape[-1])[:, -1, node.head] = source.z[
            node.layer, :, node.head
        ]
        return patched

    return look


def _last_position_patch(value: Float[Tensor, "batch d_model"]) -> Look:
    def look(written: Tensor) -> Tensor:
        patched = written.clone()
        patched.view(len(value), -1, written.shape[-1])[:, -1] = value
        return patched

    return look
