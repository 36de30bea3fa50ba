"""A link to a figure: the same numbers for everybody, for good, without its model, and inside other pages."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from cache import open_store
from tests.conftest import Server, serving
from tests.end_to_end.conftest import TINY, with_tiny
from tests.end_to_end.visitor import Visitor, ask
from tests.frontend.real import spec_of

pytestmark = pytest.mark.browser
SOON = 60_000
ONE_PAIR = ("position_effects", "token_attention", "edge_estimates")
TEN = (*ONE_PAIR, "effects", "gate", "attribution", "paths", "attention", "categories", "mutations")
NUMBER = re.compile(r"[+−]?\d+(?:\.\d+)?(?: %)?")
EMPTY = "#figure-card [data-squares]:empty, #figure-card .dash-graph:not(:has(.main-svg))"  # not drawn yet

GONE = "bias"  # measured, and evicted since

Keys = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    return with_tiny(tmp_path_factory.mktemp("figures"), tiny_folder)


@pytest.fixture(scope="module")
def keys(folder: Path) -> Keys:
    """Ten stored results of different analyses and an evicted one, by a server that is gone."""
    with serving(folder, **TINY) as server:
        specs = {name: spec_of(name, one_pair=name in ONE_PAIR) for name in (*TEN, GONE)}
        found = {name: ask(server, spec)["key"] for name, spec in specs.items()}
    store = open_store(folder / "store", cap_bytes=2**30)
    store.delete(found[GONE])
    store.close()
    return found


@pytest.fixture(scope="module")
def server(folder: Path, keys: Keys) -> Iterator[Server]:
    """A later server that loads no model by itself."""
    running = Server(folder, HEADSCOPE_WARM="false", **TINY).start()
    yield running
    running.kill()


def drawn(page: Page) -> list[str]:
    """Every number of the figure on a page, in order."""
    expect(page.locator("#figure-audit [data-complete=true]")).to_be_visible(timeout=SOON)
    page.wait_for_function(f"document.querySelectorAll('{EMPTY}').length === 0")
    return NUMBER.findall(page.locator("#figure-body").inner_text())


def test_ten_links_show_the_same_numbers_after_a_restart_without_the_model(
    browser: Browser, server: Server, keys: Keys
) -> None:
    first = Visitor(browser, server)
    before = {name: drawn(first.open(f"/f/{key}")) for name, key in keys.items() if name != GONE}
    bytes_before = {
        key: httpx2.get(f"{server.address}/api/results/{key}", timeout=60).content
        for key in map(keys.get, TEN)
    }
    first.leave()
    server.kill()
    server.start()
    second = Visitor(browser, server)
    for name in TEN:
        key = keys[name]
        page = second.open(f"/f/{key}")
        assert drawn(page) == before[name], name
        assert len(before[name]) > 3, name
        stored = httpx2.get(f"{server.address}/api/results/{key}", timeout=60).content
        assert stored == bytes_before[key] == httpx2.get(f"{server.address}/f/{key}.json", timeout=60).content
    assert httpx2.get(f"{server.address}/api/models").json()["models"][0]["state"] == "absent"
    second.leave()


def test_a_figure_can_be_looked_at_otherwise_and_leads_into_the_dashboard(
    visit: Callable[..., Visitor], server: Server, keys: Keys
) -> None:
    page = visit().open(f"/f/{keys['effects']}")
    drawn(page)
    page.get_by_role("button", name="Attribution").click()
    expect(page.locator("#figure-caption")).to_contain_text("Logit attribution", timeout=SOON)
    expect(page).to_have_url(f"{server.address}/f/{keys['effects']}?view=attribution")
    body = httpx2.get(f"{server.address}/api/results/{keys['effects']}", timeout=60).json()
    page.get_by_text("The same as a table").click()
    page.get_by_role("button", name="MLP1", exact=True).click()
    expect(page.locator("#figure-body .metrics")).to_be_visible(timeout=SOON)
    expect(page).to_have_url(re.compile("node=MLP1"))
    labels = [node["label"] for node in body["coordinates"]["node"]]
    total = body["tables"]["total_effect"]["mean"][labels.index("MLP1")]
    shown = page.locator("#figure-body .big-number .value").first.inner_text()
    assert shown.lstrip("+−") == f"{abs(total):.2f}"
    link = page.locator("#open-in-dashboard").get_attribute("href")
    assert link == "/?model=tiny&n=2"


def test_a_press_elsewhere_leaves_the_figure_with_its_prompts(
    visit: Callable[..., Visitor], keys: Keys
) -> None:
    page = visit().open(f"/f/{keys['paths']}")
    drawn(page)
    page.locator("#to-heads").click()
    expect(page).to_have_url(re.compile(r"/heads\?n=2"), timeout=SOON)


def test_what_was_never_measured_and_what_is_gone_are_said(visit: Callable[..., Visitor], keys: Keys) -> None:
    someone = visit()
    page = someone.open(f"/f/{'0' * 64}")
    expect(page.locator("#figure-from")).to_contain_text("Nobody has asked", timeout=SOON)
    expect(page.get_by_role("button", name="Recompute")).to_be_hidden()
    someone.complaints.clear()  # the browser notes that the address is not found

    page = someone.open(f"/f/{keys[GONE]}")
    expect(page.locator("#figure-notice")).to_contain_text("no longer stored", timeout=SOON)
    expect(page.locator("#figure-title")).to_have_text("Selection bias")
    page.get_by_role("button", name="Recompute").click()
    expect(page.locator("#figure-audit [data-complete=true]")).to_be_visible(timeout=2 * SOON)
    expect(page.locator("#figure-progress")).to_contain_text("Computed again", timeout=SOON)
    someone.complaints.clear()  # and that the numbers were gone


def test_recomputing_says_how_far_the_numbers_are_apart(visit: Callable[..., Visitor], keys: Keys) -> None:
    page = visit().open(f"/f/{keys['paths']}")
    before = drawn(page)
    page.get_by_role("button", name="Recompute").click()
    said = page.locator("#figure-progress")
    expect(said).to_contain_text(
        re.compile(r"largest difference 0( logits)? over \d+ values"), timeout=2 * SOON
    )
    page.get_by_role("link", name="Open the new result").click()
    expect(page.locator("#figure-notice")).to_contain_text("Computed again", timeout=SOON)
    expect(page).not_to_have_url(re.compile(keys["paths"]))
    assert drawn(page) == before


def test_a_figure_stands_alone_in_another_page(
    visit: Callable[..., Visitor], server: Server, keys: Keys
) -> None:
    someone = visit()
    page = someone.open("/api/healthz")  # any page of the same origin that runs nothing
    page.set_content(
        f'<iframe src="{server.address}/f/{keys["effects"]}?embed=1" width=800 height=600></iframe>'
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator("#figure-audit [data-complete=true]")).to_be_visible(timeout=SOON)
    expect(frame.locator("header.bar")).to_be_hidden()
    frame.get_by_role("button", name="Direct", exact=True).click()
    expect(frame.locator("#figure-caption")).to_contain_text("Direct effect", timeout=SOON)
    page.frames[1].wait_for_url(re.compile("view=direct&embed=1$"))


def test_the_menu_copies_the_link_and_the_embed_code(visit: Callable[..., Visitor], keys: Keys) -> None:
    page = visit().open(f"/f/{keys['effects']}?view=direct")
    drawn(page)
    page.locator("#figure-audit summary").click()
    page.get_by_role("button", name="Copy link", exact=True).last.click()
    expect(page.locator("#status")).to_contain_text("Copied link")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy embed code").click()
    expect(page.locator("#status")).to_contain_text("Copied embed code")
    assert f'src="{page.url}&embed=1"' in page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    expect(page.locator("#figure-audit .share-menu")).to_be_hidden()
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("#status")).to_contain_text("Copied as Python")
    assert "client" in page.evaluate("navigator.clipboard.readText()").lower()


def test_a_failed_value_is_an_empty_cell_with_its_reason(visit: Callable[..., Visitor], keys: Keys) -> None:
    """Two questions have two correct letters: attention by the other two does not exist."""
    page = visit().open(f"/f/{keys['attention']}")
    drawn(page)
    cells: list[Any] = page.locator("#figure-body .labels tbody tr").all()
    rows = [row.locator("td").all_inner_texts() for row in cells]
    empty = [row for row in rows if row == ["–"] * 4]
    assert len(empty) == 2 and all("0." in row[0] for row in rows if row not in empty)
    expect(page.locator("#figure-body")).to_contain_text("values were not computed: no finite value")
