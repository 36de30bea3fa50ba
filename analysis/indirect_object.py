"""Indirect objects (IOI): who is given something? The one of two people who is not the giver.

clean    When Mary and John went to the shop, John gave a drink to    -> " Mary"
corrupt  When Mary and John went to the shop, Mary gave a drink to    -> " John"

The corrupt prompt exchanges the giver only, so both have the same length and differ in one token. Half of the
prompts name the giver second (ABB), half first (BAB). All names are one token of the usual tokenizers. The
two halves share templates, but no name, place or object. (Wang et al. 2022, "Interpretability in the wild".)
"""

import random
from collections.abc import Iterator

from analysis.errors import BadQuestion
from analysis.generators import Split
from analysis.layout import balanced_slots
from analysis.text_pairs import QuestionPair, text_pair

ID = "indirect-object"
TITLE = "Indirect object"
DESCRIPTION = (
    "Two people, one of whom gives something: to whom? Pairs of plain text (IOI); in the corrupt prompt the "
    "other one gives."
)
KIND = "indirect object"
TEMPLATES = (
    "When {first} and {second} went to the {place}, {giver} gave a {thing} to",
    "Then, {first} and {second} went to the {place}. {giver} gave a {thing} to",
    "After {first} and {second} met at the {place}, {giver} handed a {thing} to",
    "While {first} and {second} were working at the {place}, {giver} decided to give a {thing} to",
    "Friends {first} and {second} found a {thing} at the {place}. In the end {giver} gave it to",
)
NAMES: dict[Split, tuple[str, ...]] = {
    "held_out": (
        *("Mary", "John", "Tom", "James", "Sarah", "Anna", "Peter", "Paul"),
        *("Kate", "Mark", "Alice", "David", "Emma", "Jack", "Laura", "George"),
    ),
    "train": (
        *("Michael", "Lisa", "Daniel", "Julia", "Robert", "Maria", "Simon", "Jane"),
        *("Richard", "Susan", "Henry", "Helen", "Charles", "Rachel", "William", "Amy"),
    ),
}
PLACES: dict[Split, tuple[str, ...]] = {
    "held_out": ("shop", "market", "school", "hospital", "station", "office"),
    "train": ("house", "park", "library", "hotel", "museum", "restaurant"),
}
THINGS: dict[Split, tuple[str, ...]] = {
    "held_out": ("drink", "book", "ring", "basket", "ball", "key"),
    "train": ("letter", "computer", "bone", "kiss", "map", "coin"),
}


def n_pairs(split: Split) -> int:
    """How many different pairs there are."""
    n_names = len(NAMES[split])
    return 2 * len(TEMPLATES) * n_names * (n_names - 1) * len(PLACES[split]) * len(THINGS[split])


def draw_pairs(split: Split, n: int, seed: int) -> list[QuestionPair]:
    """`n` different pairs, orders and templates evenly spread. The first of them stay as `n` grows."""
    if not 1 <= n <= n_pairs(split):
        raise BadQuestion(f"The set {ID} has {n_pairs(split)} pairs; n = {n} is not from 1 to that.")
    rng = random.Random(seed)
    seen: dict[str, QuestionPair] = {}
    for slot in balanced_slots(n, 2 * len(TEMPLATES), random.Random(rng.random())):
        pair = next(pair for pair in _pairs(slot, split, rng) if pair[0].text not in seen)
        seen[pair[0].text] = pair
    return list(seen.values())


def _pairs(slot: int, split: Split, rng: random.Random) -> Iterator[QuestionPair]:
    """Pairs of one template and order, without end."""
    template, giver_first = TEMPLATES[slot // 2 % len(TEMPLATES)], slot % 2
    while True:
        receiver, giver = rng.sample(NAMES[split], 2)
        first, second = (giver, receiver) if giver_first else (receiver, giver)
        scene = {"place": rng.choice(PLACES[split]), "thing": rng.choice(THINGS[split])}
        clean, corrupt = (
            template.format(first=first, second=second, giver=name, **scene) for name in (giver, receiver)
        )
        yield text_pair(clean, corrupt, (f" {receiver}", f" {giver}"), KIND)
