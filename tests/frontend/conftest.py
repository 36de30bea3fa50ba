"""A tiny API in memory, and results of it in the shapes that the page reads."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from frontend.client import BackendClient

Json = dict[str, Any]
MODEL = {
    "id": "tiny",
    "title": "Tiny model",
    "default": True,
    "state": "ready",
    "message": None,
    "seconds_loading": None,
    "seconds_last_time": 4.0,
    "revision": "abc1234",
    "dtype": "float32",
    "device": "cpu",
    "family": "llama",
    "dimensions": {"n_layers": 3, "n_heads": 2, "n_kv_heads": 1, "n_parameters": 1000},
    "certificate": {"logits": 8e-6, "attributions": 4e-6, "patches": 2e-5, "n_patches": 8, "passed": True},
}


def table(axes: list[str], mean: Any, low: Any = None, high: Any = None) -> Json:
    """A table as the API sends it."""
    return {"axes": axes, "unit": "logit", "mean": mean, "low": low, "high": high}


def result(**parts: Any) -> Json:
    """A result body with the parts that a test needs."""
    provenance = {
        "model": "tiny",
        "revision": "abc1234",
        "dtype": "float32",
        "device": "cpu",
        "prompts": "stated-facts, held out",
        "n": 2,
        "seed": 0,
        "forward_passes": 4,
        "seconds": 0.5,
        "certificate": 2e-5,
        "version": "0.1.0",
        "date": "2026-11-22T17:40:00Z",
    }
    plain = {
        "key": "k" * 64,
        "spec": {},
        "complete": True,
        "n": 2,
        "n_done": 2,
        "coordinates": {},
        "tables": {},
        "details": {},
        "failures": [],
        "warnings": [],
        "provenance": provenance,
    }
    return plain | parts


@pytest.fixture
def effects() -> Json:
    """Effects of a model with two layers of two heads: one failed node, the rest measured."""
    nodes = [
        {"label": "L0H0", "layer": 0, "head": 0},
        {"label": "L0H1", "layer": 0, "head": 1},
        {"label": "MLP0", "layer": 0, "head": None},
        {"label": "L1H0", "layer": 1, "head": 0},
        {"label": "L1H1", "layer": 1, "head": 1},
        {"label": "MLP1", "layer": 1, "head": None},
    ]
    mean = [-2.0, 0.5, None, 0.0, 0.25, 1.0]
    bounds = [None if value is None else value - 0.1 for value in mean]
    uppers = [None if value is None else value + 0.1 for value in mean]
    return result(
        coordinates={"node": nodes, "answer": ["A", "B"]},
        tables={
            "total_effect": table(["node"], mean, bounds, uppers),
            "base_logits": table(["answer"], [3.0, 1.0]),
            "patched_logits": table(["node", "answer"], [[1.0, 1.5]] * 6),
        },
        failures=[{"table": "total_effect", "where": "MLP0", "reason": "<b>not finite</b>"}],
    )


@pytest.fixture
def token_attention() -> Json:
    """Attention of one head on a prompt of five tokens."""
    texts = [
        ("Question", ["lead"]),
        (" <b>&", ["content"]),
        ("A", ["label_correct"]),
        ("B", ["label_incorrect"]),
        ("\n", ["newline"]),
    ]
    pos = [{"pos": place, "text": text, "roles": roles} for place, (text, roles) in enumerate(texts)]
    return result(
        coordinates={"weighting": ["raw", "value_weighted"], "pos": pos},
        tables={
            "attention": table(["weighting", "pos"], [[0.3, 0.0, 0.6, 0.1, 0.0], [0.1, 0.1, 0.7, 0.1, 0.0]]),
            "signed": table(["pos"], [0.1, 0.0, 2.0, -1.0, 0.0]),
        },
    )


class FakeApi:
    """Answers what it was told to, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[tuple[str, str], tuple[int, Json]] = {
            ("GET", "/api/models"): (200, {"models": [MODEL]}),
            ("GET", "/api/models/tiny"): (200, MODEL),
            ("GET", "/api/prompt-sets"): (200, {"prompt_sets": []}),
        }
        self.app = FastAPI()
        self.app.add_route("/{path:path}", self._answer, methods=["GET", "POST", "DELETE"])

    async def _answer(self, request: Request) -> Response:
        asked = (request.method, request.url.path)
        self.asked.append(asked)
        missing = {"error": {"code": "missing", "message": "There is no such thing.", "request_id": "r1"}}
        status, body = self.answers.get(asked, (404, missing))
        return JSONResponse(body, status)


@pytest.fixture
def api() -> FakeApi:
    """An API without a network."""
    return FakeApi()


@pytest.fixture
def client(api: FakeApi) -> BackendClient:
    """The page's client on that API."""
    return BackendClient(
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api.app), base_url="http://api")
    )


def walk(element: Any) -> list[Any]:
    """An element of the page and everything inside it."""
    if element is None or isinstance(element, (str, int, float)):
        return [element]
    if isinstance(element, (list, tuple)):
        return [found for part in element for found in walk(part)]
    return [element, *walk(getattr(element, "children", None))]


def text_of(element: Any) -> str:
    """What a person reads of an element."""
    return "".join(str(part) for part in walk(element) if isinstance(part, (str, int, float)))


Attributes = Callable[[Any, str], list[Any]]


def attribute(element: Any, name: str) -> list[Any]:
    """All values of an attribute inside an element."""
    found = [getattr(part, name, None) for part in walk(element) if not isinstance(part, (str, int, float))]
    return [value for value in found if value is not None]
