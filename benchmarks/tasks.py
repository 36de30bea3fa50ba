"""What every side is given: the same weights, the same prompt pairs, the same cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from transformers import (
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
)

from analysis.activations import stack_answers, stack_tokens
from analysis.counterfactuals import make_pairs
from analysis.layout import Layout
from analysis.model import LanguageModel
from analysis.nodes import Head, Mlp
from analysis.prompts import Prompt, PromptPair
from analysis.question_sets import draw
from analysis.questions import Option, Question
from analysis.tokenise import tokenise
from backend.demo import smollm2

T = 96  # tokens of a prompt
D = 16  # of these, from the first that differs between base and source on

FILLER = """\
The library is on the other side of the river. It opens at nine in the morning and closes at six. On Sundays \
it stays closed. The river is crossed by an old bridge of stone, which was built many years ago. People walk \
over it every day, and in summer children jump from it into the water. """

Mode = Literal["final", "everywhere", "each"]
MODES: dict[Mode, str] = {
    "final": "heads and MLPs, final position",
    "everywhere": "heads, all positions at once",
    "each": "heads, each differing position",
}


@dataclass(frozen=True)
class Cell:
    """One patch: a node takes the source run's value at one position, or at all of them (None)."""

    node: Head | Mlp
    position: int | None


@dataclass(frozen=True)
class Task:
    """Prompt pairs, base = clean and source = corrupt, and the cells to be patched one by one."""

    mode: Mode
    pairs: tuple[PromptPair, ...]
    cells: tuple[Cell, ...]

    @property
    def base_ids(self) -> Tensor:
        return stack_tokens([pair.clean for pair in self.pairs])

    @property
    def source_ids(self) -> Tensor:
        return stack_tokens([pair.corrupt for pair in self.pairs])

    @property
    def answer_ids(self) -> Tensor:
        return stack_answers([pair.clean for pair in self.pairs])


def make_task(mode: Mode, model: LanguageModel, pairs: Sequence[PromptPair]) -> Task:
    """All cells of one mode."""
    heads = [Head(layer, head) for layer in range(model.n_layers) for head in range(model.n_heads)]
    mlps = [Mlp(layer) for layer in range(model.n_layers)]
    if mode == "final":
        cells = [Cell(node, T - 1) for node in (*heads, *mlps)]
    elif mode == "everywhere":
        cells = [Cell(head, None) for head in heads]
    else:
        cells = [Cell(head, position) for position in range(T - D, T) for head in heads]
    return Task(mode, tuple(pairs), tuple(cells))


def some(cells: Sequence[Cell], n: int) -> list[Cell]:
    """`n` cells, evenly spread: the middle one of each n-th part."""
    return [cells[(2 * index + 1) * len(cells) // (2 * n)] for index in range(n)]


def every_kth_head(cells: Sequence[Cell], k: int) -> list[Cell]:
    """Of each layer and position one head in k, so that what they cost is that share of all cells."""
    return [
        cell
        for cell in cells
        if cell.node.layer % k == (cell.node.head if isinstance(cell.node, Head) else 0) % k
    ]


def load_smollm2(folder: Path) -> tuple[LanguageModel, str]:
    """The demo model, or random weights of its shape where its package is missing, and which of both."""
    try:
        base = smollm2.ensure_base(folder, lambda _: None)
    except smollm2.MissingWeights:
        torch.manual_seed(0)
        shape = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "vocab_size": 49152}
        heads = {"num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True}
        return LanguageModel.wrap(LlamaForCausalLM(LlamaConfig(**shape, **heads))), "random weights"
    return LanguageModel.load(base, adapter=smollm2.ADAPTER), "the demo model's weights"


def load_gpt2() -> tuple[LanguageModel, str]:
    """A model of GPT-2's shape; weights spread four times as wide, so that patches have an effect."""
    torch.manual_seed(0)
    network = GPT2LMHeadModel(GPT2Config(initializer_range=0.08))
    return LanguageModel.wrap(network), "random weights"


def make_prompt_pairs(folder: Path, n: int) -> list[PromptPair]:
    """`n` pairs of T tokens whose last D differ: real questions of the demo where its tokenizer is there."""
    if smollm2.is_complete(folder):
        return list(_real_pairs(AutoTokenizer.from_pretrained(folder, local_files_only=True), n))
    return list(_random_pairs(n))


def _real_pairs(tokenizer: PreTrainedTokenizerBase, n: int) -> Iterator[PromptPair]:
    """Two options swapped; before the question, the same on both sides, words that fill it up to T tokens."""
    questions = draw("stated-facts", split="held_out", n=40 * n, seed=0, layout=Layout())
    filler = tuple(tokenizer(FILLER, add_special_tokens=False)["input_ids"])
    found = 0
    for clean_question, corrupt_question in make_pairs(questions, "swap_options", 0):
        clean, corrupt = tokenise(clean_question, tokenizer), tokenise(corrupt_question, tokenizer)
        n_missing = T - len(clean.token_ids)
        if _n_differing(clean, corrupt) == D and 0 <= n_missing <= len(filler):
            prefix = filler[:n_missing]
            yield PromptPair(*(replace(p, token_ids=prefix + p.token_ids) for p in (clean, corrupt)))
            found += 1
            if found == n:
                return
    raise RuntimeError(f"Only {found} of {n} prompt pairs differ in their last {D} tokens.")


def _n_differing(clean: Prompt, corrupt: Prompt) -> int:
    """Positions from the first that differs on; 0 for prompts of two lengths."""
    if len(clean.token_ids) != len(corrupt.token_ids):
        return 0
    same = zip(clean.token_ids, corrupt.token_ids, strict=True)
    return len(clean.token_ids) - next((index for index, (a, b) in enumerate(same) if a != b), T)


def _random_pairs(n: int) -> Iterator[PromptPair]:
    draws = torch.randint(1000, 40000, (n, T + D), generator=torch.Generator().manual_seed(0)).tolist()
    question = Question("", tuple(Option(label, label) for label in "ABCD"), 0)
    for tokens in draws:
        shared, clean, corrupt = tokens[: T - D], tokens[T - D : T], tokens[T:]
        ids = [tuple(shared + clean), tuple(shared + corrupt[:-1] + clean[-1:])]
        yield PromptPair(*(Prompt(question, "", i, (), (), (330, 378, 340, 422), ()) for i in ids))
