"""The map as a place to work: previews, receivers, pins, notes, and going back without measuring again."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server, until
from tests.end_to_end.every_page import open_and_rest
from tests.end_to_end.visitor import Visitor, ask, shown, value_of

pytestmark = pytest.mark.browser
N = "n=2"
UPDATES = re.compile("_dash-update-component")  # what the page asks the server
SOON = 60_000
WHOLE = {"analysis": "effects", "model": "tiny", "prompts": {"n": 2, "index": None}}
SHAPES = "document.querySelector('#map .js-plotly-plot').layout.shapes"
HOVERED = """label => {
    const graph = document.querySelector('#map .js-plotly-plot'), rows = graph.data[0].customdata;
    const row = rows.findIndex(labels => labels.includes(label));
    graph.emit('plotly_hover', {points: [{pointNumber: [row, rows[row].indexOf(label)]}]});
}"""
HOSTILE = '<img src=x onerror="window.__pwned=1">, "A" & B: second'

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(tiny_server: Server) -> Server:
    return tiny_server


def opened(me: Visitor, search: str = "") -> Page:
    """The map once all pairs are measured."""
    page = open_and_rest(me, f"/?{N}{search}")  # what still comes would move what is pointed at
    expect(page.locator("#audit [data-complete=true]")).to_be_visible(timeout=SOON)
    return page


def point(me: Visitor, layer: int, row: int, label: str) -> None:
    """Point at a cell until the page has noticed."""
    me.page.mouse.move(*me.cell(layer, row))
    expect(me.page.locator("#evidence-preview [data-part=node]")).to_have_text(label)


def stored(server: Server) -> dict[str, int]:
    """Every file that a computation has left, and when it was written."""
    files = (path for path in (server.data / "store" / "results").rglob("*") if path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def at_rest(server: Server) -> dict[str, int] | None:
    """What is stored, once nothing has come for two seconds."""
    before = stored(server)
    time.sleep(2)
    return before if before and before == stored(server) else None


def moves(page: Page) -> list[str]:
    """From now on, every request by which the page asks for another place."""
    asked: list[str] = []
    page.on("request", lambda request: asked.extend(re.findall(r"(?:go|url)\.\w+", changed(request))))
    return asked


def changed(request: Any) -> str:
    """Which properties have led to a request."""
    return (
        " ".join((request.post_data_json or {}).get("changedPropIds", [])) if request.method == "POST" else ""
    )


def test_pointing_previews_and_a_click_selects(server: Server, visit: Visit) -> None:
    me = visit()
    page = opened(me)
    whole, preview, card = ask(server, WHOLE), page.locator("#evidence-preview"), page.locator("#evidence")
    before, asked = card.bounding_box(), moves(page)
    point(me, 1, 2, "L1H2")
    expect(preview).to_be_visible()
    for view, table in (("total", "total_effect"), ("direct", "direct_effect"), ("attribution",) * 2):
        expect(preview.locator(f"[data-part={view}]")).to_have_text(shown(value_of(whole, table, "L1H2")))
    expect(preview).to_contain_text("mean over 2 pairs")
    point(me, 0, 1, "L0H1")
    assert card.bounding_box() == before and asked == [] and "node=" not in page.url

    me.click_cell(1, 2)
    page.wait_for_url("**node=L1H2**")
    point(me, 0, 1, "L0H1")
    page.mouse.move(5, 5)
    expect(preview).to_be_hidden()
    expect(page.locator("#evidence-title")).to_contain_text("L1H2")
    expect(page.locator("#value-total")).to_have_text(re.compile(r"\d\.\d\d"), timeout=SOON)


def test_the_keyboard_looks_selects_and_opens(visit: Visit) -> None:
    page = opened(visit(), "&node=L0H2")
    expect(page.locator("#value-total")).to_have_text(re.compile(r"\d\.\d\d"), timeout=SOON)
    address, asked = page.url, moves(page)
    page.locator("#map-grid").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#evidence-preview [data-part=node]")).to_have_text("L1H2")
    expect(page.locator("#status")).to_contain_text("L1H2")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#evidence-preview [data-part=node]")).to_have_text("L1H1")
    assert page.url == address and asked == []
    page.keyboard.press("Escape")
    expect(page.locator("#evidence-preview")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**node=L1H2**")
    expect(page.locator("#evidence-title")).to_contain_text("L1H2", timeout=SOON)
    page.keyboard.press("Enter")
    expect(page.locator("#head-title")).to_contain_text("L1H2", timeout=SOON)


def test_a_second_click_opens_though_the_map_is_drawn_between_the_two(visit: Visit) -> None:
    me, held = visit(), []
    page = opened(me, "&node=L0H2")
    expect(page.locator("#value-total")).to_have_text(re.compile(r"\d\.\d\d"), timeout=SOON)
    page.route(UPDATES, lambda request: held.append(request))
    me.click_cell(1, 2)
    page.evaluate("window.dash_clientside.headscope.drawn(null, {node: 'L0H2'})")  # as new values do
    me.click_cell(1, 2)
    assert held
    page.unroute(UPDATES)  # they go on
    expect(page.locator("#head-title")).to_contain_text("L1H2", timeout=SOON)


def test_why_a_node_cannot_receive_is_said_as_long_as_it_is_looked_at(visit: Visit) -> None:
    me = visit()
    page = opened(me, "&node=L0H1")
    expect(page.locator("#evidence-tools")).to_contain_text("Path to", timeout=SOON)
    page.keyboard.down("Shift")
    me.click_cell(0, 0)
    page.keyboard.up("Shift")
    page.evaluate(HOVERED, "L0H0")  # plotly may notice the pointer only after the click
    expect(page.locator("#evidence-preview")).to_contain_text("L0H0 does not come after L0H1")
    page.evaluate(HOVERED, "L1H2")
    expect(page.locator("#evidence-preview")).to_contain_text("Click to select")
    assert "receivers" not in page.url


def test_receivers_get_their_path_effects(server: Server, visit: Visit) -> None:
    me = visit()
    page = opened(me, "&node=L0H1")
    expect(page.locator("#evidence-tools")).to_contain_text("Path to", timeout=SOON)
    page.keyboard.down("Shift")
    me.click_cell(1, 2)
    page.wait_for_url("**receivers=L1H2**")
    page.keyboard.up("Shift")
    page.mouse.move(5, 5)
    card = page.get_by_role("region", name="Paths to receivers", exact=True)
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Path to …").click()
    page.locator("#strongest-nodes").get_by_role("button", name="MLP1", exact=True).click()
    page.wait_for_url("**receivers=L1H2,MLP1**")
    paths = ask(server, {**WHOLE, "analysis": "paths", "parameters": {"sender": "L0H1"}})
    labels = [entry["label"] for entry in paths["coordinates"]["receiver"]]
    means = [paths["tables"]["path_effect"]["mean"][labels.index(f"L1H2.{part}")] for part in "qkv"]
    means.append(paths["tables"]["path_effect"]["mean"][labels.index("MLP1")])
    expect(card.locator("tbody .number:not(.bounds)")).to_have_text([shown(mean) for mean in means])
    until(lambda: page.evaluate(f"{SHAPES}.filter(shape => shape.line.dash === '4px,2px').length") == 2)

    theirs = visit().open(page.url.removeprefix(server.address))
    expect(theirs.locator(".paths-to tbody .number:not(.bounds)")).to_have_text(
        [shown(mean) for mean in means], timeout=SOON
    )
    page.get_by_role("button", name="Remove L1H2").click()
    expect(card.locator("tbody .number:not(.bounds)")).to_have_count(1, timeout=SOON)
    page.locator("#map-grid").scroll_into_view_if_needed()
    me.click_cell(0, 3)
    page.wait_for_url(re.compile(r"node=L0H3(?!.*receivers)"))
    expect(card).to_be_hidden(timeout=SOON)


def test_up_to_four_nodes_are_pinned_and_travel_with_the_link(server: Server, visit: Visit) -> None:
    me = visit()
    page = opened(me, "&node=L0H0")
    whole, tray = ask(server, WHOLE), page.locator("#pins")
    page.locator("#evidence-tools").get_by_role("button", name="Pin L0H0").click()
    expect(tray).to_contain_text(f"L0H0 {shown(value_of(whole, 'total_effect', 'L0H0'))}".replace(" ", ""))
    for layer, row, label in ((1, 1, "L1H1"), (1, 5, "MLP1"), (0, 5, "MLP0")):
        point(me, layer, row, label)
        page.keyboard.press("p")
        expect(tray).to_contain_text(label, timeout=SOON)
    point(me, 1, 0, "L1H0")
    page.keyboard.press("P")
    expect(page.locator("#pins-said")).to_have_text("Four are pinned; unpin one first.")
    expect(page).to_have_url(re.compile("pins=L0H0,L1H1,MLP1,MLP0"))
    page.get_by_role("button", name="Unpin MLP1").click()
    page.wait_for_url("**pins=L0H0,L1H1,MLP0**")
    theirs = visit().open(page.url.removeprefix(server.address))
    expect(theirs.locator("#pins")).to_contain_text("L1H1", timeout=SOON)
    link = theirs.get_by_role("link", name="Heads", exact=True)
    expect(link).to_have_attribute("href", re.compile(N))  # as the server has written it
    link.hover()
    expect(link).to_have_attribute("href", re.compile("pins=L0H0,L1H1,MLP0"))
    theirs.locator("#pins").get_by_role("link", name="Compare").click()
    theirs.wait_for_url("**/compare?**pins=L0H0,L1H1,MLP0**")


def been_around(me: Visitor) -> str:
    """Two nodes, another view, a head's page; the number that the first node showed."""
    page = opened(me)
    me.click_cell(0, 1)
    expect(page.locator("#value-total")).to_have_text(re.compile(r"\d\.\d\d"), timeout=SOON)
    first = page.locator("#value-total").inner_text()
    page.mouse.move(5, 5)
    me.click_cell(1, 3)
    expect(page.locator("#evidence-title")).to_contain_text("L1H3", timeout=SOON)
    page.get_by_role("button", name="Direct", exact=True).click()
    page.wait_for_url("**view=direct**")
    page.locator("#open-node").click()
    expect(page.locator("#head-audit [data-complete=true]")).to_be_visible(timeout=SOON)
    expect(page.locator("#verdict-chip")).not_to_be_empty(timeout=SOON)
    expect(page.locator("#verdict .note", has_text="All heads:")).to_have_count(0, timeout=SOON)
    me.rest()
    expect(page.locator("#history-places a")).to_have_text(
        [
            "Map · total effect",
            "Map · total effect · L0H1",
            "Map · total effect · L1H3",
            "Map · direct · L1H3",
            "L1H3",
        ]
    )
    return first


