"""A model written by hand, in which we know what every head does. No training, no noise.

    What is said? (A) no (B) yes (C) nay (D) never Answer: (     ->  B

Some contents are right in themselves (`RIGHT`). A GPT-2 of four layers finds the label of the right one:
in layer 0 contents and line ends take up the letter of their line; in layer 1 a content gatherer moves line
and letter of the right content to the final position; in layer 2 a correct-letter head looks for the label on
that line (`reads="position"`) or with that letter (`reads="letter"`), through three dimensions of its queries
and keys, and writes the letter; beside it stand heads of other kinds; in layer 3 one amplifies.

Features of a token are orthogonal directions of the residual stream. Every token carries a large constant, so
that layer norm scales all of them alike. Positions are fixed: four options, this one format, no prelude.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

ABCD, LETTERS = "ABCD", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RIGHT = ("yes", "aye", "yea", "sure", "indeed", "true")
WRONG = ("no", "nay", "never", "hardly", "nope", "false")
WORDS = ("<s>", "\n", "(", ")", ":", "?", ".", "Question", "Answer", "What", "is", "said")
VOCABULARY = (*WORDS, *LETTERS, *RIGHT, *WRONG)
N_BEFORE, N_PER_LINE, N_TOKENS = 8, 5, 31  # <s> Question : What is said ? \n, four of ( A ) no \n, Answer : (

N_LAYERS, N_HEADS, D_HEAD = 4, 8, 32
D_MODEL = N_HEADS * D_HEAD
CONSTANT = 20.0  # size of what every token carries
UNIT = D_MODEL**0.5 / CONSTANT  # size of a feature of size 1 after layer norm

Reads = Literal["position", "letter"]
Move = tuple[str, str, float]


def per_line(name: str) -> tuple[str, ...]:
    return tuple(f"{name} {line}" for line in range(4))


def per_letter(name: str, letters: str = LETTERS) -> tuple[str, ...]:
    return tuple(f"{name} {letter}" for letter in letters)


FEATURES = (
    *("always", "sink", "right", "right before", "final", "rest", "letter"),
    *(feature for place in ("label", "content", "newline", "wanted") for feature in per_line(place)),
    *(feature for use in ("letter", "taken", "wanted", "said") for feature in per_letter(use)),
)


def direction(feature: str) -> torch.Tensor:
    """A unit vector of its own, with mean 0, so that layer norm leaves it where it is."""
    place = 2 * FEATURES.index(feature)
    vector = torch.zeros(D_MODEL)
    vector[place], vector[place + 1] = 0.5**0.5, -(0.5**0.5)
    return vector


def codes(n: int) -> torch.Tensor:
    """n unit vectors in n − 1 dimensions, as far from each other as can be: for four, a tetrahedron."""
    centred = torch.eye(n) - 1 / n
    basis = torch.linalg.svd(centred).Vh[: n - 1]
    vertices = centred @ basis.T
    return vertices / vertices.norm(dim=-1, keepdim=True)


@dataclass(frozen=True)
class Look:
    """Queries with the i-th feature meet keys with the i-th feature with this score, others with less."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    score: float = 14.0

    @property
    def codes(self) -> torch.Tensor:
        return codes(len(self.keys)) if len(self.keys) > 1 else torch.ones(1, 1)


@dataclass(frozen=True)
class PlantedHead:
    """Where it looks, and what it moves from there: (from, to, size)."""

    looks: tuple[Look, ...]
    moves: tuple[Move, ...]

    def weights(self) -> dict[str, torch.Tensor]:
        """Of queries, keys and values ("d_model d_head"), and of the output ("d_head d_model")."""
        query, key, value = (torch.zeros(D_MODEL, D_HEAD) for _ in range(3))
        output, first = torch.zeros(D_HEAD, D_MODEL), 0
        for look in self.looks:
            dims = slice(first, first + look.codes.shape[1])
            for query_feature, key_feature, code in zip(look.queries, look.keys, look.codes, strict=True):
                query[:, dims] += direction(query_feature)[:, None] * code * look.score * D_HEAD**0.5 / UNIT
                key[:, dims] += direction(key_feature)[:, None] * code / UNIT
            first = dims.stop
        for place, (source, target, size) in enumerate(self.moves):
            value[:, place] = direction(source) / UNIT
            output[place] = direction(target) * size
        return {"query": query, "key": key, "value": value, "output": output}


REST = Look(("always",), ("sink",), 6.0 / CONSTANT)  # where a head looks that finds nothing


def finder(look: Look, *moves: Move) -> PlantedHead:
    """A head that looks for something, and rests on the first token where there is none."""
    return PlantedHead((look, REST), (*moves, AT_REST))


AT_REST: Move = ("sink", "rest", 0.1)  # it reads something there, too, as heads of trained models do
IDLE = PlantedHead((REST,), (AT_REST,))


def copies(source: str, target: str, size: float, letters: str = LETTERS) -> tuple[Move, ...]:
    """What each letter's feature adds to another feature of that letter."""
    return tuple((f"{source} {letter}", f"{target} {letter}", size) for letter in letters)


