"""How soon a cancel frees the model, and how near estimates come, for every analysis on the demo model.

    python -m benchmarks.long_work [--data FOLDER] [--pairs 4] [--cpu-time] [ANALYSIS ...]

A cancel is timed from the request to the end of another job on the same model. Every analysis is cancelled at
several moments of its first seconds; the worst is told. Estimates are told three times: before anything of
the kind was measured, and twice after. `--cpu-time` compares seconds of this thread instead of the clock's,
for a machine that others use too.
"""

import argparse
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.analyses import ANALYSES
from backend.app import create_state
from backend.engines.work import Expected
from backend.schemas.spec import Spec
from backend.services.specs import example_spec
from backend.services.state import ServerState
from backend.settings import Settings

MOMENTS_S = (0.1, 0.4, 0.9, 1.7, 3.1)
ONE_PAIR = ("position_effects", "edge_estimates", "steer")
OWN = {"position_effects": {"kind": "heads", "layer": 20}, "edge_estimates": {"top": 40, "verify": 20}}
N_LAYERS = 30  # of the demo; the curves are those of its MLPs
Json = dict[str, Any]


class Nothing:
    """The next job: it only has to get its turn."""

    spec, expected = {"analysis": "prompts"}, Expected()

    def __init__(self, model: str) -> None:
        self.key, self.model = hashlib.sha256(secrets.token_bytes(8)).hexdigest(), model

    def prepare(self) -> int:
        return 1

    def run_chunk(self, index: int) -> bool:
        return index == 0

    def partial(self) -> None:
        return None

    def finish(self) -> bytes:
        return b""


def spec_of(name: str, n_pairs: int, seed: int) -> Json:
    """As a page asks for it; every seed draws other pairs, so that nothing is stored."""
    parameters = OWN.get(name, example_spec(ANALYSES[name])["parameters"])
    parameters |= {"n_fit": 64} if "n_fit" in parameters else {}
    if name == "curves":
        parameters["nodes"] = [f"MLP{layer}" for layer in range(N_LAYERS)]
    one = ANALYSES[name].one_pair or name in ONE_PAIR
    prompts = {"n": n_pairs, "seed": seed} | ({"index": 0} if one else {})
    return {"schema": 1, "analysis": name, "prompts": prompts, "parameters": parameters}


def worst_cancel(state: ServerState, name: str) -> float | None:
    """Seconds until the model is free for others; None for what is done before it can be cancelled."""
    engine, model = state.engine, state.models.host(None).source.id
    found: list[float] = []
    for place, moment_s in enumerate(MOMENTS_S):
        job = engine.submit(state.results.make_work(spec_of(name, 8, 100 + place)), user="one")
        time.sleep(moment_s)
        if job.closed:
            break
        began = time.monotonic()
        engine.cancel(job.key, "one")
        other = engine.submit(Nothing(model), "click", "another")
        while not other.closed:
            time.sleep(0.002)
        found.append(time.monotonic() - began)
    return max(found, default=None)


def told_and_taken(state: ServerState, name: str, n_pairs: int, clock: Callable[[], float]) -> list[str]:
    """For three draws of pairs: what was estimated, from what, and what it then took."""
    found = []
    for seed, n in ((1, n_pairs), (2, 2 * n_pairs), (3, n_pairs)):
        spec = spec_of(name, n, seed)
        estimate = state.results.estimate(Spec.model_validate(spec))
        work, began = state.results.make_work(spec), clock()
        for index in range(work.prepare()):
            work.run_chunk(index)
        work.finish()
        taken, told = clock() - began, estimate.seconds or float("nan")
        found.append(f"{told:6.2f} s {estimate.basis:8} {taken:6.2f} s ({taken / told:4.2f})")
    return found


def main() -> None:
    """Print a line for every analysis."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--data", type=Path, help="where the demo model is converted already")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true", help="with one thread only")
    parser.add_argument("analyses", nargs="*", default=[name for name in ANALYSES if name != "prompts"])
    chosen = parser.parse_args()
    clock = time.thread_time if chosen.cpu_time else time.perf_counter
    if chosen.cpu_time:
        time.perf_counter = clock  # what costs are measured by
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        if chosen.data:
            (data / "models").symlink_to(chosen.data.resolve() / "models")
        state = create_state(Settings(data=data, threads=1 if chosen.cpu_time else chosen.threads))
        state.models.host(None).load()
        for name in chosen.analyses:
            cancel = worst_cancel(state, name)
            freed = "    –   " if cancel is None else f"{cancel:6.2f} s"
            print(f"{name:17} free {freed}  ", " | ".join(told_and_taken(state, name, chosen.pairs, clock)))
        state.engine.shutdown(10)
        state.store.close()


if __name__ == "__main__":
    main()
