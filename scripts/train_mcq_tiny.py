"""Train the demo models `mcq-tiny` from nothing and keep checkpoints of the training.

    python scripts/train_mcq_tiny.py letters    # labels A-D in order only
    python scripts/train_mcq_tiny.py random     # goes on from there; half of the labels random

Seeded, one thread. A llama of 4 layers with 8 heads reads questions of the train half of the set tiny-facts;
the loss is on the label and on the answer's text after it. Without help that stays at chance for long, so
first it is asked only `What is blue?` with blue among the options, and gets hints: it is also to say each
option's label after its content, and the answer's text at the last colon. Another processor or version of
torch rounds differently: the bytes are not the same everywhere.
"""

import argparse
import json
import random
import shutil
import string
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.optim.lr_scheduler import LambdaLR
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from analysis.generators import others, tiny_words
from analysis.layout import Layout, Stem, lay_out, prelude_about, relabel
from analysis.question_sets import BUILTIN
from analysis.questions import Question, render
from backend.demo.mcq_tiny import FOLDER
from backend.demo.smollm2 import DIGESTS, digest_of


@dataclass(frozen=True)
class Run:
    """One training: its questions, how long it is helped, and which steps are kept."""

    kept: tuple[int, ...]
    random_labels: float  # share of the questions whose labels are random letters
    only_copies: int  # steps of the first stage
    hints: int  # steps with hints
    seed: int
    begin: int = 0
    follows: str | None = None  # the run whose checkpoint it begins with


RUNS = {
    "letters": Run((0, 50, 100, 150, 200, 300, 400, 500, 700, 1000), 0.0, 200, 500, 0),
    "random": Run(
        (1050, 1100, 1125, 1150, 1175, 1200, 1250, 1300, 1400, 1700), 0.5, 0, 350, 1, 1000, "letters"
    ),
}
LATER_COPIES = 0.25  # share of the first stage's questions afterwards
BATCH, MUON_RATE, ADAM_RATE, WARMUP, DECAY = 32, 0.01, 3e-3, 20, 0.4  # decay: the last 40 % of the steps
IGNORED = -100
OPTION_LINE, CONTENT, SUFFIX = 5, 3, 3  # tokens of a line `(A) red`; place of red; tokens of `Answer: (`
LABELS = [*string.ascii_uppercase, *string.ascii_lowercase, *map(str, range(11))]
LABELS += ["II", "III", "IV", "VI", "VII", "VIII", "IX"]
SIGNS = ["\n", *"()[]{}<>.:;,?!-'\"", "Question", "Answer"]
UNKNOWN = "<unknown>"


def splitter() -> pre_tokenizers.Sequence:
    """Words, numbers, single signs, single newlines; spaces only separate."""
    pieces = pre_tokenizers.Split(Regex(r"\n|\w+|[^\w\s]"), "isolated")
    return pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"), pieces])


def vocabulary() -> list[str]:
    """Every word of the questions, every label and sign that the built-in mutations write."""
    halves = [BUILTIN["tiny-facts"].stems(split) for split in ("train", "held_out")]
    stems = [stem for half in halves for kind in half for stem in kind]
    texts = [f"{stem.text} {stem.answer} {prelude_about(stem.subject)}" for stem in stems]
    words = [piece for text in texts for piece, _ in splitter().pre_tokenize_str(text)]
    return list(dict.fromkeys([UNKNOWN, *SIGNS, *LABELS, *words]))


def make_tokenizer() -> PreTrainedTokenizerFast:
    """One token a word."""
    numbers = {word: number for number, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = splitter()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )


def make_network(vocab_size: int) -> LlamaForCausalLM:
    """0.7 million random parameters."""
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 100.0},  # prompts are short
        initializer_range=0.05,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    return LlamaForCausalLM(config)


def draw_question(rng: random.Random, copies: float, random_labels: float) -> Question:
    """A question of 2 to 4 options; the arguments are shares."""
    layout = Layout(n_options=rng.randint(2, 4))
    if rng.random() < copies:
        pool = tiny_words(rng.choice(("colors", "materials", "places", "names")))
        word = rng.choice(pool)
        stem = Stem(f"What is {word}?", word, others(pool, word), "copies", "words")
    else:
        stem = rng.choice(rng.choice(BUILTIN["tiny-facts"].stems("train")))
    question = lay_out(stem, rng.randrange(layout.n_options), layout, rng)
    if rng.random() < random_labels:
        return relabel(question, rng.sample(string.ascii_uppercase, layout.n_options))
    return question


