"""The capability gate: does the model do the task at all? A circuit is interpreted only behind it.

By letter: which label does the model put on top? By content: which option's text does it find likeliest as
the answer to the bare question? A model that knows answers but fails at letters passes the second and not
the first (Lieberum et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from analysis.activations import stack_answers, stack_tokens
from analysis.bootstrap import Interval, mean_interval, wilson_interval
from analysis.errors import MisalignedPrompts, UnsupportedModel
from analysis.model import LanguageModel
from analysis.prompts import Prompt
from analysis.questions import Question
from analysis.tokenise import tokens_of


def percent(fraction: float | Float[Tensor, ""]) -> str:
    """A fraction as people read it."""
    return f"{100 * float(fraction):.0f} %"


Standing = Literal["does the task", "at chance", "undecided"]


def standing(accuracy: Interval, chance: float) -> Standing:
    """Whether an accuracy with this interval is above chance.

    An interval that holds both chance and the point halfway from there to perfection decides nothing.
    """
    if accuracy.low > chance:
        return "does the task"
    return "undecided" if accuracy.high > (1 + chance) / 2 else "at chance"


@dataclass(frozen=True)
class PromptGate:
    """What the model says to one prompt, as float32 on the CPU. Log-probabilities are in nats."""

    letter_logits: Float[Tensor, " answer"]
    letter_log_probs: Float[Tensor, " answer"]  # over the full vocabulary
    content_log_probs: Float[Tensor, " answer"]  # of each option's text after the bare question, per token
    correct: int

    @property
    def chosen(self) -> int:
        """The label with the highest logit."""
        return int(self.letter_logits.argmax())

    @property
    def chosen_by_content(self) -> int:
        """The option whose text is likeliest."""
        return int(self.content_log_probs.argmax())

    @property
    def nll(self) -> float:
        """−log probability of the correct label over the full vocabulary."""
        return -float(self.letter_log_probs[self.correct])

    @property
    def letter_nll(self) -> float:
        """−log probability of the correct label among the labels."""
        return -float(self.letter_logits.log_softmax(-1)[self.correct])

    @property
    def centred_logit(self) -> float:
        return float(self.letter_logits[self.correct] - self.letter_logits.mean())


@dataclass(frozen=True)
class GateSummary:
    """The gate over many prompts; proportions carry Wilson's interval, means the bootstrap's."""

    n: int
    chance: float
    accuracy_by_letter: Interval
    accuracy_by_content: Interval
    nll: Interval
    letter_nll: Interval
    centred_logit: Interval
    recall: Interval  # per answer: how often it is chosen where it is correct
    chosen_share: Interval  # per answer: how often it is chosen at all
    by: str = " by letter"  # what the verdict says of an answer

    @property
    def standing(self) -> Standing:
        """What the accuracy by letter says."""
        return standing(self.accuracy_by_letter, self.chance)

    @property
    def at_chance(self) -> bool:
        """Whether the model does not do the task."""
        return self.standing == "at chance"

    @property
    def recall_std(self) -> float:
        """RStd: standard deviation of the recalls, in percent; large where the model favours some letters."""
        known = self.recall.mean[~self.recall.mean.isnan()]
        return 100 * float(known.std(correction=0))

    @property
    def verdict(self) -> str:
        accuracy = self.accuracy_by_letter
        figures = (
            f"{percent(accuracy.mean)} of {self.n} prompts right{self.by} (95 % interval "
            f"{percent(accuracy.low)} to {percent(accuracy.high)}, chance {percent(self.chance)})"
        )
        return {
            "at chance": f"This model answers at chance on these prompts: {figures}. "
            "Do not read a circuit into it.",
            "undecided": f"Too few prompts to tell whether the model does the task: {figures}.",
            "does the task": f"This model does the task: {figures}.",
        }[self.standing]


@torch.inference_mode()
def gate_prompt(model: LanguageModel, prompt: Prompt) -> PromptGate:
    """Ask one question by letter and by content."""
    ids = stack_answers([prompt])
    logits = model.logits(model.hidden(stack_tokens([prompt]))[:, -1])[0]
    said = logits.log_softmax(-1)[ids[0]].cpu()
    listed = prompt.question.lists_options  # the answers of a plain text are its contents
    return PromptGate(
        letter_logits=logits[ids[0]].cpu(),
        letter_log_probs=said,
        content_log_probs=content_log_probs(model, prompt.question).cpu() if listed else said.clone(),
        correct=prompt.correct,
    )


@torch.inference_mode()
def content_log_probs(model: LanguageModel, question: Question) -> Float[Tensor, " answer"]:
    """Mean log-probability per token of each option's text as the answer to the question alone.

    The question stands without its options and without worked examples.
    """
    asked = f"{question.prelude}{question.format.lead}{question.text}\nAnswer:"
    sequences = [_token_ids(model, f"{asked} {content}") for content in question.contents]
    n_shared = _n_shared(_token_ids(model, asked), sequences)
    padded = pad_sequence([torch.tensor(ids) for ids in sequences], batch_first=True)
    hidden = model.hidden(padded)  # padding stands on the right, where nothing attends to it
    log_probs = [
        model.logits(hidden[row, n_shared - 1 : len(ids) - 1])
        .log_softmax(-1)
        .gather(-1, torch.tensor(ids[n_shared:], device=hidden.device)[:, None])
        .mean()
        for row, ids in enumerate(sequences)
    ]
    return torch.stack(log_probs)


def _token_ids(model: LanguageModel, text: str) -> list[int]:
    if model.tokenizer is None:
        raise UnsupportedModel("Scoring options by their content needs the model's tokenizer.")
    return [token.id for token in tokens_of(text, model.tokenizer)]


def _n_shared(asked: Sequence[int], sequences: Sequence[Sequence[int]]) -> int:
    """How many first tokens the question has in common with itself followed by each option."""
    return min(
        sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(asked, ids, strict=False)))
        for ids in sequences
    )


def summarise(prompts: Sequence[PromptGate], *, seed: int = 0) -> GateSummary:
    """The gate over many prompts with equally many options."""
    n_answers = {len(prompt.letter_logits) for prompt in prompts}
    if len(n_answers) != 1:
        raise MisalignedPrompts(
            f"One gate needs prompts with the same number of options, not {sorted(n_answers)}."
        )
    size = n_answers.pop()
    correct, chosen = (_indices(prompts, name) for name in ("correct", "chosen"))
    by_content = _indices(prompts, "chosen_by_content")
    is_correct, is_chosen = (torch.nn.functional.one_hot(index, size).float() for index in (correct, chosen))
    total = torch.tensor(float(len(prompts)))

    def mean(name: str) -> Interval:
        return mean_interval(torch.tensor([float(getattr(prompt, name)) for prompt in prompts]), seed=seed)

    return GateSummary(
        n=len(prompts),
        chance=1 / size,
        accuracy_by_letter=wilson_interval((chosen == correct).float().sum(), total),
        accuracy_by_content=wilson_interval((by_content == correct).float().sum(), total),
        nll=mean("nll"),
        letter_nll=mean("letter_nll"),
        centred_logit=mean("centred_logit"),
        recall=wilson_interval((is_correct * is_chosen).sum(0), is_correct.sum(0)),
        chosen_share=wilson_interval(is_chosen.sum(0), total.expand(size)),
    )


def _indices(prompts: Sequence[PromptGate], name: str) -> Int[Tensor, " batch"]:
    return torch.tensor([getattr(prompt, name) for prompt in prompts])
