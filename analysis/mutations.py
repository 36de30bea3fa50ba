"""Mutations: pure changes of a question's form, which show what an explanation of a head depends on.

Question: The bike is yellow. What color is the bike?        Question: The bike is yellow. ...
(A) gray                                               ->    (O) gray
(B) yellow                                                   (E) yellow
Answer: (                                                    Answer: (

What is asked and the content of the correct option never change; a question that is right by its content
stays right. The worked examples in front change alike. Random choices follow from the question's own words,
so the same question always becomes the same. (Lieberum et al. 2023, label mutations.)
"""

import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analysis.errors import BadQuestion
from analysis.layout import places_after_thinning, prelude_about, relabel, thin_out
from analysis.questions import Format, Question, with_delimiters

Change = Callable[[Question, random.Random], Question]
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_BRACKETS = ("(", "[", "{", "<", '"', "'")


@dataclass(frozen=True)
class Mutation:
    """One way to change a question's form."""

    name: str
    title: str
    example: str  # the option line or lines, shortened
    isolates: str  # what an answer that survives it cannot depend on, or what it tells apart
    change: Change

    def mutate(self, question: Question, *, seed: int = 0) -> Question:
        """The question in its other form. The same question and seed always give the same."""
        draw = random.Random(f"{self.name} {seed} {question.text} {question.contents}")
        changed = self.change(question, draw)
        shots = tuple(replace(self.mutate(shot, seed=seed), prelude=shot.prelude) for shot in question.shots)
        return replace(changed, shots=shots)


@dataclass(frozen=True)
class OwnMutation:
    """A mutation of a user's own. What is None stays as it is.

    The prompt ends with the bracket that opens a label, unless `suffix` says how it ends.
    """

    labels: tuple[str, ...] | None = None
    opening: str | None = None
    closing: str | None = None
    separator: str | None = None
    suffix: str | None = None
    lead: str | None = None
    prelude: str | None = None


def mutation_of(own: OwnMutation) -> Mutation:
    """A user's own mutation as one of the others."""

    def change(question: Question, draw: random.Random) -> Question:  # noqa: ARG001
        labels = question.labels if own.labels is None else own.labels
        if len(labels) < len(question.options):
            raise BadQuestion(
                f"Your own mutation has {len(labels)} labels; these questions have {len(question.options)} "
                "options."
            )
        prelude = question.prelude if own.prelude is None else own.prelude
        relabelled = relabel(question, labels[: len(question.options)])
        return replace(relabelled, prelude=prelude, format=_own_format(question.format, own))

    return Mutation("own", "Own mutation", _shown(own), "what you changed", change)


def inverse(mutated: Question, original: Question) -> Question:
    """What is asked and answered in `mutated`, in the form of `original`: its labels, order and format.

    Options that were left out come back from `original`. It is `original` again if and only if the mutation
    kept what is asked and which content is right.
    """
    foreign = [content for content in mutated.contents if content not in original.contents]
    if foreign:
        raise BadQuestion(f"The content {foreign[0]!r} is in no option of the original question.")
    shots = tuple(inverse(shot, first) for shot, first in zip(mutated.shots, original.shots, strict=True))
    return replace(
        mutated,
        options=original.options,
        correct=original.contents.index(mutated.answer),
        prelude=original.prelude,
        format=original.format,
        shots=shots,
    )


def _labels(choose: Callable[[Question, random.Random], Sequence[str]]) -> Change:
    """The same contents in the same order under other labels."""
    return lambda question, draw: relabel(question, choose(question, draw))


def _other_letters(question: Question, draw: random.Random) -> list[str]:
    """Random letters, never A to D nor a label that is there: those would tell the place in the list."""
    free = [letter for letter in string.ascii_uppercase[4:] if letter not in question.labels]
    return draw.sample(free, len(question.options))


def _delimiters(opening: str, closing: str) -> Change:
    return lambda question, _: replace(question, format=with_delimiters(question.format, opening, closing))


def _permuted(question: Question, draw: random.Random) -> Question:
    contents = draw.sample(question.contents, len(question.options))
    return question.with_contents(tuple(contents), contents.index(question.answer))


def _at_most(n_options: int) -> Change:
    """Random wrong options go, the first labels stay; a question with fewer options stays as it is."""

    def change(question: Question, draw: random.Random) -> Question:
        if len(question.options) <= n_options:
            return question
        place = draw.choice(places_after_thinning(question, n_options))
        return relabel(thin_out(question, place, n_options, draw), question.labels[:n_options])

    return change


