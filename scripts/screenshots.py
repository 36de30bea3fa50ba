"""Takes the pictures of the README from a running server.

    python scripts/screenshots.py http://127.0.0.1:8050 docs/pictures

Waits until the map is complete, selects a node, and writes the map and the head page with all that can be
measured on it, light and dark.
"""

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

SIZE = ViewportSize(width=1440, height=940)
COMPLETE_MS = 180_000
SECTIONS = ("where", "paths", "repair", "knock")


def main() -> None:
    """Write four pictures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("address", help="where the server is, for example http://127.0.0.1:8050")
    options.add_argument("folder", type=Path, help="where the pictures go")
    options.add_argument("--node", default="L23H0", help="the node to show")
    options.add_argument("--model", default="smollm2-mcq", help="its model")
    options.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = open_page(browser, theme)
            show_map(page, chosen.address, chosen.node)
            page.screenshot(path=chosen.folder / f"map-{theme}.png", full_page=True)
            show_head(page, chosen.address, chosen.model, chosen.node)
            page.screenshot(path=chosen.folder / f"head-{theme}.png", full_page=True)
            print(f"{theme}: map and head page are in {chosen.folder}")
        browser.close()


def open_page(browser: Browser, theme: str) -> Page:
    """A fresh browser window that prefers the theme."""
    scheme = "dark" if theme == "dark" else "light"
    return browser.new_context(viewport=SIZE, color_scheme=scheme, device_scale_factor=1).new_page()


def show_map(page: Page, address: str, node: str) -> None:
    """The map with every pair measured and one node selected."""
    page.goto(f"{address}/?node={node}")
    expect(page.locator("#audit [data-complete=true]")).to_be_visible(timeout=COMPLETE_MS)
    expect(page.locator("#evidence-strip .strip")).to_be_visible(timeout=COMPLETE_MS)
    page.wait_for_timeout(500)


def show_head(page: Page, address: str, model: str, node: str) -> None:
    """The page of the node, complete, every section measured."""
    page.goto(f"{address}/m/{model}/{node}?measure={','.join(SECTIONS)}")
    expect(page.locator("#head-audit [data-complete=true]")).to_be_visible(timeout=COMPLETE_MS)
    expect(page.locator("#head-pattern [data-complete=true]")).to_be_visible(timeout=COMPLETE_MS)
    expect(page.locator("#head-tokens .letters")).to_be_visible(timeout=COMPLETE_MS)
    expect(page.locator("#head-profile [data-complete=true]")).to_be_visible(timeout=COMPLETE_MS)
    for name in SECTIONS:
        complete = page.locator(f"#section-{name}-body .audit [data-complete=true]")
        expect(complete).to_be_visible(timeout=COMPLETE_MS)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    main()
