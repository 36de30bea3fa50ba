"""Measure every checkpoint of `mcq-tiny` and write the figures into the model card.

    python scripts/evaluate_mcq_tiny.py

By letter: the highest logit among the labels, on held-out questions of the set tiny-facts in every form that
the mutations give them.
"""

from collections.abc import Sequence

import torch

from analysis.analyses.checkpoint import answered_rightly
from analysis.bootstrap import wilson_interval
from analysis.layout import Layout
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS
from analysis.question_sets import draw
from analysis.questions import Question
from analysis.tokenise import tokenise
from backend.demo.mcq_tiny import FOLDER, RUNS, Checkpoint, checkpoints

N = 100
SHORT = ("none", "shuffled", "random_letters", "numbers")
START, END = "<!-- figures: written by scripts/evaluate_mcq_tiny.py -->", "<!-- end of figures -->"


def accuracies(checkpoint: Checkpoint, questions: Sequence[Question]) -> dict[str, float]:
    """Share of right answers in every form."""
    model = LanguageModel.load(checkpoint.folder)
    assert model.tokenizer
    rows = []
    for question in questions:
        forms = [tokenise(mutation.mutate(question), model.tokenizer) for mutation in MUTATIONS.values()]
        rows.append(answered_rightly(model, forms))
    return dict(zip(MUTATIONS, torch.stack(rows).mean(0).tolist(), strict=True))


def percent(share: float) -> str:
    """With its 95 % interval (Wilson)."""
    interval = wilson_interval(torch.tensor(share * N), torch.tensor(float(N)))
    return f"{share:.0%} ({interval.low:.0%}–{interval.high:.0%})".replace("%", " %")


def tables() -> list[str]:
    """Steps in four forms, then the last step of each run in all."""
    questions = draw("tiny-facts", split="held_out", n=N, seed=0, layout=Layout())
    found = {checkpoint: accuracies(checkpoint, questions) for checkpoint in checkpoints()}
    titles = " | ".join(MUTATIONS[name].title.lower() for name in SHORT)
    rows = [f"| run | step | {titles} |", "|---" * (len(SHORT) + 2) + "|"]
    for checkpoint, right in found.items():
        cells = " | ".join(percent(right[name]) for name in SHORT)
        rows.append(f"| {checkpoint.run} | {checkpoint.step:,} | {cells} |")
    last = {checkpoint.run: right for checkpoint, right in found.items()}
    rows += ["", "| last step, form | " + " | ".join(RUNS) + " |", "|---" * (len(RUNS) + 1) + "|"]
    for name, mutation in MUTATIONS.items():
        cells = " | ".join(percent(last[run][name]) for run in RUNS)
        rows.append(f"| {mutation.title.lower()} `{mutation.example}` | {cells} |")
    return rows


def main() -> None:
    torch.set_num_threads(1)
    card = FOLDER / "README.md"
    text = card.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    card.write_text("\n".join([before + START, "", *tables(), "", END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
