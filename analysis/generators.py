"""Kinds of questions that need no download: made from tables of words and facts, or from small numbers.

Each kind has a train and a held-out half whose vocabularies do not overlap: an object, country or word of one
half is neither asked about nor offered as an option in the other. Sums share small numbers, but no pair of
numbers is added in both halves. The words of `paired` are shared, too: there it is pairs of words.
"""

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Literal

from analysis.layout import Stem

Split = Literal["train", "held_out"]
Kind = Callable[[Split], list[Stem]]
N_TINY_WORDS = 16


@cache
def table(name: str) -> dict[str, dict]:
    """The table `analysis/facts/<name>.json`."""
    return json.loads(files("analysis").joinpath("facts", f"{name}.json").read_text(encoding="utf-8"))


def stated(subject: str, about: str, values: str, text: str) -> Kind:
    """A fact in the question itself: `text` with {about} and {value} filled in. Options are other values."""

    def stems(split: Split) -> list[Stem]:
        pool = table("stated")[values][split]
        return [
            Stem(
                text.format(about=about_, value=value),
                value,
                others(pool, value),
                f"stated {values}",
                subject,
            )
            for about_, value in product(table("stated")[about][split], pool)
        ]

    return stems


def paired(about: str, values: str, subject: str, text: str) -> Kind:
    """A fact in the question itself, of the few words that `mcq-tiny` knows.

    Both halves share all words; held out are pairs of thing and value, a quarter of them.
    """

    def stems(split: Split) -> list[Stem]:
        things, pool = tiny_words(about), tiny_words(values)
        return [
            Stem(text.format(about=thing, value=value), value, others(pool, value), f"tiny {values}", subject)
            for (i, thing), (j, value) in product(enumerate(things), enumerate(pool))
            if ((i + j) % 4 == 0) == (split == "held_out")
        ]

    return stems


def tiny_words(name: str) -> list[str]:
    """The first words of a table of stated facts."""
    return table("stated")[name]["train"][:N_TINY_WORDS]


def recalled(name: str, subject: str, text: str, *, inverse: bool = False) -> Kind:
    """A fact that the model must bring along: `text` with {about}; options are other answers of the table.

    The inverse asks from the answer back to what it answers (capital to country).
    """

    def stems(split: Split) -> list[Stem]:
        facts: list[tuple[str, str]] = list(table(name)[split].items())
        asked = [(answer, about) for about, answer in facts] if inverse else facts
        pool = list(dict.fromkeys(answer for _, answer in asked))
        return [
            Stem(text.format(about=about), answer, others(pool, answer), name, subject)
            for about, answer in asked
        ]

    return stems


def others(pool: list[str], answer: str) -> tuple[str, ...]:
    """Everything in the pool except the answer."""
    return tuple(content for content in pool if content != answer)


def categories(split: Split) -> list[Stem]:
    """Which of these is a ...? The distractors belong to other categories."""
    groups: dict[str, list[str]] = table("categories")[split]
    return [
        Stem(
            f"Which of these is {category}?",
            member,
            tuple(word for other, words in groups.items() if other != category for word in words),
            "categories",
            "words and their meaning",
        )
        for category, members in groups.items()
        for member in members
    ]


def sums(split: Split) -> list[Stem]:
    """What is 3 + 4? A fixed part of the pairs is held out, whichever number comes first."""
    pairs = [
        (a, b)
        for a, b in product(range(1, 21), repeat=2)
        if ((a * b + a + b) % 3 == 0) == (split == "held_out")
    ]
    return [
        Stem(f"What is {a} + {b}?", str(a + b), _numbers_near(a + b), "sums", "arithmetic") for a, b in pairs
    ]


def _numbers_near(total: int) -> tuple[str, ...]:
    """The fourteen numbers around a sum, without the sum."""
    first = max(1, total - 7)
    return tuple(str(number) for number in range(first, first + 15) if number != total)


def ordering(split: Split) -> list[Stem]:
    """Which number is the largest or smallest? Each number from 10 to 199 belongs to one half only."""
    numbers = [number for number in range(10, 200) if (number % 4 == 3) == (split == "held_out")]
    stems = []
    for place, number in enumerate(numbers):
        for word, rest in (("largest", numbers[:place]), ("smallest", numbers[place + 1 :])):
            if len(rest) >= 9:
                wrong = tuple(map(str, rest))
                stems.append(Stem(f"Which number is the {word}?", str(number), wrong, "ordering", "numbers"))
    return stems
