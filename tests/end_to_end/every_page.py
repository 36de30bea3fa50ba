"""All pages of the dashboard on a small model, each at one address, and when it has come to rest."""

from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from tests.conftest import Server, until
from tests.end_to_end.conftest import SMALL
from tests.end_to_end.visitor import Visitor

PAIRS = 4
NODE = "L3H3"
PROMPTS = f"set=tiny-facts&n={PAIRS}"
HEAD = f"/m/{SMALL}/{NODE}?{PROMPTS}"
SECTIONS = "where,paths,knock,low_rank,steer,mutations,nth_item"
MAP_SPEC = {"analysis": "effects", "model": SMALL, "prompts": {"set": "tiny-facts", "n": PAIRS}}


def addresses(server: Server) -> dict[str, str]:
    """By name; the result of the map is computed, as the pages of figures need its key."""
    key = computed(server, MAP_SPEC)
    return {
        "map": f"/?{PROMPTS}&node={NODE}&measure=edges,bias",
        "head": f"{HEAD}&measure={SECTIONS}",
        "heads": f"/heads?{PROMPTS}",
        "training": f"/training?{PROMPTS}",
        "figure": f"/f/{key}",
        "embed": f"/f/{key}?embed=1",
        "compare": f"/compare?{PROMPTS}&pins={NODE},L2H0",
        "prompts": f"/prompts?{PROMPTS}",
    }


def computed(server: Server, spec: dict[str, Any]) -> str:
    """The key of a spec whose result is stored."""
    key = httpx2.post(f"{server.address}/api/results", json=spec, timeout=60).json()["key"]
    until(lambda: httpx2.get(f"{server.address}/api/results/{key}", timeout=60).status_code == 200)
    return key


def open_and_rest(visitor: Visitor, address: str) -> Page:
    """The page once it has asked the server nothing for a while: all that was wanted is drawn."""
    page = visitor.open(address)
    page.locator("._dash-loading").wait_for(state="detached", timeout=60_000)
    if not address.startswith("/prompts"):
        page.locator("[data-complete=true]").first.wait_for(state="attached", timeout=120_000)
    visitor.rest()
    return page


def darken(visitor: Visitor) -> None:
    """The other colours. The page is dark at once; figures that the server paints come later."""
    visitor.page.locator("#theme-switch").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-scheme", "dark")
    visitor.rest()


def still(page: Page) -> bytes:
    """What is seen, once it no longer changes."""

    def same() -> bytes | None:
        before = page.screenshot()
        page.wait_for_timeout(400)
        return before if before == page.screenshot() else None

    return until(same, seconds=120, every=0)
