"""Edge attribution patching: what each path from a sender to one input of a later receiver would do.

    estimate = (what the receiver makes of the sender's change − what it made of none) · slope

The sender's change reaches the receiver directly, no other node reacting. What the receiver makes of it is
exact, from the model's own layers: its pattern with the changed query or key, its value, the write of an MLP,
the logits. Only what comes after the receiver is taken to be linear; the original takes the receiver and its
norm to be linear as well (Syed et al. 2023, "EAP"). One upward pass serves all edges: in the row of a sender
every other node is held as in the base run, so the row is the base's residual stream with the change of
that one write in it.
"""

from dataclasses import dataclass, field, replace

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from analysis.activations import FinalPosition
from analysis.adapter import AttentionCall, Look, attending, attention_pattern, hooked, weights_from_scores
from analysis.estimates import effect_of_one_key, effects_of_rows
from analysis.gradients import Gradients, for_each_head, of_pattern
from analysis.metrics import MetricName
from analysis.model import LanguageModel
from analysis.nodes import LOGITS, Key, Mlp, Query, Receiver, Value
from analysis.pair_runs import PairRuns


def all_receivers(n_layers: int, n_heads: int) -> tuple[Receiver, ...]:
    """Whatever reads the residual stream, in the order of the computation."""
    inputs = [
        node
        for layer in range(n_layers)
        for node in (
            *(kind(layer, head) for head in range(n_heads) for kind in (Query, Key, Value)),
            Mlp(layer),
        )
    ]
    return (*inputs, LOGITS)


@torch.inference_mode()
def edge_estimates(
    model: LanguageModel, runs: PairRuns, slopes: Gradients, metric: MetricName
) -> Float[Tensor, "batch node receiver"]:
    """Estimated effect of the path from each head and MLP to each receiver, at the final position.

    In the unit of `metric`, whose gradients in the base run are `slopes`. Senders are in the order of
    `all_nodes`, receivers in that of `all_receivers`; 0 where the receiver does not come after the sender.
    Paths to the logits are no estimates: they are the direct effects, with the norms recomputed.
    """
    rows, last = _Rows(runs.base, runs.source, slopes), runs.base_ids.shape[1] - 1
    with (
        attending(model.network, rows.attend, n_masked=0),
        hooked(
            inputs=[(layer, rows.append(index)) for index, layer in enumerate(model.parts.layers)],
            outputs=[(mlp, rows.hold_mlp(index)) for index, mlp in enumerate(model.parts.mlps)],
        ),
    ):
        hidden = model.hidden(runs.base_ids[:, last:], positions=torch.tensor([last]))[:, 0]
    worlds = rearrange(hidden, "(row batch) d_model -> row batch d_model", batch=len(runs.base_ids))
    direct = effects_of_rows(model, runs, metric, worlds)
    received = rows.received().transpose(0, 1).cpu()
    return torch.cat([received, direct[..., None]], dim=-1)


@dataclass
class _Rows:
    """One row per sender, appended in its layer. What receivers make of the rows is noted as they pass."""

    base: FinalPosition
    source: FinalPosition
    slopes: Gradients
    noted: list[Tensor] = field(default_factory=list)  # "row batch receiver", for the rows so far

    @property
    def n_prompts(self) -> int:
        return len(self.base.hidden)

    @property
    def n_heads(self) -> int:
        return self.base.z.shape[2]

    def append(self, layer: int) -> Look:
        """Before a layer: a row for each of its heads and one for its MLP."""

        def look(hidden: Tensor) -> Tensor:
            new = self.base.resid_pre[layer].repeat(self.n_heads + 1, 1)[:, None]
            return new if layer == 0 else torch.cat([hidden, new])

        return look

    def attend(self, call: AttentionCall) -> Float[Tensor, "row query_pos head d_head"]:
        """The base's z in every row, with the source's z of one head in each new head's row."""
        alone = for_each_head(call)
        query, key, value = (
            rearrange(x, "(row batch) head 1 d_head -> row batch head d_head", batch=self.n_prompts)
            for x in (alone.query, alone.key, alone.value)
        )
        heads = _Reading(self.slopes.calls[call.layer], self.slopes.z[call.layer])
        read = torch.stack([heads.queries(query), heads.keys(key), heads.values(value)], dim=-1)
        self.noted.append(read.flatten(-2))  # row batch (head input)
        z = self.base.z[call.layer].repeat(len(query), 1, 1, 1)
        new = torch.arange(self.n_heads)
        z[new - self.n_heads - 1, :, new] = self.source.z[call.layer].transpose(0, 1)
        return rearrange(z, "row batch head d_head -> (row batch) 1 head d_head")

    def hold_mlp(self, layer: int) -> Look:
        """After an MLP: the base's write in every row, the source's in the new MLP's row."""

        def look(written: Tensor) -> Tensor:
            rows = written.view(-1, self.n_prompts, written.shape[-1])
            base, slope = self.base.mlp_writes[layer], self.slopes.mlp_writes[layer, :, -1]
            read = ((rows - base).float() * slope.float()).sum(-1, keepdim=True)
            self.noted.append(read)
            held = base.repeat(len(rows), 1, 1)
            held[-1] = self.source.mlp_writes[layer]
            return held.view(written.shape)

        return look

    def received(self) -> Float[Tensor, "row batch receiver"]:
        """Everything noted, with zeros for the rows that began later."""
        n_rows = len(self.noted[-1])
        full = [torch.cat([x, x.new_zeros(n_rows - len(x), *x.shape[1:])]) for x in self.noted]
        return torch.cat(full, dim=-1)


class _Reading:
    """What the heads of one layer make of other queries, keys and values at the final position."""

    def __init__(self, call: AttentionCall, of_z: Float[Tensor, "batch query_pos head d_head"]) -> None:
        mask = None if call.mask is None else call.mask[:, :, -1:]
        self.call = for_each_head(replace(call, query=call.query[:, :, -1:], mask=mask))
        self.of_z = of_z[:, -1].float()  # batch head d_head
        self.pattern = attention_pattern(self.call)[:, :, 0].float()  # batch head key_pos
        self.slope = of_pattern(self.call, of_z[:, -1:])[:, :, 0].float()

    def queries(self, query: Float[Tensor, "row batch head d_head"]) -> Float[Tensor, "row batch head"]:
        """The whole pattern anew."""
        scores = einsum(query, self.call.key, "row batch head d, batch head key d -> row batch head key")
        mask = None if self.call.mask is None else self.call.mask[:, :, 0]
        pattern = weights_from_scores(scores, self.call, mask)
        return ((pattern.float() - self.pattern) * self.slope).sum(-1)

    def keys(self, key: Float[Tensor, "row batch head d_head"]) -> Float[Tensor, "row batch head"]:
        """The pattern with another key at the final position."""
        query = self.call.query[:, :, 0]
        ours, theirs = (query * self.call.key[:, :, -1]).sum(-1), (query * key).sum(-1)
        scores = torch.stack([ours.expand_as(theirs), theirs], dim=-1).float()
        gain = self.slope[..., -1] - (self.pattern * self.slope).sum(-1)
        return effect_of_one_key(
            self.pattern[..., -1].expand_as(theirs),
            weights_from_scores(scores, self.call, None),
            gain.expand_as(theirs),
        )

    def values(self, value: Float[Tensor, "row batch head d_head"]) -> Float[Tensor, "row batch head"]:
        """Another value at the final position, weighed as the pattern weighs it."""
        change = ((value - self.call.value[:, :, -1]).float() * self.of_z).sum(-1)
        return self.pattern[..., -1] * change
