"""Puts the page on a FastAPI server: `create_app(server, client)`."""

import hashlib
import logging
import re
import uuid
from pathlib import Path
from typing import Any, cast

from dash import Dash, set_props
from fastapi import FastAPI

from frontend import ids, permalinks
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.notices import broken
from frontend.layout import page
from frontend.panels import (
    attention,
    choices,
    chooser,
    compare,
    estimates,
    evidence,
    figure,
    gate,
    head,
    header,
    heads,
    history,
    investigation,
    map,
    notes,
    pages,
    pins,
    profile,
    question,
    router,
    scatter,
    sections,
    training,
    verdict,
    workshop,
)
from frontend.shelf import Shelf
from frontend.still import Page, still
from frontend.theme import css
from frontend.users import Users

PANELS = (
    router,
    header,
    chooser,
    choices,
    question,
    gate,
    map,
    evidence,
    head,
    attention,
    profile,
    sections,
    pages,
    heads,
    verdict,
    training,
    compare,
    scatter,
    pins,
    notes,
    history,
    estimates,
    figure,
    workshop,
    investigation,
)
log = logging.getLogger(__name__)
ASSETS = Path(__file__).parent / "assets"
TITLE = "headscope"
DESCRIPTION = "Which attention heads and MLPs of a language model put the right letter on top."
INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="ASSET(headscope.css)">
        <link rel="stylesheet" href="ASSET(forms.css)">
        <link rel="stylesheet" href="ASSET(map.css)">
        <link rel="stylesheet" href="ASSET(computed.css)">
        <link rel="stylesheet" href="ASSET(heads.css)">
        <link rel="stylesheet" href="ASSET(workshop.css)">
        <link rel="stylesheet" href="ASSET(access.css)">
        <link rel="stylesheet" href="ASSET(compare.css)">
        <link rel="stylesheet" href="ASSET(figure.css)">
        {%css%}
        <style>PALETTES</style>
        <link rel="preload" as="script" href="ASSET(vendor/plotly-cartesian.min.js)">
        <script src="ASSET(theme.js)"></script>
        <script src="ASSET(plots.js)" data-plotly="ASSET(vendor/plotly-cartesian.min.js)"></script>
        <script src="ASSET(still.js)"></script>
        <script src="ASSET(headscope.js)"></script>
        <script src="ASSET(forms.js)"></script>
        <script src="ASSET(popovers.js)"></script>
        <script src="ASSET(history.js)"></script>
        <script src="ASSET(outlines.js)"></script>
        <script src="ASSET(map.js)"></script>
        <script src="ASSET(nodes.js)"></script>
        <script src="ASSET(notes.js)"></script>
        <script src="ASSET(points.js)"></script>
        <script src="ASSET(heads.js)"></script>
        <script src="ASSET(figure.js)"></script>
        <script src="ASSET(workshop.js)"></script>
        <script src="ASSET(access.js)"></script>
        <script src="ASSET(keys.js)"></script>
        <script src="ASSET(tour.js)"></script>
        <script src="ASSET(cells.js)"></script>
        <script src="ASSET(patterns.js)"></script>
        <script src="ASSET(compare.js)"></script>
    </head>
    <body>
        {%app_entry%}
        <footer>{%config%}{%scripts%}{%renderer%}</footer>
    </body>
</html>"""


def index() -> str:
    """The frame of the page, with every file of ours under a name that changes with its content."""

    def address(found: re.Match[str]) -> str:
        digest = hashlib.sha256((ASSETS / found[1]).read_bytes()).hexdigest()
        return f"/assets/{found[1]}?v={digest[:10]}"

    return re.sub(r"ASSET\((.+?)\)", address, INDEX).replace("PALETTES", css())


def broke(error: Exception) -> None:
    """A callback that failed: said on the page with the id that the log has; what is shown stays."""
    known = BackendError("page", "The page could not draw this.", uuid.uuid4().hex[:12], status=500)
    log.exception("page, request %s", known.request_id, exc_info=error)
    set_props(ids.PROBLEMS, {"children": broken(known)})


def create_app(server: FastAPI, client: BackendClient, *, compress: bool = True) -> Dash:
    """The page, served by `server` at `/` for every address that has no route of its own.

    Register the routes of the API first. `app.csp_hashes()` names the inline scripts for the
    Content-Security-Policy.
    """
    app = Page(
        "headscope",
        server=cast(Any, server),
        assets_folder=str(ASSETS),
        include_assets_files=False,  # collected only at some first requests; index() names them itself
        index_string=index(),
        title=TITLE,
        description=DESCRIPTION,
        update_title="",
        compress=compress,
        on_error=broke,
        prevent_initial_callbacks=True,  # the router starts, and wakes the panels of one page only
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    server.add_middleware(Shelf)  # the last one added is the outermost: what it keeps is packed already
    server.add_middleware(Users)  # outside of that: a name is for one browser
    app.layout = still(page())
    for panel in PANELS:
        panel.register(app, client)
    permalinks.register(app, client)
    return app
