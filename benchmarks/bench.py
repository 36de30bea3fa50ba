"""The measurement: what is run, how often, in which order. `criteria` and `report` read what it stores."""

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch

from analysis.linear import _onednn_is_faster
from analysis.model import LanguageModel
from benchmarks import api, ceiling, memory
from benchmarks.sides import (
    PEERS,
    PLAIN,
    Headscope,
    PlainTransformers,
    Side,
    all_sides,
    missing_peers,
    versions,
)
from benchmarks.tasks import (
    MODES,
    D,
    Mode,
    T,
    Task,
    every_kth_head,
    load_gpt2,
    load_smollm2,
    make_prompt_pairs,
    make_task,
    some,
)
from benchmarks.timing import Seconds, cores, extrapolated, in_turn, summary, timed

TOLERANCE = 1e-3  # logits; sides that differ by more are not timed
CHECKED_CELLS = 5
N_JUDGED = 32  # prompt pairs; how many of them the model answers rightly


@dataclass(frozen=True)
class Plan:
    """One row of the table."""

    model: str
    mode: Mode
    n_prompts: int
    cores: str  # "one" or "all"
    n_repeats: int
    n_peer_cells: int  # of the peers, which take the same time for every cell
    every: int = 1  # of headscope: one head in so many


class Disagreement(RuntimeError):
    """Two sides do not compute the same thing, so that their times cannot be compared."""


def plans(quick: bool, sizes: Sequence[int]) -> Iterator[Plan]:
    """What is measured; the more prompts, the fewer cells stand for all."""
    if quick:
        yield Plan("smollm2", "final", 1, "one", 3, 2)
        yield Plan("smollm2", "everywhere", 1, "one", 3, 1, every=3)
        yield Plan("smollm2", "each", 1, "one", 3, 1, every=9)
        return
    for model, which in (("smollm2", "one"), ("smollm2", "all"), ("gpt2", "one")):
        for n in sizes:
            peer_cells = {1: 4, 8: 2}.get(n, 1)
            yield Plan(model, "final", n, which, 5, peer_cells)
            if n == 1 or (n <= 8 and which == "one"):
                yield Plan(model, "everywhere", n, which, 5, peer_cells)
            if which == "one" and (n == 1 or (n == 8 and model == "smollm2")):
                yield Plan(model, "each", n, which, 5, peer_cells, every=1 if n == 1 else 3)


def run(file: Path, data: Path, *, quick: bool = False, sizes: Sequence[int] = (1, 8, 32)) -> dict[str, Any]:
    """Everything, stored in `file` after each step, so that nothing is lost when it is stopped."""
    folder = _weights(data)
    results: dict[str, Any] = {"machine": machine(), "quick": quick, "tokens": T, "differing": D}
    results |= {"missing_peers": missing_peers(), "models": {}, "sweeps": []}

    def store() -> None:
        _store(file, results)

    for name in dict.fromkeys(plan.model for plan in plans(quick, sizes)):
        bench = Bench.load(name, folder)
        results["models"][name] = bench.description()
        for plan in plans(quick, sizes):
            if plan.model == name:
                results["sweeps"].append(bench.sweep(plan))
                store()
        if name == "smollm2":
            results |= bench.extras(quick, sizes)
            store()
        del bench
    results["api"] = api.measure_own_server(n_pairs=8 if quick else 32)
    store()
    results["memory"] = memories(folder, quick)
    store()
    return results


def run_memory(file: Path, data: Path) -> dict[str, Any]:
    """The memory alone, anew, beside everything else that `file` holds. The date says so in the report."""
    results = json.loads(file.read_text())
    results["memory"] = memories(_weights(data), quick=False)
    results["memory_measured"] = date.today().isoformat()
    _store(file, results)
    return results


def _weights(data: Path) -> Path:
    return data / "models" / "smollm2-135m-instruct"


