"""Everybody can use it: axe on every page in both themes, a way by keyboard alone, the keys."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.end_to_end.every_page import HEAD, NODE, PROMPTS, addresses, darken, open_and_rest
from tests.end_to_end.visitor import Visitor

pytestmark = pytest.mark.browser
SOON = 60_000
MAP = f"/?{PROMPTS}"

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


@pytest.fixture(scope="module")
def pages(small_server: Server) -> dict[str, str]:
    return addresses(small_server)


def grave(page: Page) -> list[str]:
    """What axe calls serious or critical, with the elements it means."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {', '.join(str(node['target'][0]) for node in one['nodes'][:5])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    "name", ["map", "head", "heads", "figure", "embed", "compare", "prompts", "training"]
)
def test_axe_finds_nothing_serious_in_either_theme(name: str, visit: Visit, pages: dict[str, str]) -> None:
    me = visit(bypass_csp=True, color_scheme="light")  # axe is a script from elsewhere
    page = open_and_rest(me, pages[name])
    assert not grave(page)
    if page.locator("#theme-switch").is_visible():
        darken(me)
    else:
        page = open_and_rest(me, pages[name] + "&theme=dark")
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    assert not grave(page)


def test_axe_would_notice(visit: Visit) -> None:
    page = open_and_rest(visit(bypass_csp=True), MAP)
    page.evaluate("document.querySelector('#copy-link').style.color = '#c06030'")
    page.evaluate("document.querySelector('#find-head').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('#find-head').removeAttribute('placeholder')")
    assert any("label" in one for one in grave(page)) and any("contrast" in one for one in grave(page))


def test_question_mark_lists_the_keys_and_escape_gives_the_focus_back(visit: Visit) -> None:
    page = open_and_rest(visit(), MAP)
    page.locator("#map-grid").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("row", name="/ find a head")).to_be_visible()
    expect(dialog.get_by_role("row", name="P pin or unpin the selected node")).to_be_visible()
    page.keyboard.press("/")  # no shortcut works behind the dialog
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#map-grid")).to_be_focused()


def test_single_letters_can_be_switched_off(visit: Visit) -> None:
    page = open_and_rest(visit(), MAP)
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("checkbox", name="Single-letter keys are on").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#map-grid").focus()
    page.keyboard.press("/")
    expect(page.locator("#map-grid")).to_be_focused()
    page.reload()
    page.locator("#strongest-nodes [data-node]").first.wait_for()
    page.locator("#map-grid").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("checkbox", name="Single-letter keys are on").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#map-grid").focus()
    page.keyboard.press("/")
    expect(page.locator("#find-head")).to_be_focused()


def test_tab_reaches_every_control_sees_the_focus_and_comes_out_again(visit: Visit) -> None:
    page = open_and_rest(visit(), f"{MAP}&node={NODE}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    assert "#" not in page.url
    wanted = set(page.evaluate(CONTROLS))
    reached, unseen = set(), set()
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(len(wanted) + 40):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(FOCUSED)
        if name in reached and len(reached) > len(wanted):
            break
        reached.add(name)
        unseen |= set() if visible else {name}
    assert not wanted - reached
    assert not unseen


# A control is named by its place in the page.
PLACE = """(one) => {
    const path = [];
    for (let at = one; at && at !== document.body; at = at.parentElement) {
        path.unshift(at.tagName + Array.prototype.indexOf.call(at.parentElement.children, at));
    }
    return one.id + ' ' + path.join('/');
}"""
CONTROLS = f"""() => Array.from(
    document.querySelectorAll('button, a[href], select, summary, input, textarea, [tabindex="0"]')
).filter((one) => one.checkVisibility({{visibilityProperty: true}}) && !one.disabled && one.tabIndex >= 0
    && !one.closest('details:not([open]) > :not(summary)')).map({PLACE})"""
FOCUSED = f"""() => {{
    const one = document.activeElement, look = getComputedStyle(one), blurred = JSON.stringify(LOOK(look));
    one.blur();
    const changed = one === document.body || JSON.stringify(LOOK(getComputedStyle(one))) !== blurred;
    one.focus({{preventScroll: true}});
    return [({PLACE})(one), changed];
    function LOOK(s) {{ return [s.outlineStyle, s.outlineColor, s.borderColor, s.boxShadow, s.top]; }}
}}"""


def test_all_nodes_of_the_map_are_in_its_list_at_once(visit: Visit) -> None:
    page = open_and_rest(visit(), MAP)
    rows = page.locator("#strongest-nodes tbody tr")
    expect(rows).to_have_count(18)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Show all 36 nodes").click()
    expect(rows).to_have_count(36)
    assert not asked
    first = rows.first.get_by_role("button")
    label = first.inner_text()
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#evidence-title")).to_contain_text(label, timeout=SOON)
    expect(page.locator(f"tr.selected[data-row='{label}']")).to_be_visible()


def test_tokens_are_read_with_the_arrow_keys(visit: Visit) -> None:
    page = open_and_rest(visit(), HEAD)
    strip = page.locator("#head-tokens [data-read]")
    strip.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    readout = strip.get_by_role("status")
    token = strip.locator(".token.looked")
    expect(token).to_have_count(1)
    expect(readout).to_contain_text(token.get_attribute("title") or "nothing")
