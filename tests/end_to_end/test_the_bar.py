"""The bar at the top: what opens below its chips, the form of prompts, the box that finds a head."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Server
from tests.end_to_end.every_page import PROMPTS
from tests.end_to_end.visitor import Visitor

pytestmark = pytest.mark.browser
SOON = 60_000
MAP = f"/?{PROMPTS}"
INSIDE = "document.querySelector('#prompts-chip-popover').contains(document.activeElement)"

FITS = """([name, width]) => {
    const box = document.querySelector(name).getBoundingClientRect();
    return box.left >= 0 && box.right <= width && document.documentElement.scrollWidth <= window.innerWidth;
}"""


@pytest.fixture
def visit(browser: Browser, small_server: Server) -> Iterator[Callable[[], Page]]:
    """The map of the small model in a fresh browser; a complaint of it fails the test."""
    visitors: list[Visitor] = []

    def new() -> Page:
        visitors.append(Visitor(browser, small_server))
        page = visitors[-1].open(MAP)
        expect(page.locator("#prompts-chip")).to_contain_text("4 pairs", timeout=SOON)
        return page

    yield new
    for visitor in visitors:
        visitor.page.context.close()
        assert not visitor.complaints


def test_a_chip_opens_and_closes_by_keyboard_and_by_a_press_elsewhere(visit: Callable[[], Page]) -> None:
    page = visit()
    chip, form = page.locator("#prompts-chip"), page.get_by_role("dialog", name="Prompts")
    expect(chip).to_have_attribute("aria-expanded", "false")
    chip.focus()
    page.keyboard.press("Enter")
    expect(form).to_be_visible()
    expect(chip).to_have_attribute("aria-expanded", "true")
    assert page.evaluate(INSIDE)
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(chip).to_be_focused()
    chip.click()
    page.locator("#model-chip").click()
    expect(form).to_be_hidden()
    model = page.get_by_role("dialog", name="Model")
    expect(model).to_contain_text("layers")
    model.get_by_text("layers").click()
    expect(model).to_be_visible()
    page.locator("h1").first.click()
    expect(model).to_be_hidden()
    chip.click()
    for _ in range(20):  # past its last field
        page.keyboard.press("Tab")
    expect(form).to_be_hidden()
    assert page.evaluate("document.activeElement !== document.body")


@pytest.mark.parametrize(("width", "height"), [(1240, 560), (390, 800)])
def test_what_opens_is_not_cut_off(visit: Callable[[], Page], width: int, height: int) -> None:
    page = visit()
    page.set_viewport_size({"width": width, "height": height})
    for chip in ("model", "prompts"):
        page.locator(f"#{chip}-chip").click()
        expect(page.locator(f"#{chip}-chip-popover")).to_be_visible()
        page.wait_for_function(FITS, arg=[f"#{chip}-chip-popover", width])
        page.keyboard.press("Escape")
    page.locator("#prompts-chip").click()
    expect(page.get_by_label("Pairs", exact=True)).to_have_value("4")
    page.get_by_role("button", name="Use these prompts").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Use these prompts")).to_be_in_viewport(ratio=1)


def test_the_form_sends_what_it_says_and_an_emptied_field_is_the_usual_one(visit: Callable[[], Page]) -> None:
    page = visit()
    page.locator("#prompts-chip").click()
    form = page.get_by_role("dialog", name="Prompts")
    expect(form.get_by_label("Pairs")).to_have_value("4")
    form.get_by_label("Pairs").fill("5000")
    form.get_by_role("button", name="Use these prompts").click()
    expect(form).to_be_visible()  # the browser says that it is too large
    assert not form.get_by_label("Pairs").evaluate("field => field.validity.valid")
    form.get_by_label("Pairs").fill("")
    form.get_by_label("Seed").fill("3")
    form.get_by_label("Prelude").check()
    form.get_by_label("Labels").select_option("numbers")
    form.get_by_label("Seed").press("Enter")
    expect(form).to_be_hidden()
    expect(page).to_have_url(re.compile(r"set=tiny-facts&seed=3&labels=numbers&prelude=true"), timeout=SOON)
    expect(page.locator("#prompts-chip")).to_contain_text("32 pairs", timeout=SOON)
    expect(page.locator("#prompts-chip")).to_be_focused()
    page.locator("#prompts-chip").click()
    expect(form.get_by_label("Pairs")).to_have_value("32")
    expect(form.get_by_label("Prelude")).to_be_checked()


def test_a_head_is_found_and_one_that_is_not_there_is_named(visit: Callable[[], Page]) -> None:
    page = visit()
    find, said = page.get_by_label("Find a head, for example L23H2"), page.get_by_role("alert")
    find.fill("L99H0")
    find.press("Enter")
    expect(said.filter(has_text="No L99H0: layers 0–3")).to_be_visible(timeout=SOON)
    expect(find).to_have_value("L99H0")
    find.fill("head 3")
    find.press("Enter")
    expect(said.filter(has_text="Type a node such as L23H2 or MLP24.")).to_be_visible(timeout=SOON)
    find.fill("l2h3")
    find.press("Enter")
    expect(page.locator("#evidence-title")).to_contain_text("L2H3", timeout=SOON)
    expect(find).to_have_value("")
    expect(page.locator("#find-said")).to_be_empty()
