"""What a newcomer does, on the real demo model: the map, a click, a number, the head page, a shared link."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.conftest import Server
from tests.end_to_end.visitor import LABEL, Visitor, ask, is_busy, shown, unsigned, value_of

pytestmark = pytest.mark.browser
PAIRS = 4
HEAD = {"layer": 23, "head": 2}
LONG = 180_000
WHOLE_MAP = {"analysis": "effects", "prompts": {"n": PAIRS}}


def test_from_the_map_to_a_colleague(server: Server, visit: Callable[..., Visitor]) -> None:
    me = visit()
    page = me.open(f"/?n={PAIRS}")
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=LONG)
    expect(page.locator("#map-progress")).not_to_contain_text(" of ", timeout=LONG)

    me.click_cell(HEAD["layer"], HEAD["head"])
    began = time.perf_counter()
    one = {"analysis": "effects", "prompts": {"n": PAIRS, "index": 0}, "parameters": {"nodes": [LABEL]}}
    expect(page.locator("#evidence")).to_contain_text(LABEL)
    expect(page.locator("#value-total")).not_to_have_text(re.compile(r"^[\s–…]*$"))
    seconds = time.perf_counter() - began
    for view, table in (
        ("total", "total_effect"),
        ("direct", "direct_effect"),
        ("indirect", "indirect_effect"),
    ):
        number = unsigned(shown(value_of(ask(server, one), table)))
        expect(page.locator(f"#value-{view}")).to_have_text(re.compile(rf"^\+?{re.escape(number)}$"))
    assert seconds < 3 or is_busy(), f"a click took {seconds:.1f} s"
    expect(page).to_have_url(re.compile("node=L23H2"))

    me.click_cell(HEAD["layer"], HEAD["head"])
    expect(page.locator("#head-title")).to_contain_text(LABEL)
    expect(page).to_have_url(re.compile(f"/m/smollm2-mcq/{LABEL}"))
    whole = ask(server, WHOLE_MAP)
    number = unsigned(shown(value_of(whole, "total_effect")))
    expect(page.locator("#head-numbers")).to_contain_text(number)
    mine = settled(me)

    page.locator("#copy-link").click()
    expect(page.locator("#status")).to_contain_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(server.address)
    colleague = visit()
    theirs = colleague.open(link.removeprefix(server.address))
    expect(theirs.locator("#head-numbers")).to_contain_text(number)
    assert settled(colleague) == mine


def settled(me: Visitor) -> list[str]:
    """The head page's texts once all of it is measured."""
    me.rest(seconds=LONG / 1000)
    names = ("title", "numbers", "sentence", "pattern", "profile", "roles", "tokens")
    texts = [me.page.locator(f"#head-{name}").inner_text() for name in names]
    assert all(texts)
    return texts


def test_keyboard_alone_reaches_a_head(visit: Callable[..., Visitor]) -> None:
    page = visit().open(f"/?n={PAIRS}&node=L22H2")
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=LONG)
    expect(page.locator("#evidence")).to_contain_text("L22H2")
    page.locator("#map-grid").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#evidence-preview")).to_contain_text(LABEL)
    page.keyboard.press("Enter")
    expect(page.locator("#evidence-title")).to_contain_text(LABEL)
    page.keyboard.press("Enter")
    expect(page.locator("#head-title")).to_contain_text(LABEL)
    page.keyboard.press("/")
    page.keyboard.type("L2H3")
    page.keyboard.press("Enter")
    expect(page.locator("#head-title")).to_contain_text("L2H3")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("n=0", "n"),
        ("n=many", "many"),
        ("view=sideways", "sideways"),
        ("model=gpt-9", "gpt-9"),
        ("set=nothing", "nothing"),
        ("node=L99H0", "L99H0"),
        ("index=50&n=4", "50"),
        ("set=sums&labels=numbers&options=10", "single token"),
    ],
)
def test_a_bad_address_gets_a_sentence(visit: Callable[..., Visitor], query: str, words: str) -> None:
    page = visit().open(f"/?{query}")
    expect(page.locator("body")).to_contain_text(words)
    text = page.locator("main, body").first.inner_text()
    assert "Traceback" not in text and "Internal Server Error" not in text


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1920)])
def test_nothing_is_cut_off(visit: Callable[..., Visitor], scheme: str, width: int) -> None:
    me = visit(color_scheme=scheme)
    me.page.set_viewport_size({"width": width, "height": 1000})
    page = me.open(f"/?n={PAIRS}&node={LABEL}")
    expect(page.locator("#value-total")).not_to_have_text(re.compile(r"^[\s–…]*$"))
    expect(page.locator("#map .heatmaplayer image")).to_be_attached(timeout=LONG)
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.getAttribute('data-scheme')") == scheme
    expect(page.locator("#map .xtick").nth(3)).to_be_attached()
    assert all(re.fullmatch(r"\d+", tick) for tick in page.locator("#map .xtick").all_text_contents())


