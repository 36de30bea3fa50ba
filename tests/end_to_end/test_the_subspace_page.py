"""Turning queries and keys, a lasso, mutations, a patch in the subspace, in a real browser."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import Server, until
from tests.end_to_end.conftest import SMALL
from tests.end_to_end.visitor import Visitor, ask

pytestmark = pytest.mark.browser
PAIRS = 4
LABEL = "L3H2"
PROMPTS = f"set=tiny-facts&n={PAIRS}"
HEAD = f"/m/{SMALL}/{LABEL}?{PROMPTS}"
OF_HEAD = {"layer": 3, "head": 2}
VECTORS = {"at": "label", "rope": "post", "centring": "prompt"}
SOON, LONG = 60_000, 240_000
COUNT_SCENES = """
    window.scenes = 0;
    const context = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        if (/webgl/.test(kind) && !this.counted) { this.counted = true; window.scenes += 1; }
        return context.call(this, kind, ...more);
    };
"""
GRAPH = "document.querySelector('.scene .js-plotly-plot')"
EYE = f"""(() => {{
    const graph = {GRAPH}, drawn = graph && graph._fullLayout && graph._fullLayout.scene;
    const eye = drawn && drawn._scene && drawn._scene.getCamera().eye;
    return eye ? [eye.x, eye.y, eye.z] : null;
}})()"""

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


def asked(server: Server, analysis: str, **parameters: Any) -> dict[str, Any]:
    """The stored result that the page shows."""
    prompts = {"set": "tiny-facts", "n": PAIRS}
    return ask(server, {"analysis": analysis, "prompts": prompts, "parameters": parameters})


def measured(page: Page, title: str, press: bool = True) -> Any:
    """A section once it is complete; a link may have asked for it already."""
    card = page.get_by_role("region", name=title, exact=True)
    expect(card).to_be_visible(timeout=SOON)
    if press:
        card.get_by_role("button", name=f"Measure: {title}").click()
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)
    return card


def opened(visit: Visit, more: str = "") -> Page:
    """The page of the head with its subspace drawn, in a browser that counts scenes."""
    me = visit()
    me.page.add_init_script(COUNT_SCENES)
    page = me.open(HEAD + more)
    measured(page, "Subspace", press="measure=" not in more)
    until(lambda: page.evaluate(f"{GRAPH} && {GRAPH}._fullLayout && {GRAPH}._fullLayout.scene && true"))
    me.rest()  # what still comes would move what is dragged
    return page


def eye(page: Page) -> Any:
    """Where the scene is looked at from; it is drawn anew when its colours or points change."""
    return until(lambda: page.evaluate(EYE))


def address(page: Page) -> str:
    """The query of the address as the browser has it now."""
    return page.evaluate("location.search")


def kept(page: Page) -> list[float]:
    """The same as the link has it. What is seen lags a hair behind the mouse until it is drawn anew."""
    camera = parse_qs(address(page).lstrip("?"))["camera"][0]
    return [float(part) for part in camera.split(",")[:3]]


def drag(page: Page, box: Any, *places: tuple[float, float]) -> None:
    """The mouse along places that are given as shares of a box."""
    across, down = box["width"], box["height"]
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * across, box["y"] + y * down, steps=5)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_turned_scene_is_in_the_link_and_there_is_only_one(server: Server, visit: Visit) -> None:
    page = opened(visit)
    card = page.get_by_role("region", name="Subspace", exact=True)
    result = asked(server, "subspace", **OF_HEAD, **VECTORS)
    share = f"{result['details']['score_variance_share'] * 100:.0f} %"
    expect(card.locator(".big-number", has_text="variance of its scores").locator(".value")).to_have_text(
        share
    )

    scene = page.locator(".scene")
    scene.scroll_into_view_if_needed()
    before = eye(page)
    drag(page, scene.bounding_box(), (0.5, 0.5), (0.7, 0.6))
    until(lambda: "camera=" in address(page))
    until(lambda: eye(page) != pytest.approx(before, abs=0.05))
    turned = kept(page)

    page.locator("#theme-switch").click()
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    card.locator("[data-choice=overlay]").select_option("shuffled")
    expect(card.locator("#scene-beside")).to_contain_text("Hollow", timeout=LONG)
    until(lambda: eye(page) == pytest.approx(turned, abs=0.02))
    assert page.evaluate("window.scenes") == 1

    theirs = opened(visit, address(page).replace(f"?{PROMPTS}", ""))
    until(lambda: eye(theirs) == pytest.approx(turned, abs=0.02))
    theirs.get_by_role("button", name="As at first").click()
    until(lambda: "camera=" not in address(theirs))
    until(lambda: eye(theirs) == pytest.approx(before, abs=0.02))


def test_the_scene_turns_by_keyboard(visit: Visit) -> None:
    page = opened(visit)
    before = eye(page)
    page.locator(".scene").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    until(lambda: "camera=" in address(page))
    until(lambda: sum(x * x for x in eye(page)) < sum(x * x for x in before))


def test_a_resize_while_plotly_is_fetched_does_not_flatten_the_scene(visit: Visit) -> None:
    me = visit()

    def resized_at_once(route: Route) -> None:
        whole = route.fetch()
        route.fulfill(response=whole, body=whole.text() + ";window.dispatchEvent(new Event('resize'));")

    me.page.route("**/plotly/package_data/plotly.min*.js", resized_at_once)
    page = me.open(HEAD)
    measured(page, "Subspace")
    eye(page)
    page.wait_for_timeout(500)  # longer than plotly waits before it draws anew
    assert eye(page)


def test_a_lasso_lists_the_prompts_behind_the_points(server: Server, visit: Visit) -> None:
    page = opened(visit)
    points = asked(server, "subspace", **OF_HEAD, **VECTORS)["tables"]["query"]["mean"]
    plot = page.locator(".flat").first
    plot.scroll_into_view_if_needed()
    edge = page.locator(".flat .nsewdrag").first.bounding_box()
    assert edge
    drag(page, edge, (0.01, 0.01), (0.5, 0.01), (0.5, 0.99), (0.01, 0.99), (0.01, 0.03))
    left = sum(x < 0 for x, _, _ in points)
    expect(page.locator(".chosen")).to_contain_text(f"{left} of {PAIRS} prompts", timeout=SOON)
    expect(page.locator(".points-table tbody tr")).to_have_count(left)
    rows = page.locator(".points-table tbody tr")
    twice = (edge["x"] + 0.8 * edge["width"], edge["y"] + 0.9 * edge["height"])
    until(lambda: page.mouse.dblclick(*twice) or rows.count() == PAIRS, every=1)  # too slow a press is two


def test_few_dimensions_beside_their_baselines(server: Server, visit: Visit) -> None:
    page = visit().open(HEAD)
    card = measured(page, "Low rank")
    result = asked(server, "low_rank", heads=[LABEL], **VECTORS)
    clean = result["tables"]["clean"]["mean"][0]
    expect(card.locator(".big-number .value").first).to_have_text(f"{clean:.2f}".replace("-", "−"))
    expect(card.locator(".curve-plot")).to_have_count(4)
    card.get_by_role("button", name="Q, K and V").click()
    expect(card.locator(".big-number .name").nth(1)).to_contain_text(f"Q, K and V of {LABEL}", timeout=SOON)


def test_a_bar_of_a_mutation_leads_to_its_prompts(visit: Visit) -> None:
    me = visit()
    page = me.open(f"/m/{SMALL}/{LABEL}?set=tiny-facts&n=2")
    card = measured(page, "Mutations")
    me.rest()
    bar = card.locator(".bars-plot .bars .point path").nth(1)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(card.locator(".bar-prompts")).to_contain_text("2 prompts", timeout=SOON)
    expect(page).to_have_url(re.compile(r"bar=\w+"))
    card.get_by_role("button", name="Accuracy").click()
    expect(card.locator(".bars-plot .ytitle")).to_have_text("fraction", timeout=SOON)


def test_a_patch_inside_the_subspace_moves_attention(server: Server, visit: Visit) -> None:
    page = visit().open(HEAD)
    expect(page.get_by_role("region", name="Patch inside the subspace", exact=True)).to_be_visible(
        timeout=SOON
    )
    card = measured(page, "Patch inside the subspace")
    where = {"at": "label", "rope": "post"}

    def rate(**how: Any) -> str:
        found = asked(server, "steer", **OF_HEAD, **where, **how)["tables"]["attention_flips"]["mean"]
        return f"{found * 100:.0f} %"

    swapped = rate(vector="query", mode="swap", rank=3)
    expect(card.locator(".big-number .value").nth(1)).to_have_text(swapped)
    card.locator("[data-choice=steer_mode]").select_option("move")
    slider = card.locator("input[data-choice=strength]")
    expect(slider).to_be_visible(timeout=SOON)
    slider.fill("2")
    until(lambda: "strength=2" in address(page))
    moved = rate(vector="query", mode="move", rank=3, strength=2.0)
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)
    expect(card.locator(".big-number .value").nth(1)).to_have_text(moved, timeout=LONG)
