"""All heads on the real demo model, in a real browser: thresholds, filters, own verdicts, links, export."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.end_to_end.visitor import Visitor, ask, shown

pytestmark = pytest.mark.browser
PAIRS = 4
MODEL = "smollm2-mcq"
SOON, LONG = 20_000, 180_000

Visit = Callable[..., Visitor]


def measured(server: Server, **parameters: Any) -> dict[str, Any]:
    """The stored result that the page shows."""
    prompts = {"n": PAIRS, "index": None}
    return ask(
        server, {"analysis": "categories", "model": MODEL, "prompts": prompts, "parameters": parameters}
    )


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {one["head"]: one["category"] for one in result["details"]["verdicts"]}


def opened(visit: Visit, search: str = "") -> Page:
    """The page once all pairs are measured."""
    page = visit().open(f"/heads?n={PAIRS}{search}")
    expect(page.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=LONG)
    return page


def row(page: Page, label: str) -> Any:
    return page.locator("table.heads tbody tr").filter(has=page.get_by_role("link", name=label, exact=True))


def test_every_head_is_there_strongest_first(server: Server, visit: Visit) -> None:
    page = opened(visit)
    result = measured(server)
    labels = [head["label"] for head in result["coordinates"]["head"]]
    effects = dict(zip(labels, result["tables"]["total_effect"]["mean"], strict=True))
    strongest = max(labels, key=lambda label: abs(effects[label]))
    first = page.locator("table.heads tbody tr").first
    expect(first.get_by_role("link")).to_have_text(strongest)
    expect(first).to_contain_text(shown(effects[strongest]))
    expect(page.locator("table.heads tbody tr")).to_have_count(200)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("table.heads tbody tr")).to_have_count(len(labels), timeout=SOON)
    page.get_by_role("button", name="Sort by head").click()
    expect(page.locator("table.heads tbody tr").first.get_by_role("link")).to_have_text("L0H0", timeout=SOON)
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("head")
    page.keyboard.press("Enter")  # the heading has the focus still
    expect(page.locator("table.heads tbody tr").first.get_by_role("link")).to_have_text("L29H8", timeout=SOON)


def test_a_moved_threshold_changes_verdicts_without_a_forward_pass(server: Server, visit: Visit) -> None:
    page = opened(visit)
    usual = verdicts(measured(server))
    page.get_by_text("Thresholds", exact=True).click()
    slider = page.get_by_role("slider", name="diagonal", exact=True)
    slider.focus()
    page.keyboard.press("End")
    strict = measured(server, diagonal=1.0)
    assert [label for label, category in usual.items() if category == "correct_letter"]
    assert "correct_letter" not in verdicts(strict).values()
    line = page.locator(".category-list li", has_text="correct letter")
    expect(line.locator(".number")).to_have_text("0", timeout=SOON)
    assert "thresholds=diagonal:1" in page.url
    assert measured(server)["key"] != strict["key"]
    theirs = visit().open(page.url.removeprefix(server.address))
    expect(theirs.locator(".category-list li", has_text="correct letter").locator(".number")).to_have_text(
        "0", timeout=LONG
    )
    page.get_by_role("button", name="Defaults", exact=True).last.click()
    expect(line.locator(".number")).not_to_have_text("0", timeout=SOON)
    assert "thresholds" not in page.url


def test_an_own_verdict_travels_with_the_link_and_into_the_export(server: Server, visit: Visit) -> None:
    me = visit()
    page = me.open(f"/m/{MODEL}/L23H0?n={PAIRS}")
    expect(page.locator("#verdict-chip")).to_contain_text("correct letter", timeout=LONG)
    expect(page.locator(".evidence-table")).to_contain_text("label mass")
    page.get_by_label("Your verdict on L23H0").select_option("L23H0:amplification")
    expect(page.locator("#verdict-chip")).to_contain_text("yours; measured correct letter", timeout=SOON)
    assert "verdicts=L23H0:amplification" in page.url
    page.locator("#to-heads").click()
    expect(row(page, "L23H0")).to_contain_text("yours; measured correct letter", timeout=LONG)

    theirs = visit().open(page.url.removeprefix(server.address))
    expect(row(theirs, "L23H0")).to_contain_text("yours; measured correct letter", timeout=LONG)
    expect(theirs.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=LONG)
    with theirs.expect_download() as download:
        theirs.get_by_role("button", name="Export verdicts").click()
    told = json.loads(download.value.path().read_text())
    (own,) = [one for one in told["verdicts"] if one["own"]]
    assert (own["head"], own["category"], own["own"]) == ("L23H0", "correct_letter", "amplification")
    assert told["key"] == measured(server)["key"]


def test_heads_are_found_ticked_and_analysed_together(visit: Visit) -> None:
    page = opened(visit)
    find = page.get_by_role("searchbox", name="Filter by head or category")
    find.fill("L23")
    expect(page.locator("table.heads tbody tr")).to_have_count(9, timeout=SOON)
    expect(find).to_be_focused()
    together = page.locator(".together")
    expect(together).to_be_disabled()
    page.get_by_role("checkbox", name="Analyse L23H0").focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Analyse L23H2").check()
    expect(together).to_have_text("Analyse 2 heads together")
    page.wait_for_url("**heads=L23H0,L23H2**", timeout=SOON)
    find.fill("")
    expect(page.locator("table.heads tbody tr")).to_have_count(200, timeout=SOON)
    expect(page.get_by_role("checkbox", name="Analyse L23H2")).to_be_checked()
    page.reload()
    expect(page.get_by_role("checkbox", name="Analyse L23H2")).to_be_checked(timeout=LONG)
    expect(page.get_by_role("checkbox", name="Analyse L23H1")).not_to_be_checked()
    together.click()
    expect(page.locator("#head-page")).to_be_visible(timeout=SOON)
    assert "/L23H0?" in page.url and "heads=L23H0,L23H2" in page.url and "measure=low_rank" in page.url
    page.get_by_role("button", name="Cancel: ", exact=False).first.click(timeout=SOON)


def test_qk_scores_get_a_column(visit: Visit) -> None:
    page = opened(visit)
    assert page.get_by_role("button", name="Sort by QK-score").count() == 0
    title = "QK-score: who knows, but does not say"
    page.get_by_role("button", name=f"Measure: {title}").click()
    card = page.get_by_role("region", name=title, exact=True)
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Sort by QK-score")).to_be_visible(timeout=SOON)
    assert "measure=qk" in page.url


@pytest.mark.parametrize("address", [f"/heads?n={PAIRS}", "/training"])
def test_a_phone_needs_no_sideways_scroll(visit: Visit, address: str) -> None:
    me = visit()
    me.page.set_viewport_size({"width": 390, "height": 844})
    page = me.open(address)
    expect(page.locator("#heads-table tbody tr, #training-numbers > *").first).to_be_visible(timeout=LONG)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
