"""The benchmark's arithmetic, and that docs/performance.md says what was stored."""

import json
from typing import Any

import pytest
import torch

from analysis.nodes import Head, Mlp
from benchmarks import bench, report
from benchmarks import criteria as promised
from benchmarks.bench import plans
from benchmarks.ceiling import Products, flops_of
from benchmarks.memory import peak_during
from benchmarks.tasks import Cell, D, T, _random_pairs, every_kth_head, make_task, some
from benchmarks.timing import Seconds, cores, extrapolated, in_turn, summary


class Shape:
    """What `make_task` wants to know of a model."""

    n_layers, n_heads = 3, 4


def sweep(**given: Any) -> dict[str, Any]:
    """A row in which TransformerLens takes 300 s, we 1.5 s with oneDNN and 3 s with MKL, a forward 1 s."""

    def taking(seconds: float, backend: str) -> dict[str, Any]:
        both = {"median": seconds, "min": seconds}
        return {"cpu": both, "wall": both, "backend": backend, "n_cells_run": 2}

    sides = {
        "headscope (MKL)": taking(3, "MKL"),
        "headscope (oneDNN)": taking(1.5, "oneDNN"),
        "transformers with hooks": taking(200, "MKL"),
        "TransformerLens": taking(300, "MKL"),
    }
    row = {
        "model": "smollm2",
        "mode": "final",
        "n_prompts": 1,
        "cores": "one",
        "n_cells": 15,
        "agreement": None,
    }
    return row | {"forward": taking(1, "MKL"), "sides": sides} | given


def test_tasks_have_every_cell_once() -> None:
    pairs = list(_random_pairs(2))
    counts = {mode: len(make_task(mode, Shape(), pairs).cells) for mode in report.MODES}  # pyright: ignore
    assert counts == {"final": 3 * 5, "everywhere": 3 * 4, "each": 3 * 4 * D}
    task = make_task("each", Shape(), pairs)  # pyright: ignore
    assert len(set(task.cells)) == len(task.cells)
    differing = (task.base_ids != task.source_ids).any(0).nonzero().flatten()
    assert task.base_ids.shape == (2, T) and int(differing[0]) == T - D


def test_chosen_cells_stand_for_all() -> None:
    cells = [
        Cell(Head(layer, head), position) for position in (7, 8) for layer in range(4) for head in range(6)
    ]
    assert [cells.index(cell) for cell in some(cells, 3)] == [8, 24, 40]
    kept = every_kth_head(cells, 3)
    per_place = {(cell.position, cell.node.layer) for cell in kept}
    assert len(kept) == len(cells) // 3 and len(per_place) == 8
    assert every_kth_head([Cell(Mlp(layer), 7) for layer in range(4)], 1) == [
        Cell(Mlp(i), 7) for i in range(4)
    ]


def test_extrapolation_repeats_cells_but_not_the_runs() -> None:
    whole = extrapolated([Seconds(1, 2)], [Seconds(3, 5)], share=0.01)
    assert whole == [Seconds(301, 502)]


def test_summaries_are_medians_and_minima() -> None:
    found = summary([Seconds(cpu, 2 * cpu) for cpu in (5, 1, 2)])
    assert found == {"cpu": {"median": 2, "min": 1}, "wall": {"median": 4, "min": 2}, "n_repeats": 3}


def test_actions_are_repeated_in_turn() -> None:
    order: list[str] = []
    in_turn({name: (lambda name=name: order.append(name)) for name in "ab"}, 2)
    assert order == ["a", "b", "a", "b"]


def test_one_core_is_one_core_and_comes_to_an_end() -> None:
    import os

    before = os.sched_getaffinity(0), torch.get_num_threads()
    with cores("one"):
        assert (len(os.sched_getaffinity(0)), torch.get_num_threads()) == (1, 1)
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == before


def test_ratios_name_the_product() -> None:
    row = sweep()
    assert promised.ratio(row, "TransformerLens") == 200
    assert promised.ratio(row, "TransformerLens", same_backend=True) == 100
    assert promised.forwards(row) == 1.5
    assert promised.forwards(row, same_backend=True) == 3
    assert promised.ratio(row, "nnsight") is None


def test_a_miss_is_a_miss_and_what_was_not_run_is_neither() -> None:
    found = {c.what: c.met for c in promised.criteria({"sweeps": [sweep()]})}
    words = "heads and MLPs, final position, N = {}: times as fast as TransformerLens"
    assert found[words.format(1)] is True
    assert found[words.format(8)] is None
    slow = sweep(sides=sweep()["sides"] | {"TransformerLens": sweep()["sides"]["transformers with hooks"]})
    found = {c.what: c.met for c in promised.criteria({"sweeps": [slow]})}
    assert found[words.format(1)] is False
    assert found[f"{words.format(1)}, same matrix product"] is False


@pytest.mark.parametrize(("peak", "met"), [(1040, True), (1060, False)])
def test_memory_may_grow_by_a_twentieth(peak: int, met: bool) -> None:
    rows = [
        {"side": "headscope", "n_prompts": n, "before": 0, "peak": p} for n, p in ((32, 1000), (1000, peak))
    ]
    judged = promised.criteria({"sweeps": [], "memory": rows})
    assert [c.met for c in judged if c.what.startswith("peak memory")] == [met]


def test_memory_can_be_measured_anew_by_itself(monkeypatch, tmp_path) -> None:
    file, rows = tmp_path / "cpu.json", [{"side": "headscope", "n_prompts": 32, "before": 1, "peak": 2}]
    file.write_text(json.dumps({"sweeps": ["kept"], "memory": []}))
    monkeypatch.setattr(bench, "memories", lambda *_, **__: rows)
    bench.run_memory(file, tmp_path)
    stored = json.loads(file.read_text())
    assert (stored["sweeps"], stored["memory"]) == (["kept"], rows)
    assert f"Measured anew on {stored['memory_measured']}" in "\n".join(
        report.engine(stored | {"ceiling": [], "rates": []})
    )


def test_the_peak_is_seen_although_it_is_gone_afterwards() -> None:
    size = 64 * 2**20

    def action() -> None:
        torch.ones(size // 4).add_(1)

    before, peak = peak_during(action)
    assert peak - before >= 0.9 * size


@torch.inference_mode()
def test_products_are_noted_and_replayed() -> None:
    linear = torch.nn.Linear(8, 4)
    with Products.of(linear) as products:
        linear(torch.ones(3, 8))
        torch.bmm(torch.ones(2, 3, 5), torch.ones(2, 5, 7))
    assert [tuple(product().shape) for product in products.found] == [(3, 4), (2, 3, 7)]
    assert flops_of(lambda: linear(torch.ones(3, 8))) == 2 * 3 * 8 * 4


def test_every_row_is_repeated_five_times_unless_quick() -> None:
    assert {plan.n_repeats for plan in plans(False, (1, 8, 32))} == {5}
    rows = [(p.model, p.mode, p.n_prompts, p.cores) for p in plans(False, (1, 8, 32))]
    assert len(set(rows)) == len(rows)
    sizes = {"final": {1, 8, 32}, "everywhere": {1, 8}}  # the longest ones with fewer pairs
    for model, each in (("smollm2", {1, 8}), ("gpt2", {1})):
        for mode in report.MODES:
            expected = each if mode == "each" else sizes[mode]
            assert {n for m, k, n, c in rows if (m, k, c) == (model, mode, "one")} == expected


def test_the_document_says_what_was_stored() -> None:
    files = sorted(report.RESULTS.glob("*.json"))
    assert report.DOCUMENT.read_text() == report.document([json.loads(path.read_text()) for path in files])
