"""Training runs as values: checkpoints by step, each with its `checkpoint` result once that is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.figures.lines import Line
from frontend.results import Estimate, estimate, named

Json = Mapping[str, Any]
SET = "tiny-facts"  # the questions in the few words that the checkpoints know
Reader = Callable[["Checkpoint"], Estimate | None]


@dataclass(frozen=True)
class Checkpoint:
    """One training step of a run: the model's id, and its `checkpoint` result once that is there."""

    step: int
    model: str
    body: Json | None = None
    trouble: str = ""

    def value(self, table: str, *names: str) -> Estimate | None:
        """A number of the result; `names` are places on its axes."""
        if self.body is None or table not in self.body["tables"]:
            return None
        axes = [named(self.body, axis) for axis in self.body["tables"][table]["axes"]]
        if any(name not in axis for axis, name in zip(axes, names, strict=True)):
            return None
        places = [axis.index(name) for axis, name in zip(axes, names, strict=True)]
        return estimate(self.body, table, *places)


@dataclass(frozen=True)
class Run:
    """Checkpoints of one training, in the order of their steps."""

    name: str
    title: str
    checkpoints: Sequence[Checkpoint] = field(default_factory=tuple)

    def at(self, step: int) -> Checkpoint:
        """The last checkpoint that is not after a step, or the first."""
        before = [one for one in self.checkpoints if one.step <= step]
        return before[-1] if before else self.checkpoints[0]

    def line(self, name: str, colour: str, read: Reader, **look: Any) -> Line:
        """One number over the steps that are measured."""
        known = [(one.step, value) for one in self.checkpoints if (value := read(one))]
        return Line(name, [step for step, _ in known], [value for _, value in known], colour, **look)


def runs_of(models: Sequence[Json]) -> list[Run]:
    """The runs of which the server has checkpoints, each with its steps in order."""
    found: dict[str, Run] = {}
    for model in models:
        about = model.get("checkpoint")
        if about:
            run = found.get(about["run"], Run(about["run"], about["title"]))
            steps = [*run.checkpoints, Checkpoint(about["step"], model["id"])]
            found[run.name] = Run(run.name, run.title, sorted(steps, key=lambda one: one.step))
    return list(found.values())


def steps_of(runs: Sequence[Run]) -> list[int]:
    """All steps at which some run has a checkpoint."""
    return sorted({one.step for run in runs for one in run.checkpoints})


def names_in(runs: Sequence[Run], axis: str) -> list[str]:
    """The names along an axis of any result, in order, each once."""
    bodies = [one.body for run in runs for one in run.checkpoints if one.body]
    return list(dict.fromkeys(name for body in bodies for name in named(body, axis)))
