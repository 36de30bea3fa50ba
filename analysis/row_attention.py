"""The attention of one layer for all rows of a pass.

Every row attends to the base run's earlier keys and values, which all rows share, and to its own: keys are
read once per prompt and KV head for all rows together, and never repeated. Then come the heads of single rows
that see a query, key or value of their own, or do not see a position.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from analysis.adapter import AttentionCall, weights_from_scores
from analysis.row_sights import RowSights
from analysis.rows import Rows
from analysis.sweep_plan import Taken


@dataclass(frozen=True)
class RowAttention:
    """Axes: batch, kv, group, row, position, and last d_head or key_pos."""

    rows: Rows
    call: AttentionCall

    def z(self) -> Float[Tensor, "batch row pos head d_head"]:
        """Every head's mixed values in every row."""
        call, ground, start = self.call, self.rows.ground, self.rows.start
        keys, values = (x[call.layer][:, :, :start] for x in (ground.keys, ground.values))
        sizes = {"kv": keys.shape[1], "pos": self.rows.n_positions}
        tokens = slice(ground.n_front, None)
        query = rearrange(
            call.query[:, :, tokens],
            "batch (kv group) (row pos) d_head -> batch kv group row pos d_head",
            **sizes,
        )
        own_keys, own_values = (
            rearrange(x[:, :, tokens], "batch kv (row pos) d_head -> batch kv row pos d_head", **sizes)
            for x in (call.key, call.value)
        )
        query = self._sights.queries(self._with_other_queries(query))
        scores = torch.cat([_shared(query, keys.transpose(2, 3)), _own_scores(query, own_keys)], dim=-1)
        self._see_other_keys(scores, query, own_keys)
        self._sights.see_keys(scores, query)
        pattern = weights_from_scores(scores, call, self._mask(scores))
        if self.rows.watch is not None:
            self.rows.watch.look(call.layer, pattern)
        z = _shared(pattern[..., :start], values)
        z.add_(torch.matmul(pattern[..., start:], own_values[:, :, None]))
        self._see_other_values(z, pattern, own_values)
        self._sights.see_values(z, pattern, values)
        return rearrange(z, "batch kv group row pos d_head -> batch row pos (kv group) d_head").contiguous()

    def _with_other_queries(self, query: Tensor) -> Tensor:
        """Queries from the source, or from the row with the sender."""
        plan = self.rows.plan.layers[self.call.layer]
        if plan.queries.rows or plan.path_queries.rows:
            query = query.clone()
        if plan.path_queries.rows:
            query[self._pick(plan.path_queries)] = query[self._pick(plan.path_queries, origins=True)]
        if plan.queries.rows:
            theirs = self._kept(self.rows.source.query[self.call.layer])[:, plan.queries.heads]
            place = self._pick(plan.queries)
            query[place] = torch.where(self._changed(plan.queries)[..., None], theirs, query[place])
        return query

    def _see_other_keys(self, scores: Tensor, query: Tensor, own_keys: Tensor) -> None:
        """Scores on keys that single heads see otherwise than their group."""
        for taken, keys, changed in self._replaced("keys", own_keys):
            place = self._pick(taken)
            picked = scores[place]
            old, new = picked[..., self.rows.start :], torch.matmul(query[place], keys.transpose(2, 3))
            picked[..., self.rows.start :] = torch.where(changed[:, :, None], new, old)
            scores[place] = picked

    def _see_other_values(self, z: Tensor, pattern: Tensor, own_values: Tensor) -> None:
        """The difference that other values make, mixed with the head's own pattern."""
        for taken, values, changed in self._replaced("values", own_values):
            place = self._pick(taken)
            difference = (values - own_values[place[0], place[1], place[3]]) * changed[..., None]
            z[place] = z[place] + torch.matmul(pattern[place][..., self.rows.start :], difference)

    def _replaced(self, name: str, own: Tensor) -> Iterator[tuple[Taken, Tensor, Tensor]]:
        """For keys or values: which heads of which rows, their new vectors, and at which positions."""
        plan = self.rows.plan.layers[self.call.layer]
        from_path: Taken = getattr(plan, f"path_{name}")
        if from_path.rows:
            batch, kv, _, row = self._pick(from_path, origins=True)
            theirs = own[batch, kv, row]
            yield from_path, theirs, torch.ones_like(theirs[..., 0], dtype=torch.bool)
        from_source: Taken = getattr(plan, name)
        if from_source.rows:
            theirs = self._kept(getattr(self.rows.source, name)[self.call.layer])
            theirs = theirs[:, self._pick(from_source)[1]]
            yield from_source, theirs, self._changed(from_source)

    def _mask(self, scores: Tensor) -> Tensor | None:
        """What is added to the scores: the model's own mask, and −∞ where a knock-out cuts."""
        start, mask = self.rows.start, self.rows.ground.masks[self.call.layer]
        if mask is not None:
            mask = mask[:, :, None, None, start:]
        cuts = self.rows.plan.layers[self.call.layer].cuts
        if not cuts:
            return mask
        cut = torch.zeros_like(scores)
        for row, knock_out in cuts:
            blocked = (knock_out.queries[:, start:, None] & knock_out.keys[:, None]).to(scores.device)
            for head in knock_out.heads:
                if head.layer == self.call.layer:
                    kv, group = divmod(head.head, self._group_size)
                    cut[:, kv, group, row].masked_fill_(blocked, -torch.inf)
        return cut if mask is None else mask + cut

    @property
    def _sights(self) -> RowSights:
        return RowSights(self.rows.plan.layers[self.call.layer].sights, self._group_size)

    @property
    def _group_size(self) -> int:
        return self.call.query.shape[1] // self.call.key.shape[1]

    def _pick(self, taken: Taken, *, origins: bool = False) -> tuple[slice, list[int], list[int], list[int]]:
        """Index of single heads of single rows."""
        kvs, groups = zip(*(divmod(head, self._group_size) for head in taken.heads), strict=True)
        return slice(None), list(kvs), list(groups), taken.origins if origins else taken.rows

    def _changed(self, taken: Taken) -> Bool[Tensor, "batch row pos"]:
        return self.rows.changed[:, taken.rows].to(self.call.query.device)

    def _kept(self, values: Tensor) -> Tensor:
        """Of "batch head pos d_head" the positions of the rows."""
        return values[:, :, values.shape[2] - self.rows.n_positions :]


def _shared(left: Tensor, right: Tensor) -> Tensor:
    """Products with what all rows of a prompt and KV head share: one matrix product each."""
    return torch.matmul(left.flatten(2, 4), right).unflatten(2, left.shape[2:5])


def _own_scores(query: Tensor, own_keys: Tensor) -> Tensor:
    """Scores of a row's queries on its own keys. At one position a product and a sum are cheaper."""
    if query.shape[4] == 1:
        return (query * own_keys[:, :, None]).sum(-1, keepdim=True)
    return torch.matmul(query, own_keys[:, :, None].transpose(4, 5))
