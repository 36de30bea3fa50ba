"""A random name for every browser, so that the API can let users take turns. It is no account.

The page's server gives it as a cookie with the page itself, and tells the API with every request that it
makes for this browser. A browser that keeps no cookies shares its turns with everybody else who has no name.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE, HEADER = "headscope_user", "x-headscope-user"
LIFETIME_S = 365 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_asking: ContextVar[str] = ContextVar("asking", default="")


def named() -> dict[str, str]:
    """The header that tells the API whose request is being answered; none for somebody without a name."""
    user = _asking.get()
    return {HEADER: user} if user else {}


class Users:
    """Wraps the page's ASGI app: names whoever asks, and gives a name with a page to those who have none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        own = headers.get(HEADER, "")
        user = own or _kept(headers.get("cookie", ""))
        if user and not own:
            scope = {**scope, "headers": [*scope["headers"], (HEADER.encode(), user.encode())]}
        with _answering(user):
            await self.app(scope, receive, send if user else _naming(scope, send))


@contextmanager
def _answering(user: str) -> Iterator[None]:
    token = _asking.set(user)
    try:
        yield
    finally:
        _asking.reset(token)


def _kept(cookies: str) -> str:
    """The name in a browser's cookies."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found and _NAME.fullmatch(found.value) else ""


def _naming(scope: Scope, send: Send) -> Send:
    """With a page, and only with a page, comes a name."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and scope["method"] == "GET":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                secure = "; Secure" if scope["scheme"] == "https" else ""
                value = f"{COOKIE}={secrets.token_urlsafe(16)}; Path=/; Max-Age={LIFETIME_S}"
                headers.append("set-cookie", f"{value}; HttpOnly; SameSite=Lax{secure}")
        await send(message)

    return sent
