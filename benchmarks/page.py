"""How fast the page is: bytes and seconds to the first figure, stored figures after a click, attention.

    python -m benchmarks.page [--address http://127.0.0.1:8050] [--model smollm2-mcq] [--pairs 32]

Everything is measured first, so that what is timed comes from the store. Without an address it starts a
server of its own. Needs Chromium and playwright.
"""

import argparse
import gzip
import json
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.api import own_server, wait_ready

CHROMIUM = "/usr/bin/chromium"
BUDGETS = {"interactive_s": 2.0, "first_figure_bytes": 1_500_000, "click_s": 0.5, "attention_bytes": 100_000}
REPEATS = 3
LONG_MS = 120_000
MAP_DRAWN = (
    "document.querySelector('#map .heatmaplayer image') && document.querySelector('#question .options')"
)
Json = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What is looked at: one head of a model, on some pairs of a set."""

    model: str = "smollm2-mcq"
    set: str = "stated-facts"
    pairs: int = 32
    node: str = "L23H2"

    @property
    def query(self) -> str:
        return f"model={self.model}&set={self.set}&n={self.pairs}"

    @property
    def map(self) -> str:
        return f"/?{self.query}&node={self.node}"


def measure(browser: Browser, address: str, subject: Subject, repeats: int = REPEATS) -> Json:
    """Medians over some repeats; bytes are the same every time."""
    fill(browser, address, subject)
    loads = [load(browser, address, subject) for _ in range(repeats)]
    clicks: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, seconds in clicked(browser, address, subject).items():
            clicks.setdefault(name, []).append(seconds)
    return {
        "first_figure_bytes": max(one["bytes"] for one in loads),
        "interactive_s": statistics.median(one["seconds"] for one in loads),
        "clicks_s": {name: statistics.median(found) for name, found in clicks.items()},
        "attention_bytes": attention_bytes(address, subject),
    }


def over_budget(found: Mapping[str, Any], slack: float = 1.0) -> list[str]:
    """What takes longer or is larger than it may; `slack` is for machines that do other things as well."""
    seconds = {"the first figure": (found["interactive_s"], BUDGETS["interactive_s"])}
    seconds |= {name: (value, BUDGETS["click_s"]) for name, value in found["clicks_s"].items()}
    late = [f"{name}: {value:.2f} s" for name, (value, budget) in seconds.items() if value > slack * budget]
    sizes = ("first_figure_bytes", "attention_bytes")
    return [*late, *(f"{name}: {found[name]}" for name in sizes if found[name] > BUDGETS[name])]


def fill(browser: Browser, address: str, subject: Subject) -> None:
    """Visit everything once, so that it is stored."""
    page = browser.new_page()
    page.goto(address + subject.map)
    page.locator("#audit [data-complete=true]").wait_for(timeout=LONG_MS)
    page.locator("#evidence-strip .strip").wait_for(timeout=LONG_MS)
    for name, (click, drawn) in steps(subject).items():
        timed(page, click, drawn, name)
    page.close()


def load(browser: Browser, address: str, subject: Subject) -> Json:
    """Bytes on the wire, and seconds until the map is drawn beside its question, in a new browser."""
    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    total = [0]
    wire.on(
        "Network.loadingFinished",
        lambda event: total.__setitem__(0, total[0] + int(event["encodedDataLength"])),
    )
    page.goto(f"{address}/?{subject.query}", wait_until="commit")
    seconds = page.evaluate(waiting_for(MAP_DRAWN, since="0"))
    page.wait_for_timeout(50)  # the last answers are counted
    context.close()
    return {"bytes": total[0], "seconds": seconds}


def clicked(browser: Browser, address: str, subject: Subject) -> dict[str, float]:
    """Seconds from a click to its figure, for stored figures of every kind."""
    page = browser.new_context().new_page()
    page.goto(address + subject.map)
    page.locator("#evidence-strip .strip").wait_for(timeout=LONG_MS)
    page.locator("#evidence-letters [data-key]").first.wait_for(state="attached", timeout=LONG_MS)
    page.wait_for_timeout(500)
    found = {name: timed(page, click, drawn, name) for name, (click, drawn) in steps(subject).items()}
    page.context.close()
    return found


def steps(subject: Subject) -> dict[str, tuple[str, str]]:
    """A walk: what is clicked, and when its figure is there."""
    return {
        "another view of the map": (
            '#map-views .segment[data-go*="direct"]',
            "document.querySelector('#map .js-plotly-plot').data[0].z !== before.z",
        ),
        "another node": (
            f'#strongest-nodes tr[data-row^="L"]:not([data-row="{subject.node}"]) [data-node]',
            "document.querySelector('#evidence-letters [data-key]') && "
            "document.querySelector('#evidence-letters [data-key]').dataset.key !== before.letters",
        ),
        "the page of a head": (
            "#open-node",
            "document.querySelector('#head-page:not([hidden]) #head-pattern [data-complete=true]') && "
            "document.querySelector('#head-tokens .strip') && "
            "document.querySelector('#head-audit [data-complete=true]')",
        ),
        "the table of all heads": (
            '#pages [data-go*="heads"]',
            "document.querySelector('#heads-page:not([hidden]) table.heads tbody tr')",
        ),
        "back on the map": (
            '#pages [data-go*="map"]',
            "document.querySelector('#map-page:not([hidden]) .heatmaplayer image')",
        ),
    }


def timed(page: Page, click: str, drawn: str, name: str) -> float:
    """Seconds from a click to the frame in which a condition holds."""
    page.locator(click).first.wait_for(timeout=LONG_MS)
    seconds = page.evaluate(waiting_for(drawn, click=click))
    if seconds is None:
        raise RuntimeError(f"{name}: the figure did not come")
    page.wait_for_timeout(700)  # nothing of this step runs into the next
    return seconds


def waiting_for(drawn: str, *, since: str = "performance.now()", click: str = "") -> str:
    """A script that clicks, then asks in every frame; its answer is in seconds."""
    press = f"document.querySelector({json.dumps(click)}).click();" if click else ""
    return f"""async () => {{
        const graph = document.querySelector('#map .js-plotly-plot');
        const letters = document.querySelector('#evidence-letters [data-key]');
        const before = {{z: graph && graph.data && graph.data[0] && graph.data[0].z,
            letters: letters && letters.dataset.key}};
        const began = {since};
        {press}
        for (;;) {{
            if ({drawn}) {{ return (performance.now() - began) / 1000; }}
            if (performance.now() - began > {LONG_MS}) {{ return null; }}
            await new Promise(requestAnimationFrame);
        }}
    }}"""


def attention_bytes(address: str, subject: Subject) -> int:
    """The whole pattern of one head on one prompt, packed as it is sent."""
    layer, head = (int(part) for part in subject.node[1:].split("H"))
    spec = {
        "analysis": "pattern",
        "model": subject.model,
        "prompts": {"set": subject.set, "n": subject.pairs, "index": 0},
        "parameters": {"layer": layer, "head": head},
    }
    with httpx2.Client(base_url=address, timeout=600) as client:
        body = client.post("/api/results", json=spec).json()
        while (answer := client.get(f"/api/results/{body['key']}")).status_code != 200:
            time.sleep(0.2)
    return len(gzip.compress(answer.content, 9))


def with_browser(do: Callable[[Browser], Json]) -> Json:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            return do(browser)
        finally:
            browser.close()


def main() -> None:
    """Print what was measured and what is over its budget."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", help="a running server")
    parser.add_argument("--model", default=Subject.model)
    parser.add_argument("--pairs", type=int, default=Subject.pairs)
    options = parser.parse_args()
    subject = Subject(model=options.model, pairs=options.pairs)
    with nullcontext(options.address) if options.address else own_server() as address:
        with httpx2.Client(base_url=address, timeout=600) as client:
            wait_ready(client)
        found = with_browser(lambda browser: measure(browser, address, subject))
    print(json.dumps({**found, "over_budget": over_budget(found)}, indent=1))


if __name__ == "__main__":
    main()
