"""The sides that are compared: each records both runs of a task, then measures cells.

headscope does all cells in one upward pass. The others run the whole prompt once for every cell.
"""

import copy
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import Any, Protocol
from unittest.mock import patch

import torch
from torch import Tensor

from analysis import linear
from analysis.adapter import Look, hooked
from analysis.families import find_parts
from analysis.interventions import Patch
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.pair_runs import PairRuns, pairs_by_pass, run_pairs
from benchmarks.tasks import Cell, Task

PEERS = {"TransformerLens": "transformer_lens", "nnsight": "nnsight"}
PLAIN = "transformers with hooks"


class Side(Protocol):
    """One tool. What it records is its own business."""

    name: str
    backend: str  # of its matrix products

    def record(self, task: Task) -> Any:
        """Both runs."""
        ...

    def measure(self, task: Task, recorded: Any, cells: Sequence[Cell]) -> Tensor:
        """Logits of the answers, [cell batch answer], in the base run with each cell patched."""
        ...


class Headscope:
    """The exact engine, with a given product for linear layers."""

    def __init__(self, model: LanguageModel, backend: str) -> None:
        self.name = f"headscope ({backend})"
        self.backend = backend
        self._model = model

    def record(self, task: Task) -> PairRuns:
        runs = self._runs(task, range(len(task.pairs)))
        with self._linear():
            _ = runs.base
        return runs

    def measure(self, task: Task, recorded: PairRuns, cells: Sequence[Cell]) -> Tensor:  # noqa: ARG002
        masks = {cell.position: _mask(recorded, cell.position) for cell in cells}
        interventions = [Patch((cell.node,), masks[cell.position]) for cell in cells]
        with self._linear():
            return recorded.logits_in(interventions)

    def whole(self, task: Task, cells: Sequence[Cell]) -> Tensor:
        """Both runs and the cells, end to end, as many pairs at a time as headscope takes."""
        together = pairs_by_pass(self._model, task.pairs)
        parts = [self.measure(task, self._runs(task, indices), cells) for indices in together]
        order = torch.tensor([index for indices in together for index in indices]).argsort()
        return torch.cat(parts, dim=1)[:, order]

    def _runs(self, task: Task, indices: Sequence[int]) -> PairRuns:
        """Nothing runs yet: the first cells go up in one pass with base and source."""
        pairs = [task.pairs[index] for index in indices]
        return run_pairs(self._model, pairs, window="final" if task.mode == "final" else "differing")

    def _linear(self) -> Any:
        """Instead of the faster of the two, the one that is asked for."""
        return patch.object(linear, "_onednn_is_faster", lambda: self.backend == "oneDNN")


def _mask(runs: PairRuns, position: int | None) -> Tensor:
    if position is None:
        return runs.everywhere
    mask = torch.zeros_like(runs.everywhere)
    mask[:, position] = True
    return mask


def headscope_sides(model: LanguageModel) -> list[Headscope]:
    """With each product that this processor has for linear layers."""
    on_cpu = model.device.type == "cpu"
    has_onednn = on_cpu and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    first = "MKL" if on_cpu and torch.backends.mkl.is_available() else "torch"
    return [Headscope(model, backend) for backend in (first, *(["oneDNN"] if has_onednn else []))]


class PlainTransformers:
    """The model as it comes, one hook, logits of the last position only: the least a peer can do per cell."""

    def __init__(self, model: LanguageModel, backend: str) -> None:
        self.name = PLAIN
        self.backend = backend
        self._network = copy.deepcopy(model.network)
        self._parts = find_parts(self._network)
        self._d_head = model.d_head

    @torch.inference_mode()
    def forward(self, token_ids: Tensor) -> Tensor:
        """The unit of every other figure: one forward pass of the batch, last logits only."""
        ids = token_ids.to(self._network.device)
        return self._network(input_ids=ids, use_cache=False, logits_to_keep=1).logits[:, -1]

    @torch.inference_mode()
    def record(self, task: Task) -> tuple[list[Tensor], list[Tensor]]:
        self.forward(task.base_ids)
        z: list[Tensor] = []
        writes: list[Tensor] = []
        with hooked(
            inputs=[(module, lambda x: z.append(x.clone())) for module in self._parts.attention_outputs],
            outputs=[(module, lambda x: writes.append(x.clone())) for module in self._parts.mlps],
        ):
            self.forward(task.source_ids)
        return z, writes

    @torch.inference_mode()
    def measure(self, task: Task, recorded: Any, cells: Sequence[Cell]) -> Tensor:
        return torch.stack([self._cell(task, recorded, cell) for cell in cells])

    def _cell(self, task: Task, recorded: tuple[list[Tensor], list[Tensor]], cell: Cell) -> Tensor:
        layer, (z, writes) = cell.node.layer, recorded
        if isinstance(cell.node, Head):
            columns = slice(cell.node.head * self._d_head, (cell.node.head + 1) * self._d_head)
            look = _paste(z[layer], cell.position, columns)
            door: Any = {"inputs": [(self._parts.attention_outputs[layer], look)]}
        else:
            look = _paste(writes[layer], cell.position, slice(None))
            door = {"outputs": [(self._parts.mlps[layer], look)]}
        with hooked(**door):
            logits = self.forward(task.base_ids)
        return logits.gather(-1, task.answer_ids.to(logits.device))


def _paste(source: Tensor, position: int | None, columns: slice) -> Look:
    where = slice(None) if position is None else slice(position, position + 1)

    def look(x: Tensor) -> Tensor:
        x = x.clone()
        x.view(source.shape)[:, where, columns] = source[:, where, columns]
        return x

    return look


def missing_peers() -> list[str]:
    """Peers that are not installed here."""
    return [name for name, module in PEERS.items() if importlib.util.find_spec(module) is None]


def all_sides(model: LanguageModel) -> list[Side]:
    """headscope, plain transformers and the peers that are installed, each with weights of its own."""
    ours = headscope_sides(model)
    sides: list[Side] = [*ours, PlainTransformers(model, ours[0].backend)]
    missing = missing_peers()
    if "TransformerLens" not in missing:
        from benchmarks.peers import TransformerLens

        sides.append(TransformerLens(model, ours[0].backend))
    if "nnsight" not in missing:
        from benchmarks.peers import Nnsight

        sides.append(Nnsight(model, ours[0].backend))
    return sides


def versions() -> dict[str, str]:
    """Of everything that computes."""
    names = ("headscope", "torch", "transformers", "transformer-lens", "nnsight")
    installed = {d.metadata["Name"].lower() for d in importlib.metadata.distributions()}
    return {name: importlib.metadata.version(name) for name in names if name in installed}