def test_going_back_measures_nothing(server: Server, visit: Visit) -> None:
    me = visit()
    first, page, places = been_around(me), me.page, me.page.locator("#history-places a")
    before = until(lambda: at_rest(server))
    page.keyboard.press("u")
    page.wait_for_url("**/?**view=direct**")
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_url(re.compile(r"/\?n=2&node=L1H3$"))
    page.go_back()
    page.wait_for_url(re.compile(r"/\?n=2&node=L0H1$"))
    expect(page.locator("#value-total")).to_have_text(first, timeout=SOON)
    places.last.click()
    expect(places.last).to_have_attribute("aria-current", "page", timeout=SOON)
    expect(page.locator("#head-title")).to_contain_text("L1H3", timeout=SOON)
    places.nth(1).click()
    expect(page.locator("#value-total")).to_have_text(first, timeout=SOON)
    expect(places.nth(1)).to_have_attribute("aria-current", "page", timeout=SOON)
    expect(places).to_have_count(5)
    assert at_rest(server) == before


def test_a_press_on_a_place_counts_while_the_page_is_on_its_way_to_another(visit: Visit) -> None:
    me = visit()
    been_around(me)
    page, places, held = me.page, me.page.locator("#history-places a"), []
    places.nth(1).click()
    expect(places.nth(1)).to_have_attribute("aria-current", "page", timeout=SOON)
    page.route(UPDATES, lambda request: held.append(request))
    places.last.click()
    page.wait_for_url("**/m/tiny/L1H3?**")
    places.nth(1).click()
    page.wait_for_url(re.compile(r"/\?n=2&node=L0H1$"))
    assert held
    page.unroute(UPDATES)  # they go on
    expect(page.locator("#head-title")).to_be_hidden(timeout=SOON)
    expect(places.nth(1)).to_have_attribute("aria-current", "page", timeout=SOON)


