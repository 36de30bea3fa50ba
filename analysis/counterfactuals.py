"""Counterfactuals: for every clean question a corrupt one, to which another letter is right (or the same).

A sampler is a function of the clean question, all questions drawn with it, and a random number generator.
"""

import random
from collections.abc import Callable, Sequence

from analysis.errors import BadQuestion
from analysis.layout import relabel
from analysis.questions import Question

Sampler = Callable[[Question, Sequence[Question], random.Random], Question]


def swap_options(clean: Question, drawn: Sequence[Question], rng: random.Random) -> Question:  # noqa: ARG001
    """The same question; the content of the correct option and that of another one change places.

    The tokens are the same, two of them elsewhere, so this isolates how the answer is bound to its letter.
    """
    other = rng.choice([place for place in range(len(clean.options)) if place != clean.correct])
    contents = list(clean.contents)
    contents[clean.correct], contents[other] = contents[other], contents[clean.correct]
    return clean.with_contents(tuple(contents), other)


def diff_letter(clean: Question, drawn: Sequence[Question], rng: random.Random) -> Question:
    """Another question, to which another letter is right."""
    return _another(clean, drawn, rng, same=False)


def same_letter(clean: Question, drawn: Sequence[Question], rng: random.Random) -> Question:
    """Another question, to which the same letter is right: a control, little should change."""
    return _another(clean, drawn, rng, same=True)


SAMPLERS: dict[str, Sampler] = {
    "swap_options": swap_options,
    "diff_letter": diff_letter,
    "same_letter": same_letter,
}


def make_pairs(questions: Sequence[Question], sampler: str, seed: int) -> list[tuple[Question, Question]]:
    """(clean, corrupt) for every question, in order. The same arguments give the same pairs."""
    if sampler not in SAMPLERS:
        raise BadQuestion(f"There is no counterfactual {sampler!r}; known: {', '.join(SAMPLERS)}.")
    rng = random.Random(seed)
    return [(clean, SAMPLERS[sampler](clean, questions, rng)) for clean in questions]


def _another(clean: Question, drawn: Sequence[Question], rng: random.Random, *, same: bool) -> Question:
    """Another question, answered at the same place or at a different one, under the labels of `clean`."""
    fitting = [
        other
        for other in drawn
        if (other.text, other.answer) != (clean.text, clean.answer)
        and (other.correct == clean.correct) == same
        and len(other.options) == len(clean.options)
    ]
    if not fitting:
        wanted = "the same correct letter" if same else "another correct letter"
        raise BadQuestion(f"No other question with {wanted} was drawn; draw more questions (a larger n).")
    return relabel(rng.choice(fitting), clean.labels)
