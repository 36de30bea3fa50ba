"""The way to take everything home: a link to one zip with all that was computed on the shown prompts."""

import re
from dataclasses import replace
from typing import cast

from dash import Dash, Input, Output, html
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.investigation import bundle
from frontend.state import State, parse, write

PATH = "/investigation.zip"
KEY = re.compile(r"[0-9a-f]{64}")


def layout() -> html.P:
    """A line at the foot of the map."""
    link = html.A("Export investigation", href=PATH, id=ids.INVESTIGATION, className="button", download="")
    said = "everything computed on these prompts, in one zip that opens without a server"
    return html.P([link, html.Span(said, className="note")], className="take-home")


def register(app: Dash, client: BackendClient) -> None:
    """Keep prompts, choices and notes in the link; make the zip when it is asked for."""

    @app.callback(Output(ids.INVESTIGATION, "href"), Input(ids.URL, "pathname"), Input(ids.URL, "search"))
    async def address(pathname: str | None, search: str | None) -> str:
        return address_of(parse(pathname or "/", search or "")[0])

    @cast(FastAPI, app.server).get(PATH, include_in_schema=False)
    async def investigation(request: Request) -> Response:
        try:
            place = await with_model(client, parse("/", request.url.query)[0])
            name, content = await bundle(client, place, wanted(request))
        except BackendError as error:
            return PlainTextResponse(str(error), error.status)
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(content, media_type="application/zip", headers=headers)


def address_of(place: State) -> str:
    """Where the zip of a place is."""
    kept = replace(place, page="map", measure=(), pins=(), receivers=(), figure="", embed=0, theme="")
    return PATH + write(kept)[1]


def wanted(request: Request) -> str:
    """The key of a result on the prompts that are meant, if one is named."""
    key = request.query_params.get("of", "")
    return key if KEY.fullmatch(key) else ""


async def with_model(client: BackendClient, place: State) -> State:
    """With the server's default model where none is named."""
    if place.model:
        return place
    return replace(place, model=next(one["id"] for one in await client.models() if one["default"]))
