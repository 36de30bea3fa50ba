"""Both runs of some prompt pairs, made once, and any number of interventions between them.

Noising: base = clean, source = corrupt. Denoising: base = corrupt, source = clean. In both directions the
answers are the labels of the *clean* prompt and the correct one is the clean prompt's.

Nothing runs before it is needed: the first interventions go up in one pass with the runs themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analysis import naive
from analysis.activations import (
    Activations,
    FinalPosition,
    Suffix,
    first_difference,
    stack_answers,
    stack_tokens,
)
from analysis.heap import give_back_gaps
from analysis.interventions import Intervention
from analysis.model import LanguageModel
from analysis.patching import patched_finals, patched_hidden, record_and_patch
from analysis.positions import Lineup, PositionChoice, line_up
from analysis.prompts import PromptPair
from analysis.run import record, record_pair

Direction = Literal["noising", "denoising"]
EngineName = Literal["exact", "plain hooks"]


PAIRS_PER_PASS = {"cpu": 4, "accelerator": 32}
"""On a CPU more of them fall out of the cache, fewer read the weights more often."""


class _Runs(NamedTuple):
    base: FinalPosition
    activations: Activations | None
    source: Suffix


@dataclass(eq=False)
class PairRuns:
    """Base and source prompts of equal lengths each, and what their runs hold."""

    model: LanguageModel = field(repr=False)
    base_ids: Int[Tensor, "batch pos"]
    source_ids: Int[Tensor, "batch _"]
    lineup: Lineup
    answer_ids: Int[Tensor, "batch answer"]
    correct: Int[Tensor, " batch"]
    corrupt_correct: Int[Tensor, " batch"]  # which answer is right in the corrupt prompt
    direction: Direction
    _made: _Runs | None = field(default=None, repr=False)

    @property
    def chosen(self) -> Bool[Tensor, "batch pos"]:
        """The positions that were asked for; interventions may change those from the first of them on."""
        return self.lineup.positions

    @property
    def final(self) -> Bool[Tensor, "batch pos"]:
        """The final position."""
        return self._from(self.base_ids.shape[1] - 1)

    @property
    def differing(self) -> Bool[Tensor, "batch pos"]:
        """Every position from the first token on that differs: before it both runs are the same."""
        return self._from(first_difference(self.base_ids, self.source_ids))

    @property
    def everywhere(self) -> Bool[Tensor, "batch pos"]:
        """All positions."""
        return self._from(0)

    @property
    def start(self) -> int:
        """Interventions may change positions from here on."""
        return self.lineup.start

    @property
    def base(self) -> FinalPosition:
        """The base run at the final position."""
        return self._runs.base

    @property
    def source(self) -> FinalPosition:
        """The source run at its final position."""
        return self._runs.source.final

    @property
    def source_suffix(self) -> Suffix:
        """What a patch takes: the source's values, at the base prompts' positions."""
        return self._runs.source

    @property
    def activations(self) -> Activations | None:
        """All of the base run; None where the exact engine must not be used."""
        return self._runs.activations

    @torch.inference_mode()
    def hidden_in(self, interventions: Sequence[Intervention]) -> Float[Tensor, "row batch d_model"]:
        """What the base run's final position becomes, after the final norm, under each intervention."""
        if self._made is None and self._one_pass and interventions:
            base, source, hidden = record_and_patch(
                self.model, self.base_ids, self.source_ids, self.start, interventions
            )
            self._made = _Runs(base.final, base, source)
            return hidden
        if self.activations is not None:
            return patched_hidden(self.model, self.activations, self.source_suffix, interventions)
        hidden = self.finals_in(interventions).hidden
        return rearrange(hidden, "(row batch) d_model -> row batch d_model", row=len(interventions))

    @torch.inference_mode()
    def logits_in(self, interventions: Sequence[Intervention]) -> Float[Tensor, "row batch answer"]:
        """Logits of the answers under each intervention."""
        return self.model.answer_logits(self.hidden_in(interventions), self.answer_ids)

    @torch.inference_mode()
    def finals_in(self, interventions: Sequence[Intervention]) -> FinalPosition:
        """All that each changed world holds at the final position. Its batch axis is (row batch)."""
        if self.activations is not None:
            return patched_finals(self.model, self.activations, self.source_suffix, interventions)
        return naive.patched_finals(self.model, self.base_ids, self.source_suffix, interventions)

    def with_source(self, source: Suffix) -> "PairRuns":
        """The same runs, but patches take other values, such as means over other prompts."""
        return replace(self, _made=self._runs._replace(source=source))

    @property
    def _one_pass(self) -> bool:
        """Whether base, source and interventions can go up together."""
        same_length = self.base_ids.shape == self.source_ids.shape
        return engine_of(self.model) == "exact" and same_length and self.lineup.source_positions is None

    @property
    @torch.inference_mode()
    def _runs(self) -> _Runs:
        if self._made is None:
            self._made = self._run_exactly() if engine_of(self.model) == "exact" else self._run_plainly()
        return self._made

    def _run_exactly(self) -> _Runs:
        places = self.lineup.source_positions
        if places is None:
            base, source = record_pair(self.model, self.base_ids, self.source_ids, self.start)
        else:
            base = record(self.model, self.base_ids, self.start)
            source = record(self.model, self.source_ids, 0).suffix.at(places[:, self.start :], self.start)
        return _Runs(base.final, base, source)

    def _run_plainly(self) -> _Runs:
        places, n_kept = self.lineup.source_positions, self.base_ids.shape[1] - self.start
        n_source = n_kept if places is None else self.source_ids.shape[1]
        base = naive.record_plainly(self.model, self.base_ids, n_kept)
        source = naive.record_plainly(self.model, self.source_ids, n_source)
        if places is not None:
            source = source.at(places[:, self.start :], self.start)
        return _Runs(base.final, None, replace(source, start=self.start))

    def _from(self, start: int) -> Bool[Tensor, "batch pos"]:
        positions = torch.zeros_like(self.base_ids, dtype=torch.bool)
        positions[:, start:] = True
        return positions


