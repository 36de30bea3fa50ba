"""What was promised, and whether the stored figures keep it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]
PEER = "TransformerLens"
TIME = {"one": "cpu", "all": "wall"}  # several threads spin while they wait, which is no work


@dataclass(frozen=True)
class Criterion:
    """One promise: a value that must be at least, or at most, some limit. None: not measured."""

    what: str
    value: float | None
    limit: float
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is nothing to judge."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def seconds(sweep: Results, side: str, statistic: str = "median") -> float | None:
    """Of one side; CPU time on one core, by the clock on all."""
    found = sweep["sides"].get(side)
    return found[TIME[sweep["cores"]]][statistic] if found else None


def ours(sweep: Results, *, backend: str | None = None) -> str:
    """Our side with that product for linear layers, or with the faster one."""
    names = {name: side for name, side in sweep["sides"].items() if name.startswith("headscope")}
    if backend is not None:
        return next(name for name, side in names.items() if side["backend"] == backend)
    return min(names, key=lambda name: names[name][TIME[sweep["cores"]]]["median"])


def ratio(sweep: Results, peer: str, *, same_backend: bool = False) -> float | None:
    """How many times as long the peer takes for the same cells, both runs included on both sides."""
    theirs = seconds(sweep, peer)
    if theirs is None:
        return None
    backend = sweep["sides"][peer]["backend"] if same_backend else None
    return theirs / (seconds(sweep, ours(sweep, backend=backend)) or float("nan"))


def forwards(sweep: Results, *, same_backend: bool = False) -> float:
    """Our end-to-end time in plain forward passes of the batch."""
    backend = next(side["backend"] for name, side in sweep["sides"].items() if "hooks" in name)
    own = seconds(sweep, ours(sweep, backend=backend if same_backend else None)) or float("nan")
    return own / sweep["forward"][TIME[sweep["cores"]]]["median"]


def find(results: Results, mode: str, n_prompts: int, *, model: str = "smollm2", cores: str = "one") -> Any:
    """The sweep of that kind, if it was run."""
    wanted = {"model": model, "mode": mode, "n_prompts": n_prompts, "cores": cores}
    return next((s for s in results["sweeps"] if all(s[key] == value for key, value in wanted.items())), None)


def criteria(results: Results) -> list[Criterion]:
    """All promises of the engine, smollm2, one core."""
    return [
        *_against_the_peer(results),
        *_against_a_forward(results),
        *_of_the_engine(results),
        *_of_the_page(results),
    ]


def _against_the_peer(results: Results) -> Iterator[Criterion]:
    for n in (1, 8):
        final = find(results, "final", n)
        words = f"heads and MLPs, final position, N = {n}: times as fast as {PEER}"
        yield Criterion(words, final and ratio(final, PEER), 150, True, "x")
        same = final and ratio(final, PEER, same_backend=True)
        yield Criterion(f"{words}, same matrix product", same, 75, True, "x")
    for mode, words, limit in (
        ("everywhere", "heads, all positions at once", 30),
        ("each", "heads, each differing position", 60),
    ):
        for n in (1, 8):
            swept = find(results, mode, n)
            value = swept and ratio(swept, PEER)
            yield Criterion(f"{words}, N = {n}: times as fast as {PEER}", value, limit, True, "x")


def _against_a_forward(results: Results) -> Iterator[Criterion]:
    for n in (1, 8):
        final = find(results, "final", n)
        words = f"the same with both runs, N = {n}: plain forward passes"
        yield Criterion(f"{words}, the faster matrix product", final and forwards(final), 1.8, False)
        same = final and forwards(final, same_backend=True)
        yield Criterion(f"{words}, the same one", same, 3.0, False)


def _of_the_engine(results: Results) -> Iterator[Criterion]:
    for n in (1, 8):
        shares = [
            share_reached(row)
            for row in results.get("ceiling", [])
            if (row["mode"], row["n_prompts"]) == ("final", n)
        ]
        words = f"share of the matrix-product ceiling, final position, N = {n}"
        yield Criterion(words, max(shares, default=None), 0.85, True)
    yield Criterion(
        "peak memory, 1,000 pairs against 32: relative difference", memory_growth(results), 0.05, False
    )


def share_reached(row: Results) -> float:
    """Of the rate of its own matrix products with nothing between them."""
    return row["products_seconds"] / row["sweep_seconds"]


def memory_growth(results: Results) -> float | None:
    """Relative difference of the peaks of a sweep of 1,000 pairs and one of 32, the weights included."""
    rows = [row for row in results.get("memory", []) if row["side"] == "headscope"]
    peaks = {row["n_prompts"]: row["peak"] for row in rows}
    return abs(peaks[1000] / peaks[32] - 1) if {32, 1000} <= set(peaks) else None


def _of_the_page(results: Results) -> Iterator[Criterion]:
    api = results.get("api", {})
    clicks = api.get("clicks", {}).items()
    for mode, click in clicks:
        yield Criterion(
            f"click on one head, {mode}: seconds at the median", click["median"], 0.3, False, " s"
        )
    swept = api.get("map")
    whole = swept["whole"] if swept and swept["n_pairs"] == 32 else None
    yield Criterion("the map of 32 pairs: seconds", whole, 15, False, " s")
