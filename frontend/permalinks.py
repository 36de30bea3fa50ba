"""Addresses of a stored figure: its page at /f/<key>, named for previews elsewhere, and its files."""

import hashlib
import re
from collections.abc import AsyncIterator
from html import escape
from typing import Any, cast

from dash import Dash
from dash.backends._fastapi import reset_current_request, set_current_request
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

from frontend.addresses import drawn_by
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.exports import MAKERS, Figure, name_of_file
from frontend.figures.kinds import kind_of
from frontend.figures.texts import caption, title, where_from
from frontend.state import parse
from frontend.words import visible

NAME = re.compile(r"([0-9a-f]{64})(?:\.([a-z]+))?")
HEAD_OF_PAGE = re.compile(r"<title>.*?</title>", re.DOTALL)
DESCRIPTION = re.compile(r'\s*<meta name="description"[^>]*>')
SENTENCES = {
    "gone": "This result is known, but no longer stored. Open {page} and press Recompute.",
    "format": "There is no such file of a figure; there are {formats}.",
}


def register(app: Dash, client: BackendClient) -> None:
    """Routes of the page's own server; they come before the one that answers every other address."""
    server = cast(FastAPI, app.server)

    @server.get("/f/{name}", include_in_schema=False)
    async def figure(name: str, request: Request) -> Response:
        found = NAME.fullmatch(name.rstrip("/"))
        if not found:
            return HTMLResponse(index(app, request), 404)
        key, wanted = found.groups()
        return await (file(client, key, wanted, request) if wanted else page(app, client, key, request))


async def page(app: Dash, client: BackendClient, key: str, request: Request) -> Response:
    """The page, which a preview elsewhere can name and picture."""
    try:
        record = await client.record(key)
    except BackendError as error:
        return HTMLResponse(index(app, request), 404 if error.status == 404 else 200)
    name = title(record["spec"], kind_of(record["analysis"]).title)
    words = f"{name} · {where_from(record['spec'], record['prompts'], record['n'])}"
    said = await _said(client, key, request) or words
    picture = f"{base(request)}/f/{key}.png" + (f"?{request.url.query}" if request.url.query else "")
    metas = {
        "og:type": "article",
        "og:site_name": "headscope",
        "og:title": words,
        "og:description": said,
        "og:url": f"{base(request)}/f/{key}",
        "og:image": picture,
    }
    lines = [f'<meta property="{property}" content="{escape(text)}">' for property, text in metas.items()]
    lines.append(f'<meta name="description" content="{escape(said)}">')
    head = "\n        ".join([f"<title>{escape(words)}</title>", *lines])
    text = HEAD_OF_PAGE.sub(lambda _: head, DESCRIPTION.sub("", index(app, request)), count=1)
    return HTMLResponse(text)


def index(app: Dash, request: Request) -> str:
    """The frame of the page. Dash makes it inside a request of its own routes; this one is none of them."""
    token = set_current_request(request)
    try:
        return app.index()
    finally:
        reset_current_request(token)


async def _said(client: BackendClient, key: str, request: Request) -> str:
    """The caption, while the result is stored."""
    try:
        body = (await client.stored(key)).body
    except BackendError:
        return ""
    return caption(body, drawn_by(body["spec"], parse(request.url.path, request.url.query)[0]))


async def file(client: BackendClient, key: str, wanted: str, request: Request) -> Response:
    """One file of a figure, or a sentence on why there is none."""
    if wanted != "json" and wanted not in MAKERS:
        return _sentence("format", 404, formats=", ".join(["json", *MAKERS]))
    try:
        body = (await client.stored(key)).body
        if wanted == "json":
            return await _as_stored(client, key, request)
        place = drawn_by(body["spec"], parse(f"/f/{key}", _without_table(request))[0])
        shown = Figure(body, place, base(request), request.query_params.get("table", ""))
        content, media = await MAKERS[wanted](client, shown)
    except BackendError as error:
        return await _why_not(client, key, error, request)
    return _answer(content, media, name_of_file(body, wanted), request)


def _without_table(request: Request) -> str:
    """The query without what only files know."""
    return "&".join(part for part in request.url.query.split("&") if not part.startswith("table="))


async def _as_stored(client: BackendClient, key: str, request: Request) -> Response:
    """The bytes of the result as they are stored; they never change."""
    kept = [item for item in request.headers.items() if item[0] == "if-none-match"]
    answer = await client.forward("GET", f"/api/results/{key}", kept, _nothing())
    if answer.status >= 400:
        raise BackendError("unknown_key", "This result is no longer stored.", status=answer.status)
    name = {"content-disposition": f'inline; filename="headscope-{key[:8]}.json"'}
    return StreamingResponse(answer.chunks, answer.status, answer.headers | name)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _answer(content: bytes, media: str, name: str, request: Request) -> Response:
    """With a digest of the content, so that a browser that has it gets nothing again."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    how = "attachment" if name.endswith((".html", ".csv", ".py")) else "inline"
    headers = {
        "etag": tag,
        "cache-control": "private, no-cache",
        "content-disposition": f'{how}; filename="{name}"',
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media, headers=headers)


async def _why_not(client: BackendClient, key: str, error: BackendError, request: Request) -> Response:
    """What went wrong, as a sentence; a result that is known and gone can be computed again."""
    if error.status == 404 and error.code == "unknown_key":
        try:
            await client.record(key)
            return _sentence("gone", 410, page=f"{base(request)}/f/{key}")
        except BackendError:
            pass
    return PlainTextResponse(f"{visible(str(error))}\n", error.status or 503)


def _sentence(name: str, status: int, **parts: Any) -> Response:
    return PlainTextResponse(SENTENCES[name].format(**parts) + "\n", status)


def base(request: Request) -> str:
    """The address of this server as the browser knows it."""
    return str(request.base_url).rstrip("/")
