"""Seconds of this process: on one pinned core or on all, repeated in turn, as CPU time and by the clock."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Seconds:
    """What something took."""

    cpu: float  # of all threads of the process
    wall: float

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.cpu + other.cpu, self.wall + other.wall)

    def __sub__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.cpu - other.cpu, self.wall - other.wall)

    def __mul__(self, factor: float) -> "Seconds":
        return Seconds(self.cpu * factor, self.wall * factor)


@contextmanager
def cores(which: str) -> Iterator[None]:
    """Inside the block torch has "one" pinned core, or "all" that this process may use."""
    allowed, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {max(allowed)} if which == "one" else allowed)
    torch.set_num_threads(1 if which == "one" else len(allowed))
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
        torch.set_num_threads(threads)


def timed(action: Callable[[], Any]) -> Seconds:
    """One run of an action, with whatever it has left to do on an accelerator."""
    _wait()
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    _wait()
    return Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def _wait() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


def in_turn(actions: Mapping[str, Callable[[], Any]], n_repeats: int) -> dict[str, list[Seconds]]:
    """Every action `n_repeats` times, all of them once in each turn, so that a busy minute meets them all."""
    found: dict[str, list[Seconds]] = {name: [] for name in actions}
    for _ in range(n_repeats):
        for name, action in actions.items():
            found[name].append(timed(action))
    return found


def summary(samples: list[Seconds]) -> dict[str, Any]:
    """Medians and minima, as they are stored."""
    cpu, wall = [sample.cpu for sample in samples], [sample.wall for sample in samples]
    return {
        "cpu": {"median": statistics.median(cpu), "min": min(cpu)},
        "wall": {"median": statistics.median(wall), "min": min(wall)},
        "n_repeats": len(samples),
    }


def extrapolated(recording: list[Seconds], some: list[Seconds], share: float) -> list[Seconds]:
    """A whole sweep: the recording runs once, and the cells that were run, which are this share of all."""
    return [runs + cells * (1 / share) for runs, cells in zip(recording, some, strict=True)]
