"""What a tokenizer makes of a prompt pair before anything runs: tokens, answers, and what will not work.

Nothing here needs the network, so a pair can be looked at while it is typed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from analysis.alignment import Aligned, align
from analysis.errors import AnalysisError
from analysis.questions import Question, render
from analysis.text_pairs import QuestionPair
from analysis.tokenise import MAX_TOKENS, Token, check_length, label_id, token_texts, tokens_of


@dataclass(frozen=True)
class Said:
    """An answer as the model must say it; without a token there is a problem that says why."""

    text: str
    token_id: int | None
    token_text: str


@dataclass(frozen=True)
class ReadPrompt:
    """One prompt as the model reads it."""

    text: str
    tokens: tuple[Token, ...]
    token_texts: tuple[str, ...]
    answers: tuple[Said, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """Its tokens alone."""
        return tuple(token.id for token in self.tokens)


@dataclass(frozen=True)
class Remark:
    """A sentence about the clean prompt, the corrupt one or both; some of them stop every analysis."""

    where: str
    message: str
    stops: bool


@dataclass(frozen=True)
class CheckedPair:
    """Both prompts as far as they can be read, and what is to be said about them."""

    clean: ReadPrompt | None
    corrupt: ReadPrompt | None
    remarks: tuple[Remark, ...]

    @property
    def aligned(self) -> list[Aligned]:
        """Which position of the clean prompt stands for which of the corrupt one."""
        return align(self.clean.ids, self.corrupt.ids) if self.clean and self.corrupt else []

    @property
    def usable(self) -> bool:
        """Whether analyses can run on it."""
        return not any(remark.stops for remark in self.remarks)


def check_pair(pair: QuestionPair, tokenizer: PreTrainedTokenizerBase) -> CheckedPair:
    """Read both prompts with a tokenizer and say what is wrong or worth knowing."""
    remarks: list[Remark] = []
    clean, corrupt = (
        _read(question, where, tokenizer, remarks)
        for question, where in zip(pair, ("clean", "corrupt"), strict=True)
    )
    remarks += _about_spaces(pair[0])
    if clean and corrupt:
        remarks += _about_both(pair, clean, corrupt)
    return CheckedPair(clean, corrupt, tuple(_once(remarks)))


def _once(remarks: Sequence[Remark]) -> Iterator[Remark]:
    """What is said of each prompt in the same words is said once, of both."""
    said = Counter(remark.message for remark in remarks)
    for remark in {remark.message: remark for remark in remarks}.values():
        yield remark if said[remark.message] == 1 else Remark("both", remark.message, remark.stops)


def _read(
    question: Question, where: str, tokenizer: PreTrainedTokenizerBase, remarks: list[Remark]
) -> ReadPrompt | None:
    try:
        text = render(question)
        check_length(text)
        tokens = tokens_of(text, tokenizer)
    except AnalysisError as error:
        remarks.append(Remark(where, str(error), stops=True))
        return None
    if len(tokens) > MAX_TOKENS:
        too_long = f"The prompt has {len(tokens):,} tokens; at most {MAX_TOKENS:,} are allowed."
        remarks.append(Remark(where, too_long, stops=True))
        return None
    said = []
    for label in question.labels:
        try:
            id_ = label_id(label, text, tokens, question, tokenizer)
            said.append(Said(label, id_, str(tokenizer.decode([id_]))))
        except AnalysisError as error:
            said.append(Said(label, None, ""))
            remarks.append(Remark(where, str(error), stops=True))
    return ReadPrompt(text, tuple(tokens), tuple(token_texts(tokens, text, tokenizer)), tuple(said))


def _about_spaces(question: Question) -> Iterator[Remark]:
    """Two slips in plain texts that a tokenizer takes without a word."""
    if question.lists_options:
        return
    if question.text.endswith(" "):
        message = "The prompt ends with a space. Usually that space belongs to the answer, as in “ Mary”."
        yield Remark("clean", message, stops=False)
    for answer in question.labels:
        if question.text[-1:].isalnum() and answer[:1].isalnum():
            end = question.text.split()[-1]
            message = f"“{answer}” follows “{end}” without a space and would be read as “{end}{answer}”."
            yield Remark("both", message, stops=False)


def _about_both(pair: QuestionPair, clean: ReadPrompt, corrupt: ReadPrompt) -> Iterator[Remark]:
    ids = [said.token_id for said in clean.answers if said.token_id is not None]
    if len(set(ids)) < len(ids):
        yield Remark("clean", "Two answers are the same token, so the model cannot choose.", stops=True)
    if clean.ids == corrupt.ids:
        yield Remark("both", "Both prompts are the same: a patch would change nothing.", stops=True)
    elif len(clean.ids) != len(corrupt.ids):
        yield Remark("both", _lengths(len(clean.ids), len(corrupt.ids)), stops=False)
    yield from _about_labels(*pair)


def _lengths(n_clean: int, n_corrupt: int) -> str:
    return (
        f"The prompts have {n_clean} and {n_corrupt} tokens. The final position can be patched; positions "
        "matched by number need equal lengths."
    )


def _about_labels(clean: Question, corrupt: Question) -> Iterator[Remark]:
    if not clean.lists_options:
        return
    if clean.labels != corrupt.labels:
        here, there = (_listed(question.labels) for question in (clean, corrupt))
        message = f"The labels differ: {here} and {there}. Both prompts are judged by the clean one’s labels."
        yield Remark("both", message, stops=False)
    if clean.correct == corrupt.correct:
        message = "The same label is right in both prompts, so little should change: this pair is a control."
        yield Remark("both", message, stops=False)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels)
