"""How much memory a sweep takes, each in a fresh process: the resident set, sampled while it runs.

python -m benchmarks.memory FOLDER SIDE N_PAIRS      prints one JSON object
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.activations import stack_tokens
from analysis.effects import node_effects
from analysis.heap import give_back_gaps
from analysis.naive import plain_logits
from benchmarks.sides import all_sides
from benchmarks.tasks import load_smollm2, make_prompt_pairs, make_task, some

PAIRS_PER_CHUNK = 4
DIFFERENT_PAIRS = 32
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Of this process, now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def peak_during(action: Callable[[], Any]) -> tuple[int, int]:
    """Resident bytes before the action, and the most while it ran; free room is given back before."""
    gc.collect()
    give_back_gaps()
    before = peak = resident_bytes()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident_bytes())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        action()
    finally:
        done.set()
        watcher.join()
    return before, max(peak, resident_bytes())


def in_fresh_process(folder: Path, side: str, n_pairs: int) -> dict[str, Any]:
    """The same, by itself."""
    command = [sys.executable, "-m", "benchmarks.memory", str(folder), side, str(n_pairs)]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    )
    return json.loads(output.stdout.splitlines()[-1])


def measure(folder: Path, side_name: str, n_pairs: int) -> dict[str, Any]:
    """headscope: the whole sweep of so many pairs. A peer: recording, and three cells of one batch."""
    model, _ = load_smollm2(folder)
    pairs = make_prompt_pairs(folder, min(n_pairs, DIFFERENT_PAIRS))
    if side_name == "headscope":

        def action() -> None:
            results = []
            for first in range(0, n_pairs, PAIRS_PER_CHUNK):
                chunk = [pairs[index % len(pairs)] for index in range(first, first + PAIRS_PER_CHUNK)]
                results.append(node_effects(model, chunk))

    else:
        side = next(side for side in all_sides(model) if side.name == side_name)
        task = make_task("final", model, pairs)

        def action() -> None:
            side.measure(task, side.record(task), some(task.cells, 3))

    plain_logits(model, stack_tokens([pairs[0].clean]))  # weights that are mapped from a file are read now
    before, peak = peak_during(action)
    return {"side": side_name, "n_prompts": n_pairs, "before": before, "peak": peak}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("side")
    parser.add_argument("n_pairs", type=int)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.side, options.n_pairs)))
