"""What is kept of a run while it goes up through the layers. The exact engine reads it as it grows."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations, FinalPosition, Suffix, check_finite, first_difference
from analysis.adapter import AttentionCall, attention_pattern, hooked, mix_values
from analysis.layers import Layers
from analysis.model import LanguageModel


class Recording:
    """Some tokens of a pass: what the network computes there, as far as it has come."""

    def __init__(self, places: Int[Tensor, " pos"], n_prompts: int, n_layers: int) -> None:
        self.places = places  # where the tokens stand in the pass
        self.n_prompts = n_prompts
        self.resid_pre, self.query, self.keys, self.values, self.z, self.mlp_writes = (
            Layers(n_layers) for _ in range(6)
        )
        self.resid_final, self.hidden = Layers(1), Layers(1)

    @contextmanager
    def keeping(self, model: LanguageModel, *, z: bool = False) -> Iterator[None]:
        """Inside the block hooks fill it; z only where asked for, as who attends may do that."""
        parts = model.parts

        def into(kept: Layers, x: Tensor) -> None:
            kept.append(x.view(self.n_prompts, -1, x.shape[-1])[:, self.places])

        with hooked(
            inputs=[
                *((layer, lambda x: into(self.resid_pre, x)) for layer in parts.layers),
                *((output, lambda x: into(self.z, x)) for output in parts.attention_outputs if z),
                (parts.final_norm, lambda x: into(self.resid_final, x)),
            ],
            outputs=[
                *((mlp, lambda x: into(self.mlp_writes, x)) for mlp in parts.mlps),
                (parts.final_norm, lambda x: into(self.hidden, x)),
            ],
        ):
            yield

    def attended(self, call: AttentionCall, z: Float[Tensor, "batch query_pos head d_head"]) -> None:
        """Keep one layer's attention."""
        self.query.append(call.query[:, :, self.places])
        self.keys.append(call.key[:, :, self.places])
        self.values.append(call.value[:, :, self.places])
        self.z.append(z[:, self.places])

    def suffix(self, *, start: int, differs_from: int) -> Suffix:
        """Everything, once the pass has ended; the tokens are those from position `start` on."""
        layers = ("resid_pre", "query", "keys", "values", "z", "mlp_writes")
        suffix = Suffix(
            start=start,
            differs_from=differs_from,
            resid_final=self.resid_final[0][:, -1],
            hidden=self.hidden[0][:, -1],
            **{name: getattr(self, name).whole() for name in layers},
        )
        check_finite(suffix.final)
        return suffix

    def finals(self, n_heads: int) -> FinalPosition:
        """Every token as if it were a prompt of its own, the tokens outermost: batch is (pos batch)."""
        resid_pre, z, mlp_writes = (
            kept.whole().transpose(1, 2).flatten(1, 2) for kept in (self.resid_pre, self.z, self.mlp_writes)
        )
        ends = (self.resid_final, self.hidden)
        resid_final, hidden = (kept[0].transpose(0, 1).flatten(0, 1) for kept in ends)
        final = FinalPosition(resid_pre, z.unflatten(-1, (n_heads, -1)), mlp_writes, resid_final, hidden)
        check_finite(final)
        return final


