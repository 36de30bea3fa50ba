"""The peers, used as their own documentation does. Imported only where they are installed."""

import copy
from collections.abc import Sequence
from typing import Any

import nnsight
import pandas as pd
import torch
import transformer_lens.patching as tl_patching
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge
from transformers import PreTrainedTokenizerFast

from analysis.families import find_parts
from analysis.model import LanguageModel
from analysis.nodes import Head
from benchmarks.tasks import Cell, Task


class TransformerLens:
    """`generic_activation_patch`, one forward pass per cell, with the setters of its own patching module."""

    def __init__(self, model: LanguageModel, backend: str) -> None:
        self.name = "TransformerLens"
        self.backend = backend
        self._bridge = TransformerBridge.boot_transformers(
            "gpt2"
            if model.family == "gpt2"
            else "HuggingFaceTB/SmolLM2-135M",  # a name only; nothing is fetched
            hf_model=copy.deepcopy(model.network),
            tokenizer=model.tokenizer or _no_tokenizer(model),
            device=str(model.device),
            dtype=torch.float32,
        )

    @torch.inference_mode()
    def record(self, task: Task) -> Any:
        self._bridge(task.base_ids)
        kept = ("attn.hook_z", "hook_mlp_out") if task.mode == "final" else ("attn.hook_z",)
        return self._bridge.run_with_cache(task.source_ids, names_filter=lambda name: name.endswith(kept))[1]

    @torch.inference_mode()
    def measure(self, task: Task, recorded: Any, cells: Sequence[Cell]) -> Tensor:
        return torch.cat([self._cells(task, recorded, [cell]) for cell in cells])

    def _cells(self, task: Task, cache: Any, cells: Sequence[Cell]) -> Tensor:
        """Its index has a row per cell: layer, position, head, as the setter wants them."""
        indices = [_index(cell) for cell in cells]
        name, setter = _SETTERS[tuple(indices[0])]
        result: Any = tl_patching.generic_activation_patch(
            self._bridge,
            task.base_ids,
            cache,
            _metrics(task.answer_ids),
            setter,
            name,
            index_df=pd.DataFrame(indices),
            reduce="none",
        )
        return result.values.permute(1, 2, 0)


def _index(cell: Cell) -> dict[str, int]:
    place = {} if cell.position is None else {"pos": cell.position}
    head = {"head_index": cell.node.head} if isinstance(cell.node, Head) else {}
    return {"layer": cell.node.layer} | place | head


_SETTERS = {
    ("layer", "pos", "head_index"): ("z", tl_patching.layer_pos_head_vector_patch_setter),
    ("layer", "head_index"): ("z", tl_patching.layer_head_vector_patch_setter),
    ("layer", "pos"): ("mlp_out", tl_patching.layer_pos_patch_setter),
}


def _metrics(answer_ids: Tensor) -> dict[str, Any]:
    """The logit of each answer at the final position."""

    def logit_of(ids: Tensor) -> Any:
        return lambda logits: logits[:, -1].gather(-1, ids.to(logits.device)[:, None])[:, 0]

    return {str(index): logit_of(ids) for index, ids in enumerate(answer_ids.unbind(1))}


class Nnsight:
    """One trace per cell."""

    def __init__(self, model: LanguageModel, backend: str) -> None:
        self.name = "nnsight"
        self.backend = backend
        network = copy.deepcopy(model.network)
        names = {module: name for name, module in network.named_modules()}
        parts = find_parts(network)
        self._model = nnsight.TransformersModel(
            network, task="text-generation", tokenizer=model.tokenizer or _no_tokenizer(model)
        )
        self._attention_outputs = [self._model.get(names[module]) for module in parts.attention_outputs]
        self._mlps = [self._model.get(names[module]) for module in parts.mlps]
        self._d_head = model.d_head

    @torch.inference_mode()
    def record(self, task: Task) -> tuple[list[Tensor], list[Tensor]]:
        with self._model.trace(task.base_ids):
            self._model.lm_head.output[:, -1].save()
        z: list[Any] = []
        writes: list[Any] = []
        with self._model.trace(task.source_ids):
            for output, mlp in zip(self._attention_outputs, self._mlps, strict=True):
                z.append(output.input.clone().save())
                writes.append(mlp.output.clone().save())
        return z, writes

    @torch.inference_mode()
    def measure(self, task: Task, recorded: Any, cells: Sequence[Cell]) -> Tensor:
        return torch.stack([self._cell(task, recorded, cell) for cell in cells])

    def _cell(self, task: Task, recorded: tuple[list[Tensor], list[Tensor]], cell: Cell) -> Tensor:
        layer, (z, writes) = cell.node.layer, recorded
        where = slice(None) if cell.position is None else slice(cell.position, cell.position + 1)
        with self._model.trace(task.base_ids):
            if isinstance(cell.node, Head):
                columns = slice(cell.node.head * self._d_head, (cell.node.head + 1) * self._d_head)
                self._attention_outputs[layer].input[:, where, columns] = z[layer][:, where, columns]
            else:
                self._mlps[layer].output[:, where] = writes[layer][:, where]
            logits = self._model.lm_head.output[:, -1].save()
        return logits.gather(-1, task.answer_ids.to(logits.device))


def _no_tokenizer(model: LanguageModel) -> PreTrainedTokenizerFast:
    """Peers insist on one; tokens are given, so it is never used."""
    from tokenizers import Tokenizer, models

    words = {str(index): index for index in range(model.vocab_size)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="0"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="0", pad_token="0")
