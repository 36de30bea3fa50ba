"""Somebody with a browser, and what they compare: the page's numbers with those of the API."""

import os
import time
from typing import Any

import httpx2
from playwright.sync_api import Browser, Page

from tests.conftest import Server, until

LABEL = "L23H2"
REST_S = 1.0
# When the page's own script has no work left, so that what it was about to ask for is asked.
IDLE = "new Promise((does) => requestIdleCallback(() => does(true), {timeout: 5000}))"
LISTENS = "document.querySelector('#map .js-plotly-plot')?.headscope"
LOAD_PER_CORE = 2.5  # a machine with more of it says nothing about the seconds of the page


class Visitor:
    """A fresh browser on one server, which notes every complaint and every request to somebody else."""

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.server = server
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(60_000)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("request", self._stay_home)
        self._asked = Asked(self.page)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _stay_home(self, request: Any) -> None:
        if not request.url.startswith((self.server.address, "data:", "blob:")):
            self.complaints.append(f"asked {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.server.address + path)
        return self.page

    def rest(self, rest_s: float = REST_S, seconds: float = 120) -> None:
        """Until the page has asked the server nothing for a while: all that was wanted is drawn."""
        self._asked.begin_rest()

        def rested() -> bool:
            self.page.wait_for_timeout(50)
            quiet = self._asked.quiet_s
            return quiet() > rest_s and self.page.evaluate(IDLE) and quiet() > rest_s

        until(rested, seconds=seconds, every=0)

    def leave(self) -> None:
        """Nothing was complained of, and nobody else's text was run."""
        assert self.page.evaluate("window.__pwned === undefined")
        self.page.context.close()
        assert not self.complaints, self.complaints

    def click_cell(self, layer: int, row: int) -> None:
        """Click the middle of a cell of the map."""
        self.page.mouse.click(*self.cell(layer, row))

    def cell(self, layer: int, row: int) -> tuple[float, float]:
        """Where the middle of a cell of the map is; rows count from the top, heads first."""
        self.page.wait_for_function(LISTENS)  # it is drawn a moment before it hears
        return self.page.evaluate(
            """([layer, row]) => {
                const graph = document.querySelector('#map .js-plotly-plot');
                const trace = graph.data[0], {xaxis, yaxis} = graph._fullLayout;
                const y = (trace.y[row] + trace.y[row + 1]) / 2;
                const box = graph.getBoundingClientRect();
                return [box.left + xaxis._offset + xaxis.d2p(layer), box.top + yaxis._offset + yaxis.d2p(y)];
            }""",
            [layer, row],
        )


class Asked:
    """Which requests wait for an answer, and since when none does."""

    def __init__(self, page: Page) -> None:
        self._waiting: set[Any] = set()
        self.begin_rest()
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def begin_rest(self) -> None:
        self._since = time.monotonic()

    def quiet_s(self) -> float:
        return 0.0 if self._waiting else time.monotonic() - self._since

    def _begin(self, request: Any) -> None:
        if request.is_navigation_request():  # what the page before waited for never comes
            self._waiting.clear()
        elif request.resource_type in ("fetch", "xhr", "script"):
            self._waiting.add(request)

    def _end(self, request: Any) -> None:
        self._waiting.discard(request)
        self.begin_rest()


def ask(server: Server, spec: dict[str, Any]) -> dict[str, Any]:
    """The stored result of a spec, read by its key."""
    answer = httpx2.post(f"{server.address}/api/results", json=spec, timeout=60)
    key = answer.json()["key"]

    def stored() -> dict[str, Any] | None:
        found = httpx2.get(f"{server.address}/api/results/{key}", timeout=60)
        return found.json() if found.status_code == 200 else None

    return until(stored)


def is_busy() -> bool:
    """Whether others take the machine, so that what it needs for the page is no measure."""
    return os.getloadavg()[0] > LOAD_PER_CORE * (os.cpu_count() or 1)


def shown(number: float) -> str:
    """A number as the page writes it: two decimals, a real minus sign."""
    text = f"{abs(number):.2f}"
    sign = "" if text == "0.00" else "−" if number < 0 else "+"
    return sign + text


def value_of(result: dict[str, Any], table: str, label: str = LABEL) -> float:
    labels = [node["label"] for node in result["coordinates"]["node"]]
    return result["tables"][table]["mean"][labels.index(label)]


def unsigned(text: str) -> str:
    return text.strip().lstrip("+")
