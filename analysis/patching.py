"""The exact engine: patch many nodes at the final position in one upward pass.

A *row* is the final position's residual stream in a world where one set of nodes has the source run's values.
Nothing before the final position differs from the base run, so every earlier key and value is the base's, and
a row is just one more element of a batch:

    start at the lowest patched layer, with the final position only
    before layer l   append a copy of the base run's residual stream for every patch that begins in layer l
    attention        all rows attend to the base's keys and values, and each to its own
    z, MLP writes    in each row, take the patched nodes' values from the source run
    at the end       final norm, then the answers' rows of the unembedding

It runs through the model's own layers, so no architecture needs code of its own here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.adapter import AttentionCall, Look, attending, bypassed, hooked, weights_from_scores
from analysis.model import LanguageModel
from analysis.nodes import Head, Node
from analysis.run import Activations, FinalPosition


@torch.inference_mode()
def patched_hidden(
    model: LanguageModel, base: Activations, source: FinalPosition, patches: Sequence[Sequence[Node]]
) -> Float[Tensor, "row batch d_model"]:
    """What the base run's final position becomes, after the final norm, with each set of nodes patched.

    Everything downstream is computed anew. One row per patch, in the order given; every patch applies to all
    prompts of the batch.
    """
    sweep = _Sweep(base, source, _schedule(patches, model.n_layers))
    parts, last = model.parts, base.token_ids.shape[1] - 1
    with (
        attending(model.network, sweep.attend),
        bypassed(parts.layers[: sweep.first_layer]),
        hooked(
            inputs=[(layer, sweep.append_rows(index)) for index, layer in enumerate(parts.layers)],
            outputs=[(mlp, sweep.patch_mlp(index)) for index, mlp in enumerate(parts.mlps)],
        ),
    ):
        rows = model.hidden(base.token_ids, start=last)[:, 0]
    rows = rearrange(rows, "(row batch) d_model -> row batch d_model", batch=len(base.token_ids))
    return rows[torch.tensor(_row_of_patch(patches), device=rows.device)]


@dataclass
class _LayerPlan:
    """What happens to the rows in one layer."""

    n_new_rows: int = 0
    head_rows: list[int] = field(default_factory=list)  # row `head_rows[i]` takes head `heads[i]`
    heads: list[int] = field(default_factory=list)
    mlp_rows: list[int] = field(default_factory=list)


def _start(patch: Sequence[Node]) -> int:
    return min(node.layer for node in patch)


def _row_of_patch(patches: Sequence[Sequence[Node]]) -> list[int]:
    """Rows are appended from the lowest layer up."""
    order = sorted(range(len(patches)), key=lambda index: _start(patches[index]))
    return sorted(range(len(patches)), key=order.__getitem__)


def _schedule(patches: Sequence[Sequence[Node]], n_layers: int) -> list[_LayerPlan]:
    plans = [_LayerPlan() for _ in range(n_layers)]
    for row, patch in zip(_row_of_patch(patches), patches, strict=True):
        plans[_start(patch)].n_new_rows += 1
        for node in patch:
            if isinstance(node, Head):
                plans[node.layer].head_rows.append(row)
                plans[node.layer].heads.append(node.head)
            else:
                plans[node.layer].mlp_rows.append(row)
    return plans


@dataclass(frozen=True)
class _Sweep:
    """The looks and the attention function of one upward pass. Every batch is (row batch)."""

    base: Activations
    source: FinalPosition
    plans: list[_LayerPlan]

    @property
    def n_prompts(self) -> int:
        return len(self.base.token_ids)

    @property
    def first_layer(self) -> int:
        """Where the first rows are appended; nothing below needs to run."""
        return next(layer for layer, plan in enumerate(self.plans) if plan.n_new_rows)

    def append_rows(self, layer: int) -> Look:
        """Before a layer: the base run's residual stream once more for every patch that begins here."""
        new_rows = self.base.final.resid_pre[layer][:, None].repeat(self.plans[layer].n_new_rows, 1, 1)

        def look(hidden: Tensor) -> Tensor:
            return new_rows if layer == self.first_layer else torch.cat([hidden, new_rows])

        return look

    def patch_mlp(self, layer: int) -> Look:
        """After an MLP: the source's write in the rows that patch it."""

        def look(written: Tensor) -> Tensor:
            rows = written.clone().view(-1, self.n_prompts, written.shape[-1])
            rows[self.plans[layer].mlp_rows] = self.source.mlp_writes[layer]
            return rows.view(written.shape)

        return look

    def attend(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        """z of the final position in every row, with the source's z for the heads that the row patches."""
        z, plan = attend_with_base(call, self.base), self.plans[call.layer]
        z[plan.head_rows, :, plan.heads] = self.source.z[call.layer][:, plan.heads].transpose(0, 1)
        return rearrange(z, "row batch head d_head -> (row batch) 1 head d_head")


def attend_with_base(call: AttentionCall, base: Activations) -> Float[Tensor, "row batch head d_head"]:
    """Every row attends to the base run's earlier keys and values, which all rows share, and to its own.

    Keys are read once per prompt and KV head for all rows together, and never repeated.
    """
    keys, values = base.keys[call.layer][:, :, :-1], base.values[call.layer][:, :, :-1]
    sizes = {"batch": keys.shape[0], "kv": keys.shape[1]}
    query, own_key, own_value = (
        rearrange(x, "(row batch) (kv group) 1 d_head -> batch kv row group d_head", **sizes)
        for x in (call.query, call.key, call.value)
    )
    scores = torch.cat(
        [
            torch.matmul(query.flatten(2, 3), keys.transpose(2, 3)).unflatten(2, query.shape[2:4]),
            (query * own_key).sum(-1, keepdim=True),
        ],
        dim=-1,
    )  # batch kv row group key_pos
    mask = base.masks[call.layer]
    pattern = weights_from_scores(scores, call, None if mask is None else mask[:, :, None, -1:])
    z = torch.matmul(pattern[..., :-1].flatten(2, 3), values).unflatten(2, query.shape[2:4])
    z = z + pattern[..., -1:] * own_value
    return rearrange(z, "batch kv row group d_head -> row batch (kv group) d_head").contiguous()