def _store(file: Path, results: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")


@dataclass(frozen=True)
class Bench:
    """One model with all sides."""

    name: str
    weights: str
    model: LanguageModel
    sides: list[Side]
    folder: Path

    @classmethod
    def load(cls, name: str, folder: Path) -> "Bench":
        """Every side gets a copy of the same weights."""
        model, weights = load_smollm2(folder) if name == "smollm2" else load_gpt2()
        return cls(name, weights, model, all_sides(model), folder)

    @property
    def plain(self) -> PlainTransformers:
        return next(side for side in self.sides if isinstance(side, PlainTransformers))

    def task(self, mode: Mode, n_prompts: int) -> Task:
        return make_task(mode, self.model, make_prompt_pairs(self.folder, n_prompts))

    def description(self) -> dict[str, Any]:
        """The model, and how many pairs it answers rightly, both prompts."""
        task = self.task("final", N_JUDGED)
        clean = torch.tensor([pair.clean.correct for pair in task.pairs])
        corrupt = torch.tensor([pair.corrupt.correct for pair in task.pairs])
        chosen = [
            self.plain.forward(ids).cpu().gather(-1, task.answer_ids).argmax(-1)
            for ids in (task.base_ids, task.source_ids)
        ]
        return {
            "weights": self.weights,
            "n_layers": self.model.n_layers,
            "n_heads": self.model.n_heads,
            "n_parameters": self.model.n_parameters,
            "device": str(self.model.device),
            "n_pairs": N_JUDGED,
            "n_right": int(((chosen[0] == clean) & (chosen[1] == corrupt)).sum()),
        }

    def sweep(self, plan: Plan) -> dict[str, Any]:
        """One row: every side in turn, and one plain forward pass."""
        task = self.task(plan.mode, plan.n_prompts)
        with cores(plan.cores):
            checked = self.agreement(task) if plan.n_prompts == 1 else None
            sides = [side for side in self.sides if plan.mode == "final" or not _needless(side)]
            found = self._times(task, plan, sides)
        print(f"{plan.model}; {MODES[plan.mode]}; pairs: {plan.n_prompts}; cores: {plan.cores}", flush=True)
        return asdict(plan) | {"n_cells": len(task.cells), "agreement": checked} | found

    def _times(self, task: Task, plan: Plan, sides: list[Side]) -> dict[str, Any]:
        peer_cells, own_cells = some(task.cells, plan.n_peer_cells), every_kth_head(task.cells, plan.every)
        recorded = {side.name: side.record(task) for side in sides if not isinstance(side, Headscope)}
        actions: dict[str, Any] = {"forward": lambda: self.plain.forward(task.base_ids)}
        for side in sides:
            if isinstance(side, Headscope):
                actions[f"{side.name}: whole"] = lambda side=side: side.whole(task, own_cells)
                if plan.every == 1:
                    continue  # nothing is extrapolated
            else:
                actions[f"{side.name}: cells"] = lambda side=side: side.measure(
                    task, recorded[side.name], peer_cells
                )
            actions[f"{side.name}: runs"] = lambda side=side: side.record(task)
        times = in_turn(actions, plan.n_repeats)
        found = {}
        for side in sides:
            cells = own_cells if isinstance(side, Headscope) else peer_cells
            seconds = _all_cells(times, side.name, len(cells) / len(task.cells))
            found[side.name] = summary(seconds) | {"backend": side.backend, "n_cells_run": len(cells)}
        return {"forward": summary(times["forward"]), "sides": found}

    @torch.inference_mode()
    def agreement(self, task: Task) -> dict[str, Any]:
        """All sides on the same few cells: largest difference to plain transformers, largest effect."""
        cells = some(task.cells, CHECKED_CELLS)
        found = {side.name: side.measure(task, side.record(task), cells).cpu() for side in self.sides}
        expected = found[PLAIN]
        base = self.plain.forward(task.base_ids).cpu().gather(-1, task.answer_ids)
        effect = float((expected - base).abs().max())
        difference = max(float((values - expected).abs().max()) for values in found.values())
        if not (effect > 10 * difference and difference <= TOLERANCE):
            raise Disagreement(
                f"{self.name}: effects up to {effect}, sides differ by up to {difference} logits."
            )
        return {"n_cells": CHECKED_CELLS, "largest_effect": effect, "largest_difference": difference}

    def extras(self, quick: bool, sizes: Sequence[int]) -> dict[str, Any]:
        """The ceiling, and one complete sweep of TransformerLens."""
        ours = [side for side in self.sides if isinstance(side, Headscope)]
        found: dict[str, Any] = {"ceiling": []}
        with cores("one"):
            found["rates"] = ceiling.rates(list(ours), self.model.d_model, self.model.d_mlp)
            for mode, n in self._ceilings(quick, sizes):
                task = self.task(mode, n)
                cells = every_kth_head(task.cells, 1 if mode == "final" else 3)
                flops = ceiling.flops_of(lambda task=task, cells=cells: ours[0].whole(task, cells))
                for side in ours if mode == "final" else [s for s in ours if not _needless(s)]:
                    measured = ceiling.share_of_ceiling(self.model.network, side, task, cells, 5)
                    row = {"mode": mode, "n_prompts": n, "gigaflop": flops / 1e9}
                    found["ceiling"].append(row | measured)
            if not quick:
                found["full_sweep"] = self._full_sweep()
        return found

    def _ceilings(self, quick: bool, sizes: Sequence[int]) -> list[tuple[Mode, int]]:
        small: list[tuple[Mode, int]] = [("final", n) for n in sizes if n <= 8]
        return [("final", 1)] if quick else [*small, ("everywhere", 1), ("each", 1)]

    def _full_sweep(self) -> dict[str, Any] | None:
        """Every cell, final position, one pair: does the extrapolation hold, and do all values agree?"""
        peer = next((side for side in self.sides if side.name in PEERS), None)
        if peer is None:
            return None
        task, ours = self.task("final", 1), next(side for side in self.sides if isinstance(side, Headscope))
        values: list[torch.Tensor] = []
        seconds = timed(lambda: values.append(peer.measure(task, peer.record(task), task.cells)))
        difference = float((values[0] - ours.whole(task, task.cells)).abs().max())
        return {
            "side": peer.name,
            "n_cells": len(task.cells),
            **asdict(seconds),
            "largest_difference": difference,
        }


def _all_cells(times: dict[str, list[Seconds]], name: str, share: float) -> list[Seconds]:
    """Both runs and every cell, from the times of a share of the cells."""
    whole = times.get(f"{name}: whole")  # where runs and cells go up in one pass
    if whole is not None and share == 1:
        return whole
    runs = times[f"{name}: runs"]
    if whole is None:
        return extrapolated(runs, times[f"{name}: cells"], share)
    return extrapolated(runs, [both - run for both, run in zip(whole, runs, strict=True)], share)


def _needless(side: Side) -> bool:
    """A product that is slower here is timed once, at the final position, and not again."""
    return isinstance(side, Headscope) and side.backend == "oneDNN" and not _onednn_is_faster()


def memories(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Peaks of a small and a large sweep of headscope, and of what the others hold for one batch of 8."""
    if quick:
        return [memory.in_fresh_process(folder, "headscope", 8)]
    runs = [("headscope", n) for n in (32, 1000)]
    peers = [PLAIN, *(name for name in PEERS if name not in missing_peers())]
    return [memory.in_fresh_process(folder, side, n) for side, n in (*runs, *((peer, 8) for peer in peers))]


def machine() -> dict[str, Any]:
    """Where this was measured."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    accelerator = None
    if torch.accelerator.is_available():
        device = torch.accelerator.current_accelerator()
        accelerator = torch.get_device_module(device).get_device_name()
    return {
        "processor": found[1] if found else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "accelerator": accelerator,
        "python": platform.python_version(),
        "versions": versions(),
        "onednn_is_faster": _onednn_is_faster(),
    }
