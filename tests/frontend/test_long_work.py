"""What the page says of work that takes long: estimates, places in the queue, whose job it is."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.estimate import offered
from frontend.figures.notices import progress
from frontend.layout import page
from frontend.panels.causes import CURVES, PATHS
from frontend.panels.estimates import words_of
from frontend.panels.follow import Answer, look_unless_long
from frontend.panels.section import waiting
from frontend.panels.sections import ALL
from frontend.users import COOKIE, HEADER, Users, named
from tests.frontend.conftest import FakeApi, attribute, result, text_of
from tests.frontend.test_panels import RUNNING

Json = dict[str, Any]
QUEUED = RUNNING | {"state": "queued", "done": 0, "total": 0}
ESTIMATE = {
    "key": "k" * 64,
    "stored": False,
    "seconds": 14.2,
    "bytes": 10,
    "forwards": 64,
    "fits": True,
    "available_bytes": 100,
    "basis": "measured",
    "message": "About 14 s, measured on an earlier result of this kind.",
}
TOO_LARGE = "This needs about 3.1 GB of memory, and 1.2 GB are free: shorter prompts need less."
WANT = {"asked": False, "spec": {"analysis": "effects", "prompts": {}}}


def run(awaitable: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(awaitable)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            QUEUED | {"queue_position": 3, "seconds_left": 40.2},
            "Waiting: 3 jobs before this one, about 40 s left.",
        ),
        (
            QUEUED | {"queue_position": 1, "seconds_left": None},
            "Waiting: 1 job before this one.",
        ),
        (QUEUED | {"seconds_left": 14.0}, "Starting, about 14 s left"),
        (QUEUED | {"seconds_left": None, "message": "loading the model"}, "Starting, loading the model"),
        (RUNNING | {"seconds_left": 0.2}, "12 of 32 pairs, almost done"),
        (RUNNING | {"seconds_left": 300.0}, "12 of 32 pairs, about 5 min left"),
        (RUNNING | {"mine": False}, "You no longer wait for this; it goes on for somebody else who does."),
    ],
)
def test_waiting_in_words(job: Json, words: str) -> None:
    assert progress(job) == words


def test_a_job_that_goes_on_for_others_is_not_followed_but_can_be_joined_again() -> None:
    answer = Answer({}, "abc", job=RUNNING | {"mine": False})
    assert (answer.state, answer.pending, answer.may_restart) == ("left", False, True)
    assert Answer({}, "abc", job=RUNNING | {"mine": True}).pending


def estimated(api: FakeApi, client: BackendClient, estimate: Json, of: Any = PATHS) -> str:
    api.answers["POST", "/api/estimates"] = (200, estimate)
    return text_of(run(words_of(client, of, WANT)))


def test_an_estimate_stands_beside_the_button(api: FakeApi, client: BackendClient) -> None:
    assert estimated(api, client, ESTIMATE) == "about 14 s"
    assert estimated(api, client, ESTIMATE | {"stored": True, "seconds": 0.0}) == ""
    assert estimated(api, client, ESTIMATE | {"seconds": None, "basis": "unknown"}) == ""
    assert run(words_of(client, PATHS, None)) == run(words_of(client, PATHS, WANT | {"asked": True})) == []


def test_what_does_not_fit_stands_instead_of_the_button(api: FakeApi, client: BackendClient) -> None:
    refused = ESTIMATE | {"fits": False, "message": TOO_LARGE}
    assert estimated(api, client, refused) == TOO_LARGE
    (words,) = run(words_of(client, PATHS, WANT))
    assert words.className == "too-large", "by which the style sheet hides the button"


def test_an_estimate_that_fails_is_left_out(api: FakeApi, client: BackendClient) -> None:
    assert run(words_of(client, PATHS, WANT)) == []


def test_what_starts_from_another_result_tells_that_first(api: FakeApi, client: BackendClient) -> None:
    assert estimated(api, client, ESTIMATE, CURVES) == "First the ranking: about 14 s"
    api.answers["GET", f"/api/results/{'k' * 64}"] = (200, result(details={"ranking": {"order": ["L1H0"]}}))
    api.answers["POST", "/api/estimates"] = (200, ESTIMATE | {"stored": True})
    run(words_of(client, CURVES, WANT))
    assert [path for _, path in api.asked].count("/api/estimates") == 3, "then that of the section itself"


def test_every_section_has_a_button_and_an_estimate() -> None:
    there = "".join(attribute(page(), "data-html")) + "".join(f'id="{id}"' for id in attribute(page(), "id"))
    places = [ids.section(one.name, part) for one in ALL for part in ("estimate", "buttons")]
    assert not [place for place in places if f'id="{place}"' not in there]
    for one in ALL:
        (ask,) = attribute(waiting(one)["buttons"], "data-go")
        assert json.loads(ask) == {"measure": one.name}


def test_what_takes_very_long_is_not_begun_unasked(api: FakeApi, client: BackendClient) -> None:
    spec = WANT["spec"]
    api.answers["POST", "/api/estimates"] = (200, ESTIMATE | {"seconds": 7200.0})
    answer = run(look_unless_long(client, spec, None))
    assert (answer.state, answer.pending, answer.may_restart) == ("offered", False, True)
    assert offered(answer.offer) == "This would take about 2 h."
    assert ("POST", "/api/results") not in api.asked
    assert run(look_unless_long(client, spec, answer.memory)).state == "offered", "nor a moment later"
    api.answers["GET", f"/api/jobs/{'k' * 64}"] = (200, RUNNING | {"mine": True})
    api.answers["POST", "/api/results"] = (202, {"key": "k" * 64, "job": RUNNING})
    assert run(look_unless_long(client, spec, None)).state == "running", "one's own is followed again"


def test_what_is_quick_begins_at_once(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (200, result(key="abc"))
    assert run(look_unless_long(client, WANT["spec"], None)).state == "done", "also where nothing is known"
    api.answers["POST", "/api/estimates"] = (200, ESTIMATE)
    assert run(look_unless_long(client, WANT["spec"], None)).state == "done"


class Asked:
    """An app behind `Users` that says what it was told of who asks."""

    def __init__(self) -> None:
        server = FastAPI()

        @server.get("/api/whoever")
        async def whoever(request: Request) -> Response:
            return JSONResponse({"header": request.headers.get(HEADER), "named": named()})

        @server.get("/page")
        async def page() -> Response:
            return HTMLResponse("<!DOCTYPE html>")

        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=Users(server)), base_url="http://127.0.0.1"
        )

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return run(self.http.get(path, headers={name.replace("_", "-"): x for name, x in headers.items()}))


def test_a_browser_gets_a_name_with_its_first_page_and_keeps_it() -> None:
    asked = Asked()
    cookie = asked.get("/page").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    name = cookie.split("=", 1)[1].split(";")[0]
    assert len(name) >= 20 and name not in Asked().get("/page").headers["set-cookie"]
    own = {"cookie": f"other=1; {COOKIE}={name}"}
    assert "set-cookie" not in asked.get("/page", **own).headers
    assert asked.get("/api/whoever", **own).json() == {"header": name, "named": {HEADER: name}}


def test_scripts_get_no_cookie_and_may_name_themselves() -> None:
    asked = Asked()
    nobody = asked.get("/api/whoever")
    assert "set-cookie" not in nobody.headers and nobody.json() == {"header": None, "named": {}}
    assert asked.get("/api/whoever", x_headscope_user="me").json()["named"] == {HEADER: "me"}
    odd = {"cookie": f'{COOKIE}="a b"'}
    assert asked.get("/api/whoever", **odd).json()["named"] == {}, "a cookie of somebody else's making"


def test_the_client_tells_the_api_who_asks(api: FakeApi, client: BackendClient) -> None:
    heard: list[str | None] = []

    async def overheard(request: Request) -> Response:
        heard.append(request.headers.get(HEADER))
        await client.job("abc")
        return JSONResponse({})

    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING)
    server = FastAPI()
    server.add_api_route("/click", overheard)
    inner = api.app.router.routes
    assert inner, "the API answers everything"

    async def listened(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            heard.extend(value.decode() for name, value in scope["headers"] if name.decode() == HEADER)
        await api.app(scope, receive, send)

    client._http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=listened), base_url="http://api")
    browser = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Users(server)), base_url="http://page")
    run(browser.get("/click", headers={"cookie": f"{COOKIE}=ann-42"}))
    assert heard == ["ann-42", "ann-42"]