@dataclass
class Recorder:
    """The front of a pass: the base prompt, behind it the source from position `split` on."""

    tokens: Int[Tensor, "batch pos"]
    positions: Int[Tensor, " pos"]  # where the tokens stand in their prompts
    n_base: int
    split: int  # the first token in which the source differs; n_base without a source
    start: int  # most is kept from here on
    base: Recording
    source: Recording | None
    keys: Layers  # of the whole base prompt, like the next two
    values: Layers
    queries: Layers  # of the final position, like the next one
    patterns: Layers
    masks: list[Tensor | None] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        base_ids: Int[Tensor, "batch pos"],
        source_ids: Int[Tensor, "batch pos"] | None,
        start: int | None,
        n_layers: int,
    ) -> "Recorder":
        """A front that keeps positions from `start` on (the final one). Both prompts are equally long."""
        n_prompts, n_base = base_ids.shape
        start = n_base - 1 if start is None else start
        kept, tokens, split = torch.arange(start, n_base), base_ids, n_base
        if source_ids is not None:
            split = first_difference(base_ids, source_ids)
            tokens = torch.cat([base_ids, source_ids[:, split:]], dim=1)
        source_places = torch.where(kept < split, kept, kept + n_base - split)  # what is equal is shared
        return cls(
            tokens=tokens,
            positions=torch.cat([torch.arange(n_base), torch.arange(split, n_base)]),
            n_base=n_base,
            split=split,
            start=start,
            base=Recording(kept, n_prompts, n_layers),
            source=None if source_ids is None else Recording(source_places, n_prompts, n_layers),
            keys=Layers(n_layers),
            values=Layers(n_layers),
            queries=Layers(n_layers),
            patterns=Layers(n_layers),
        )

    @property
    def n_tokens(self) -> int:
        """Tokens in front of the rows."""
        return self.tokens.shape[1]

    @property
    def kept(self) -> Int[Tensor, " pos"]:
        """Places of which anything but keys and values is kept."""
        places = [recording.places for recording in (self.base, self.source) if recording]
        return torch.cat(places).unique()

    @contextmanager
    def joining(self, model: LanguageModel) -> Iterator[None]:
        """Inside the block base and source are kept."""
        with self.base.keeping(model), self.source.keeping(model) if self.source else nullcontext():
            yield

    def attend(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        """z of base and source positions; everything is kept."""
        n, mask = self.n_base, call.mask
        base = replace(
            call,
            query=call.query[:, :, :n],
            key=call.key[:, :, :n].contiguous(),
            value=call.value[:, :, :n].contiguous(),
        )
        pattern = attention_pattern(base)
        z = mix_values(pattern, base.value)
        if self.split < n:
            z = torch.cat([z, self._attend_in_source(call)], dim=1)
        self.keys.append(base.key)
        self.values.append(base.value)
        self.masks.append(mask)
        self.queries.append(base.query[:, :, -1])
        self.patterns.append(pattern[:, :, -1])
        for recording in (self.base, self.source):
            if recording:
                recording.attended(call, z)
        return z

    def _attend_in_source(self, call: AttentionCall) -> Tensor:
        """The source's positions see the base's keys and values before `split`, and their own."""
        own = slice(self.n_base, self.n_tokens)
        source = replace(
            call,
            query=call.query[:, :, own],
            key=torch.cat([call.key[:, :, : self.split], call.key[:, :, own]], dim=2),
            value=torch.cat([call.value[:, :, : self.split], call.value[:, :, own]], dim=2),
            mask=None if call.mask is None else call.mask[:, :, self.split :],
        )
        return mix_values(attention_pattern(source), source.value)

    def activations(self) -> Activations:
        """All of the base run, once the pass has ended."""
        return Activations(
            token_ids=self.tokens[:, : self.n_base],
            keys=self.keys.whole(),
            values=self.values.whole(),
            masks=tuple(self.masks),
            query=self.queries.whole(),
            pattern=self.patterns.whole(),
            suffix=self.base.suffix(start=self.start, differs_from=self.n_base),
        )

    def source_suffix(self) -> Suffix:
        """All that is kept of the source run, once the pass has ended."""
        assert self.source is not None
        return self.source.suffix(start=self.start, differs_from=self.split)


@contextmanager
def last_mlp_at(model: LanguageModel, places: Int[Tensor, " pos"], n_prompts: int) -> Iterator[None]:
    """Inside the block the last layer's MLP runs at these tokens only; at others it writes zeros.

    Nothing reads its writes there, as no layer comes after it.
    """
    n_tokens: list[int] = []

    def cut(x: Tensor) -> Tensor:
        whole = x.view(n_prompts, -1, x.shape[-1])
        n_tokens.append(whole.shape[1])
        few = whole[:, places]
        return few.flatten(0, 1) if x.ndim == 2 else few

    def spread(written: Tensor) -> Tensor:
        every = written.new_zeros(n_prompts, n_tokens.pop(), written.shape[-1])
        every[:, places] = written.view(n_prompts, -1, written.shape[-1])
        return every.flatten(0, 1) if written.ndim == 2 else every

    first, last = model.parts.last_mlp
    with hooked(inputs=[(first, cut)], outputs=[(last, spread)]):
        yield
