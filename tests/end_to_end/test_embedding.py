"""A figure in a frame of another site: where the operator allows it, and without storage of the browser."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Browser, Page, expect

from backend.encoding import encode_result
from cache import open_store
from tests.conftest import Server, until

pytestmark = pytest.mark.browser
FROZEN = Path(__file__).parents[1] / "fixtures" / "links" / "0.1.0" / "gate.json"
SOON = 60_000


class Site(ThreadingHTTPServer):
    """Somebody's page with one frame, under another name than the server of the figures."""

    def __init__(self) -> None:
        site, self.frame = self, ""

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(f'<iframe src="{site.frame}" width="900" height="700"></iframe>'.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Page)
        self.address = f"http://localhost:{self.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def test_a_figure_is_shown_where_the_operator_allows_it(
    browser: Browser, site: Site, data: Path, start_server: Callable[..., Server]
) -> None:
    body = orjson.loads(FROZEN.read_bytes())["body"]
    store = open_store(data / "store")
    store.put(body["key"], encode_result(body))
    store.close()
    server = start_server(
        data=data,
        HEADSCOPE_DEFAULT_MODEL="tiny",
        HEADSCOPE_WARM="false",
        HEADSCOPE_EMBEDDERS=f'["{site.address}"]',
    )
    figure = f"{server.address}/f/{body['key']}"
    page = browser.new_page()
    page.set_default_timeout(SOON)
    site.frame = f"{figure}?embed=1"
    page.goto(site.address)
    frame = page.frame_locator("iframe")
    expect(frame.locator("#figure-audit [data-complete=true]")).to_be_visible(timeout=SOON)
    expect(frame.locator("#figure-audit")).to_contain_text("tiny")
    for refused, where in (
        (figure, site.address),
        (f"{figure}?embed=1", site.address.replace("localhost", "127.0.0.1")),
    ):
        site.frame = refused
        page.goto(where)
        until(lambda: page.wait_for_timeout(50) or refused_in(page), every=0)
    page.close()


def refused_in(page: Page) -> bool:
    """Whether the browser shows none of the frame."""
    return any(frame.url.startswith("chrome-error://") for frame in page.frames[1:])
