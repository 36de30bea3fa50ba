"""The outermost layer of every server: body limits, cross-site refusal, security headers, request ids."""

import uuid
from collections.abc import Callable, Iterable

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT_BYTES = 256 * 1024
LARGE_BODY_LIMIT_BYTES = 4 * 1024 * 1024
LARGE_BODY_PATHS = ("/api/prompt-sets", "/api/prompt-sets/preview", "/api/renderings")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class BodyTooLarge(Exception):
    """More bytes than the path allows."""


class Guard:
    """Wraps an ASGI app: what is refused here never reaches a route.

    `script_hashes` is asked at the first response, since the page registers its scripts as it is built.
    `embedders` are the origins, besides its own, that may show a figure in a frame.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        script_hashes: Callable[[], Iterable[str]],
        *,
        embedders: Iterable[str] = (),
    ) -> None:
        self.app, self.hosts, self.script_hashes = app, set(hosts), script_hashes
        self._embedders = " ".join(["'self'", *embedders])
        self._policy: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # the page uses none; the framework would offer one
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["headscope.request_id"] = uuid.uuid4().hex[:12]
        guarded = self._with_headers(scope, send)
        refusal = self._refusal(scope)
        if refusal:
            await _refuse(scope, guarded, *refusal)
            return
        try:
            await self.app(scope, _limited(scope, receive), guarded)
        except BodyTooLarge:
            await _refuse(scope, guarded, 413, "body_too_large", _too_large(scope))

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
        if name not in self.hosts:
            return 421, "unknown_host", "This server does not answer to that host name."
        site = headers.get("sec-fetch-site", "none")
        if scope["method"] not in SAFE_METHODS and site not in ("same-origin", "none"):
            return 403, "cross_site", "Another site may not change anything here."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _limit(scope):
            return 413, "body_too_large", _too_large(scope)
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = scope["headscope.request_id"]
                headers["content-security-policy"] = self._content_policy(scope)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers["cross-origin-resource-policy"] = "same-origin"
            await send(message)

        return guarded

    def _content_policy(self, scope: Scope) -> str:
        if self._policy is None:
            scripts = " ".join(["'self'", *self.script_hashes()])
            self._policy = (
                f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
                "form-action 'self'; frame-ancestors "
            )
        return self._policy + (self._embedders if _is_embedded(scope) else "'none'")


def _is_embedded(scope: Scope) -> bool:
    """Whether this is the one page that is made to stand in a frame: a figure by itself."""
    return scope["path"].startswith("/f/") and b"embed=1" in scope["query_string"].split(b"&")


def _limit(scope: Scope) -> int:
    return LARGE_BODY_LIMIT_BYTES if scope["path"] in LARGE_BODY_PATHS else BODY_LIMIT_BYTES


def _too_large(scope: Scope) -> str:
    return f"The body is larger than the {_limit(scope) // 1024} KiB that this address takes."


def _limited(scope: Scope, receive: Receive) -> Receive:
    left = _limit(scope)

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLarge
        return message

    return counted


async def _refuse(scope: Scope, send: Send, status: int, code: str, message: str) -> None:
    error = {"code": code, "message": message, "request_id": scope["headscope.request_id"]}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"error": error})})
