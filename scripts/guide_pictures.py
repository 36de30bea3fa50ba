"""Takes the pictures of docs/guide.md from a running server on which the pages have been measured.

    python scripts/guide_pictures.py http://127.0.0.1:8050 docs/guide

Light theme, small files: the guide should load at once.
"""

import argparse
import json
from pathlib import Path

import httpx2
from playwright.sync_api import Page, ViewportSize, sync_playwright

SIZE = ViewportSize(width=1240, height=760)
COMPLETE_MS = 180_000
REST_MS = 4000  # all that a page shows at once has come by then


def main() -> None:
    """One picture for every chapter."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("address", help="where the server is, for example http://127.0.0.1:8050")
    options.add_argument("folder", type=Path, help="where the pictures go")
    options.add_argument("--model", default="smollm2-mcq")
    options.add_argument(
        "--prompts", default="n=32", help="as in the address, for example set=tiny-facts&n=8"
    )
    options.add_argument("--nodes", nargs=2, default=["L23H2", "L19H2"], help="two heads to show")
    options.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        for name, path in pages(chosen).items():
            show(page, chosen.address + path)
            page.screenshot(path=chosen.folder / f"{name}.png")
            print(f"{name}: {path}")
        show_keys(page, chosen.address + pages(chosen)["map"])
        page.screenshot(path=chosen.folder / "keys.png")
        browser.close()


def pages(chosen: argparse.Namespace) -> dict[str, str]:
    """The address of every picture."""
    query, (node, other) = f"model={chosen.model}&{chosen.prompts}", chosen.nodes
    return {
        "map": f"/?{query}&node={node}",
        "head": f"/m/{chosen.model}/{node}?{chosen.prompts}",
        "heads": f"/heads?{query}",
        "compare": f"/compare?{query}&pins={node},{other}",
        "prompts": f"/prompts?{query}",
        "training": f"/training?{chosen.prompts}",
        "figure": f"/f/{key_of_map(chosen)}",
    }


def key_of_map(chosen: argparse.Namespace) -> str:
    """The key under which the map is stored."""
    fields = dict(part.split("=") for part in chosen.prompts.split("&"))
    prompts = {name: int(text) if text.isdigit() else text for name, text in fields.items()}
    spec = {"analysis": "effects", "model": chosen.model, "prompts": prompts}
    answer = httpx2.post(f"{chosen.address}/api/results", json=spec, timeout=120)
    return json.loads(answer.text)["key"]


def show(page: Page, address: str) -> None:
    """A page with everything that it shows at once."""
    page.goto(address)
    if "/prompts" not in address:
        page.locator("[data-complete=true]").first.wait_for(state="attached", timeout=COMPLETE_MS)
    page.wait_for_timeout(REST_MS)


def show_keys(page: Page, address: str) -> None:
    """The dialog that lists the keys."""
    show(page, address)
    page.locator("#keys-button").click()
    page.wait_for_timeout(300)


if __name__ == "__main__":
    main()
