"""How long the map, a click and a stored answer take, through the API as a page asks for them.

    python benchmarks/map.py [--address http://127.0.0.1:8050] [--pairs 32]

Without an address it starts a server of its own. A new seed every time, so that nothing comes from the
store unless that is what is measured.
"""

import argparse
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

REPEATS = 15


def main() -> None:
    """Print one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="a running server")
    parser.add_argument("--pairs", type=int, default=32)
    options = parser.parse_args()
    if options.address:
        measure(options.address, options.pairs)
        return
    with own_server() as address:
        measure(address, options.pairs)


@contextmanager
def own_server() -> Iterator[str]:
    """A server for the time of the benchmark, on a free port."""
    command = [str(Path(sys.executable).parent / "headscope"), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().split()[-1]
        process.terminate()


def measure(address: str, pairs: int) -> None:
    """From the start of the server to the last click."""
    with httpx2.Client(base_url=address, timeout=300) as client:
        wait_ready(client)
        measure_map(client, pairs)


def measure_map(client: httpx2.Client, pairs: int) -> None:
    """The map from nothing, the same again, and clicks on single nodes."""
    posted = {"analysis": "effects", "prompts": {"n": pairs, "seed": random.randrange(2**31)}}
    first, whole, body = sweep(client, posted)
    nodes = [node["label"] for node in body["coordinates"]["node"]]
    passes = body["provenance"]["forward_passes"]
    say("map, first cells", first)
    say(f"map, {len(nodes)} nodes x {body['n']} pairs", whole, f"{passes} forward passes")
    say("map asked again", *middle(lambda _: post(client, posted), REPEATS))

    def click(index: int) -> None:
        prompts = posted["prompts"] | {"index": index % pairs}
        node = random.choice(nodes)
        post(client, posted | {"prompts": prompts, "parameters": {"nodes": [node]}}, priority="click")

    say("click, one node of one pair", *middle(click, REPEATS))


def sweep(client: httpx2.Client, posted: dict[str, Any]) -> tuple[float, float, dict[str, Any]]:
    """Seconds to the first cells, seconds to the whole map, and the map."""
    began = time.perf_counter()
    body = client.post("/api/results", json=posted).json()
    first = 0.0
    while "tables" not in body:
        job = client.get(f"/api/jobs/{body['key']}").json()
        if job["state"] == "failed":
            raise SystemExit(job["error"]["message"])
        if job["partial"] and not first:
            first = time.perf_counter() - began
        if job["state"] == "done":
            body = client.get(f"/api/results/{job['id']}").json()
        time.sleep(0.05)
    whole = time.perf_counter() - began
    return first or whole, whole, body


def post(client: httpx2.Client, posted: dict[str, Any], priority: str = "sweep") -> None:
    """Ask, and insist on an answer at once."""
    response = client.post(f"/api/results?priority={priority}", json=posted)
    if response.status_code != 200:
        raise SystemExit(f"{response.status_code}: {response.text[:300]}")


def middle(action: Any, repeats: int) -> tuple[float, str]:
    """Median seconds, and the range."""
    seconds = []
    for index in range(repeats):
        began = time.perf_counter()
        action(index)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), f"{min(seconds):.3f} to {max(seconds):.3f} s, {repeats} times"


def wait_ready(client: httpx2.Client) -> None:
    """Until the default model is loaded."""
    began = time.perf_counter()
    while client.get("/api/readyz").status_code != 200:
        time.sleep(0.1)
    say("model ready (0 if it was)", time.perf_counter() - began)


def say(what: str, seconds: float, note: str = "") -> None:
    """One line of the report."""
    print(f"{what:<36} {seconds:>8.3f} s   {note}")


if __name__ == "__main__":
    main()
