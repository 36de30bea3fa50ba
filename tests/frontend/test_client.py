"""The client against a tiny ASGI app: every answer becomes a value or a `BackendError` with a sentence."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import httpx2
import pytest

from frontend.client import REMEMBERED, BackendClient, Pending, Result
from frontend.errors import BackendError
from tests.frontend.conftest import FakeApi, result


def run(awaitable: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(awaitable)


def test_a_result_that_is_there(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (200, result(key="abc"))
    assert run(client.request({"analysis": "gate"}, "click")) == Result("abc", result(key="abc"))
    assert client.remembers("abc")


def test_a_result_that_is_computed(api: FakeApi, client: BackendClient) -> None:
    job = {"id": "abc", "state": "running", "done": 1, "total": 2}
    api.answers["POST", "/api/results"] = (202, {"key": "abc", "job": job})
    assert run(client.request({"analysis": "gate"})) == Pending("abc", job)
    assert not client.remembers("abc")


def test_a_stored_result_is_asked_for_once(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/results/abc"] = (200, result(key="abc"))
    run(client.stored("abc"))
    run(client.stored("abc"))
    assert api.asked == [("GET", "/api/results/abc")]


def test_memory_is_bounded(api: FakeApi, client: BackendClient) -> None:
    for place in range(REMEMBERED + 1):
        api.answers["GET", f"/api/results/{place}"] = (200, result(key=str(place)))
        run(client.stored(str(place)))
    assert not client.remembers("0") and client.remembers("1")


def test_job_and_cancel(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/jobs/abc"] = (200, {"state": "running"})
    api.answers["DELETE", "/api/jobs/abc"] = (200, {"state": "cancelled"})
    assert run(client.job("abc"))["state"] == "running"
    assert run(client.cancel("abc"))["state"] == "cancelled"


def test_records_and_recomputing(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/results"] = (200, {"results": [{"key": "abc"}]})
    api.answers["GET", "/api/results/abc/record"] = (200, {"key": "abc", "stored": False})
    api.answers["POST", "/api/results/abc/again"] = (202, {"key": "def", "job": {"state": "queued"}})
    assert run(client.records(model="tiny", prompts_of="abc")) == [{"key": "abc"}]
    assert run(client.record("abc"))["stored"] is False
    assert run(client.again("abc")) == Pending("def", {"state": "queued"})


def test_a_picture_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is drawn; numbers that are not finite leave as null."""
    monkeypatch.setattr("frontend.client.LOOK_AGAIN_S", 0.0)
    posted: list[bytes] = []
    answers = [
        httpx2.Response(202, json={"id": "p", "state": "running"}),
        httpx2.Response(202, json={"id": "p", "state": "running"}),
        httpx2.Response(200, content=b"%PDF-", headers={"content-type": "application/pdf"}),
        httpx2.Response(
            501, json={"error": {"code": "no_chromium", "message": "apt-get", "request_id": "r"}}
        ),
    ]

    def answer(request: httpx2.Request) -> httpx2.Response:
        posted.append(request.content)
        return answers.pop(0)

    client = BackendClient(httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://api"))
    figure = {"data": [{"y": [1.0, float("nan")]}], "layout": {}}
    assert run(client.rendering(figure, "pdf", 400, 300)) == b"%PDF-"
    assert b'"y":[1.0,null]' in posted[0] and b'"format":"pdf"' in posted[0]
    with pytest.raises(BackendError, match="apt-get"):
        run(client.rendering(figure, "pdf", 400, 300))


def test_models_and_sets(client: BackendClient) -> None:
    assert run(client.models())[0]["id"] == "tiny"
    assert run(client.model("tiny"))["state"] == "ready"
    assert run(client.prompt_sets()) == []


def test_a_refusal_keeps_its_sentence_and_id(client: BackendClient) -> None:
    with pytest.raises(BackendError, match="no such thing") as caught:
        run(client.model("unknown"))
    error = caught.value
    assert (error.code, error.request_id, error.status, error.may_pass) == ("missing", "r1", 404, False)


@pytest.mark.parametrize(("status", "may_pass"), [(422, False), (429, True), (500, True), (503, True)])
def test_whether_trying_again_helps(api: FakeApi, client: BackendClient, status: int, may_pass: bool) -> None:
    api.answers["GET", "/api/models"] = (status, {"error": {"code": "x", "message": "y", "request_id": "z"}})
    with pytest.raises(BackendError) as caught:
        run(client.models())
    assert caught.value.may_pass is may_pass


def test_a_silent_server_is_said_to_be_silent() -> None:
    def refuse(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    client = BackendClient(httpx2.AsyncClient(transport=httpx2.MockTransport(refuse), base_url="http://api"))
    with pytest.raises(BackendError) as caught:
        run(client.models())
    assert caught.value.code == "unreachable" and caught.value.may_pass


def test_an_answer_that_is_not_json() -> None:
    def say(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text="<html>")

    client = BackendClient(httpx2.AsyncClient(transport=httpx2.MockTransport(say), base_url="http://api"))
    with pytest.raises(BackendError, match="not JSON"):
        run(client.models())


def test_requests_are_forwarded_with_their_answer(api: FakeApi, client: BackendClient) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        if False:
            yield b""

    async def forward() -> tuple[int, bytes]:
        answer = await client.forward("GET", "/api/models", [("accept", "*/*"), ("host", "x")], nothing())
        return answer.status, b"".join([chunk async for chunk in answer.chunks])

    status, body = run(forward())
    assert status == 200 and b'"tiny"' in body
    assert api.asked == [("GET", "/api/models")]
