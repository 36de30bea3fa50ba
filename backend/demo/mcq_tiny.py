"""The demo models `mcq-tiny`: a small llama trained from nothing, as it was at several steps of two runs.

`mcq-tiny/<run>/<step>/` is a folder like any model's, with the digests of its files. See
scripts/train_mcq_tiny.py and the model card there.
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "mcq-tiny"
RUNS = {"letters": "Labels A-D in order", "random": "Then half of the labels random"}


@dataclass(frozen=True)
class Checkpoint:
    """One training step of one run."""

    run: str
    title: str  # of the run
    step: int

    @property
    def id(self) -> str:
        """The model's id; steps have four digits, so that ids sort as steps do."""
        return f"mcq-tiny-{self.run}-{self.step:04}"

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return FOLDER / self.run / f"{self.step:04}"


def checkpoints() -> list[Checkpoint]:
    """All that are shipped, run by run, from the first step to the last."""
    return [
        Checkpoint(run, title, step)
        for run, title in RUNS.items()
        for step in sorted(int(folder.name) for folder in (FOLDER / run).glob("[0-9]*"))
    ]
