"""Measure the demo model with and without its adapter and write the figures into its model card.

    python scripts/evaluate_demo_adapter.py --base FOLDER --mmlu ../shared/data/mmlu

Every question is held out. By letter: the highest logit among the labels. A memorised fact counts as known
if the plain model finds the right answer's text likeliest per token after the bare question, without options
and without the adapter.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from analysis.bootstrap import wilson_interval
from analysis.gate import content_log_probs
from analysis.layout import Layout
from analysis.model import LanguageModel
from analysis.prompts import Prompt
from analysis.question_files import read_mmlu_csv
from analysis.question_sets import BUILTIN, LABEL_STYLES, arrange, draw
from analysis.questions import Question
from analysis.tokenise import tokenise
from backend.demo.smollm2 import ADAPTER, ensure_base

STYLES = {"letters": "A-D", "random_letters": "random letters", "numbers": "numbers", "shuffled": "shuffled"}
FORMS = {
    "2 options": Layout(n_options=2),
    "5 options": Layout(n_options=5),
    "10 options": Layout(n_options=10),
    "with prelude": Layout(prelude=True),
    "`A.` format": Layout(format="A."),
    "2 shots": Layout(shots=2),
}
FORM_SETS = ("stated-facts", "memorised-facts")
BATCH = 16
START, END = "<!-- figures: written by scripts/evaluate_demo_adapter.py -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Score:
    """How many questions were answered correctly."""

    right: int
    n: int

    def __str__(self) -> str:
        if self.n == 0:
            return "–"
        interval = wilson_interval(torch.tensor(float(self.right)), torch.tensor(float(self.n)))
        return f"{self.right / self.n:.0%} ({interval.low:.0%}–{interval.high:.0%})".replace("%", " %")


def hits(model: LanguageModel, questions: Sequence[Question]) -> list[bool]:
    """Whether the label with the highest logit is the correct one, for every question."""
    assert model.tokenizer
    prompts = [tokenise(question, model.tokenizer) for question in questions]
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place].token_ids))
    found: dict[int, bool] = {}
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        batch = [prompts[place] for place in places]
        found |= dict(zip(places, (chosen_label(model, batch) == answers(batch)).tolist(), strict=True))
    return [found[place] for place in range(len(prompts))]


def chosen_label(model: LanguageModel, prompts: list[Prompt]) -> torch.Tensor:
    """The label with the highest logit. Padding stands on the right, where nothing attends to it."""
    ids = [torch.tensor(prompt.token_ids) for prompt in prompts]
    hidden = model.hidden(pad_sequence(ids, batch_first=True))
    last = hidden[torch.arange(len(ids)), torch.tensor([len(row) - 1 for row in ids])]
    labels = torch.tensor([prompt.label_ids for prompt in prompts])
    return model.logits(last).gather(1, labels).argmax(1)


def answers(prompts: list[Prompt]) -> torch.Tensor:
    return torch.tensor([prompt.correct for prompt in prompts])


def score(found: Sequence[bool]) -> Score:
    return Score(sum(found), len(found))


def held_out(set_id: str, layout: Layout, n: int) -> list[Question]:
    """As many held-out questions as there are, `n` at most."""
    usable = [
        stem
        for stems in BUILTIN[set_id].stems("held_out")
        for stem in stems
        if len(stem.distractors) >= layout.n_options - 1
    ]
    return draw(set_id, split="held_out", n=min(n, len(usable)), seed=0, layout=layout)


def label_style_rows(plain: LanguageModel, adapted: LanguageModel, n: int) -> list[str]:
    """Accuracy by letter for every set and label style, four options."""
    rows = ["| questions | labels | n | plain SmolLM2 | with the adapter |", "|---|---|---|---|---|"]
    for set_id, built in BUILTIN.items():
        for style in LABEL_STYLES:
            questions = held_out(set_id, Layout(label_style=style), n)
            both = [score(hits(model, questions)) for model in (plain, adapted)]
            rows.append(f"| {built.title} | {STYLES[style]} | {len(questions)} | {both[0]} | {both[1]} |")
            print(rows[-1], flush=True)
    return rows


def known_rows(plain: LanguageModel, adapted: LanguageModel) -> list[str]:
    """Memorised facts of every kind, split by whether the plain model knows them; labels A to D."""
    questions = held_out("memorised-facts", Layout(), 1000)
    known = [int(content_log_probs(plain, question).argmax()) == question.correct for question in questions]
    found = hits(adapted, questions)
    rows = ["| memorised facts | n | known | right where known | right where not |", "|---|---|---|---|---|"]
    for kind in [*dict.fromkeys(question.kind for question in questions), "all"]:
        mine = [place for place, question in enumerate(questions) if kind in (question.kind, "all")]
        right = score([found[place] for place in mine if known[place]])
        other = score([found[place] for place in mine if not known[place]])
        rows.append(f"| {kind.replace('_', ' ')} | {len(mine)} | {right.n} | {right} | {other} |")
        print(rows[-1], flush=True)
    return rows


def form_rows(adapted: LanguageModel, n: int) -> list[str]:
    """The adapted model in other layouts, labels in order."""
    titles = " | ".join(BUILTIN[set_id].title for set_id in FORM_SETS)
    rows = [f"| layout | n | {titles} |", "|---|---|---|---|"]
    for name, layout in FORMS.items():
        cells = [str(score(hits(adapted, held_out(set_id, layout, n)))) for set_id in FORM_SETS]
        rows.append(f"| {name} | {n} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    return rows


def mmlu_rows(plain: LanguageModel, adapted: LanguageModel, folder: Path, n: int) -> list[str]:
    """MMLU subjects, no shots, labels A to D. Questions over the length limits are left out."""
    rows = ["| MMLU subject | n | plain SmolLM2 | with the adapter |", "|---|---|---|---|"]
    everything: list[list[bool]] = [[], []]
    for path in sorted(folder.glob("*.csv")):
        questions = [q for q in read_mmlu_csv(path.read_bytes().decode()) if len(q.text) < 1500]
        questions = arrange(questions, n=min(n, len(questions)), seed=0, layout=Layout())
        both = [hits(model, questions) for model in (plain, adapted)]
        for total, found in zip(everything, both, strict=True):
            total.extend(found)
        subject = path.stem.removesuffix("_test").replace("_", " ")
        rows.append(f"| {subject} | {len(questions)} | {score(both[0])} | {score(both[1])} |")
        print(rows[-1], flush=True)
    rows.append(f"| all | {len(everything[0])} | {score(everything[0])} | {score(everything[1])} |")
    return rows


def write_card(card: Path, tables: list[list[str]]) -> None:
    """Put the tables between the two marks of the model card."""
    text = card.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    figures = "\n\n".join("\n".join(rows) for rows in tables)
    card.write_text(f"{before}{START}\n\n{figures}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", type=Path, help="folder with SmolLM2-135M-Instruct as safetensors")
    parser.add_argument("--adapter", type=Path, default=ADAPTER)
    parser.add_argument("--mmlu", type=Path, help="folder with MMLU's CSV files")
    parser.add_argument("--n", type=int, default=100, help="questions of each set, at most")
    parser.add_argument("--threads", type=int, default=2)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    start = time.monotonic()
    base = wanted.base or ensure_base(Path("data/models/smollm2-135m-instruct"), print)
    plain, adapted = LanguageModel.load(base), LanguageModel.load(base, adapter=wanted.adapter)
    tables = [label_style_rows(plain, adapted, wanted.n), known_rows(plain, adapted)]
    tables.append(form_rows(adapted, min(wanted.n, 40)))
    if wanted.mmlu:
        tables.append(mmlu_rows(plain, adapted, wanted.mmlu, min(wanted.n, 40)))
    write_card(ADAPTER / "README.md", tables)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
