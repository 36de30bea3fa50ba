"""Side by side in a real browser: pinned heads, two runs, every token of a head, all heads small, scatter."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import Server, until
from tests.end_to_end.every_page import open_and_rest
from tests.end_to_end.visitor import Visitor, ask, shown, value_of

pytestmark = pytest.mark.browser
PROMPTS = {"n": 2, "set": "tiny-facts"}
SEARCH = "n=2&set=tiny-facts"
LETTERS = ("mcq-tiny-letters-0300", "mcq-tiny-letters-1000")  # two steps of one training
SOON = 60_000

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(tiny_server: Server) -> Server:
    return tiny_server


def effects(server: Server, model: str = "tiny") -> dict[str, Any]:
    """The sweep that the map of a model shows."""
    return ask(server, {"analysis": "effects", "model": model, "prompts": {**PROMPTS, "index": None}})


def pinned_row(page: Page, name: str) -> Locator:
    row = page.locator("#pinned-heads .pinned").first.locator("tr").filter(has_text=name)
    return row.locator("td")


def test_pins_stand_side_by_side_and_two_of_them_are_subtracted(server: Server, visit: Visit) -> None:
    page = visit().open(f"/compare?{SEARCH}&pins=L0H1,L1H2,L1H3")
    expect(page.locator(".strips figure")).to_have_count(3, timeout=SOON)
    result = effects(server)
    means = [shown(value_of(result, "total_effect", pin)) for pin in ("L0H1", "L1H2", "L1H3")]
    with_intervals = [re.compile(rf"^{re.escape(mean)}\s*\[.+, .+\]") for mean in means]
    expect(pinned_row(page, "total effect")).to_have_text(with_intervals, timeout=SOON)
    strip = page.locator("[data-difference]")
    expect(strip).to_have_attribute("data-difference", "L1H2 less L0H1")
    until(lambda: differences(strip) == pytest.approx(apart(server, "L0H1", "L1H2"), abs=1e-5))
    page.get_by_role("button", name="L1H2 and L1H3").click()
    expect(strip).to_have_attribute("data-difference", "L1H3 less L1H2", timeout=SOON)
    expect(page).to_have_url(re.compile("between=L1H2,L1H3"))
    until(lambda: differences(strip) == pytest.approx(apart(server, "L1H2", "L1H3"), abs=1e-5))
    page.get_by_role("button", name="Unpin L1H3").click()
    expect(page.locator(".strips figure")).to_have_count(2, timeout=SOON)
    expect(strip).to_have_attribute("data-difference", "L1H2 less L0H1")


def differences(strip: Any) -> list[float]:
    return [
        float(value) for value in strip.locator(".token").evaluate_all("all => all.map(x => x.dataset.value)")
    ]


def apart(server: Server, first: str, second: str) -> list[float]:
    """Attention of two heads on the first question, token by token: second less first."""
    rows = []
    for label in (first, second):
        layer, head = map(int, re.findall(r"\d+", label))
        spec = {"analysis": "token_attention", "prompts": {**PROMPTS, "index": 0}}
        body = ask(server, {**spec, "parameters": {"layer": layer, "head": head}})
        rows.append(body["tables"]["attention"]["mean"][body["coordinates"]["weighting"].index("raw")])
    return [new - old for old, new in zip(*rows, strict=True)]


def test_two_runs_share_marks_and_a_line_with_both_numbers(server: Server, visit: Visit) -> None:
    me = visit()
    page = me.open(f"/compare?{SEARCH}&model={LETTERS[0]}")
    expect(page.locator("#two-runs")).to_contain_text("Choose what stands on the right", timeout=SOON)
    page.get_by_label("Run on the right").select_option(f"model:{LETTERS[1]}")
    expect(page.locator(".two-maps figure")).to_have_count(3, timeout=SOON)
    expect(page.locator("#two-runs [data-complete=true]")).to_have_count(2, timeout=SOON)
    expect(page).to_have_url(re.compile(f"right=model:{LETTERS[1]}"))
    expect(page.locator(".differs")).to_contain_text(LETTERS[1])
    left, right = (effects(server, model) for model in LETTERS)
    values = [value_of(body, "total_effect", "L2H5") for body in (left, right)]
    hovered = page.locator(".two-maps .cells canvas").nth(1)
    hovered.hover(position=middle(page, 2, 5))
    line = page.locator(".two-maps .readout")
    expect(line).to_contain_text(f"L2H5: left {shown(values[0])} [")
    expect(line).to_contain_text(f"right {shown(values[1])} [")
    expect(line).to_contain_text(f"difference {shown(values[1] - values[0])}; the intervals")
    assert len(set(marks(page))) == 1 and marks(page)[0], "the same cell is marked in all three"
    expect(page.get_by_role("link", name="Open L2H5 right")).to_have_attribute(
        "href", re.compile(rf"^/m/{LETTERS[1]}/L2H5\?")
    )
    expect(page.locator(".agreement")).to_contain_text("Rank correlation over 36 nodes")
    page.locator(".two-maps .cells").nth(2).focus()
    page.mouse.move(0, 0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(line).to_contain_text("L0H1: left")
    assert marks(page) == ["L0H1"] * 3
    page.get_by_text("Nodes as a table, largest difference first").click()
    expect(page.locator(".two-list tbody tr")).to_have_count(30)


def middle(page: Page, layer: int, head: int) -> Any:
    """The middle of a cell in its canvas, as cells.js lays them out: 44 pixels of names at the left."""
    size = page.evaluate("(parseFloat(document.querySelector('.two-maps canvas').style.width) - 46) / 4")
    return {"x": 44 + (layer + 0.5) * size, "y": (head + 0.5) * size}


def marks(page: Page) -> list[str]:
    """The node that each map marks."""
    return page.locator(".two-maps .cells").evaluate_all("all => all.map(x => x.dataset.marked || '')")


def test_models_of_other_sizes_have_two_maps_and_a_reason(visit: Visit) -> None:
    page = visit().open(f"/compare?{SEARCH}&right=model:{LETTERS[1]}")
    expect(page.locator("#two-runs [data-complete=true]")).to_have_count(2, timeout=SOON)
    expect(page.locator(".two-maps figure")).to_have_count(2)
    expect(page.locator("#two-runs")).to_contain_text(
        "No difference: the models have 2 layers of 4 heads and 4 layers of 8 heads"
    )


def test_stored_runs_are_chosen_by_key_and_nothing_is_computed(server: Server, visit: Visit) -> None:
    keys = [effects(server, model)["key"] for model in LETTERS]
    before = stored(server)
    page = visit().open(f"/compare?{SEARCH}&left={keys[0]}&right={keys[1]}")
    expect(page.locator(".two-maps figure")).to_have_count(3, timeout=SOON)
    chosen = page.get_by_label("Run on the left").locator(f"option[value='{keys[0]}']")
    expect(chosen).to_contain_text(LETTERS[0])
    origins = page.locator("#two-runs [data-complete=true]")
    expect(origins).to_have_count(2)
    assert origins.evaluate_all("all => all.map(x => x.dataset.key)") == keys
    page.get_by_role("link", name="Map", exact=True).click()
    page.wait_for_url(re.compile("/\\?"), timeout=SOON)
    page.go_back()
    expect(page.locator(".two-maps figure").first).to_be_visible(timeout=SOON)
    assert before and {path: stored(server)[path] for path in before} == before, "what was stored stays"
    assert not [path for path in stored(server) if path not in before and keys[0] in path]


def stored(server: Server) -> dict[str, int]:
    """Every file that a computation has left, and when it was written."""
    files = (path for path in (server.data / "store" / "results").rglob("*") if path.is_file())
    return {str(path): path.stat().st_mtime_ns for path in files}


def test_every_token_of_a_head_shows_where_it_looks(server: Server, visit: Visit) -> None:
    page = visit().open(f"/m/tiny/L1H2?{SEARCH}")
    page.get_by_role("button", name="Measure: Attention of every token").click()
    tokens = page.locator(".pattern .token")
    expect(tokens.first).to_be_visible(timeout=SOON)
    spec = {"analysis": "pattern", "prompts": {**PROMPTS, "index": 0}, "parameters": {"layer": 1, "head": 2}}
    details = ask(server, spec)["details"]
    count = tokens.count()
    listed = {query: {} for query in range(count)}
    for query, key, value in zip(details["query"], details["key"], details["value"], strict=True):
        listed[query][key] = value
    line = page.locator(".pattern .readout")
    tokens.nth(9).hover()
    expect(line).to_contain_text(re.compile(r"^9 “"))
    assert coloured(page) == {key for key in listed[9] if key}, "the first token takes no colour"
    strongest = max((key for key in listed[9] if key), key=lambda key: listed[9][key])
    expect(line).to_contain_text(f"{listed[9][strongest]:.3f}")
    tokens.nth(7).click()
    expect(tokens.nth(7)).to_have_attribute("aria-pressed", "true")
    page.mouse.move(0, 0)
    until(lambda: coloured(page) == {key for key in listed[7] if key})  # a click holds it
    page.keyboard.press("ArrowRight")
    expect(line).to_contain_text(re.compile(r"^8 “"))
    page.get_by_text("All tokens as a table").click()
    expect(page.locator(".pattern-list tbody tr")).to_have_count(count)


def coloured(page: Page) -> set[int]:
    found = page.locator(".pattern .token.heat").evaluate_all("all => all.map(x => Number(x.dataset.token))")
    return set(found)


def test_all_heads_are_drawn_on_one_canvas_and_a_click_selects(visit: Visit) -> None:
    me = visit()
    page = open_and_rest(me, f"/?{SEARCH}")
    page.get_by_role("button", name="Measure: Attention of all heads").click()
    canvas = page.locator(".thumbnails-map canvas")
    expect(canvas).to_have_count(1, timeout=SOON)
    me.rest()  # it is drawn anew with every pair
    size = page.evaluate(
        "(parseFloat(document.querySelector('.thumbnails-map canvas').style.width) - 46) / 2"
    )
    canvas.hover(position={"x": 44 + 1.5 * size, "y": 2.5 * size})
    expect(page.locator(".thumbnail-large .readout")).to_contain_text("L1H2: the first token takes")
    page.mouse.move(0, 0)
    expect(page.locator(".thumbnails .cells")).to_have_attribute("data-marked", "")
    before = painted(page)
    page.get_by_label("with the first token").check()
    until(lambda: painted(page) != before)  # the first token is drawn now
    canvas.click(position={"x": 44 + 1.5 * size, "y": 2.5 * size})
    expect(page.locator("#evidence-title")).to_contain_text("L1H2", timeout=SOON)
    expect(page).to_have_url(re.compile("node=L1H2"))
    page.locator(".thumbnails .cells").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".thumbnail-large .readout")).to_contain_text("L1H1")
    page.keyboard.press("Enter")
    expect(page.locator("#evidence-title")).to_contain_text("L1H1", timeout=SOON)


def painted(page: Page) -> str:
    return page.evaluate("document.querySelector('.thumbnails-map canvas').toDataURL()")


def test_a_lasso_pins_and_ticks_heads_and_a_click_opens_one(visit: Visit) -> None:
    page = open_and_rest(visit(), f"/heads?{SEARCH}&x=label_mass&y=total_effect")
    expect(page.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=SOON)
    points = page.locator("#scatter .scatterlayer .points path")
    expect(points).to_have_count(8, timeout=SOON)
    page.locator("#scatter").scroll_into_view_if_needed()
    box = page.locator("#scatter .nsewdrag").bounding_box()
    assert box
    around = [(0.002, 0.002), (0.998, 0.002), (0.998, 0.998), (0.002, 0.998), (0.002, 0.01)]
    corners = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in around]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Analyse 8 heads together")).to_be_visible(timeout=SOON)
    ranked = json.loads(page.locator("[data-ranked]").get_attribute("data-ranked") or "[]")
    page.wait_for_url(re.compile("pins=" + ",".join(ranked[:4])), timeout=SOON)
    page.get_by_label("across").select_option("confidence")
    expect(page.locator("#scatter .xtitle")).to_have_text("confidence", timeout=SOON)
    expect(page).to_have_url(re.compile("x=confidence"))
