"""What keeps the page light: large files packed once, one plotly in two sizes, lists drawn from data."""

import gzip
import json

import httpx2
import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from plotly.offline import get_plotlyjs_version
from starlette.middleware.gzip import GZipMiddleware

from frontend.app import ASSETS, index
from frontend.figures.grid import grid_of, ranked
from frontend.figures.node_list import SHOWN, node_list
from frontend.shelf import Shelf
from tests.frontend.conftest import Json

SMALL = ASSETS / "vendor" / "plotly-cartesian.min.js"


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def client(asked: list[str]) -> TestClient:
    server = FastAPI()

    @server.get("/assets/{path:path}")
    def asset(path: str) -> Response:
        asked.append(path)
        return Response("x" * 5000, 404 if path.endswith("missing.js") else 200)

    server.add_middleware(GZipMiddleware, minimum_size=500)
    server.add_middleware(Shelf)
    return TestClient(server)


def packed(client: TestClient, address: str, **headers: str) -> httpx2.Response:
    return client.get(address, headers={"accept-encoding": "gzip", **headers})


def test_a_large_file_is_packed_once(client: TestClient, asked: list[str]) -> None:
    answers = [packed(client, "/assets/vendor/large.js?v=1") for _ in range(3)]
    assert asked == ["vendor/large.js"]
    assert {one.text for one in answers} == {"x" * 5000}
    assert all(int(one.headers["content-length"]) < 500 for one in answers)


def test_who_cannot_unpack_gets_it_plain(client: TestClient) -> None:
    packed(client, "/assets/vendor/large.js")
    plain = client.get("/assets/vendor/large.js", headers={"accept-encoding": "identity"})
    assert plain.text == "x" * 5000 and "content-encoding" not in plain.headers


def test_only_versioned_files_that_exist_are_kept_for_good(client: TestClient, asked: list[str]) -> None:
    assert "immutable" in packed(client, "/assets/own.js?v=1").headers["cache-control"]
    assert "cache-control" not in packed(client, "/assets/own.js").headers
    assert "cache-control" not in packed(client, "/assets/vendor/missing.js?v=1").headers
    assert packed(client, "/assets/vendor/missing.js?v=1").status_code == 404
    assert asked.count("vendor/missing.js") == 2


def test_both_sizes_of_plotly_are_one_version() -> None:
    assert f"v{get_plotlyjs_version()}\n" in SMALL.read_text()[:200]
    assert len(gzip.compress(SMALL.read_bytes())) < 550_000
    assert "vendor/plotly-cartesian.min.js?v=" in index()


def test_the_list_has_every_node_and_says_how_it_is_sorted(effects: Json) -> None:
    grid = grid_of(effects, "total_effect")
    told = json.loads(getattr(node_list(ranked(grid, "strength"), "strength", "Total effect"), "data-nodes"))
    assert len(told["rows"]) == len(grid.measured) and told["shown"] == SHOWN
    assert told["rows"][0][:2] == ["L0H0", "−2.00"]
    assert [column["sort"] for column in told["columns"]] == ["none", "other"]
    assert told["columns"][1]["go"] == {"sort": "lowest"}