def run_pairs(
    model: LanguageModel,
    pairs: Sequence[PromptPair],
    *,
    direction: Direction = "noising",
    window: PositionChoice = "final",
) -> PairRuns:
    """Base and source runs of pairs, the base prompts of one length and the source prompts too.

    `window`: the positions that will be changed (`PairRuns.chosen`); later ones can be, too.
    `MisalignedPrompts` where the source has no such positions.
    """
    give_back_gaps()
    clean, corrupt = [pair.clean for pair in pairs], [pair.corrupt for pair in pairs]
    base, source = (clean, corrupt) if direction == "noising" else (corrupt, clean)
    return PairRuns(
        model=model,
        base_ids=stack_tokens(base),
        source_ids=stack_tokens(source),
        lineup=line_up(base, source, window),
        answer_ids=stack_answers(clean),
        correct=torch.tensor([prompt.correct for prompt in clean]),
        corrupt_correct=torch.tensor([prompt.correct for prompt in corrupt]),
        direction=direction,
    )


def pairs_by_pass(model: LanguageModel, pairs: Sequence[PromptPair]) -> list[list[int]]:
    """Which pairs, by index, go up together: those of equal lengths, so many at a time as is fastest."""
    limit = PAIRS_PER_PASS.get(model.device.type, PAIRS_PER_PASS["accelerator"])
    alike: dict[tuple[int, int], list[int]] = {}
    for index, pair in enumerate(pairs):
        lengths = len(pair.clean.token_ids), len(pair.corrupt.token_ids)
        alike.setdefault(lengths, []).append(index)
    return [
        indices[first : first + limit]
        for indices in alike.values()
        for first in range(0, len(indices), limit)
    ]


def engine_of(model: LanguageModel) -> EngineName:
    """Which engine makes the interventions on this model."""
    return "exact" if model.certificate is None or model.certificate.passed else "plain hooks"


def distractors(base_logits: Float[Tensor, "pair answer"], runs: PairRuns) -> Int[Tensor, " pair"]:
    """The corrupt prompt's correct answer; if it is also the clean one's, the base run's favourite other."""
    others = base_logits.scatter(1, runs.correct[:, None], -torch.inf).argmax(-1)
    return torch.where(runs.corrupt_correct == runs.correct, others, runs.corrupt_correct)
