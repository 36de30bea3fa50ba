"""The one way to the API: `BackendClient`, an async method per endpoint. No other module speaks HTTP."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from frontend.errors import BackendError

Json = dict[str, Any]
REMEMBERED = 32  # complete results kept by key; a key always names the same bytes
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

    async def cancel(self, key: str) -> Json:
        """Stop a job; what it has stored stays."""
        return await self._json("DELETE", f"/api/jobs/{key}")

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
        try:
            response = await self._http.request(method, path, headers=PLAIN, **options)
            body = response.json()
        except httpx2.TransportError as error:
            raise _unreachable() from error
        except ValueError as error:
            raise BackendError(
                "not_json", "The server gave an answer that is not JSON.", status=502
            ) from error
        if response.is_error:
            raise _refused(response.status_code, body)
        return body

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
