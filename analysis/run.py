"""Run prompts once, and keep what the analyses need.

A base prompt and its source are run together, in one pass: the source's tokens stand behind the base's, from
the first one that differs, and read the base's keys and values before it. Behind both may stand rows of the
exact engine (`analysis.sweep`), which start at any layer. So the whole analysis of a pair can be one pass, in
which every weight is read once.
"""

from contextlib import ExitStack
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations, Suffix
from analysis.adapter import AttentionCall, attending
from analysis.model import LanguageModel
from analysis.recording import Recorder, Recording, last_mlp_at
from analysis.sweep import Sweep


@torch.inference_mode()
def record(
    model: LanguageModel, token_ids: Int[Tensor, "batch pos"], start: int | None = None
) -> Activations:
    """Run prompts through our attention function; keep everything from `start` on (the final position)."""
    recorder = Recorder.of(token_ids, None, start, model.n_layers)
    run_pass(model, recorder, None)
    return recorder.activations()


@torch.inference_mode()
def record_pair(
    model: LanguageModel,
    base_ids: Int[Tensor, "batch pos"],
    source_ids: Int[Tensor, "batch _"],
    start: int | None = None,
) -> tuple[Activations, Suffix]:
    """Run base and source prompts in one pass, and keep both from `start` on (the final position).

    Where their lengths differ these are two passes, and only the final position of the source is kept.
    """
    if base_ids.shape != source_ids.shape:
        return record(model, base_ids, start), record_other_length(model, source_ids, base_ids.shape[1])
    recorder = Recorder.of(base_ids, source_ids, start, model.n_layers)
    run_pass(model, recorder, None)
    return recorder.activations(), recorder.source_suffix()


def record_other_length(model: LanguageModel, source_ids: Int[Tensor, "batch pos"], n_base: int) -> Suffix:
    """The final position of a source run, as the final position of base prompts of `n_base` tokens."""
    return replace(record(model, source_ids).suffix, start=n_base - 1, differs_from=0)


@torch.inference_mode()
def run_pass(
    model: LanguageModel,
    recorder: Recorder | None,
    sweep: Sweep | None,
    *,
    seen: Recording | None = None,
) -> Float[Tensor, "batch pos d_model"]:
    """One pass through the network: what is recorded in front, rows behind it; after the final norm.

    `seen` keeps some of the rows. Layers below the first one that anything needs do not run.
    """
    fronts = [part for part in (recorder, sweep) if part is not None]
    tokens = torch.cat([part.tokens for part in fronts], dim=1)
    positions = torch.cat([part.positions for part in fronts])

    def attend(call: AttentionCall) -> Tensor:
        if recorder is None or sweep is None:
            return fronts[0].attend(call)
        return torch.cat([recorder.attend(call), sweep.attend(call)], dim=1)

    kept = torch.cat([part.kept for part in fronts])
    with ExitStack() as stack:  # the order counts: what is kept or changed first, is seen by what comes after
        stack.enter_context(attending(model.network, attend, n_masked=recorder.n_base if recorder else 0))
        stack.enter_context(last_mlp_at(model, kept, len(tokens)))
        for part in fronts:
            stack.enter_context(part.joining(model))
        if seen is not None:
            stack.enter_context(seen.keeping(model, z=True))
        return model.hidden(tokens, positions=positions)
