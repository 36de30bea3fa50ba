"""All heads in a real browser: thresholds, filters, own verdicts, links, export."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.end_to_end.conftest import SMALL
from tests.end_to_end.visitor import Visitor, ask

pytestmark = pytest.mark.browser
PROMPTS = {"set": "tiny-facts", "n": 4}
SEARCH = "set=tiny-facts&n=4"
SOON, LONG = 60_000, 180_000

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


def measured(server: Server, **parameters: Any) -> dict[str, Any]:
    """The stored result that the page shows."""
    return ask(server, {"analysis": "categories", "prompts": PROMPTS, "parameters": parameters})


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {one["head"]: one["category"] for one in result["details"]["verdicts"]}


def opened(visit: Visit, search: str = "") -> Page:
    """The page once all pairs are measured."""
    page = visit().open(f"/heads?{SEARCH}{search}")
    expect(page.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=LONG)
    return page


def row(page: Page, label: str) -> Any:
    return page.locator("table.heads tbody tr").filter(has=page.get_by_role("link", name=label, exact=True))


def test_a_moved_threshold_changes_verdicts_without_a_forward_pass(server: Server, visit: Visit) -> None:
    page = opened(visit)
    usual = verdicts(measured(server))
    page.get_by_text("Thresholds", exact=True).click()
    slider = page.get_by_role("slider", name="diagonal", exact=True)
    slider.focus()
    page.keyboard.press("End")
    strict = measured(server, diagonal=1.0)
    assert [label for label, category in usual.items() if category == "single_letter"]
    assert "single_letter" not in verdicts(strict).values()
    line = page.locator(".category-list li", has_text="single letter")
    expect(line.locator(".number")).to_have_text("0", timeout=SOON)
    expect(page).to_have_url(re.compile("thresholds=diagonal:1"))
    assert measured(server)["key"] != strict["key"]
    theirs = visit().open(page.url.removeprefix(server.address))
    expect(theirs.locator(".category-list li", has_text="single letter").locator(".number")).to_have_text(
        "0", timeout=LONG
    )
    page.get_by_role("button", name="Defaults", exact=True).last.click()
    expect(line.locator(".number")).not_to_have_text("0", timeout=SOON)
    expect(page).not_to_have_url(re.compile("thresholds"))


def test_an_own_verdict_travels_with_the_link_and_into_the_export(server: Server, visit: Visit) -> None:
    me = visit()
    page = me.open(f"/m/{SMALL}/L1H1?{SEARCH}")
    expect(page.locator("#verdict-chip")).to_contain_text("single letter", timeout=LONG)
    expect(page.locator(".evidence-table")).to_contain_text("label mass")
    page.get_by_label("Your verdict on L1H1").select_option("L1H1:amplification")
    expect(page.locator("#verdict-chip")).to_contain_text("yours; measured single letter", timeout=SOON)
    expect(page).to_have_url(re.compile("verdicts=L1H1:amplification"))
    page.locator("#to-heads").click()
    page.wait_for_url("**/heads?**verdicts=L1H1:amplification**")
    expect(row(page, "L1H1")).to_contain_text("yours; measured single letter", timeout=LONG)

    theirs = visit().open(page.url.removeprefix(server.address))
    expect(row(theirs, "L1H1")).to_contain_text("yours; measured single letter", timeout=LONG)
    expect(theirs.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=LONG)
    with theirs.expect_download() as download:
        theirs.get_by_role("button", name="Export verdicts").click()
    told = json.loads(download.value.path().read_text())
    (own,) = [one for one in told["verdicts"] if one["own"]]
    assert (own["head"], own["category"], own["own"]) == ("L1H1", "single_letter", "amplification")
    assert told["key"] == measured(server)["key"]


def test_heads_are_found_ticked_and_analysed_together(visit: Visit) -> None:
    page = opened(visit)
    find = page.get_by_role("searchbox", name="Filter by head or category")
    find.fill("L1")
    expect(page.locator("table.heads tbody tr")).to_have_count(8, timeout=SOON)
    expect(find).to_be_focused()
    together = page.locator(".together")
    expect(together).to_be_disabled()
    page.get_by_role("checkbox", name="Analyse L1H1").focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Analyse L1H3").check()
    expect(together).to_have_text("Analyse 2 heads together")
    page.wait_for_url("**heads=L1H1,L1H3**", timeout=SOON)
    find.fill("")
    expect(page.locator("table.heads tbody tr")).to_have_count(32, timeout=SOON)
    expect(page.get_by_role("checkbox", name="Analyse L1H3")).to_be_checked()
    page.reload()
    expect(page.get_by_role("checkbox", name="Analyse L1H3")).to_be_checked(timeout=LONG)
    expect(page.get_by_role("checkbox", name="Analyse L1H2")).not_to_be_checked()
    together.click()
    expect(page.locator("#head-page")).to_be_visible(timeout=SOON)
    expect(page).to_have_url(re.compile(r"/L1H1\?.*measure=low_rank.*heads=L1H1,L1H3"))
    card = page.get_by_role("region", name="Low rank", exact=True)
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)


def test_qk_scores_get_a_column(visit: Visit) -> None:
    page = opened(visit)
    assert page.get_by_role("button", name="Sort by QK-score").count() == 0
    title = "QK-score: who knows, but does not say"
    page.get_by_role("button", name=f"Measure: {title}").click()
    card = page.get_by_role("region", name=title, exact=True)
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Sort by QK-score")).to_be_visible(timeout=SOON)
    expect(page).to_have_url(re.compile("measure=qk"))
