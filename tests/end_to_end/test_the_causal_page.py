"""Choices, sections measured on demand and their numbers, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.end_to_end.conftest import SMALL
from tests.end_to_end.visitor import Visitor, ask, shown, unsigned, value_of

pytestmark = pytest.mark.browser
LABEL, BESIDE = "L2H0", "L2H1"
PROMPTS = {"set": "tiny-facts", "n": 2}
SEARCH = "set=tiny-facts&n=2"
HEAD = f"/m/{SMALL}/{LABEL}?{SEARCH}"
NUMBER = re.compile(r"[+−]?\d+\.\d+")
SOON, LONG = 60_000, 120_000

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def server(small_server: Server) -> Server:
    return small_server


def asked(server: Server, analysis: str, index: int | None = None, **parameters: Any) -> dict[str, Any]:
    """The stored result that the page shows."""
    return ask(
        server, {"analysis": analysis, "prompts": {**PROMPTS, "index": index}, "parameters": parameters}
    )


def measure(page: Page, title: str) -> Any:
    """Press the button of a section and wait until it is complete."""
    card = page.get_by_role("region", name=title, exact=True)
    card.get_by_role("button", name=f"Measure: {title}").click()
    expect(card.locator(".audit [data-complete=true]")).to_be_visible(timeout=LONG)
    return card


def numbers(card: Any) -> list[str]:
    """The large numbers of a section."""
    return [unsigned(text) for text in card.locator(".big-number .value").all_inner_texts()]


def test_what_is_chosen_is_measured_and_goes_into_the_link(server: Server, visit: Visit) -> None:
    page = visit().open(f"/?{SEARCH}&node={LABEL}")
    expect(page.locator("#audit [data-complete=true]")).to_be_visible(timeout=LONG)
    page.locator("#map-choices [data-choice=metric]").select_option("letter_loss")
    expect(page.locator("#map-sentence")).to_contain_text("in nats", timeout=SOON)
    page.locator("#map-choices [data-choice=direction]").select_option("denoising")
    expect(page.locator("#map-sentence")).to_contain_text("from the clean prompt", timeout=SOON)
    expect(page).to_have_url(re.compile("metric=letter_loss&direction=denoising"))

    one = asked(server, "effects", 0, nodes=[LABEL], metric="letter_loss", direction="denoising")
    value = f"{value_of(one, 'total_effect', LABEL):+.3f}".replace("-", "−")
    expect(page.locator("#value-total")).to_have_text(value, timeout=SOON)
    expect(page.locator("#evidence-metrics")).to_contain_text(value)

    theirs = visit().open(page.url.removeprefix(server.address))
    expect(theirs.locator("#value-total")).to_have_text(value, timeout=LONG)
    expect(theirs.locator("#map-choices [data-choice=metric]")).to_have_value("letter_loss")


def test_what_does_not_exist_is_a_dash_with_its_reason(visit: Visit) -> None:
    page = visit().open(f"/?{SEARCH}&node=ATTN3&nodes=attention&positions=differing")
    expect(page.locator("#value-total")).to_have_text(NUMBER, timeout=LONG)
    expect(page.locator("#value-direct")).to_have_text("–")
    expect(page.locator("#mean-direct")).to_contain_text("final position only")
    expect(page.get_by_role("button", name="Attribution")).to_be_disabled()
    expect(page.locator("#strongest-nodes")).to_contain_text("ATTN3", timeout=LONG)


def test_every_token_is_estimated_then_measured(server: Server, visit: Visit) -> None:
    page = visit().open(HEAD)
    card = page.get_by_role("region", name="Where in the prompt", exact=True)
    expect(page.locator("#head-numbers")).to_contain_text(NUMBER, timeout=LONG)
    expect(card.locator("td.square")).to_have_count(0)  # nothing before it is asked for
    measure(page, "Where in the prompt")
    expect(page).to_have_url(re.compile("measure=where"))
    result = asked(server, "position_effects", 0, kind="heads", layer=2)
    columns = result["coordinates"]["pos"]
    expect(card.locator("td.square.measured")).to_have_count(8 * len(columns))

    last = card.locator(f'td.square[data-cell="{LABEL} {columns[-1]["position"]}"]')
    last.click()
    effect = result["tables"]["total_effect"]["mean"][0][-1]
    expect(card.locator(".readout")).to_contain_text(f"measured {shown(effect)} logits")
    one = asked(server, "effects", 0, nodes=[LABEL])
    assert effect == pytest.approx(value_of(one, "total_effect", LABEL), abs=1e-4)

    page.keyboard.press("ArrowLeft")
    before = result["tables"]["total_effect"]["mean"][0][-2]
    expect(card.locator(".readout")).to_contain_text(f"measured {shown(before)} logits")


def test_all_paths_together_are_the_total_effect(server: Server, visit: Visit) -> None:
    page = visit().open(HEAD)
    card = measure(page, "Paths")
    result = asked(server, "paths", sender=LABEL)
    together, total = numbers(card)
    assert together == total == unsigned(shown(result["tables"]["total_effect"]["mean"]))
    strongest = max(map(abs, result["tables"]["path_effect"]["mean"]))
    expect(card.locator("tbody tr").first).to_contain_text(f"{strongest:.2f}")


def test_self_repair_and_knock_out(server: Server, visit: Visit) -> None:
    page = visit().open(HEAD)
    repair = measure(page, "Self-repair")
    result = asked(server, "self_repair", node=LABEL)
    names = ("direct_effect", "total_effect_frozen", "total_effect")
    assert numbers(repair) == [unsigned(shown(result["tables"][name]["mean"])) for name in names]
    knock = measure(page, "Knock-out")
    result = asked(server, "knock_out", heads=[LABEL])
    roles = [role["label"] for role in result["coordinates"]["role"]]
    effect = result["tables"]["effect"]["mean"][roles.index("label_correct")]
    row = knock.locator("tbody tr", has_text="label, correct")
    expect(row).to_contain_text(shown(effect))
    expect(page).to_have_url(re.compile("measure=repair,knock"))


def test_how_few_nodes_are_enough(visit: Visit) -> None:
    page = visit().open(f"/?{SEARCH}")
    card = measure(page, "How few nodes are enough?")
    expect(card.locator(".curve-plot .scatterlayer .trace").first).to_be_attached(timeout=SOON)
    expect(card.locator(".curve-plot")).to_have_count(4)
    card.get_by_text("The same as a table").click()
    last = card.locator("tbody tr").last.locator("td")
    for curve in range(4):
        expect(last.nth(curve)).to_have_text("1.000")  # all nodes: the whole gap


def test_a_result_comes_back_without_a_press(visit: Visit) -> None:
    page = visit().open(HEAD)
    card = measure(page, "Self-repair")
    there = numbers(card)
    page.get_by_role("link", name=BESIDE).first.click()
    expect(page.locator("#head-title h1")).to_have_text(BESIDE, timeout=SOON)
    expect(card.get_by_role("button", name="Measure: Self-repair")).to_be_visible(timeout=SOON)
    expect(card.locator(".big-number")).to_have_count(0, timeout=SOON)
    page.get_by_role("link", name=LABEL).first.click()
    expect(page.locator("#head-title h1")).to_have_text(LABEL, timeout=SOON)
    expect(card.locator(".big-number").first).to_be_visible(timeout=SOON)
    assert numbers(card) == there
