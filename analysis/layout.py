"""The form of a prompt: number of options, labels, format, prelude, shots. Pure functions on questions."""

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, get_args

from analysis.errors import BadQuestion
from analysis.questions import FORMATS, MAX_OPTIONS, Option, Question

LabelStyle = Literal["letters", "random_letters", "numbers", "shuffled"]
MAX_SHOTS = 5


@dataclass(frozen=True)
class Layout:
    """How a question is shown, apart from what it asks."""

    n_options: int = 4
    label_style: LabelStyle = "letters"
    format: str = "(A)"
    prelude: bool = False
    shots: int = 0

    def check(self) -> None:
        """Raise `BadQuestion` for a layout that does not exist."""
        if not 2 <= self.n_options <= MAX_OPTIONS:
            raise BadQuestion(f"n_options must be 2 to {MAX_OPTIONS}, not {self.n_options}.")
        if self.label_style not in get_args(LabelStyle):
            raise BadQuestion(f"There is no label style {self.label_style!r}; known: {get_args(LabelStyle)}.")
        if self.format not in FORMATS:
            raise BadQuestion(f"There is no format {self.format!r}; known: {tuple(FORMATS)}.")
        if not 0 <= self.shots <= MAX_SHOTS:
            raise BadQuestion(f"shots must be 0 to {MAX_SHOTS}, not {self.shots}.")


@dataclass(frozen=True)
class Stem:
    """A question before it has options: its text, the right answer and contents that are wrong."""

    text: str
    answer: str
    distractors: tuple[str, ...]
    kind: str
    subject: str


def lay_out(stem: Stem, slot: int, layout: Layout, rng: random.Random) -> Question:
    """The question of `stem` with randomly drawn distractors. `slot` says where the right answer stands.

    Slots 0, 1, 2, ... run through the places and then, where labels are shuffled, through the labels as well,
    so that consecutive slots give balanced answers.
    """
    contents = rng.sample(stem.distractors, layout.n_options - 1)
    correct = slot % layout.n_options
    contents.insert(correct, stem.answer)
    options = tuple(Option("", content) for content in contents)
    return show(
        Question(stem.text, options, correct, kind=stem.kind, subject=stem.subject), slot, layout, rng
    )


def show(question: Question, slot: int, layout: Layout, rng: random.Random) -> Question:
    """The same contents in the same order, with the labels, format and prelude that the layout asks for."""
    prelude = prelude_about(question.subject) if layout.prelude else ""
    labelled = relabel(question, draw_labels(layout, question.correct, slot // layout.n_options, rng))
    return replace(labelled, prelude=prelude, format=FORMATS[layout.format])


def places_after_thinning(question: Question, n_options: int) -> range:
    """Where the correct option can stand once only `n_options` are left in their order."""
    n_after = len(question.options) - 1 - question.correct
    return range(max(0, n_options - 1 - n_after), min(question.correct, n_options - 1) + 1)


def thin_out(question: Question, place: int, n_options: int, rng: random.Random) -> Question:
    """The question with `n_options` of its options in their order, the correct one at `place`."""
    correct = question.correct
    before = rng.sample(range(correct), place)
    after = rng.sample(range(correct + 1, len(question.options)), n_options - 1 - place)
    kept = sorted([*before, correct, *after])
    return replace(question, options=tuple(question.options[index] for index in kept), correct=place)


def prelude_about(subject: str) -> str:
    """The sentence that sets the scene (Lieberum et al. 2023)."""
    about = f" about {subject}" if subject else ""
    return f"A highly knowledgeable and intelligent AI answers multiple-choice questions{about}.\n\n"


def draw_labels(layout: Layout, correct: int, turn: int, rng: random.Random) -> list[str]:
    """Labels of the options from first to last; where they are shuffled, `turn` moves the correct label on.

    Random letters come from E to Z: with A to D among them, the letter would tell the place in the list.
    """
    n = layout.n_options
    letters = list(string.ascii_uppercase[:n])
    if layout.label_style == "numbers":
        return [str(number + 1) for number in range(n)]
    if layout.label_style == "random_letters":
        return rng.sample(string.ascii_uppercase[4:], n)
    if layout.label_style == "shuffled":
        answer = letters.pop((correct + turn) % n)
        rng.shuffle(letters)
        letters.insert(correct, answer)
    return letters


def relabel(question: Question, labels: Sequence[str]) -> Question:
    """The same contents in the same order under other labels."""
    options = tuple(
        Option(label, option.content) for label, option in zip(labels, question.options, strict=True)
    )
    return replace(question, options=options)


def with_shots(question: Question, others: Sequence[Question], n: int, rng: random.Random) -> Question:
    """`question` after `n` answered examples drawn from `others`, never the question itself."""
    if n == 0:
        return question
    candidates = [other for other in others if (other.text, other.answer) != (question.text, question.answer)]
    if len(candidates) < n:
        raise BadQuestion(
            f"{n} shots need at least {n + 1} different questions; there are {len(candidates) + 1}."
        )
    shots = tuple(replace(shot, prelude="", shots=()) for shot in rng.sample(candidates, n))
    return replace(question, shots=shots)


def balanced_slots(n: int, size: int, rng: random.Random) -> list[int]:
    """The slots 0 to n - 1 block by block, each block of `size` in random order.

    So any first few are balanced as well, and they stay the same when more are drawn.
    """
    blocks = (rng.sample(range(start, start + size), size) for start in range(0, n, size))
    return list(chain.from_iterable(blocks))[:n]