def test_two_places_say_in_what_they_differ(visit: Visit) -> None:
    page = opened(visit(), "&node=L1H3")
    page.get_by_role("button", name="Direct", exact=True).click()
    expect(page.locator("#history-places a")).to_have_count(2)
    page.get_by_role("button", name="What differs").click()
    for name in ("Map · total effect · L1H3", "Map · direct · L1H3"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    expect(page.locator("#differences tbody tr")).to_have_text(
        ["colour of the mapTotal effectDirect"], timeout=SOON
    )
    page.keyboard.press("Escape")
    expect(page.locator("#differences")).to_be_empty(timeout=SOON)


def test_a_note_travels_with_the_link_and_is_only_text(server: Server, visit: Visit) -> None:
    me = visit()
    page = me.open(f"/m/tiny/L1H1?{N}")
    page.locator("#head-note summary").click(timeout=SOON)
    area = page.get_by_role("textbox", name="Note on L1H1")
    area.fill("x" * 512)
    expect(page.locator("#head-note .said")).to_have_text("512 characters: 12 too many; not kept.")
    area.fill(HOSTILE)
    page.locator("#to-heads").click()  # leaving the field keeps it, whatever comes next
    page.wait_for_url(re.compile(r"/heads\?.*notes=L1H1:"))
    row = page.locator("table.heads tbody tr", has=page.get_by_role("link", name="L1H1", exact=True))
    expect(row).to_have_attribute("title", f"Note: {HOSTILE}", timeout=SOON)

    them = visit()
    theirs = opened(them, page.url.split(N)[1])
    expect(theirs.locator('tr[data-row="L1H1"]')).to_have_class(re.compile("noted"), timeout=SOON)
    until(lambda: theirs.evaluate(f"{SHAPES}.filter(shape => shape.name === 'note').length") == 1)
    point(them, 1, 1, "L1H1")
    expect(theirs.locator("#evidence-preview [data-part=note]")).to_have_text(f"Note: {HOSTILE}")
    them.click_cell(1, 1)
    expect(theirs.get_by_role("textbox", name="Note on L1H1")).to_have_value(HOSTILE, timeout=SOON)
    theirs.get_by_role("textbox", name="Note on L1H1").fill("shorter")
    theirs.keyboard.press("Control+Enter")
    theirs.wait_for_url("**notes=L1H1:shorter**")
    theirs.reload()
    expect(theirs.get_by_role("textbox", name="Note on L1H1")).to_have_value("shorter", timeout=SOON)


def test_keys_are_listed_and_can_be_switched_off(visit: Visit) -> None:
    page = opened(visit(), "&node=L0H0")
    keys = dict(page.evaluate("window.headscope.keys"))
    assert {"/", "A", "P", "U", "Enter"} <= set(keys) and all(keys.values())
    page.evaluate("localStorage.setItem('headscope-keys', 'off')")
    page.keyboard.press("p")
    page.keyboard.press("/")
    expect(page.locator("#find-head")).not_to_be_focused()
    page.evaluate("localStorage.removeItem('headscope-keys')")
    page.keyboard.press("p")
    page.wait_for_url("**pins=L0H0**")
    assert page.evaluate("window.headscope.keysOff()") is False
