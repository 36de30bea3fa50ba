"""The page's large files, packed once and answered from memory; versioned ones may be kept for good."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGE = ("/_dash-component-suites/", "/assets/vendor/")
VERSIONED = ("/assets/", "/_dash-component-suites/")
FOR_GOOD = "public, max-age=31536000, immutable"
CONDITIONS = (b"if-none-match", b"if-modified-since", b"range")

Answer = tuple[Message, bytes]


class Shelf:
    """Wraps the server of the page. Packing plotly for every visitor would take longer than sending it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, bool], Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(VERSIONED):
            await self.app(scope, receive, send)
        elif scope["path"].startswith(LARGE):
            start, body = await self._kept_or_fetched(scope, receive)
            await send(start)
            await send({"type": "http.response.body", "body": body})
        else:
            await self.app(scope, receive, _for_good(scope, send))

    async def _kept_or_fetched(self, scope: Scope, receive: Receive) -> Answer:
        packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        name = scope["path"], packed
        if name not in self._kept:
            answer = await _fetched(self.app, scope, receive)
            if answer[0]["status"] != 200:
                return answer
            self._kept[name] = answer
        return self._kept[name]


async def _fetched(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """The whole answer to a request without conditions."""
    start: Message = {}
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    plain = [(name, value) for name, value in scope["headers"] if name not in CONDITIONS]
    await app({**scope, "headers": plain}, receive, _for_good(scope, collect))
    body = b"".join(parts)
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-length"] = str(len(body))
    return {**start, "headers": headers.raw}, body


def _for_good(scope: Scope, send: Send) -> Send:
    """A file whose address changes with its content need never be asked for again."""
    versioned = b"v=" in scope["query_string"] or ".v" in scope["path"].rsplit("/", 1)[-1]

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200 and versioned:
            message = {**message, "headers": list(message["headers"])}
            MutableHeaders(scope=message)["cache-control"] = FOR_GOOD
        await send(message)

    return marked
