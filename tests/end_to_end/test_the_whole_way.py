"""What a newcomer does, on the real demo model: the map, a click, a number, the head page, a shared link."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Server, is_ready, until

pytestmark = pytest.mark.browser
PAIRS = 4
HEAD = {"layer": 23, "head": 2}
LABEL = "L23H2"
WHOLE_MAP = {"analysis": "effects", "prompts": {"n": PAIRS}}


class Visitor:
    """A fresh browser on one server, which notes every complaint and every request to somebody else."""

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.server = server
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("request", self._stay_home)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _stay_home(self, request: Any) -> None:
        if not request.url.startswith((self.server.address, "data:", "blob:")):
            self.complaints.append(f"asked {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.server.address + path)
        return self.page

    def click_cell(self, layer: int, row: int) -> None:
        """Click the middle of a cell of the map; rows count from the top, heads first."""
        place = self.page.evaluate(
            """([layer, row]) => {
                const graph = document.querySelector('#map .js-plotly-plot');
                const trace = graph.data[0], {xaxis, yaxis} = graph._fullLayout;
                const y = (trace.y[row] + trace.y[row + 1]) / 2;
                const box = graph.getBoundingClientRect();
                return [box.left + xaxis._offset + xaxis.d2p(layer), box.top + yaxis._offset + yaxis.d2p(y)];
            }""",
            [layer, row],
        )
        self.page.mouse.click(*place)


@pytest.fixture(scope="module")
def server(demo_data: Path) -> Iterator[Server]:
    running = Server(demo_data, HEADSCOPE_THREADS="2").start()
    try:
        until(lambda: is_ready(running), seconds=120)
        yield running
        assert running.stop() == 0
    finally:
        running.kill()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def new(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, server, **options))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.page.context.close()
        assert not visitor.complaints


def ask(server: Server, spec: dict[str, Any]) -> dict[str, Any]:
    """The stored result of a spec, read by its key."""
    answer = httpx2.post(f"{server.address}/api/results", json=spec, timeout=60)
    key = answer.json()["key"]

    def stored() -> dict[str, Any] | None:
        found = httpx2.get(f"{server.address}/api/results/{key}")
        return found.json() if found.status_code == 200 else None

    return until(stored)


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


def test_from_the_map_to_a_colleague(server: Server, visit: Callable[..., Visitor]) -> None:
    me = visit()
    page = me.open(f"/?n={PAIRS}")
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=30_000)
    expect(page.locator("#map-progress")).not_to_contain_text(" of ", timeout=60_000)

    me.click_cell(HEAD["layer"], HEAD["head"])
    began = time.perf_counter()
    one = {"analysis": "effects", "prompts": {"n": PAIRS, "index": 0}, "parameters": {"nodes": [LABEL]}}
    expect(page.locator("#evidence")).to_contain_text(LABEL)
    expect(page.locator("#value-total")).not_to_have_text(re.compile(r"^[\s–…]*$"), timeout=5000)
    seconds = time.perf_counter() - began
    for view, table in (
        ("total", "total_effect"),
        ("direct", "direct_effect"),
        ("indirect", "indirect_effect"),
    ):
        text = page.locator(f"#value-{view}").inner_text()
        assert unsigned(text) == unsigned(shown(value_of(ask(server, one), table))), view
    assert seconds < 3, f"a click took {seconds:.1f} s"
    assert "node=L23H2" in page.url

    me.click_cell(HEAD["layer"], HEAD["head"])
    expect(page.locator("#head-title")).to_contain_text(LABEL, timeout=10_000)
    assert f"/m/smollm2-mcq/{LABEL}" in page.url
    whole = ask(server, WHOLE_MAP)
    number = unsigned(shown(value_of(whole, "total_effect")))
    expect(page.locator("#head-numbers")).to_contain_text(number, timeout=30_000)
    mine = settled(page)

    page.locator("#copy-link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(server.address)
    colleague = visit()
    theirs = colleague.open(link.removeprefix(server.address))
    expect(theirs.locator("#head-numbers")).to_contain_text(number, timeout=30_000)
    assert settled(theirs) == mine


def settled(page: Page) -> list[str]:
    """The head page's texts once nothing changes any more."""
    names = ("title", "numbers", "sentence", "pattern", "profile", "roles", "tokens")
    parts = [f"#head-{name}" for name in names]

    def read() -> list[str]:
        return [page.locator(part).inner_text() for part in parts]

    def same() -> list[str] | None:
        before = read()
        page.wait_for_timeout(1200)
        return before if before == read() and all(before) else None

    return until(same)


def test_keyboard_alone_reaches_a_head(visit: Callable[..., Visitor]) -> None:
    page = visit().open(f"/?n={PAIRS}&node=L22H2")
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=30_000)
    expect(page.locator("#evidence")).to_contain_text("L22H2", timeout=10_000)
    page.locator("#map-grid").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#evidence")).to_contain_text(LABEL, timeout=10_000)
    page.keyboard.press("Enter")
    expect(page.locator("#head-title")).to_contain_text(LABEL, timeout=10_000)
    page.keyboard.press("/")
    page.keyboard.type("L2H3")
    page.keyboard.press("Enter")
    expect(page.locator("#head-title")).to_contain_text("L2H3", timeout=10_000)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("n=0", "n"),
        ("n=many", "many"),
        ("view=sideways", "sideways"),
        ("model=gpt-9", "gpt-9"),
        ("set=nothing", "nothing"),
        ("node=L99H0", "L99H0"),
        ("index=50&n=4", "50"),
        ("set=sums&labels=numbers&options=10", "single token"),
    ],
)
def test_a_bad_address_gets_a_sentence(visit: Callable[..., Visitor], query: str, words: str) -> None:
    page = visit().open(f"/?{query}")
    expect(page.locator("body")).to_contain_text(words, timeout=10_000)
    text = page.locator("main, body").first.inner_text()
    assert "Traceback" not in text and "Internal Server Error" not in text


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1920)])
def test_nothing_is_cut_off(visit: Callable[..., Visitor], scheme: str, width: int) -> None:
    me = visit(color_scheme=scheme)
    me.page.set_viewport_size({"width": width, "height": 1000})
    page = me.open(f"/?n={PAIRS}&node={LABEL}")
    expect(page.locator("#value-total")).not_to_have_text(re.compile(r"^[\s–…]*$"), timeout=30_000)
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.getAttribute('data-scheme')") == scheme
    assert page.locator("#map .xtick").count() > 3
    assert all(re.fullmatch(r"\d+", tick) for tick in page.locator("#map .xtick").all_text_contents())
