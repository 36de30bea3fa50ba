"""The one way to the API: `BackendClient`, an async method per endpoint. No other module speaks HTTP."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from frontend import users
from frontend.errors import BackendError

Json = dict[str, Any]
REMEMBERED = 32  # complete results kept by key; a key always names the same bytes
LISTED = 1000  # results at most; every look at a head leaves some
LOOK_AGAIN_S = 0.3  # while a picture is drawn
PLAIN = {"accept-encoding": "identity"}  # the way is short: packing would cost more than it saves
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "host",
    "content-length",
    "date",
    "server",
}


@dataclass(frozen=True)
class Result:
    """A complete result and the key that names it."""

    key: str
    body: Json


@dataclass(frozen=True)
class Pending:
    """A result that is being computed by the job of the same key."""

    key: str
    job: Json


@dataclass(frozen=True)
class Streamed:
    """An answer of the API passed on as it arrives."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


class BackendClient:
    """Asks the API over the given `httpx2.AsyncClient`, whose base URL or transport leads there."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._results: OrderedDict[str, Json] = OrderedDict()

    @classmethod
    def at(cls, backend_url: str) -> "BackendClient":
        """A client for an API that runs elsewhere."""
        return cls(httpx2.AsyncClient(base_url=backend_url, timeout=httpx2.Timeout(30.0, connect=5.0)))

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def models(self) -> list[Json]:
        """All models of the server."""
        return (await self._json("GET", "/api/models"))["models"]

    async def model(self, model_id: str) -> Json:
        """One model: state, dimensions, certificate."""
        return await self._json("GET", f"/api/models/{model_id}")

    async def prompt_sets(self) -> list[Json]:
        """All sets of questions."""
        return (await self._json("GET", "/api/prompt-sets"))["prompt_sets"]

    async def draw(self, asked: Mapping[str, Any]) -> Json:
        """Some prompt pairs of a draw, as they can be edited and as a model's tokenizer reads them."""
        return await self._json("POST", "/api/prompts/draw", json=dict(asked))

    async def check_prompts(self, pair: Mapping[str, Any]) -> Json:
        """What a model's tokenizer says of a prompt pair; nothing is run."""
        return await self._json("POST", "/api/prompts/check", json=dict(pair))

    async def keep_prompts(self, pairs: Iterable[Mapping[str, Any]]) -> Json:
        """Store prompt pairs as a set that everybody of the server can use."""
        lines = b"\n".join(orjson.dumps(dict(pair)) for pair in pairs)
        kind = {"content-type": "application/x-ndjson"}
        return await self._json("POST", "/api/prompt-sets", content=lines, headers=kind)

    async def analyses(self) -> list[Json]:
        """All analyses with the schema of their parameters."""
        return (await self._json("GET", "/api/analyses"))["analyses"]

    async def request(self, spec: Mapping[str, Any], priority: str = "sweep") -> Result | Pending:
        """The result of a spec if it is there or quick, otherwise the job that computes it."""
        body = await self._json("POST", "/api/results", params={"priority": priority}, json=dict(spec))
        if "job" in body:
            return Pending(body["key"], body["job"])
        return self._remember(body["key"], body)

    async def stored(self, key: str) -> Result:
        """A complete result by its key."""
        if key in self._results:
            return self._remember(key, self._results[key])
        return self._remember(key, await self._json("GET", f"/api/results/{key}"))

    def remembers(self, key: str) -> bool:
        """Whether `stored` answers at once."""
        return key in self._results

    async def job(self, key: str) -> Json:
        """How far a job is, with the result over the pairs done so far."""
        return await self._json("GET", f"/api/jobs/{key}")

    async def estimate(self, spec: Mapping[str, Any]) -> Json:
        """How long a spec will take and how much memory, without computing anything."""
        return await self._json("POST", "/api/estimates", json=dict(spec))

    async def cancel(self, key: str) -> Json:
        """Wait for a job no longer: it stops if nobody else does; what it has stored stays."""
        return await self._json("DELETE", f"/api/jobs/{key}")

    async def records(
        self, model: str | None = None, analysis: str | None = None, prompts_of: str | None = None
    ) -> list[Json]:
        """What was asked for so far, newest first; `prompts_of` is the key of one on the same prompts."""
        wanted = {"model": model, "analysis": analysis, "prompts_of": prompts_of, "limit": LISTED}
        params = {name: value for name, value in wanted.items() if value is not None}
        return (await self._json("GET", "/api/results", params=params))["results"]

    async def record(self, key: str) -> Json:
        """What was asked for under a key, and whether its numbers are stored."""
        return await self._json("GET", f"/api/results/{key}/record")

    async def again(self, key: str) -> Pending:
        """Compute a result anew; the new one says how far it is from the old."""
        body = await self._json("POST", f"/api/results/{key}/again")
        return Pending(body["key"], body["job"])

    async def rendering(
        self, figure: Mapping[str, Any], format: str, width: int, height: int, *, scale: float = 2.0
    ) -> bytes:
        """A plotly figure as the bytes of a PNG, SVG or PDF; waits until it is drawn."""
        wanted = {"figure": figure, "format": format, "width": width, "height": height, "scale": scale}
        content = orjson.dumps(wanted, option=orjson.OPT_SERIALIZE_NUMPY)
        kind = {"content-type": "application/json"}
        drawn = await self._json("POST", "/api/renderings", content=content, headers=kind)
        while (answer := await self._answer("GET", f"/api/renderings/{drawn['id']}")).status_code == 202:
            await asyncio.sleep(LOOK_AGAIN_S)
        if answer.is_error:
            raise _refused(answer.status_code, answer.json())
        return answer.content

    async def forward(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: AsyncIterator[bytes]
    ) -> Streamed:
        """Pass a browser's request on to the API and its answer back, byte by byte, events as they happen."""
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        request = self._http.build_request(method, path, headers=kept, content=body, timeout=None)
        try:
            response = await self._http.send(request, stream=True)
        except httpx2.TransportError as error:
            raise _unreachable() from error
        passed = {name: value for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP}
        return Streamed(response.status_code, passed, _drain(response))

    async def _json(self, method: str, path: str, **options: Any) -> Json:
        response = await self._answer(method, path, **options)
        try:
            body = response.json()
        except ValueError as error:
            raise BackendError(
                "not_json", "The server gave an answer that is not JSON.", status=502
            ) from error
        if response.is_error:
            raise _refused(response.status_code, body)
        return body

    async def _answer(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = PLAIN | users.named() | options.pop("headers", {})
        try:
            return await self._http.request(method, path, headers=headers, **options)
        except httpx2.TransportError as error:
            raise _unreachable() from error

    def _remember(self, key: str, body: Json) -> Result:
        self._results[key] = body
        self._results.move_to_end(key)
        while len(self._results) > REMEMBERED:
            self._results.popitem(last=False)
        return Result(key, body)


async def _drain(response: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _unreachable() -> BackendError:
    return BackendError("unreachable", "The server does not answer.")


def _refused(status: int, body: Json) -> BackendError:
    error = body.get("error") or {}
    message = error.get("message") or f"The server refused with status {status}."
    return BackendError(error.get("code", "refused"), message, error.get("request_id"), status=status)