def planted_heads(reads: Reads) -> dict[str, tuple[str, PlantedHead]]:
    """By label: the category seen from the final position, and the head. All others are idle."""
    line_of_content = Look(per_line("content"), per_line("label"))
    line_of_newline = Look(per_line("newline"), per_line("label"))
    content_before = Look(per_line("newline"), per_line("content"))
    gathered = tuple((f"content {line}", f"wanted {line}", 1.0) for line in range(4))
    by_line = Look(per_line("wanted"), per_line("label"))
    by_letter = Look(per_letter("wanted", ABCD), per_letter("letter", ABCD))
    wanted = by_line if reads == "position" else by_letter
    final_looks = {key: Look(("final",), (key,)) for key in FEATURES}
    taken = copies("letter", "taken", 1.0)
    return {
        "L0H0": ("other", finder(line_of_content, *taken)),
        "L0H1": ("other", finder(line_of_newline, *taken)),
        "L0H2": ("other", finder(content_before, ("right", "right before", 1.0))),
        "L1H0": (
            "content_gatherer",
            finder(final_looks["right"], *gathered, *copies("taken", "wanted", 1.0)),
        ),
        "L2H0": ("correct_letter", PlantedHead((wanted,), copies("letter", "said", 4.0))),
        "L2H1": (
            "single_letter",  # B, if it is correct
            finder(Look(("wanted B",), ("letter B",)), *copies("letter", "said", 2.0, "B")),
        ),
        "L2H2": (
            "single_letter",  # C, whatever is correct
            finder(final_looks["letter C"], *copies("letter", "said", 1.0, "C")),
        ),
        "L2H3": ("uniform", finder(final_looks["letter"], *copies("letter", "said", 4.0))),
        "L2H4": ("newline", finder(final_looks["right before"], *copies("taken", "said", 1.0))),
        "L2H5": ("suppressor", PlantedHead((by_line,), copies("letter", "said", -1.5))),
        "L3H0": ("amplification", finder(final_looks["final"], *copies("said", "said", 0.5))),
    }


def planted_model(reads: Reads = "position") -> Any:
    """The model, with a tokenizer of its own."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from analysis.model import LanguageModel

    config = GPT2Config(
        vocab_size=len(VOCABULARY),
        n_positions=N_TOKENS,
        n_embd=D_MODEL,
        n_layer=N_LAYERS,
        n_head=N_HEADS,
        n_inner=8,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    network = GPT2LMHeadModel(config).float().eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.fill_(1.0 if "ln_" in name and name.endswith("weight") else 0.0)
        transformer = network.transformer
        transformer.wte.weight.copy_(torch.stack([_sum(token_features(word)) for word in VOCABULARY]))
        transformer.wpe.weight.copy_(torch.stack([_sum(position_features(pos)) for pos in range(N_TOKENS)]))
        for place, letter in enumerate(VOCABULARY):
            if letter in LETTERS:
                network.lm_head.weight[place] = direction(f"said {letter}") / UNIT
        for layer, block in enumerate(transformer.h):
            _set_heads(block.attn, [_head(reads, f"L{layer}H{head}") for head in range(N_HEADS)])
    return LanguageModel.wrap(network, planted_tokenizer())


def token_features(word: str) -> tuple[str, ...]:
    """What a token is, wherever it stands."""
    if word in LETTERS:
        return ("letter", f"letter {word}")
    return ("right",) if word in RIGHT else ()


def position_features(pos: int) -> tuple[str, ...]:
    """What a token is by its place. `always` is larger than the rest."""
    line, place = divmod(pos - N_BEFORE, N_PER_LINE)
    role = {1: "label", 3: "content", 4: "newline"}.get(place)
    of_line = (f"{role} {line}",) if role and 0 <= line < 4 else ()
    ends = {0: ("sink",), N_TOKENS - 1: ("final",)}
    return ("always", *of_line, *ends.get(pos, ()))


def planted_tokenizer() -> Any:
    """One token per word or sign."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(VOCABULARY)}))
    words, spaces = Regex(r"\n|\w+|[^\w\s]"), Regex(" ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(spaces, "removed"), pre_tokenizers.Split(words, "isolated")]
    )
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")


def planted_questions(n: int, seed: int = 0, labels: Sequence[str] = ABCD) -> list[Any]:
    """Every place correct equally often; the labels from first to last are these."""
    from analysis.questions import Option, Question

    rng = random.Random(seed)
    questions = []
    for slot in range(n):
        contents: list[str] = [*rng.sample(WRONG, 3)]
        contents.insert(slot % 4, rng.choice(RIGHT))
        options = tuple(Option(*option) for option in zip(labels, contents, strict=True))
        questions.append(Question("What is said?", options, slot % 4))
    return questions


def planted_pairs(model: Any, questions: Sequence[Any], seed: int = 0) -> list[Any]:
    """Each with the same question in which the right content and another one have changed places."""
    from analysis.counterfactuals import make_pairs
    from analysis.prompts import PromptPair
    from analysis.tokenise import tokenise

    pairs = make_pairs(questions, "swap_options", seed)
    return [
        PromptPair(tokenise(clean, model.tokenizer), tokenise(corrupt, model.tokenizer))
        for clean, corrupt in pairs
    ]


def _sum(features: Sequence[str]) -> torch.Tensor:
    total = torch.zeros(D_MODEL)
    for feature in features:
        total += direction(feature) * (CONSTANT if feature == "always" else 1.0)
    return total


def _head(reads: Reads, label: str) -> PlantedHead:
    return planted_heads(reads)[label][1] if label in planted_heads(reads) else IDLE


def _set_heads(attention: Any, heads: Sequence[PlantedHead]) -> None:
    weights = [head.weights() for head in heads]
    parts = [torch.cat([head[name] for head in weights], dim=1) for name in ("query", "key", "value")]
    attention.c_attn.weight.copy_(torch.cat(parts, dim=1))
    attention.c_proj.weight.copy_(torch.cat([head["output"] for head in weights]))
