"""Which token of one prompt stands for which of another, and where the two differ."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

Aligned = tuple[int | None, int | None]
"""A position of the left prompt and one of the right; None where the other has no such token."""


def align(left: Sequence[int], right: Sequence[int]) -> list[Aligned]:
    """Prompts of equal length position by position, as patches take their values; others by what is alike."""
    if len(left) == len(right):
        return [(place, place) for place in range(len(left))]
    found: list[Aligned] = []
    for _, start, end, other_start, other_end in SequenceMatcher(
        None, left, right, autojunk=False
    ).get_opcodes():
        found += zip_longest(range(start, end), range(other_start, other_end))
    return found


def changed(left: Sequence[int], right: Sequence[int]) -> tuple[set[int], set[int]]:
    """The positions of each prompt whose token is another one in the other prompt, or missing there."""
    apart = [
        (here, there)
        for here, there in align(left, right)
        if here is None or there is None or left[here] != right[there]
    ]
    return {here for here, _ in apart if here is not None}, {there for _, there in apart if there is not None}
