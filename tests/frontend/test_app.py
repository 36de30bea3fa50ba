"""The page on its server: nothing from outside, no callback that blocks, a split that passes the API on."""

import asyncio
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from dash import Dash
from fastapi import FastAPI
from fastapi.testclient import TestClient

import frontend
from frontend import ids
from frontend.app import create_app
from frontend.client import BackendClient
from frontend.figures.map import CONFIG
from frontend.serve import create_frontend
from tests.frontend.conftest import FakeApi, walk

ASSETS = Path(frontend.__file__).parent / "assets"


@pytest.fixture
def page(client: BackendClient) -> Dash:
    return create_app(FastAPI(), client)


@pytest.fixture
def browser(page: Dash) -> Iterator[TestClient]:
    with TestClient(page.server) as opened:
        yield opened


def test_every_callback_is_async(page: Dash) -> None:
    callbacks = [entry["callback"] for entry in page.callback_map.values() if "callback" in entry]
    assert len(callbacks) >= 12
    assert all(inspect.iscoroutinefunction(inspect.unwrap(callback)) for callback in callbacks)


def test_all_ids_exist_once(page: Dash) -> None:
    found = [str(part.id) for part in walk(page.layout) if getattr(part, "id", None)]
    assert len(found) == len(set(found))
    assert {ids.MAP, ids.GATE, ids.QUESTION, ids.EVIDENCE_CARD, ids.COPY_LINK, *ids.WANTS} <= set(found)


def test_callbacks_name_only_elements_of_the_page(page: Dash) -> None:
    found = {str(part.id) for part in walk(page.layout) if getattr(part, "id", None)}
    used = {
        entry["id"] for callback in page._callback_list for entry in callback["inputs"] + callback["state"]
    }
    made = {'{"step":["ALL"]}', '{"save":["ALL"]}', '{"own-use":["ALL"]}'}  # families of buttons
    assert used <= found | made


def test_nothing_comes_from_outside(browser: TestClient) -> None:
    page = browser.get("/").text
    addresses = [
        part.split('"')[0] for part in page.replace("'", '"').split('src="')[1:] + page.split('href="')[1:]
    ]
    assert addresses and all(address.startswith("/") for address in addresses)
    assert "http://" not in page.split("_dash-config")[0].replace("http://www.w3.org", "")


def test_the_page_fetches_what_it_draws_with_and_nothing_else(browser: TestClient) -> None:
    page = browser.get("/").text
    suites = re.findall(r'<script src="/_dash-component-suites/dash/([^"]+)"', page)
    components = next(place for place, name in enumerate(suites) if "dash_core_components.v" in name)
    assert suites[components + 1].startswith("dcc/async-graph.v")
    assert "webpackChunk" in browser.get(f"/_dash-component-suites/dash/{suites[components + 1]}").text
    assert "dash_renderer" in "".join(suites) and "dash_table" not in "".join(suites)
    config = json.loads(page.split('id="_dash-config" type="application/json">')[1].split("</script>")[0])
    assert "websocket" not in config


def test_a_head_page_may_be_the_first_request(browser: TestClient) -> None:
    page = browser.get("/m/tiny/L1H0?index=3").text
    for asset in ("headscope.js", "headscope.css", "theme.js"):
        address = page.split(f"/assets/{asset}")[1].split('"')[0]
        assert browser.get(f"/assets/{asset}{address}").status_code == 200


@pytest.mark.parametrize("asset", sorted(path.name for path in ASSETS.glob("*.*")))  # ours, not vendor/
def test_assets_name_no_other_host(asset: str) -> None:
    text = next(ASSETS.rglob(asset)).read_text().replace("http://www.w3.org/2000/svg", "")
    assert "://" not in text


def test_inline_scripts_are_named_for_the_policy(page: Dash) -> None:
    hashes = page.csp_hashes()
    assert hashes and all(found.startswith("'sha256-") for found in hashes)


def test_plotly_offers_no_upload() -> None:
    assert CONFIG["showSendToCloud"] is False and CONFIG["plotlyServerURL"] == ""


def test_the_router_answers_over_http(browser: TestClient) -> None:
    layout = browser.get("/_dash-dependencies").json()
    route = next(entry for entry in layout if f"{ids.WANT_MAP}.data" in entry["output"])
    body = {
        "output": route["output"],
        "outputs": [
            {"id": entry.rsplit(".", 1)[0], "property": entry.rsplit(".", 1)[1]}
            for entry in route["output"].strip(".").split("...")
        ],
        "inputs": [
            {**entry, "value": value}
            for entry, value in zip(route["inputs"], ["/", "?node=L1H0&n=abc", None, 0, "dark"], strict=True)
        ],
        "state": [{**entry, "value": None} for entry in route["state"]],
        "changedPropIds": [f"{ids.URL}.search"],
    }
    told = browser.post("/_dash-update-component", json=body)
    assert told.status_code == 200
    answer = told.json()["response"]
    assert answer[ids.WANT_MAP]["data"]["spec"]["prompts"]["n"] == 32
    assert "whole number from 1 to 1000" in json.dumps(answer[ids.PROBLEMS])


def test_the_split_passes_the_api_on(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    within = httpx2.ASGITransport(app=api.app)
    inner = BackendClient(httpx2.AsyncClient(transport=within, base_url="http://api"))
    monkeypatch.setattr(BackendClient, "at", classmethod(lambda _cls, _url: inner))
    server = create_frontend("http://api")
    with TestClient(server) as opened:
        assert opened.get("/healthz").json() == {"status": "ok"}
        assert opened.get("/api/models").json()["models"][0]["id"] == "tiny"
        missing = opened.get("/api/results/unknown?x=1")
        assert missing.status_code == 404 and missing.json()["error"]["request_id"] == "r1"
        assert "headscope" in opened.get("/").text


def test_the_split_says_when_the_backend_is_away() -> None:
    server = create_frontend("http://127.0.0.1:9")
    with TestClient(server) as opened:
        answer = opened.get("/api/models")
    assert answer.status_code == 502 and answer.json()["error"]["code"] == "unreachable"


def test_closing_gives_connections_back(client: BackendClient) -> None:
    asyncio.run(client.close())
    assert client._http.is_closed


def test_no_two_elements_share_an_id(page: Dash) -> None:
    """Dash would draw one of them inside the other, or fail at the first request."""
    found = [json.dumps(part.id) for part in page.layout._traverse() if getattr(part, "id", None)]
    assert len(found) > 100 and len(found) == len(set(found))
