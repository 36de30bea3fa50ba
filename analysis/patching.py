"""The exact patching engine: many interventions, one upward pass through the model's own layers.

A row starts at the layer of its intervention from the base run's residual stream, holds only the positions
from the first changed one on, and sees the base run's keys and values before them. Rows of all layers go up
together, so each layer runs once for all that is pending: one product with each weight matrix, one with the
keys of each prompt and KV head. Nothing is approximated and no family needs code: the layers are the model's,
called by the model itself on the tokens from the first changed position on; hooks append rows before a layer,
an attention function gives them what they see.

Rows that would not fit into `LanguageModel.memory_budget` bytes together go in several passes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations, FinalPosition, Suffix
from analysis.errors import MisalignedPrompts
from analysis.interventions import Intervention, KnockOut, Rewrite
from analysis.model import LanguageModel
from analysis.recording import Recorder, Recording
from analysis.rows import Ground
from analysis.run import run_pass
from analysis.sweep import Sweep
from analysis.sweep_plan import n_rows, plan_sweep
from analysis.watch import Watch


@torch.inference_mode()
def patched_hidden(
    model: LanguageModel,
    base: Activations,
    source: Suffix,
    interventions: Sequence[Intervention],
    *,
    watch: Watch | None = None,
) -> Float[Tensor, "row batch d_model"]:
    """What the base run's final position becomes, after the final norm, under each intervention.

    Everything downstream is computed anew. One row per intervention, in the order given; each is made in all
    prompts of the batch. `MisalignedPrompts` where a position is changed that the runs did not keep.
    `watch` sees the attention of every row.
    """
    found = base.final.hidden.new_empty(len(interventions), *base.final.hidden.shape)
    for chunk in _chunks(model, base.token_ids, source, interventions):
        sweep = chunk.sweep(model, Ground.stored(base), source, watch)
        found[chunk.indices] = run_pass(model, None, sweep)[:, sweep.read_out].transpose(0, 1)
    return found


@torch.inference_mode()
def record_and_patch(
    model: LanguageModel,
    base_ids: Int[Tensor, "batch pos"],
    source_ids: Int[Tensor, "batch pos"],
    start: int,
    interventions: Sequence[Intervention],
) -> tuple[Activations, Suffix, Float[Tensor, "row batch d_model"]]:
    """`record_pair` and `patched_hidden` at once: as many interventions as fit go up in the same pass."""
    recorder = Recorder.of(base_ids, source_ids, start, model.n_layers)
    assert recorder.source is not None
    kept = Kept(start, recorder.split)
    chunk, *rest = _chunks(model, base_ids, kept, interventions)
    sweep = chunk.sweep(model, Ground.growing(recorder), recorder.source)
    first = run_pass(model, recorder, sweep)[:, sweep.read_out].transpose(0, 1)
    base, source = recorder.activations(), recorder.source_suffix()
    found = first.new_empty(len(interventions), *first.shape[1:])
    found[chunk.indices] = first
    for chunk in rest:
        others = [interventions[index] for index in chunk.indices]
        found[chunk.indices] = patched_hidden(model, base, source, others)
    return base, source, found


@torch.inference_mode()
def patched_finals(
    model: LanguageModel, base: Activations, source: Suffix, interventions: Sequence[Intervention]
) -> FinalPosition:
    """All that each patched world holds at the final position. Its batch axis is (row batch).

    Slower than `patched_hidden`: rows start at layer 0, so that every layer of them can be kept.
    """
    start = min(_start(intervention, source) for intervention in interventions)
    plan = plan_sweep(interventions, model.n_layers, model.n_heads, first_layer=0)
    sweep = Sweep.of(Ground.stored(base), source, plan, start)
    seen = Recording(sweep.read_out, len(base.token_ids), model.n_layers)
    run_pass(model, None, sweep, seen=seen)
    return seen.finals(model.n_heads)


class Kept(NamedTuple):
    """Which positions of two runs are kept, and before which one they are the same."""

    start: int
    differs_from: int


class _Chunk(NamedTuple):
    """Interventions that go up together: all change their first position at `start`."""

    start: int
    indices: list[int]
    interventions: list[Intervention]

    def sweep(
        self, model: LanguageModel, ground: Ground, source: Suffix | Recording, watch: Watch | None = None
    ) -> Sweep:
        plan = plan_sweep(self.interventions, model.n_layers, model.n_heads)
        sweep = Sweep.of(ground, source, plan, self.start)
        return sweep if watch is None else replace(sweep, watch=watch.of_rows(plan.read_out, self.indices))


def _start(intervention: Intervention, source: Suffix | Kept) -> int:
    """The first position that changes; the final one if none does."""
    same_before = 0 if isinstance(intervention, KnockOut | Rewrite) else source.differs_from
    changed = intervention.positions[:, same_before:].any(0).nonzero()
    if not len(changed):
        return intervention.positions.shape[1] - 1
    first = same_before + int(changed[0])
    if first < source.start:
        raise MisalignedPrompts(
            f"Position {first} is to be changed, but these runs kept positions from {source.start} on only."
        )
    return first


def _chunks(
    model: LanguageModel,
    base_ids: Int[Tensor, "batch pos"],
    source: Suffix | Kept,
    interventions: Sequence[Intervention],
) -> Iterator[_Chunk]:
    """Interventions in the order of their layers, as many at a time as the memory budget allows."""
    starts = [_start(intervention, source) for intervention in interventions]
    n_prompts, n_positions = base_ids.shape
    row_bytes = bytes_per_position(model, n_positions) * n_prompts
    for start in sorted(set(starts)):
        limit = max(1, model.memory_budget // (row_bytes * (n_positions - start)))
        same = [index for index, first in enumerate(starts) if first == start]
        chunk, total = _Chunk(start, [], []), 0
        for index in sorted(same, key=lambda index: interventions[index].layer):
            size = n_rows(interventions[index])
            if total and total + size > limit:
                yield chunk
                chunk, total = _Chunk(start, [], []), 0
            chunk.indices.append(index)
            chunk.interventions.append(interventions[index])
            total += size
        yield chunk


def bytes_per_position(model: LanguageModel, n_positions: int) -> int:
    """About what one position of one row takes in the widest layer, intermediate values included."""
    attention = 3 * (model.n_heads + 2 * model.n_kv_heads) * model.d_head + 3 * model.n_heads * n_positions
    return model.dtype.itemsize * (6 * model.d_model + max(attention, 3 * model.d_mlp))
