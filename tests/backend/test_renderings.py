"""Figures become pictures: drawn by Chromium on this machine, which may load nothing from anywhere."""

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.services.browser import Browser
from backend.services.renderings import Renderings
from cache.nowhere import Nowhere
from tests.backend.test_api import error_of
from tests.conftest import until

Json = dict[str, Any]
FIGURE: Json = {
    "data": [{"type": "heatmap", "z": [[0.5, None], [-1.0, 2.0]]}],
    "layout": {"title": {"text": "a − b, costs $5"}, "font": {"family": "DejaVu Sans"}},
}
START = {"png": b"\x89PNG\r\n", "svg": b"<svg", "pdf": b"%PDF-"}
KIND = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


@pytest.fixture(scope="module")
def chromium() -> None:
    """Chromium; a missing one is skipped here and fails in CI."""
    if shutil.which("chromium") is None:
        missing = "Chromium is missing: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def drawn(client: TestClient, posted: Json) -> Any:
    """The answer with the picture, waited for, or the refusal."""
    response = client.post("/api/renderings", json=posted)
    if response.status_code not in (200, 202):
        return response
    address = f"/api/renderings/{response.json()['id']}"
    until(lambda: client.get(address).status_code != 202)
    return client.get(address)


@pytest.mark.browser
def test_every_format_begins_as_it_should_and_nothing_is_loaded(
    chromium: None, api: FastAPI, client: TestClient, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    picture = {"source": f"{address}/picture.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}
    figure = FIGURE | {"layout": FIGURE["layout"] | {"images": [picture]}}
    for format, start in START.items():
        response = drawn(client, {"figure": figure, "format": format, "width": 400, "height": 300})
        assert response.status_code == 200, response.text
        assert response.content.startswith(start)
        assert response.headers["content-type"] == KIND[format]
    broken = {"data": [{"type": "choropleth", "geojson": f"{address}/geo", "locations": ["a"], "z": [1]}]}
    refused = drawn(client, {"figure": broken, "format": "svg"})
    assert refused.status_code == 422
    assert error_of(refused)["code"] == "rendering_failed"
    assert asked == []
    after = drawn(client, {"figure": FIGURE, "format": "svg"})
    assert "a − b, costs $5" in after.text
    assert api.state.headscope.store.has(client.post("/api/renderings", json=_svg()).json()["id"])


def _svg() -> Json:
    return {"figure": FIGURE, "format": "svg"}


def nested(depth: int) -> Json:
    return {"x": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "gif"}, "format"),
        ({"width": 4001}, "width"),
        ({"height": 10}, "height"),
        ({"width": 4000, "height": 4000, "scale": 8}, "million"),
        ({"figure": {"data": [], "layout": {}, "config": {"topojsonURL": "x"}}}, "config"),
        ({"figure": {"data": "x"}}, "data"),
        ({"figure": None}, "figure"),
        ({"figure": {"data": [{"x": nested(900)}]}}, "nested"),
    ],
)
def test_what_is_not_a_picture_is_refused(client: TestClient, change: Json, words: str) -> None:
    response = client.post("/api/renderings", json=_svg() | {"format": "png"} | change)
    assert response.status_code == 422
    assert words in error_of(response)["message"]


def test_a_figure_may_be_larger_than_a_spec_but_not_endless(client: TestClient) -> None:
    header = {"content-type": "application/json"}
    large = client.post("/api/renderings", content=b" " * 1_000_000, headers=header)
    assert large.status_code == 400  # read, and found to be no JSON
    assert client.post("/api/renderings", content=b" " * 4_300_000, headers=header).status_code == 413
    assert client.get("/api/renderings/" + "0" * 64).status_code == 404


class Slow(Browser):
    """Draws when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.rests, self.drawn = threading.Event(), threading.Event(), 0

    def draw(self, figure: Any, options: Any) -> bytes:
        assert self.go.wait(10)
        self.drawn += 1
        if figure == {"bad": True}:
            raise RuntimeError("no")
        return b"%PDF-"

    def close(self) -> None:
        self.rests.set()


def test_equal_figures_are_drawn_once_and_failures_again() -> None:
    browser = Slow()
    renderings = Renderings(Nowhere(), browser)
    first = renderings.request({"a": 1}, {})
    assert renderings.request({"a": 1}, {}) == first
    assert not renderings.picture(first[0]).done()
    bad = renderings.request({"bad": True}, {})[1]
    browser.go.set()
    assert first[1].result(5) == b"%PDF-"
    assert isinstance(bad.exception(5), RuntimeError)
    again = renderings.request({"bad": True}, {})[1]
    assert isinstance(again.exception(5), RuntimeError)
    assert browser.drawn == 3
    renderings.close()


def test_when_nobody_asks_chromium_gives_its_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.renderings._IDLE_S", 0.05)
    browser = Slow()
    browser.go.set()
    renderings = Renderings(Nowhere(), browser)
    renderings.request({"a": 1}, {})[1].result(5)
    assert browser.rests.wait(5)
    assert renderings.request({"a": 2}, {})[1].result(5) == b"%PDF-"
    renderings.close()


def test_too_many_wait() -> None:
    from backend.errors import ApiError

    browser = Slow()
    renderings = Renderings(Nowhere(), browser)
    with pytest.raises(ApiError) as refused:
        for number in range(100):
            renderings.request({"a": number}, {})
    assert refused.value.status == 429
    browser.go.set()
    renderings.close()


def test_without_kaleido_or_chromium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from backend.errors import ApiError

    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ApiError, match="pip install 'kaleido") as refused:
        Browser().draw({"data": []}, {})
    assert (refused.value.status, refused.value.code) == (501, "no_kaleido")
    monkeypatch.undo()
    monkeypatch.setattr("choreographer.browsers.chromium.Chromium.find_browser", lambda **_: None)
    with pytest.raises(ApiError, match="apt-get install chromium") as refused:
        Browser().draw({"data": []}, {})
    assert refused.value.code == "no_chromium"
