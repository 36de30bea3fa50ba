"""The small menu in an audit strip: the figure by itself, its link, its embed code, its files."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import html

from frontend.addresses import name_of, shown_as, state_of
from frontend.figures.attributes import attrs
from frontend.state import State, write

Json = Mapping[str, Any]
FILES = {
    "png": "PNG",
    "svg": "SVG",
    "pdf": "PDF",
    "html": "HTML",
    "csv": "CSV",
    "json": "JSON",
    "py": "Python",
    "txt": "Caption",
}
ORIGIN = "{origin}"  # the page's script puts the address of this server here
EMBED = (
    '<iframe src="{origin}%s" title="headscope figure" width="100%%" height="640" loading="lazy"></iframe>'
)


def share(body: Json, place: State | None = None) -> list[Any]:
    """For a complete result: what can be done with its figure as it is looked at now."""
    if not body["complete"] or not name_of(body["spec"]):
        return []
    shown = replace(shown_as(body["spec"], place or state_of(body["spec"])), figure=body["key"])
    path, search = write(shown)
    alone = "".join(write(replace(shown, embed=1)))
    files = [
        html.A(text, href=f"{path}.{name}{search}", download="", className="share-file")
        for name, text in FILES.items()
    ]
    menu = [
        html.A("Open figure", href=path + search),
        copy("Copy link", ORIGIN + path + search),
        copy("Copy embed code", EMBED % alone),
        html.Div(files, className="share-files"),
    ]
    return [html.Details([html.Summary("Share"), html.Div(menu, className="share-menu")], className="share")]


def copy(text: str, copied: str) -> html.Button:
    """A button that puts a text on the clipboard; see assets/figure.js."""
    return html.Button(text, type="button", className="quiet", **attrs(data_copy=copied))
