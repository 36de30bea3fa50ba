"""Which positions are changed, and which position of the source prompt is the same place as one of the base.

The final position is always matched with the final one. All positions, or those from the first differing
token on, are matched by their number, so they need prompts of equal length. Positions chosen by a role are
matched by what they are: the n-th token of an option's label or content with that of the same option.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from analysis.activations import first_difference, stack_tokens
from analysis.alignment import align
from analysis.errors import MisalignedPrompts
from analysis.prompts import Prompt
from analysis.roles import ROLES, describe

PositionChoice = str | int
"""`final`, `all`, `differing` (from the first differing token on), a role, or a position counted from 0."""

_RELATIONS = ("_correct", "_incorrect")  # what a token is to the question, not where it stands


@dataclass(frozen=True)
class Lineup:
    """Positions of base prompts that are changed, and where their values come from."""

    positions: Bool[Tensor, "batch pos"]
    source_positions: Int[Tensor, "batch pos"] | None  # None: the same number, counted from the end

    @property
    def start(self) -> int:
        """The first position that any prompt changes."""
        return int(self.positions.any(0).nonzero()[0])


def line_up(base: Sequence[Prompt], source: Sequence[Prompt], choice: PositionChoice) -> Lineup:
    """The chosen positions; `MisalignedPrompts` where the source has no such place."""
    base_ids, source_ids = stack_tokens(base), stack_tokens(source)
    positions = torch.zeros_like(base_ids, dtype=torch.bool)
    if choice == "final":
        positions[:, -1] = True
        return Lineup(positions, None)
    if choice in ("all", "differing") or isinstance(choice, int):
        if base_ids.shape != source_ids.shape:
            raise MisalignedPrompts(
                f"The prompts of a pair have {base_ids.shape[1]} and {source_ids.shape[1]} tokens, so their "
                "positions cannot be matched by number. Choose the final position or a role."
            )
        positions[:, _numbers(choice, base_ids, source_ids)] = True
        return Lineup(positions, None)
    return _by_role(base, source, choice)


def check_choice(choice: PositionChoice, n_positions: int | None = None) -> None:
    """Raise `MisalignedPrompts` for what is neither a word for positions nor a position of such a prompt."""
    if isinstance(choice, int):
        if choice < 0 or (n_positions is not None and choice >= n_positions):
            raise MisalignedPrompts(
                f"There is no position {choice}: a prompt has {n_positions} tokens, from 0 on."
            )
    elif choice not in ("final", "all", "differing"):
        try:
            describe(choice)
        except KeyError:
            words = ", ".join(("final", "all", "differing", *ROLES))
            raise MisalignedPrompts(f"There are no positions {choice!r}; known: {words}.") from None


def _numbers(choice: PositionChoice, base_ids: Tensor, source_ids: Tensor) -> slice | int:
    if isinstance(choice, int):
        check_choice(choice, base_ids.shape[1])
        return choice
    return slice(0 if choice == "all" else first_difference(base_ids, source_ids), None)


def _by_role(base: Sequence[Prompt], source: Sequence[Prompt], role: str) -> Lineup:
    check_choice(role)
    chosen = [[role in roles for roles in prompt.roles] for prompt in base]
    places = [matching(left, right) for left, right in zip(base, source, strict=True)]
    for wanted, place in zip(chosen, places, strict=True):
        if not any(wanted):
            raise MisalignedPrompts(f"A prompt of these pairs has no token with the role {role!r}.")
        if any(is_wanted and there is None for is_wanted, there in zip(wanted, place, strict=True)):
            raise MisalignedPrompts(
                f"A token with the role {role!r} has no counterpart in the other prompt of its pair: the "
                "texts have different numbers of tokens there. Choose another role or the final position."
            )
    filled = [[0 if there is None else there for there in place] for place in places]
    return Lineup(torch.tensor(chosen), torch.tensor(filled))


def matching(base: Prompt, source: Prompt) -> list[int | None]:
    """For each position of the base prompt the same place in the source prompt; None where there is none.

    A place is a sequence of tokens with the same roles, and only matched if it is equally long in both. The
    tokens of plain texts are matched by their number or, where the lengths differ, by what is alike.
    """
    if not base.question.lists_options:
        aligned = {here: there for here, there in align(base.token_ids, source.token_ids) if here is not None}
        return [aligned[position] for position in range(len(base.roles))]
    there = _places(source)
    found: list[int | None] = [None] * len(base.roles)
    for place, positions in _places(base).items():
        if len(there[place]) == len(positions):
            for position, counterpart in zip(positions, there[place], strict=True):
                found[position] = counterpart
    return found


def _places(prompt: Prompt) -> defaultdict[tuple[str, ...], list[int]]:
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, roles in enumerate(prompt.roles):
        places[tuple(role for role in roles if not role.endswith(_RELATIONS))].append(position)
    return places
