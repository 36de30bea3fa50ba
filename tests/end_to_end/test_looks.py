"""Six pages look as before, in both themes: compared with the pictures in baselines/."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Server
from tests.end_to_end import pictures
from tests.end_to_end.every_page import addresses, darken, open_and_rest, still
from tests.end_to_end.visitor import Visitor

pytestmark = pytest.mark.browser
PAGES = ("map", "head", "heads", "figure", "compare", "prompts")
# What another run says otherwise: when, how long, under which key; and a pointer that is somewhere.
PLAIN = """.audit, .share, .progress, .history, [data-time] { visibility: hidden !important; }
    *, *::before, *::after { caret-color: transparent !important; animation: none !important; }"""


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


@pytest.fixture(scope="module")
def pages(small_server: Server) -> dict[str, str]:
    return addresses(small_server)


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    return visit(bypass_csp=True, color_scheme="light", reduced_motion="reduce")


def picture(page: Page) -> bytes:
    page.add_style_tag(content=PLAIN)
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(0, 0)
    return still(page)


@pytest.mark.parametrize("name", PAGES)
def test_it_looks_as_before(
    name: str, browser: Browser, visitor: Visitor, pages: dict[str, str], tmp_path: Path
) -> None:
    here = pictures.fonts(browser)
    if not pictures.renewing() and here != pictures.kept_fonts():
        pytest.skip("the pictures were taken where words are of another width")
    page = open_and_rest(visitor, pages[name])
    taken = {f"{name}-light": picture(page)}
    darken(visitor)
    taken[f"{name}-dark"] = picture(page)
    if pictures.renewing():
        pictures.BASELINES.mkdir(exist_ok=True)
        (pictures.BASELINES / "fonts.txt").write_text(here + "\n")
        for title, data in taken.items():
            (pictures.BASELINES / f"{title}.png").write_bytes(data)
    problems = [pictures.differs(browser, title, data, tmp_path) for title, data in taken.items()]
    assert not any(problems), problems


def test_another_colour_or_size_would_be_noticed(browser: Browser, visitor: Visitor, tmp_path: Path) -> None:
    page = open_and_rest(visitor, "/prompts")
    page.set_content("<body style='background: white'><div style='width: 30%; height: 30%'></div>")
    before = page.screenshot()
    page.evaluate("document.querySelector('div').style.cssText += 'background: #c33; height: 300px'")
    after = page.screenshot()
    keep = pictures.BASELINES
    try:
        pictures.BASELINES = tmp_path
        (tmp_path / "x.png").write_bytes(before)
        assert pictures.differs(browser, "x", before, tmp_path) == ""
        assert "differ" in pictures.differs(browser, "x", after, tmp_path)
        assert (tmp_path / "x-differs.png").stat().st_size > 100
    finally:
        pictures.BASELINES = keep
