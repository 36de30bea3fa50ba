"""docs/performance.md, written from the stored figures and from nothing else.

python -m benchmarks.report
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.criteria import (
    PEER,
    Criterion,
    Results,
    criteria,
    forwards,
    memory_growth,
    ours,
    ratio,
    seconds,
    share_reached,
)
from benchmarks.tasks import MODES, D, T

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
PEERS = (PEER, "nnsight", "transformers with hooks")

OPENING = """\
# How fast it is

Patching tools run the whole prompt once for every cell. headscope runs base and source prompt, and all cells
with them, in one upward pass: a row starts at the layer of its patch, holds only the positions that can
differ, and shares the base run's keys and values with all other rows. Nothing is approximated.

This page is written by `make bench` from `benchmarks/results/`; nobody edits it.

**How it is measured.** All sides run in one process, in turn, with the same weights, prompts and cells, in
float32, and must agree within 0.001 logit before anything is timed. A prompt has {tokens} tokens and its two
versions differ in the last {differing}. Every time includes both runs. A peer runs a few of the cells, as
every cell is the same full forward pass, and the rest is extrapolated; where headscope's own sweep is too
long to be repeated, it runs the same share of heads in every layer. The columns *run* say how many cells
were. On one pinned core the figures are CPU seconds; on all cores, seconds by the clock. Medians, with the
minimum in brackets.
"""


def write() -> None:
    """From everything in benchmarks/results/."""
    DOCUMENT.write_text(document([json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]))


def document(machines: Sequence[Results]) -> str:
    """One section for each machine."""
    sections = ["\n".join(section(results)) for results in machines] or ["Nothing has been measured yet."]
    return "\n".join([OPENING.format(tokens=T, differing=D), *sections]) + "\n"


def section(results: Results) -> Iterator[str]:
    """All that was measured on one machine."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    device = f", {machine['accelerator']}" if machine["accelerator"] else ""
    yield f"## {machine['processor']}, {machine['cores']} cores{device}\n"
    yield f"Python {machine['python']}, {versions}.\n"
    if results["quick"]:
        yield "**A quick run: one pair, few repeats. `make bench` measures everything.**\n"
    if results["missing_peers"]:
        yield f"Not installed, so not compared: {', '.join(results['missing_peers'])}.\n"
    for name, model in results["models"].items():
        yield (
            f"- **{name}**: {model['n_layers']} layers of {model['n_heads']} heads, "
            f"{model['n_parameters'] / 1e6:.0f} M parameters, {model['weights']}; "
            f"{model['n_right']} of {model['n_pairs']} pairs right in both prompts."
        )
    yield "\n### What was promised\n"
    yield from table(("", "wanted", "reached", ""), map(verdict, criteria(results)))
    for which, words in (("one", "One core, CPU seconds"), ("all", "All cores, seconds by the clock")):
        sweeps = [sweep for sweep in results["sweeps"] if sweep["cores"] == which]
        if sweeps:
            yield f"\n### {words}\n"
            yield from table(SWEEP_COLUMNS, map(sweep_row, sweeps))
    yield from checks(results)
    yield from engine(results)
    yield from page(results)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """As Markdown."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def verdict(criterion: Criterion) -> Sequence[str]:
    """A promise and whether it is kept."""
    words = {True: "met", False: "**missed**", None: "not measured"}[criterion.met]
    bound = "≥" if criterion.at_least else "≤"
    value = "" if criterion.value is None else f"{criterion.value:.3g}{criterion.unit}"
    return criterion.what, f"{bound} {criterion.limit:g}{criterion.unit}", value, words


SWEEP_COLUMNS = (
    "model",
    "cells",
    "pairs",
    "headscope",
    "its product",
    "run",
    *(f"{peer} (ratio)" for peer in PEERS),
    "run",
    "ratio on the same product",
    "plain forward passes",
)


def sweep_row(sweep: Results) -> Sequence[str]:
    """headscope with the faster product, and how many times as long the others take."""
    own = ours(sweep)
    same = ratio(sweep, PEER, same_backend=True)
    return (
        sweep["model"],
        f"{sweep['n_cells']}: {MODES[sweep['mode']]}",
        str(sweep["n_prompts"]),
        f"{figure(seconds(sweep, own))} ({figure(seconds(sweep, own, 'min'))})",
        sweep["sides"][own]["backend"],
        str(sweep["sides"][own]["n_cells_run"]),
        *(f"{figure(seconds(sweep, peer))} ({figure(ratio(sweep, peer))}x)" for peer in PEERS),
        str(max(side["n_cells_run"] for name, side in sweep["sides"].items() if name in PEERS)),
        f"{figure(same)}x",
        figure(forwards(sweep)),
    )


def figure(value: float | None) -> str:
    """Three digits; a dash for what was not measured."""
    return "–" if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def checks(results: Results) -> Iterator[str]:
    """Whether the sides computed the same, and whether extrapolation is fair."""
    yield "\n### The same numbers\n"
    for sweep in results["sweeps"]:
        if sweep["agreement"] and sweep["cores"] == "one":
            found = sweep["agreement"]
            yield (
                f"- {sweep['model']}, {MODES[sweep['mode']]}: all sides within "
                f"{found['largest_difference']:.1g} logit on {found['n_cells']} cells, effects up to "
                f"{found['largest_effect']:.2g} logit."
            )
    full = results.get("full_sweep")
    if full:
        yield (
            f"- One complete {full['side']} sweep of all {full['n_cells']} cells took "
            f"{figure(full['cpu'])} CPU seconds; all its values are within "
            f"{full['largest_difference']:.1g} logit of headscope's."
        )


def engine(results: Results) -> Iterator[str]:
    """Ceiling, products, memory."""
    yield "\n### Where the time goes\n"
    yield (
        "The ceiling is a replay: the sweep's own matrix products, in order, with the model's own weights, "
        "and nothing between them. One core, CPU seconds, both runs included.\n"
    )
    columns = ("cells", "pairs", "side", "GFLOP", "sweep", "products alone", "share", "GFLOP/s reached")
    yield from table(columns, map(ceiling_row, results.get("ceiling", [])))
    yield "\nOne linear layer of smollm2's MLP, warm weights, GFLOP/s:\n"
    yield from table(("product", "rows", "GFLOP/s"), map(rate_row, results.get("rates", [])))
    yield "\n### Memory\n"
    yield (
        "The resident set, each in a fresh process that holds the weights before. headscope: that many "
        "pairs, four at a time, all results kept. The others: what they record of one batch, and three "
        "cells.\n"
    )
    yield from table(("side", "pairs", "before", "rise", "peak"), map(memory_row, results.get("memory", [])))
    if "memory_measured" in results:
        yield f"\nMeasured anew on {results['memory_measured']}, with later code than the rest of this page."
    growth = memory_growth(results)
    if growth is not None:
        yield f"\n1,000 pairs against 32: {100 * growth:.1f} % apart at the peak."


def ceiling_row(row: Results) -> Sequence[str]:
    """One sweep beside its own products."""
    return (
        f"{row['n_cells']}: {MODES[row['mode']]}",
        str(row["n_prompts"]),
        row["side"],
        figure(row["gigaflop"]),
        figure(row["sweep_seconds"]),
        figure(row["products_seconds"]),
        f"{100 * share_reached(row):.0f} %",
        figure(row["gigaflop"] / row["sweep_seconds"]),
    )


def rate_row(row: Results) -> Sequence[str]:
    return row["backend"], str(row["rows"]), figure(row["gigaflop_per_second"])


def memory_row(row: Results) -> Sequence[str]:
    sizes = row["before"], row["peak"] - row["before"], row["peak"]
    return row["side"], f"{row['n_prompts']:,}", *(f"{size / 2**20:,.0f} MiB" for size in sizes)


def page(results: Results) -> Iterator[str]:
    """Through the API."""
    api = results.get("api")
    if api is None:
        return
    if "error" in api:
        yield f"\nNothing was measured through the API: {api['error']}"
        return
    swept = api["map"]
    yield "\n### Through the API\n"
    rows: list[tuple[str, str]] = [
        (
            f"map of {swept['n_nodes']} nodes, {swept['n_pairs']} pairs: first cells",
            f"{swept['first_cells']:.2f} s",
        ),
        ("the whole map", f"{swept['whole']:.2f} s"),
        ("asked again, from the store", f"{1000 * api['stored']['median']:.0f} ms"),
        *(
            (f"click on one head, {mode}", f"{1000 * c['median']:.0f} ms")
            for mode, c in api["clicks"].items()
        ),
    ]
    yield from table(("", "seconds by the clock, medians"), rows)


if __name__ == "__main__":
    write()