def sequence(
    question: Question, tokenizer: PreTrainedTokenizerFast, *, hints: bool
) -> tuple[list[int], list[int]]:
    """Tokens of an answered question, and what the network is to say after each of them; -100 is anything.

    Hints: each option's content is to be followed by its label, and the last colon by the right content.
    """
    asked = tokenizer.encode(render(question))
    label, closing, content = tokenizer.encode(f"{question.labels[question.correct]}) {question.answer}")
    targets = [IGNORED] * len(asked)
    if hints:
        n_lines = len(question.options)
        first = len(asked) - SUFFIX - n_lines * OPTION_LINE + CONTENT
        labels = tokenizer.convert_tokens_to_ids(list(question.labels))
        targets[first : first + n_lines * OPTION_LINE : OPTION_LINE] = labels
        targets[-2] = content
    targets[-1] = label
    return [*asked, label, closing, content], [*targets, IGNORED, content, IGNORED]


def draw_batch(
    rng: random.Random, tokenizer: PreTrainedTokenizerFast, run: Run, step: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and targets of the questions of one step, padded on the right."""
    copies = 1.0 if step < run.only_copies else LATER_COPIES
    rows = [
        sequence(draw_question(rng, copies, run.random_labels), tokenizer, hints=step < run.hints)
        for _ in range(BATCH)
    ]
    ids, targets = ([torch.tensor(row[part]) for row in rows] for part in (0, 1))
    return pad_sequence(ids, batch_first=True), pad_sequence(targets, batch_first=True, padding_value=IGNORED)


def learning_rate(step: int, steps: int) -> float:
    """As a share of the full one: a short warm-up, a constant stretch, a straight line down to nothing."""
    return min(1.0, (step + 1) / WARMUP, (steps - step) / (DECAY * steps))


def step_once(network: LlamaForCausalLM, ids: torch.Tensor, targets: torch.Tensor) -> tuple[float, float]:
    """Gradients of one batch; its loss, and how often the label was right."""
    logits = network(input_ids=ids).logits
    loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    places = (targets != IGNORED).int().cumsum(1).argmax(1, keepdim=True) - 2  # the last one is the content's
    return loss.item(), (logits.argmax(-1) == targets).gather(1, places).float().mean().item()


def make_optimizers(network: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings and norms."""
    matrices = [weight for layer in network.model.layers for weight in layer.parameters() if weight.ndim == 2]
    inside = {id(weight) for weight in matrices}
    others_ = [weight for weight in network.parameters() if id(weight) not in inside]
    return [
        torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.01),
        torch.optim.AdamW(others_, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def train(name: str, out: Path) -> None:
    """All steps, the kept ones written to `out`/<run>/<step>."""
    run, started = RUNS[name], time.monotonic()
    rng, n_steps = random.Random(run.seed), run.kept[-1] - run.begin
    torch.manual_seed(run.seed)
    tokenizer = make_tokenizer()
    network = make_network(len(tokenizer)) if run.follows is None else read_network(out, run)
    optimizers = make_optimizers(network)
    schedules = [LambdaLR(optimizer, lambda step: learning_rate(step, n_steps)) for optimizer in optimizers]
    if run.follows is None:
        save(network, tokenizer, out / name, 0)
    figures: list[tuple[float, float]] = []
    for step in range(n_steps):
        figures.append(step_once(network, *draw_batch(rng, tokenizer, run, step)))
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        if run.begin + step + 1 in run.kept:
            save(network, tokenizer, out / name, run.begin + step + 1)
        if (step + 1) % 50 == 0:
            loss, right = torch.tensor(figures[-50:]).mean(0).tolist()
            seconds = time.monotonic() - started
            print(
                f"step {run.begin + step + 1}: loss {loss:.3f}, right {right:.2f}, {seconds:.0f} s",
                flush=True,
            )


def read_network(out: Path, run: Run) -> LlamaForCausalLM:
    """The checkpoint that this run goes on from."""
    folder = out / str(run.follows) / f"{run.begin:04}"
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).train()


def save(network: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, run: Path, step: int) -> None:
    """A folder that loads like any model, in half precision, with the digest of every file."""
    folder = run / f"{step:04}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    weights = {name: weight.half().contiguous() for name, weight in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    network.config.training_step = step  # pyright: ignore[reportAttributeAccessIssue]
    network.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    files = {path.name: digest_of(path) for path in sorted(folder.iterdir())}
    (folder / DIGESTS).write_text(json.dumps({"files": files}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--out", type=Path, default=FOLDER)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    train(wanted.run, wanted.out)


if __name__ == "__main__":
    main()
