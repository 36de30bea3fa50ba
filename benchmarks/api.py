"""Seconds until the map, a click in every position mode and a stored answer are there, through the API.

    python -m benchmarks.api [--address http://127.0.0.1:8050] [--pairs 32]

Without an address it starts a server of its own. A new seed every time, so that nothing comes from the
store unless that is what is measured.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx2

N_CLICKS = 15
MAX_START_SECONDS = 120
POLL_SECONDS = 0.2  # the page asks every 0.4 s; asking all the time would slow down what is measured
POSITIONS = {
    "final position": "final",
    "all positions": "all",
    "differing positions": "differing",
    "one position": 10,
    "the correct label's position": "label_correct",
}
Spec = dict[str, Any]


class NotMeasured(RuntimeError):
    """The server did not answer as it should."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="a running server")
    parser.add_argument("--pairs", type=int, default=32)
    options = parser.parse_args()
    with nullcontext(options.address) if options.address else own_server() as address:
        print(json.dumps(measure(address, options.pairs), indent=1))


def measure_own_server(n_pairs: int) -> dict[str, Any]:
    """With a server for this time only, on a free port; or why nothing could be measured."""
    try:
        with own_server() as address:
            return measure(address, n_pairs)
    except NotMeasured as error:
        return {"error": str(error)}


@contextmanager
def own_server() -> Iterator[str]:
    """Its address."""
    command = [str(Path(sys.executable).parent / "headscope"), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def measure(address: str, n_pairs: int) -> dict[str, Any]:
    """The map from nothing, the same again, and clicks on single heads. Seconds by the clock."""
    with httpx2.Client(base_url=address, timeout=600) as client:
        wait_ready(client)
        posted = {"analysis": "effects", "prompts": {"n": n_pairs, "seed": random.randrange(2**31)}}
        first, whole, body = sweep(client, posted)
        nodes = [node["label"] for node in body["coordinates"]["node"]]
        clicks = {
            mode: repeated(lambda index, place=place: click(client, posted, index, place, nodes), N_CLICKS)
            for mode, place in POSITIONS.items()
        }
        return {
            "map": {"n_pairs": body["n"], "n_nodes": len(nodes), "first_cells": first, "whole": whole},
            "stored": repeated(lambda _: post(client, posted), N_CLICKS),
            "clicks": clicks,
        }


def click(client: httpx2.Client, posted: Spec, index: int, place: str | int, nodes: list[str]) -> None:
    """One head of one pair, which nobody has asked for yet."""
    prompts = posted["prompts"] | {"index": index % posted["prompts"]["n"]}
    head = random.choice([node for node in nodes if not node.startswith("MLP")])
    parameters = {"nodes": [head], "positions": place}
    post(client, posted | {"prompts": prompts, "parameters": parameters}, priority="click")


def sweep(client: httpx2.Client, posted: Spec) -> tuple[float, float, dict[str, Any]]:
    """Seconds to the first cells, seconds to the whole map, and the map."""
    began = time.perf_counter()
    body = client.post("/api/results", json=posted).json()
    first = 0.0
    while "tables" not in body:
        job = client.get(f"/api/jobs/{body['key']}").json()
        if job["state"] == "failed":
            raise NotMeasured(job["error"]["message"])
        if job["partial"] and not first:
            first = time.perf_counter() - began
        if job["state"] == "done":
            body = client.get(f"/api/results/{job['id']}").json()
        time.sleep(POLL_SECONDS)
    whole = time.perf_counter() - began
    return first or whole, whole, body


def post(client: httpx2.Client, posted: Spec, priority: str = "sweep") -> None:
    """Ask, and insist on an answer at once."""
    response = client.post(f"/api/results?priority={priority}", json=posted)
    if response.status_code != 200:
        raise NotMeasured(f"{response.status_code}: {response.text[:300]}")


def repeated(action: Callable[[int], None], n: int) -> dict[str, float]:
    """Median and extremes of some repeats."""
    seconds = []
    for index in range(n):
        began = time.perf_counter()
        action(index)
        seconds.append(time.perf_counter() - began)
    return {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds), "n_repeats": n}


def wait_ready(client: httpx2.Client) -> None:
    """Until the default model is loaded."""
    began = time.perf_counter()
    while (response := client.get("/api/readyz")).status_code != 200:
        if time.perf_counter() - began > MAX_START_SECONDS:
            raise NotMeasured(f"The server did not get ready: {response.text[:300]}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
