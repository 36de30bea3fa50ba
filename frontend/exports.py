"""The files of one stored figure: pictures, a page, its numbers, its words, code that asks for it again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from frontend.addresses import name_of, state_of
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.kinds import kind_of
from frontend.figures.paper import paper
from frontend.figures.texts import caption, methods, python_of, title
from frontend.provenance import Origin, labelled
from frontend.sheets import sheet, sheets
from frontend.state import State
from frontend.static import standalone
from frontend.theme import PALETTES

Json = Mapping[str, Any]
Made = tuple[bytes, str]
SIZE = (900, 560)  # pixels, where a printed figure does not say its own
DOTS = 3.0  # of a PNG for every pixel: 300 an inch in print
MEDIA = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Figure:
    """A complete result, how it is looked at, the address of the server, and the one table that is wanted."""

    body: Json
    place: State
    address: str
    table: str = ""


def _picture(form: str) -> Callable[[BackendClient, Figure], Awaitable[Made]]:
    async def make(client: BackendClient, shown: Figure) -> Made:
        palette = PALETTES[shown.place.theme or "light"]
        figure = await asyncio.to_thread(paper, shown.body, shown.place, palette)
        layout = figure.get("layout", {})
        width, height = layout.get("width", SIZE[0]), layout.get("height", SIZE[1])
        scale = DOTS if form == "png" else 1.0
        drawn = await client.rendering(figure, form, width, height, scale=scale)
        return labelled(drawn, form, origin_of(shown)), MEDIA[form]

    return make


def origin_of(shown: Figure) -> Origin:
    """What a picture says of itself."""
    name = title(shown.body["spec"], kind_of(name_of(shown.body["spec"])).title)
    return Origin(name, caption(shown.body, shown.place), f"{shown.address}/f/{shown.body['key']}")


async def _page(_client: BackendClient, shown: Figure) -> Made:
    text = await asyncio.to_thread(standalone, shown.body, shown.place)
    return text.encode(), "text/html"


async def _csv(_client: BackendClient, shown: Figure) -> Made:
    if not shown.table:
        return sheet(shown.body).encode(), "text/csv"
    found = sheets(shown.body)
    if shown.table not in found:
        raise BackendError("no_table", f"The tables are {', '.join(found)}.", status=404)
    return found[shown.table].encode(), "text/csv"


async def _python(_client: BackendClient, shown: Figure) -> Made:
    return python_of(shown.body, shown.address).encode(), "text/x-python"


async def _words(_client: BackendClient, shown: Figure) -> Made:
    name = title(shown.body["spec"], kind_of(name_of(shown.body["spec"])).title)
    text = "\n\n".join([name, caption(shown.body, shown.place), f"Methods. {methods(shown.body)}"])
    return f"{text}\n".encode(), "text/plain"


MAKERS: Mapping[str, Callable[[BackendClient, Figure], Awaitable[Made]]] = {
    "png": _picture("png"),
    "svg": _picture("svg"),
    "pdf": _picture("pdf"),
    "html": _page,
    "csv": _csv,
    "py": _python,
    "txt": _words,
}


def name_of_file(body: Json, form: str) -> str:
    """`headscope-paths-L23H2-1a2b3c4d.svg`."""
    place = state_of(body["spec"])
    node = [str(place.node)] if place.node else []
    return "-".join(["headscope", name_of(body["spec"]), *node, body["key"][:8]]) + f".{form}"
