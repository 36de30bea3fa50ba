"""One backward pass: how steeply a metric changes with everything that the base run holds.

Only positions from `start` on are run again; the keys and values before them are the base run's, and no patch
reaches them. A head's queries, keys, values and pattern act on the rest of the model through its z alone, so
their gradients follow from that of z, layer by layer, and none of them is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analysis.activations import Activations
from analysis.adapter import AttentionCall, attending, attention_pattern, hooked, mix_values
from analysis.model import LanguageModel

Readout = Callable[[Tensor], Tensor]  # "batch d_model" after the final norm, to one number per prompt


@dataclass(frozen=True)
class Gradients:
    """∂ metric / ∂ value in the base run, at the positions from `start` on, and the attention calls there."""

    resid_pre: Float[Tensor, "layer batch pos d_model"]
    z: Float[Tensor, "layer batch pos head d_head"]
    mlp_writes: Float[Tensor, "layer batch pos d_model"]
    calls: tuple[AttentionCall, ...]  # queries from `start` on, keys and values of every position


def differentiate(model: LanguageModel, base: Activations, readout: Readout) -> Gradients:
    """Gradients of what `readout` makes of the final position, each prompt's of its own number.

    One forward and one backward pass over the positions that `base` has kept. The weights get no gradients.
    """
    tape = _Tape(base)
    with torch.inference_mode(False), torch.enable_grad():
        with attending(model.network, tape.attend, n_masked=0), tape.keeping(model):
            metric = readout(tape.run(model)[:, -1]).sum()  # prompts do not see each other
        slopes = torch.autograd.grad(metric, [*tape.resid_pre, *tape.z, *tape.mlp_writes])
    n_prompts = len(base.token_ids)
    by_layer = [slope.reshape(n_prompts, -1, slope.shape[-1]) for slope in slopes]
    first, second = model.n_layers, 2 * model.n_layers
    return Gradients(
        resid_pre=torch.stack(by_layer[:first]),
        z=torch.stack(by_layer[first:second]).unflatten(-1, (model.n_heads, model.d_head)),
        mlp_writes=torch.stack(by_layer[second:]),
        calls=tuple(tape.calls),
    )


def of_pattern(
    call: AttentionCall, of_z: Float[Tensor, "batch query_pos head d_head"]
) -> Float[Tensor, "batch head query_pos key_pos"]:
    """∂ metric / ∂ pattern, from that of z: how much each attended value would add."""
    return einsum(
        of_z,
        for_each_head(call).value,
        "batch query head d_head, batch head key d_head -> batch head query key",
    )


def of_inputs(
    call: AttentionCall, of_z: Float[Tensor, "batch query_pos head d_head"]
) -> tuple[
    Float[Tensor, "batch head query_pos d_head"],
    Float[Tensor, "batch head key_pos d_head"],
    Float[Tensor, "batch head key_pos d_head"],
]:
    """∂ metric / ∂ query, key and value as each head sees them, from that of z."""
    with torch.inference_mode(False), torch.enable_grad():
        alone = for_each_head(call)
        inputs = [x.clone().requires_grad_() for x in (alone.query, alone.key, alone.value)]
        query, key, value = inputs
        z = mix_values(attention_pattern(replace(alone, query=query, key=key)), value)
        of_query, of_key, of_value = torch.autograd.grad(z, inputs, of_z.clone())
    return of_query, of_key, of_value


def for_each_head(call: AttentionCall) -> AttentionCall:
    """The same call with the keys and values that a group of heads shares written out for every head."""
    group = call.query.shape[1] // call.key.shape[1]
    return replace(
        call, key=call.key.repeat_interleave(group, 1), value=call.value.repeat_interleave(group, 1)
    )


@dataclass
class _Tape:
    """The base run once more from `start` on, with a graph behind it. Lists have one entry per layer."""

    base: Activations
    calls: list[AttentionCall] = field(default_factory=list)
    resid_pre: list[Tensor] = field(default_factory=list)
    z: list[Tensor] = field(default_factory=list)
    mlp_writes: list[Tensor] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.base.suffix.start

    def run(self, model: LanguageModel) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream after the final norm. Copies, as inference tensors cannot enter a graph."""
        positions = torch.arange(self.start, self.base.token_ids.shape[1], device=model.device)
        token_ids = self.base.token_ids[:, self.start :].clone().to(model.device)
        network = model.network.base_model
        return network(input_ids=token_ids, position_ids=positions[None], use_cache=False).last_hidden_state

    def attend(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        """z from `start` on; earlier keys and values are constants."""
        keys, values = (x[call.layer, :, :, : self.start] for x in (self.base.keys, self.base.values))
        mask = self.base.masks[call.layer]
        call = replace(
            call,
            key=torch.cat([keys.clone(), call.key], dim=2),
            value=torch.cat([values.clone(), call.value], dim=2),
            mask=None if mask is None else mask[:, :, self.start :].clone(),
        )
        self.calls.append(
            replace(call, query=call.query.detach(), key=call.key.detach(), value=call.value.detach())
        )
        return mix_values(attention_pattern(call), call.value)

    @contextmanager
    def keeping(self, model: LanguageModel) -> Iterator[None]:
        """Inside the block what the network computes is kept as it stands in the graph."""
        parts = model.parts
        with hooked(
            inputs=[
                (parts.layers[0], _cut_off),  # the graph begins here
                *((layer, self.resid_pre.append) for layer in parts.layers),
                *((output, self.z.append) for output in parts.attention_outputs),
            ],
            outputs=[(mlp, self.mlp_writes.append) for mlp in parts.mlps],
        ):
            yield


def _cut_off(embedding: Tensor) -> Tensor:
    return embedding.detach().requires_grad_()