def _own_format(style: Format, own: OwnMutation) -> Format:
    opening = style.opening if own.opening is None else own.opening
    closing = style.closing if own.closing is None else own.closing
    if (opening, closing) != (style.opening, style.closing):
        style = with_delimiters(style, opening, closing)
    if own.suffix is not None:
        spaced = not own.suffix.endswith((*_BRACKETS, " ", "\n"))
        ends_open = bool(opening.strip()) and own.suffix.endswith(opening.strip())
        style = replace(
            style,
            name=f"{style.name} {own.suffix}",
            suffix=own.suffix,
            label_lead=" " if spaced else "",
            answer_end=closing.strip() if ends_open else "",
        )
    separator = style.separator if own.separator is None else own.separator
    return replace(style, separator=separator, lead=style.lead if own.lead is None else own.lead)


def _shown(own: OwnMutation) -> str:
    """The labels as they would stand in the default format, with what the user has changed about them."""
    opening = "(" if own.opening is None else own.opening
    closing = ") " if own.closing is None else own.closing
    return "".join(f"{opening}{label}{closing}" for label in own.labels or "ABCD").strip()


MUTATIONS: dict[str, Mutation] = {
    mutation.name: mutation
    for mutation in (
        Mutation("none", "Unchanged", "(A)(B)(C)(D)", "nothing: the baseline", lambda question, _: question),
        Mutation(
            "shuffled",
            "Shuffled labels",
            "(C)(A)(D)(B)",
            "the place in the list against the letter",
            _labels(lambda question, draw: draw.sample(question.labels, len(question.labels))),
        ),
        Mutation(
            "random_letters",
            "Random letters",
            "(O)(E)(X)(K)",
            "only the place in the list is left",
            _labels(_other_letters),
        ),
        Mutation(
            "ordered_letters",
            "Random letters in order",
            "(F)(H)(M)(R)",
            "the alphabet without A to D",
            _labels(lambda question, draw: sorted(_other_letters(question, draw))),
        ),
        Mutation(
            "numbers",
            "Numbers",
            "(1)(2)(3)(4)",
            "a list in another alphabet",
            _labels(lambda question, _: [str(place + 1) for place in range(len(question.options))]),
        ),
        Mutation(
            "lower_case",
            "Lower case",
            "(a)(b)(c)(d)",
            "the letter against its token",
            _labels(lambda question, _: [label.lower() for label in question.labels]),
        ),
        Mutation(
            "roman",
            "Roman numerals",
            "(I)(II)(III)(IV)",
            "a list in another alphabet",
            _labels(lambda question, _: ROMAN[: len(question.options)]),
        ),
        Mutation("dot", "Full stops", "A. B. C. D.", "the format", _delimiters("", ". ")),
        Mutation("bracket", "Square brackets", "[A][B][C][D]", "the format", _delimiters("[", "] ")),
        Mutation("colon", "Colons", "A: B: C: D:", "the format", _delimiters("", ": ")),
        Mutation(
            "semicolon",
            "Semicolons for line ends",
            "(A) gray; (B) pink;",
            "the format: no line ends to gather at",
            lambda question, _: replace(question, format=replace(question.format, separator="; ")),
        ),
        Mutation(
            "no_prelude",
            "Without the first sentence",
            "Question: ...",
            "the setting of the scene",
            lambda question, _: replace(question, prelude=""),
        ),
        Mutation(
            "prelude",
            "With a first sentence",
            "A highly knowledgeable ...",
            "the setting of the scene",
            lambda question, _: replace(question, prelude=prelude_about(question.subject)),
        ),
        Mutation(
            "permuted",
            "Permuted options",
            "(A) pink (B) gray",
            "the place of the right content",
            _permuted,
        ),
        Mutation(
            "options_first",
            "Options before the question",
            "(A)(B)(C)(D) Question: ...",
            "the order of reading",
            lambda question, _: replace(question, format=replace(question.format, options_first=True)),
        ),
        Mutation("two_options", "Two options", "(A)(B)", "the length of the list", _at_most(2)),
        Mutation("three_options", "Three options", "(A)(B)(C)", "the length of the list", _at_most(3)),
    )
}
