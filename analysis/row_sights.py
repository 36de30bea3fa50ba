"""Heads of single rows that see their query, keys or values otherwise (`analysis.interventions.Rewrite`).

Only the final position's scores of the heads in question are computed again, so heads that share a key or a
value are untouched to the last bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analysis.interventions import Sight
from analysis.nodes import Head

Place = tuple[slice, int, int, list[int], int]
"""Index of one head in some rows at the final position."""


@dataclass(frozen=True)
class RowSights:
    """What is seen otherwise in one layer, and in which row."""

    sights: Sequence[tuple[int, Sight]]
    group_size: int

    def queries(
        self, query: Float[Tensor, "batch kv_head group row pos d_head"]
    ) -> Float[Tensor, "batch kv_head group row pos d_head"]:
        """A q + b in the rows that map it."""
        mapped = list(self._of("query"))
        query = query.clone() if mapped else query
        for place, sights in mapped:
            maps = [sight.query for sight in sights if sight.query is not None]
            matrices = torch.stack([one.matrix for one in maps])
            shifts = torch.stack([one.shift for one in maps], dim=1)
            ours = einsum(query[place], matrices, "batch row d_head, row new d_head -> batch row new")
            query[place] = ours + shifts
        return query

    def see_keys(
        self,
        scores: Float[Tensor, "batch kv_head group row pos key_pos"],
        query: Float[Tensor, "batch kv_head group row pos d_head"],
    ) -> None:
        """Scores on other keys, written among those on the positions of all rows."""
        for place, sights in self._of("keys"):
            keys, positions = _stack(sights, "keys"), _stack(sights, "positions")
            theirs = einsum(
                query[place], keys, "batch row d_head, batch row answer d_head -> batch row answer"
            )
            scores[place] = scores[place].scatter(2, positions, theirs)

    def see_values(
        self,
        z: Float[Tensor, "batch kv_head group row pos d_head"],
        pattern: Float[Tensor, "batch kv_head group row pos key_pos"],
        values: Float[Tensor, "batch kv_head _ d_head"],  # of the positions that all rows share
    ) -> None:
        """The difference that other values make, mixed with the head's own pattern."""
        for place, sights in self._of("values"):
            positions = _stack(sights, "positions")
            prompt = torch.arange(len(positions), device=positions.device)[:, None, None]
            difference = _stack(sights, "values") - values[:, place[1]][prompt, positions]
            weights = pattern[place].gather(2, positions)
            mixed = einsum(
                weights, difference, "batch row answer, batch row answer d_head -> batch row d_head"
            )
            z[place] = z[place] + mixed

    def _of(self, part: str) -> Iterator[tuple[Place, list[Sight]]]:
        """Head by head, the rows in which it sees this part otherwise."""
        by_head: dict[Head, list[tuple[int, Sight]]] = {}
        for row, sight in self.sights:
            if getattr(sight, part) is not None:
                by_head.setdefault(sight.head, []).append((row, sight))
        for head, found in by_head.items():
            kv, group = divmod(head.head, self.group_size)
            yield (slice(None), kv, group, [row for row, _ in found], -1), [sight for _, sight in found]


def _stack(sights: Sequence[Sight], part: str) -> Tensor:
    return torch.stack([getattr(sight, part) for sight in sights], dim=1)
