"""How we look into, and change, a Hugging Face model while it runs. Everything is undone when a block ends.

Two doors. *Attention*: the models call a function by name; ours hands queries, keys and values, after rotary
embedding and QK-norm, to whoever is attending in the current thread. *Modules*: hooks that see, and may
replace, the input or output of a module.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, eager_mask


@dataclass(frozen=True)
class AttentionCall:
    """One layer's attention, ready to be computed."""

    layer: int
    query: Float[Tensor, "batch head query_pos d_head"]
    key: Float[Tensor, "batch kv_head key_pos d_head"]
    value: Float[Tensor, "batch kv_head key_pos d_head"]
    mask: (
        Float[Tensor, "row 1 _ _"] | None
    )  # added to the scores of the first tokens; one row if all are alike
    scaling: float
    softcap: float | None


Attend = Callable[[AttentionCall], Tensor]  # gives z, "batch query_pos head d_head"

_NAME = "headscope"
_attending: ContextVar[Attend] = ContextVar("attending")
_masked: ContextVar[int | None] = ContextVar("masked", default=None)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    """The attention function that transformers calls; sliding windows arrive as part of the mask."""
    scaling = options.get("scaling") or query.shape[-1] ** -0.5
    layer: Any = module.layer_idx
    call = AttentionCall(layer, query, key, value, attention_mask, scaling, options.get("softcap"))
    return _attending.get()(call).contiguous(), None


def _mask(batch_size: int, q_length: int, kv_length: int, *more: Any, **options: Any) -> Tensor | None:
    """The causal mask of the tokens that stand first in the pass, as transformers' eager attention has it."""
    length = _masked.get()
    if length == 0:
        return None
    lengths = (q_length, kv_length) if length is None else (length, length)
    return eager_mask(batch_size, *lengths, *more, **options)


# Without a mask function under the same name no causal mask would be built.
AttentionInterface.register(_NAME, _attention)
AttentionMaskInterface.register(_NAME, _mask)


@contextmanager
def attending(network: PreTrainedModel, attend: Attend, *, n_masked: int | None = None) -> Iterator[None]:
    """Inside the block every attention layer of `network` is computed by `attend`.

    It gets a causal mask of the first `n_masked` tokens only (all of them by default). Threads may do this
    to different networks at the same time, but not to the same one.
    """
    before = network.config._attn_implementation or "eager"
    tokens = _attending.set(attend), _masked.set(n_masked)
    try:
        network.set_attn_implementation(_NAME)
        yield
    finally:
        network.set_attn_implementation(before)
        _attending.reset(tokens[0])
        _masked.reset(tokens[1])


def weights_from_scores(
    scores: Float[Tensor, "*batch key_pos"], call: AttentionCall, mask: Float[Tensor, "..."] | None
) -> Float[Tensor, "*batch key_pos"]:
    """The attention pattern: scores, scaled, capped, masked (broadcast), and normalised in float32.

    The scores are used up.
    """
    scores = scores.mul_(call.scaling)
    if call.softcap is not None:
        scores = torch.tanh(scores / call.softcap) * call.softcap
    if mask is not None:
        scores = scores.add_(mask)
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(scores.dtype)


def attention_pattern(call: AttentionCall) -> Float[Tensor, "batch head query_pos key_pos"]:
    """How much each position attends to each other one; rows sum to 1."""
    n_kv_heads, n_queries = call.key.shape[1], call.query.shape[2]
    query = rearrange(
        call.query, "batch (kv group) query d_head -> (batch kv) (group query) d_head", kv=n_kv_heads
    )
    scores = torch.bmm(query, call.key.flatten(0, 1).transpose(1, 2))
    scores = rearrange(
        scores, "(batch kv) (group query) key -> batch (kv group) query key", kv=n_kv_heads, query=n_queries
    )
    return weights_from_scores(scores, call, call.mask)


def mix_values(
    pattern: Float[Tensor, "batch head query_pos key_pos"],
    value: Float[Tensor, "batch kv_head key_pos d_head"],
) -> Float[Tensor, "batch query_pos head d_head"]:
    """z: each head's values, averaged with its pattern."""
    n_kv_heads, n_queries = value.shape[1], pattern.shape[2]
    pattern = rearrange(pattern, "batch (kv group) query key -> (batch kv) (group query) key", kv=n_kv_heads)
    z = torch.bmm(pattern, value.flatten(0, 1))
    return rearrange(
        z, "(batch kv) (group query) d_head -> batch query (kv group) d_head", kv=n_kv_heads, query=n_queries
    )


Look = Callable[[Tensor], Tensor | None]  # sees a tensor; what it returns, if anything, takes its place


@contextmanager
def hooked(
    *, inputs: Iterable[tuple[nn.Module, Look]] = (), outputs: Iterable[tuple[nn.Module, Look]] = ()
) -> Iterator[None]:
    """Inside the block each function sees its module's input or output every time the module runs."""
    handles = []
    try:
        for module, look in inputs:
            handles.append(module.register_forward_pre_hook(_input_hook(look)))
        for module, look in outputs:
            handles.append(module.register_forward_hook(_output_hook(look)))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def sized(layers: Sequence[nn.Module], n_tokens: Sequence[int]) -> Iterator[None]:
    """Inside the block layer i runs on the first `n_tokens[i]` tokens of a pass of `n_tokens[-1]`.

    What the model hands to every layer for each token, such as rotations, is cut to these; the hidden states
    themselves are whoever's that replaces them.
    """
    handles = [
        layer.register_forward_pre_hook(_cutting_hook(n_tokens[-1], length), with_kwargs=True)
        for layer, length in zip(layers, n_tokens, strict=True)
        if length != n_tokens[-1]
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def bypassed(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Inside the block these modules hand on their input as it is."""
    before = [(module, vars(module).get("forward")) for module in modules]
    try:
        for module, _ in before:
            module.forward = _hand_on
        yield
    finally:
        for module, forward in before:
            if forward is None:
                del module.forward  # the method of its class shows again
            else:
                module.forward = forward


def _cutting_hook(n_all: int, n_tokens: int) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
    def cut(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(cut(part) for part in value)
        per_token = isinstance(value, Tensor) and value.ndim in (2, 3) and value.shape[1] == n_all
        return value[:, :n_tokens] if per_token else value

    def hook(
        _module: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return arguments, {name: cut(value) for name, value in options.items()}

    return hook


def _hand_on(hidden: Tensor, *_arguments: Any, **_options: Any) -> Tensor:
    return hidden


def _input_hook(look: Look) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...] | None]:
    def hook(_module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        replacement = look(arguments[0])
        return None if replacement is None else (replacement, *arguments[1:])

    return hook


def _output_hook(look: Look) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]:
    def hook(_module: nn.Module, _arguments: tuple[Any, ...], output: Tensor) -> Tensor | None:
        return look(output)

    return hook