def test_the_tour_comes_once_and_can_be_had_again(visit: Callable[..., Visitor]) -> None:
    me = visit()
    page = me.open(f"/?n={PAIRS}")
    page.locator("#strongest-nodes [data-node]").first.wait_for()
    page.wait_for_timeout(500)
    expect(page.locator(".tour")).to_have_count(0)  # a link is opened for what it shows
    page = me.open("/")
    card = page.locator(".tour")
    expect(card).to_be_visible(timeout=LONG)
    assert page.evaluate("document.activeElement === document.body")  # it takes no focus by itself
    for title in ("The map", "Choose a node", "The evidence", "The page of a head", "The link"):
        expect(card.get_by_role("heading")).to_have_text(title)
        card.locator(".tour-next").click()
    expect(card).to_have_count(0)
    expect(page.locator("#evidence-title h2")).to_be_visible()  # the tour chose a node
    me.open("/")
    page.locator("#strongest-nodes [data-node]").first.wait_for()
    page.wait_for_timeout(500)
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Tour of the page").click()
    expect(card).to_be_focused()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


def test_every_head_is_listed_strongest_first(server: Server, visit: Callable[..., Visitor]) -> None:
    page = visit().open(f"/heads?n={PAIRS}")
    expect(page.locator("#heads-audit [data-complete=true]")).to_be_visible(timeout=LONG)
    result = ask(server, {**WHOLE_MAP, "analysis": "categories"})
    labels = [head["label"] for head in result["coordinates"]["head"]]
    effects = dict(zip(labels, result["tables"]["total_effect"]["mean"], strict=True))
    strongest = max(labels, key=lambda label: abs(effects[label]))
    first = page.locator("table.heads tbody tr").first
    expect(first.get_by_role("link")).to_have_text(strongest)
    expect(first).to_contain_text(shown(effects[strongest]))
    expect(page.locator("table.heads tbody tr")).to_have_count(200)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("table.heads tbody tr")).to_have_count(len(labels))
    page.get_by_role("button", name="Sort by head").click()
    expect(page.locator("table.heads tbody tr").first.get_by_role("link")).to_have_text("L0H0")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("head")
    page.keyboard.press("Enter")  # the heading has the focus still
    expect(page.locator("table.heads tbody tr").first.get_by_role("link")).to_have_text("L29H8")


@pytest.mark.parametrize(
    ("address", "drawn"),
    [
        (f"/?n={PAIRS}&node={LABEL}", "#map .heatmaplayer image"),
        (f"/m/smollm2-mcq/{LABEL}?n={PAIRS}", "#head-audit [data-complete=true]"),
        (f"/heads?n={PAIRS}", "#heads-table tbody tr"),
        ("/training", "#training-numbers > *"),
    ],
)
def test_a_phone_needs_no_sideways_scroll(visit: Callable[..., Visitor], address: str, drawn: str) -> None:
    me = visit()
    me.page.set_viewport_size({"width": 390, "height": 844})
    page = me.open(address)
    page.locator(drawn).first.wait_for(state="attached", timeout=LONG)
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
