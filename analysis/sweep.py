"""The rows of the exact engine at every door into the model. See `analysis.patching`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import Suffix
from analysis.adapter import AttentionCall, Look, bypassed, hooked, sized
from analysis.heap import give_back_gaps
from analysis.model import LanguageModel
from analysis.recording import Recording
from analysis.row_attention import RowAttention
from analysis.rows import Ground, Rows
from analysis.sweep_plan import Copies, SweepPlan

LAYERS_BETWEEN_GAPS = 10  # what narrow layers have left free is of little use to the wider ones above them


@dataclass(frozen=True)
class Sweep(Rows):
    """Rows that go up: they join at their layers and take what is planned."""

    @classmethod
    def of(cls, ground: Ground, source: Suffix | Recording, plan: SweepPlan, start: int) -> "Sweep":
        """Rows of the positions from `start` on."""
        changed = torch.stack(plan.positions, dim=1)[..., start:]
        return cls(ground, source, plan, start, changed)

    @contextmanager
    def joining(self, model: LanguageModel) -> Iterator[None]:
        """Inside the block rows join the pass at their layers and take what is planned."""
        parts = model.parts
        unused = 0 if self.ground.n_front else self.plan.first_layer
        with (
            bypassed(parts.layers[:unused]),
            sized(parts.layers, self.n_tokens_by_layer),
            hooked(
                inputs=[(layer, self.append_rows(index)) for index, layer in enumerate(parts.layers)],
                outputs=[(mlp, self.patch_mlp(index)) for index, mlp in enumerate(parts.mlps)],
            ),
        ):
            yield

    def append_rows(self, layer: int) -> Look:
        """Before a layer: the base run's residual stream once more for every row that begins here."""
        plan = self.plan.layers[layer]
        n_before = [self.ground.n_front, *self.n_tokens_by_layer][layer]

        def look(hidden: Tensor) -> Tensor | None:
            if layer and layer % LAYERS_BETWEEN_GAPS == 0:
                give_back_gaps()
            if plan.n_new_rows or hidden.shape[1] != n_before:
                new_rows = self._kept(self.ground.resid_pre[layer]).repeat(1, plan.n_new_rows, 1)
                hidden = torch.cat([hidden[:, :n_before], new_rows], dim=1)
            if plan.residual:
                hidden = hidden.clone()
                self._take(self._rows(hidden), plan.residual, self.source.resid_pre[layer])
            return hidden

        return look

    def patch_mlp(self, layer: int) -> Look:
        """After an MLP: the source's write in the rows that patch it; paths as planned."""
        plan = self.plan.layers[layer]

        def look(written: Tensor) -> Tensor | None:
            if plan.mlps or plan.mlp_copies.rows:
                rows = self._rows(written.view(len(self.changed), -1, written.shape[-1]))
                _copy(rows, plan.mlp_copies)
                self._take(rows, plan.mlps, self.source.mlp_writes[layer])
            return written  # just made by the MLP, so it may be written to

        return look

    def attend(self, call: AttentionCall) -> Float[Tensor, "batch query_pos head d_head"]:
        """z of every row: patched queries, keys and values, knock-outs, then patched heads."""
        z, plan = RowAttention(self, call).z(), self.plan.layers[call.layer]
        _copy(z, plan.z_copies)
        if plan.z.rows:
            theirs = self._kept(self.source.z[call.layer])[:, :, plan.z.heads].transpose(1, 2)
            ours = z.transpose(2, 3)
            changed = self.changed[:, plan.z.rows][..., None].to(z.device)
            place = slice(None), plan.z.rows, plan.z.heads
            ours[place] = torch.where(changed, theirs, ours[place])
        return z.flatten(1, 2)

    def _rows(self, tokens: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch row _ d_model"]:
        """The rows of a pass, as a view."""
        return tokens[:, self.ground.n_front :].unflatten(1, (-1, self.n_positions))

    def _kept(self, values: Float[Tensor, "batch pos ..."]) -> Float[Tensor, "batch _ ..."]:
        """The positions of the rows, of all that were kept."""
        return values[:, values.shape[1] - self.n_positions :]

    def _take(self, rows: Tensor, which: list[int], values: Tensor) -> None:
        """Some rows, where they are changed, take these values."""
        if which:
            changed = self.changed[:, which][..., None].to(rows.device)
            rows[:, which] = torch.where(changed, self._kept(values)[:, None], rows[:, which])


def _copy(rows: Tensor, copies: Copies) -> None:
    if copies.rows:
        rows[:, copies.rows] = rows[:, copies.origins]
