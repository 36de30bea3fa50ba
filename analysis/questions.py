"""A multiple-choice question as a value, and the text it becomes. Knows no tokenizer.

Question: The bike is yellow. What color is the bike?
(A) gray
(B) yellow
Answer: (

In the format `TEXT` a question is any text, and its options are the words that may follow; the text itself
does not list them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis.errors import BadQuestion

MAX_OPTIONS = 10


@dataclass(frozen=True)
class Format:
    """How the options and the end of a prompt are written.

    `suffix` is the end of the prompt; the model must say `label_lead` + label right after it.
    """

    name: str
    opening: str
    closing: str
    suffix: str
    label_lead: str
    answer_end: str  # what follows the label where a shot shows its answer
    separator: str = "\n"
    lead: str = "Question: "
    options_first: bool = False  # the options stand before the question


def with_delimiters(style: Format, opening: str, closing: str) -> Format:
    """Other marks around the labels. The prompt's end follows: it opens the bracket of the label to come."""
    return replace(
        style,
        name=f"{opening}A{closing}".strip(),
        opening=opening,
        closing=closing,
        suffix=f"Answer: {opening}" if opening else "Answer:",
        label_lead="" if opening else " ",
        answer_end=closing.strip() if opening else "",
    )


FORMATS = {
    "(A)": Format("(A)", "(", ") ", "Answer: (", "", ")"),
    "A.": Format("A.", "", ". ", "Answer:", " ", ""),
}
DEFAULT_FORMAT = FORMATS["(A)"]
TEXT = Format("text", opening="", closing="", suffix="", label_lead="", answer_end="", separator="", lead="")


@dataclass(frozen=True)
class Option:
    """One choice: its label (`A`) and its content (`yellow`)."""

    label: str
    content: str


@dataclass(frozen=True)
class Question:
    """A question with its options, everything that stands before it, and how it is written down."""

    text: str
    options: tuple[Option, ...]
    correct: int  # index of the correct option
    prelude: str = ""
    shots: tuple["Question", ...] = ()  # answered examples that come first; theirs is this format
    format: Format = DEFAULT_FORMAT
    kind: str = ""  # which generator or file it comes from
    subject: str = ""  # what it is about, in words that fit after "questions about"

    @property
    def answer(self) -> str:
        """Content of the correct option."""
        return self.options[self.correct].content

    @property
    def lists_options(self) -> bool:
        """Whether the prompt shows its options with their labels; a plain text does not."""
        return self.format != TEXT

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(option.label for option in self.options)

    @property
    def contents(self) -> tuple[str, ...]:
        return tuple(option.content for option in self.options)

    def with_contents(self, contents: tuple[str, ...], correct: int) -> "Question":
        """The same labels with other contents; option `correct` is now the right one."""
        options = tuple(Option(label, content) for label, content in zip(self.labels, contents, strict=True))
        return replace(self, options=options, correct=correct)


@dataclass(frozen=True)
class Segment:
    """A stretch of a prompt's text and the roles of the tokens in it."""

    text: str
    roles: tuple[str, ...]
    option: int | None = None  # the option that it belongs to


def check(question: Question) -> None:
    """Raise `BadQuestion` with a sentence that says what is wrong, if anything is."""
    if not question.text.strip():
        raise BadQuestion("The question has no text." if question.lists_options else "The prompt is empty.")
    if not question.lists_options:
        _check_answers(question.labels)
        return
    if len(question.options) < 2:
        raise BadQuestion(f"A question needs at least 2 options; this one has {len(question.options)}.")
    if len(question.options) > MAX_OPTIONS:
        raise BadQuestion(f"A question can have {MAX_OPTIONS} options at most, not {len(question.options)}.")
    if not 0 <= question.correct < len(question.options):
        raise BadQuestion(
            f"The correct option is number {question.correct + 1} of only {len(question.options)} options."
        )
    _check_distinct("label", question.labels)
    _check_distinct("content", question.contents)


def _check_answers(answers: tuple[str, ...]) -> None:
    """Those of a plain text: the right one and one or more distractors."""
    if not 2 <= len(answers) <= MAX_OPTIONS:
        raise BadQuestion(
            f"A prompt needs an answer and 1 to {MAX_OPTIONS - 1} distractors, not {len(answers)} in all."
        )
    if "" in answers:
        empty = "The answer" if answers[0] == "" else "A distractor"
        raise BadQuestion(f"{empty} is empty.")
    if len(set(answers)) < len(answers):
        twice = next(answer for place, answer in enumerate(answers) if answer in answers[:place])
        raise BadQuestion(f"“{twice}” stands twice among the answer and its distractors.")


def _check_distinct(what: str, values: tuple[str, ...]) -> None:
    for place, value in enumerate(values):
        if not value.strip():
            raise BadQuestion(f"Option {place + 1} has an empty {what}.")
        if value in values[:place]:
            raise BadQuestion(f"Two options have the same {what}, {value!r}; the answer would be ambiguous.")


def segments(question: Question) -> list[Segment]:
    """The prompt cut into pieces with roles, in reading order; together they are the prompt's text."""
    check(question)
    if not question.lists_options:
        return [Segment(question.text, ("text",))]
    shots = [Segment(render(shot) + _shown_answer(shot), ("shot",)) for shot in question.shots]
    parts = [
        Segment(question.prelude, ("prelude",)),
        *shots,
        *_body(question),
        *_suffix(question.format.suffix),
    ]
    return [part for part in parts if part.text]


def render(question: Question) -> str:
    """The text that the model reads; it ends where the label must follow."""
    return "".join(part.text for part in segments(question))


def _shown_answer(shot: Question) -> str:
    return shot.format.label_lead + shot.labels[shot.correct] + shot.format.answer_end + "\n\n"


def _body(question: Question) -> list[Segment]:
    asked, options = list(_asked(question)), list(_options(question))
    return options + asked if question.format.options_first else asked + options


def _asked(question: Question) -> Iterator[Segment]:
    style = question.format
    yield Segment(style.lead, ("lead",))
    yield Segment(question.text, ("question",))
    yield Segment(style.separator, ("newline", "newline_question"))


def _options(question: Question) -> Iterator[Segment]:
    style = question.format
    for place, option in enumerate(question.options):
        which = "correct" if place == question.correct else "incorrect"
        named = option.label
        yield Segment(style.opening, ("delimiter",), place)
        yield Segment(option.label, ("label", f"label_{which}", f"label_{named}"), place)
        yield Segment(style.closing, ("delimiter",), place)
        yield Segment(option.content, ("content", f"content_{which}", f"content_{named}"), place)
        yield Segment(style.separator, ("newline", f"newline_{which}", f"newline_{named}"), place)


def _suffix(suffix: str) -> Iterator[Segment]:
    for piece in re.findall(r"\s*\w+|\s*:|\s*[(\[{]|\s*[^\w\s:(\[{]+|\s+", suffix):
        yield Segment(piece, ("suffix", _suffix_role(piece.strip())))


def _suffix_role(word: str) -> str:
    if word == ":":
        return "colon"
    return "open_bracket" if word in ("(", "[", "{") else "answer"
