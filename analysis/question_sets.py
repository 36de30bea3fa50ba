"""The built-in question sets, and balanced draws from them or from questions of one's own."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, zip_longest
from typing import get_args

from analysis.errors import BadQuestion
from analysis.generators import Kind, Split, categories, ordering, paired, recalled, stated, sums
from analysis.layout import (
    LabelStyle,
    Layout,
    Stem,
    balanced_slots,
    lay_out,
    places_after_thinning,
    show,
    thin_out,
    with_shots,
)
from analysis.questions import FORMATS, Question

__all__ = [
    "BUILTIN",
    "FORMATS",
    "LABEL_STYLES",
    "Layout",
    "QuestionSet",
    "arrange",
    "draw",
]

STATED: tuple[Kind, ...] = (
    stated("colors", "objects", "colors", "The {about} is {value}. What color is the {about}?"),
    stated(
        "materials", "objects", "materials", "The {about} is made of {value}. What is the {about} made of?"
    ),
    stated("places", "objects", "places", "The {about} is in the {value}. Where is the {about}?"),
    stated("owners", "objects", "names", "The {about} belongs to {value}. Who owns the {about}?"),
    stated("sizes", "objects", "sizes", "The {about} is {value}. What size is the {about}?"),
    stated("prices", "objects", "prices", "The {about} costs {value}. How much does the {about} cost?"),
    stated("jobs", "names", "jobs", "{about} works as a {value}. What is the job of {about}?"),
    stated("food", "names", "foods", "{about} likes to eat {value}. What does {about} like to eat?"),
    stated("animals", "names", "animals", "{about} has a pet {value}. What pet does {about} have?"),
)
MEMORISED: tuple[Kind, ...] = (
    recalled("capitals", "geography", "What is the capital of {about}?"),
    recalled("capitals", "geography", "{about} is the capital of which country?", inverse=True),
    recalled("states", "geography", "What is the capital of the US state of {about}?"),
    recalled("languages", "languages", "Which language do most people in {about} speak?"),
    recalled("landmarks", "geography", "In which country is {about}?"),
    recalled("authors", "literature", "Who wrote {about}?"),
    recalled("elements", "chemistry", "What is the chemical symbol of {about}?"),
    recalled("young", "animals", "What is a young {about} called?"),
    recalled("plurals", "grammar", 'What is the plural of "{about}"?'),
    recalled("past_tense", "grammar", 'What is the past tense of "{about}"?'),
    recalled("opposites", "words", 'What is the opposite of "{about}"?'),
)
TINY: tuple[Kind, ...] = (
    paired("objects", "colors", "colors", "The {about} is {value}. What color is the {about}?"),
    paired(
        "objects", "materials", "materials", "The {about} is made of {value}. What is the {about} made of?"
    ),
    paired("objects", "places", "places", "The {about} is in the {value}. Where is the {about}?"),
    paired("objects", "names", "owners", "The {about} belongs to {value}. Who owns the {about}?"),
)


@dataclass(frozen=True)
class QuestionSet:
    """A family of questions with a train and a held-out half."""

    id: str
    title: str
    description: str
    kinds: tuple[Kind, ...]

    def stems(self, split: Split) -> tuple[tuple[Stem, ...], ...]:
        """Everything that can be asked, kind by kind."""
        return tuple(_stems_of(kind, split) for kind in self.kinds)

    def n_questions(self, split: Split) -> int:
        """Number of different questions, options aside."""
        return sum(len(stems) for stems in self.stems(split))


@cache
def _stems_of(kind: Kind, split: Split) -> tuple[Stem, ...]:
    return tuple(kind(split))


BUILTIN = {
    built.id: built
    for built in (
        QuestionSet(
            "stated-facts",
            "Stated facts",
            "The question says the fact and asks for it: colors, materials, places, owners, sizes, prices, "
            "jobs, food, pets. Nothing has to be known.",
            STATED,
        ),
        QuestionSet(
            "memorised-facts",
            "Memorised facts",
            "The model has to know the fact: capitals, languages, landmarks, authors, chemical symbols, "
            "young animals, plurals, past tenses, opposites.",
            MEMORISED,
        ),
        QuestionSet(
            "categories", "Categories", "Which of these is a fruit, a tool, a fish, ...?", (categories,)
        ),
        QuestionSet("sums", "Small sums", "Sums of two numbers from 1 to 20.", (sums,)),
        QuestionSet("ordering", "Ordering", "The largest or smallest of a few numbers.", (ordering,)),
        QuestionSet(
            "tiny-facts",
            "Tiny facts",
            "Stated facts in the 80 words and a few that mcq-tiny knows: colors, materials, places, owners. "
            "Both halves share the words; held out are pairs of thing and value.",
            TINY,
        ),
    )
}
LABEL_STYLES: tuple[LabelStyle, ...] = get_args(LabelStyle)
N_EXAMPLES = 20  # questions set aside to draw shots from


def draw(set_id: str, *, split: Split, n: int, seed: int, layout: Layout) -> list[Question]:
    """`n` different questions of a built-in set, the correct place as evenly spread as possible.

    The same arguments give the same questions, and a larger `n` begins with those of a smaller one (without
    shots), so what was computed for them is found again. All kinds of the set take part alike, as long as
    they have enough questions. Shots come from the same half and are never the question itself.
    """
    layout.check()
    if set_id not in BUILTIN:
        raise BadQuestion(f"There is no question set {set_id!r}; built in are {', '.join(BUILTIN)}.")
    rng = random.Random(seed)
    stems = _mixed(BUILTIN[set_id].stems(split), layout.n_options, rng)
    if not 1 <= n <= len(stems):
        raise BadQuestion(f"The set {set_id} has {len(stems)} such questions; n = {n} is not from 1 to that.")
    slots = balanced_slots(n, layout.n_options, random.Random(rng.random()))
    questions = [lay_out(stem, slot, layout, rng) for stem, slot in zip(stems, slots, strict=False)]
    if layout.shots == 0:
        return questions
    spare = stems[n : n + N_EXAMPLES] or stems[:N_EXAMPLES]
    examples = [lay_out(stem, rng.randrange(1000), layout, rng) for stem in spare]
    return [with_shots(question, examples, layout.shots, rng) for question in questions]


def arrange(questions: Sequence[Question], n: int, seed: int, layout: Layout) -> list[Question]:
    """`n` of the given questions in this layout, the correct place as evenly spread as the questions allow.

    Options stay in their order ("all of the above" stays last); surplus ones are dropped at random.
    """
    layout.check()
    rng = random.Random(seed)
    usable = [question for question in questions if len(question.options) >= layout.n_options]
    if not 1 <= n <= len(usable):
        raise BadQuestion(
            f"The set has {len(usable)} questions with {layout.n_options} options or more; "
            f"n = {n} is not from 1 to that."
        )
    rng.shuffle(usable)
    chosen = _spread(usable, n, layout.n_options)
    slots = balanced_slots(n, layout.n_options, rng)
    arranged = [
        show(thin_out(question, place, layout.n_options, rng), slot, layout, rng)
        for (question, place), slot in zip(chosen, slots, strict=True)
    ]
    return [with_shots(question, arranged, layout.shots, rng) for question in arranged]


def _spread(questions: list[Question], n: int, n_options: int) -> list[tuple[Question, int]]:
    """`n` questions, each with the place that its correct option shall have, every place about as often."""
    count = Counter({place: 0 for place in range(n_options)})
    chosen, rest = [], []
    for question in questions:
        place = min(places_after_thinning(question, n_options), key=lambda place: count[place])
        if count[place] < -(-n // n_options):
            count[place] += 1
            chosen.append((question, place))
        else:
            rest.append((question, place))
    return (chosen + rest)[:n]


def _mixed(kinds: Sequence[Sequence[Stem]], n_options: int, rng: random.Random) -> list[Stem]:
    """All stems with enough distractors, in random order, the kinds taking turns."""
    usable = [[stem for stem in stems if len(stem.distractors) >= n_options - 1] for stems in kinds]
    for stems in usable:
        rng.shuffle(stems)
    rng.shuffle(usable)
    return [stem for stem in chain.from_iterable(zip_longest(*usable)) if stem is not None]
