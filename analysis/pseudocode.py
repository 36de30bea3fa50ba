"""What a head does, as a few lines of code that predict its attention to the options of any prompt.

Two algorithms, each with a table measured on other prompts: how the head spread its attention over the
options, by the line of the correct one ("nth_item"), or by letters ("letter"). Where labels are in order they
say the same. Under other letters, only the first still has something to say; a head that reads letters then
does no such thing. The one that is closer to the head over all mutations is its pseudocode, and how close is
measured for each. (Lieberum et al. 2023 sum a head up like this; the agreement is ours.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import stack_tokens
from analysis.adapter import AttentionCall, attending, attention_pattern, bypassed, mix_values
from analysis.geometry import label_codes, label_of
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.prompts import Prompt
from analysis.questions import Question
from analysis.vectors import by_length

Reads = Literal["nth_item", "letter"]
SMALLEST_SHARE = 1e-6  # that is predicted, so that one option too many does not make a divergence infinite


@dataclass(frozen=True)
class Pseudocode:
    """Shares of the attention to the options: a row for each correct line or letter, a column for each."""

    reads: Reads
    shares: Float[Tensor, "correct answer"]
    letters: Int[Tensor, " answer"]  # of rows and columns, where letters are read; in order of their codes

    @classmethod
    def measured(
        cls, reads: Reads, attention: Float[Tensor, "batch answer"], prompts: Sequence[Prompt]
    ) -> "Pseudocode":
        """The table of prompts with equally many options; NaN for what did not occur."""
        codes = torch.stack([label_codes(prompt.question.labels) for prompt in prompts])
        letters = codes.unique()
        columns = (codes[..., None] == letters).long().argmax(-1)
        if reads == "nth_item":
            columns = torch.arange(codes.shape[1]).expand_as(codes)
        rows = columns.gather(1, torch.tensor([[prompt.correct] for prompt in prompts]))
        n = len(letters) if reads == "letter" else codes.shape[1]
        cells = (rows * n + columns).flatten()
        total, count = torch.zeros(2, n * n).scatter_add(
            1, cells.expand(2, -1), torch.stack([attention.flatten(), torch.ones(len(cells))])
        )
        return cls(reads, (total / count).view(n, n), letters)

    def predict(self, question: Question) -> Float[Tensor, " answer"]:
        """The share of every option of a question; what the table does not know is spread evenly."""
        n = len(question.options)
        places = self._places(question)
        shares = torch.full((n,), torch.nan)
        if (row := places[question.correct]) is not None:
            known = [option for option, place in enumerate(places) if place is not None]
            shares[known] = self.shares[row, [place for place in places if place is not None]]
        shares = shares.where(~shares.isnan(), torch.tensor(1 / n)).clamp_min(SMALLEST_SHARE)
        return shares / shares.sum()

    def _places(self, question: Question) -> list[int | None]:
        """Which row and column each option is; None where it did not occur."""
        if self.reads == "nth_item":
            return [place if place < len(self.shares) else None for place in range(len(question.options))]
        known = self.letters.tolist()
        codes = label_codes(question.labels).tolist()
        return [known.index(code) if code in known else None for code in codes]

    @property
    def text(self) -> str:
        """The algorithm, to be read."""
        names = [repr(label_of(code)) for code in self.letters.tolist()]
        if self.reads == "nth_item":
            names = [str(place + 1) for place in range(len(self.shares))]
        rows = [
            f"    {name}: [{', '.join(f'{share:.2f}' for share in shares)}],"
            for name, shares in zip(names, self.shares.tolist(), strict=True)
        ]
        return "\n".join([f"SHARE = {{  # columns: {', '.join(names)}", *rows, "}", "", *self._function()])

    def _function(self) -> list[str]:
        """What is done with the table."""
        follows = (self.shares.argmax(-1) == torch.arange(len(self.shares))).all()
        if self.reads == "nth_item":
            told = "Attend to line n, the line of the correct option, whatever its label."
            spread = "Spread attention over the lines by n, the line of the correct option."
            body = ["n = line_of(correct_option)", "return SHARE[n]"]
        else:
            told = "Attend to the line labelled l, the letter of the correct option."
            spread = "Spread attention over the letters by l, the letter of the correct option."
            body = ["l = letter_of(correct_option)", "return [SHARE[l][label] for label in labels]"]
        lines = [f'"""{told if follows else spread}"""', *body]
        return ["def attention_to_options(labels, correct_option):", *(f"    {line}" for line in lines)]


@torch.inference_mode()
def option_attention(
    model: LanguageModel, prompts: Sequence[Prompt], head: Head
) -> list[Float[Tensor, " answer"]]:
    """How the head spreads its attention to the options' labels from the final position; sums to 1."""
    found: dict[int, Tensor] = {}
    for indices in by_length(prompts):
        rows = _final_row(model, stack_tokens([prompts[index] for index in indices]), head)
        for row, index in zip(rows, indices, strict=True):
            at_labels = row[list(prompts[index].label_positions)]
            found[index] = at_labels / at_labels.sum()
    return [found[index] for index in range(len(prompts))]


def _final_row(
    model: LanguageModel, token_ids: Int[Tensor, "batch pos"], head: Head
) -> Float[Tensor, "batch pos"]:
    """The head's pattern at the final position; layers above it do not run."""
    rows: list[Tensor] = []

    def attend(call: AttentionCall) -> Tensor:
        pattern = attention_pattern(call)
        if call.layer == head.layer:
            rows.append(pattern[:, head.head, -1].float().cpu())
        return mix_values(pattern, call.value)

    with attending(model.network, attend), bypassed(model.parts.layers[head.layer + 1 :]):
        model.hidden(token_ids)
    return rows[0]


def agreement(head: Float[Tensor, " answer"], code: Float[Tensor, " answer"]) -> float:
    """1 where the code names the option that the head attends to most; 1/n where it names n options."""
    named = code == code.max()
    return float(named[head.argmax()]) / int(named.sum())


def divergence(head: Float[Tensor, " answer"], code: Float[Tensor, " answer"]) -> float:
    """KL(head ‖ code) of the attention over the options, in nats; 0 where they are the same."""
    return float(torch.special.xlogy(head, head / code).sum())
