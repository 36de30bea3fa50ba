"""What leaves the dashboard opens from a disk, clicks without a server, and runs nobody else's text."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from frontend.figures.paper import paper
from frontend.investigation import bundle
from frontend.static import asset, standalone
from frontend.theme import DARK, LIGHT
from tests.conftest import Server, until
from tests.end_to_end.every_page import MAP_SPEC, PROMPTS, computed
from tests.end_to_end.visitor import Visitor
from tests.frontend.stored import HOSTILE, NAMES, hostile, stored
from tests.frontend.test_investigation import Shelf, place

pytestmark = pytest.mark.browser
FLAT = [name for name in NAMES if name not in ("subspace", "thumbnails")]  # a scene takes seconds to draw
PWNED = "window.__pwned === undefined"


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens files of this test; asking anybody for anything else, or an error, fails it."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_file(name: str, text: str = "", **options: Any) -> Page:
        file = tmp_path / name
        if text:
            file.write_text(text, encoding="utf-8")
        page = browser.new_context(viewport={"width": 1100, "height": 800}, **options).new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: _stay(asked.url, tmp_path, complaints))
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield open_file
    for page in pages:
        assert page.evaluate(PWNED)
        page.context.close()
    assert not complaints


def _stay(url: str, folder: Path, complaints: list[str]) -> None:
    if not url.startswith((folder.as_uri(), "data:", "blob:")):
        complaints.append(f"asked {url}")


def test_a_figure_is_drawn_in_the_readers_scheme_and_can_be_switched(reader: Callable[..., Page]) -> None:
    page = reader("low_rank.html", standalone(stored("low_rank")), color_scheme="dark")
    line = page.locator(".plot .scatterlayer .js-line").last
    expect(line).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(DARK.page)
    assert rgb(DARK.accent) in page.locator(".plot").first.inner_html()
    page.get_by_role("button", name="Light").click()
    until(lambda: rgb(LIGHT.accent) in page.locator(".plot").first.inner_html())
    expect(page.locator("body")).to_have_css("background-color", rgb(LIGHT.page))


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_squares_are_read_out_by_click_and_by_arrow_keys(reader: Callable[..., Page]) -> None:
    page = reader("where.html", standalone(stored("position_effects")))
    squares, line = page.locator("td.square"), page.locator(".readout")
    squares.first.click()
    expect(line).to_have_text(squares.first.get_attribute("aria-label") or "")
    page.keyboard.press("ArrowDown")
    below = page.locator(".squares tbody tr").nth(1).locator("td.square").first
    expect(line).to_have_text(below.get_attribute("aria-label") or "")


def unpacked(bodies: dict[str, Any], folder: Path) -> str:
    """The page of an unpacked investigation; it is made in a thread, where no loop runs yet."""
    where = place(notes=(("L1H3", HOSTILE),))
    with ThreadPoolExecutor(1) as thread:
        _, content = thread.submit(lambda: asyncio.run(bundle(Shelf(bodies), where))).result()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return next(folder.glob("*/index.html")).relative_to(folder).as_posix()


@pytest.fixture
def investigation(tmp_path: Path) -> str:
    """With hostile texts in all its prompts."""
    bodies = {name: hostile(name) for name in FLAT} | {name: stored(name) for name in ("effects", "paths")}
    return unpacked(bodies, tmp_path)


def test_heads_click_without_a_server(reader: Callable[..., Page], investigation: str) -> None:
    page = reader(investigation)
    page.locator("a.cell[data-label=L0H0]").click()
    panel = page.locator("section#L0H0")
    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading", name="Path effects: L0H0")).to_be_visible()
    expect(page).to_have_url(re.compile("#L0H0$"))
    page.locator("a.cell[data-label=MLP0]").click()
    expect(panel).to_be_hidden()
    expect(page.locator("#other")).to_contain_text("Nothing more was computed for this node")
    total = shown_total("MLP0")
    expect(page.locator("#other .value").first).to_have_text(total)
    page.go_back()
    expect(panel).to_be_visible()
    page.get_by_role("button", name="Attribution").click()
    expect(page.locator(".view-words:visible")).to_contain_text("adds directly")
    page.goto(page.url.split("#")[0] + "#L1H3")
    expect(page.locator("section#L1H3 .note-text")).to_have_text(HOSTILE)


def shown_total(label: str) -> str:
    body = stored("effects")
    at = [node["label"] for node in body["coordinates"]["node"]].index(label)
    value = body["tables"]["total_effect"]["mean"][at]
    text = f"{abs(value):.2f}"
    return text if float(text) == 0 else ("−" if value < 0 else "+") + text


def test_the_map_of_the_file_is_one_stop_for_the_keyboard(
    reader: Callable[..., Page], investigation: str
) -> None:
    page = reader(investigation)
    assert page.locator("a.cell[tabindex='0']").count() == 1
    page.locator("a.cell[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("a.cell[data-label=L1H1]")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("section#L0H0")).to_be_visible()
    expect(page.locator("section#L0H0 .plot .main-svg").first).to_be_visible()


def test_every_figure_is_drawn_when_it_is_opened_and_no_text_runs(
    reader: Callable[..., Page], investigation: str
) -> None:
    page = reader(investigation)
    for line in page.locator("details.whole > summary").all():
        line.click()
    page.locator("a.cell[data-label=L0H0]").click()
    expect(page.locator("section#L0H0")).to_be_visible()
    plots = page.locator(".plot:visible")
    for plot in plots.all():
        expect(plot.locator(".main-svg").first).to_be_visible()
    assert plots.count() > 4 and page.locator("img").count() == 0
    assert HOSTILE in (page.locator("main").text_content() or "")


def test_axe_finds_nothing_serious_in_the_file(reader: Callable[..., Page], tmp_path: Path) -> None:
    some = ("effects", "attention", "token_attention", "pattern", "low_rank")
    file = unpacked({name: stored(name) for name in some}, tmp_path)
    page = reader(file, color_scheme="light", bypass_csp=True)  # axe is a script from elsewhere
    page.locator("a.cell[data-label=L0H0]").click()
    expect(page.locator("#L0H0:visible, #other:visible")).to_have_count(1)
    assert not grave(page, {})
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    assert not grave(page, {"runOnly": ["color-contrast"]})


def grave(page: Page, options: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options=options).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def test_pictures_of_hostile_texts_run_nothing(reader: Callable[..., Page]) -> None:
    page = reader("draw.html", "<!DOCTYPE html><div id='x'></div>")
    page.add_script_tag(content=asset("vendor/plotly-cartesian.min.js"))
    drawn = []
    for name in ("token_attention", "prompts", "mutations"):
        figure = json.loads(json.dumps(paper(hostile(name))))
        made = page.evaluate("figure => Plotly.toImage(figure, {format: 'svg'})", figure)
        drawn.append(unquote(made.split(",", 1)[1]))
        assert "<svg" in drawn[-1] and "<img" not in drawn[-1] and "<script" not in drawn[-1]
    for text in drawn:
        picture = reader("picture.svg", text)
        assert "><img" in (picture.locator("svg").first.text_content() or "")


def test_the_page_hands_out_the_investigation(visit: Callable[..., Visitor], small_server: Server) -> None:
    key = computed(small_server, MAP_SPEC)
    page = visit().open(f"/?{PROMPTS}&notes=L0H1:why")
    link = page.get_by_role("link", name="Export investigation")
    expect(link).to_have_attribute("href", f"/investigation.zip?{PROMPTS}&notes=L0H1:why")
    with page.expect_download() as waited:
        link.click()
    download = waited.value
    assert download.suggested_filename.startswith("headscope-mcq-tiny-letters-1000-")
    with zipfile.ZipFile(download.path()) as archive:
        files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    stored_bytes = httpx2.get(f"{small_server.address}/api/results/{key}", timeout=60).content
    assert files[f"data/effects-{key[:12]}.json"] == stored_bytes
    assert b"L0H1\nwhy" in files["notes.txt"]
