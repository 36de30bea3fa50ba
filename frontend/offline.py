"""Components as HTML for files that stand by themselves: nothing in them asks a server."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from frontend.markup import ELEMENTS, data_block, markup, tag
from frontend.theme import variables
from frontend.unscripted import DRAWN, drawn

Json = Mapping[str, Any]
Links = Callable[[str], str]  # an address of the dashboard -> one in this file, or nothing
SILENT = {"Store", "Interval", "Location", "Script", "Iframe", "ObjectEl", "Embed", "Input", "Textarea"}
TEXT_BUTTONS = {"node-button", "sort", "node-link"}  # what they say is part of the figure
SERVER_ONLY = {"share", "copy-figure"}  # what only a running dashboard can do
NOT_WRITTEN = ("data-go", *DRAWN)
COLOURS = variables()
BESIDE = re.compile(r"#?[\w][\w./-]*")  # a place in this file, or a file beside it
NO_LINKS: Links = lambda _href: ""  # noqa: E731


def html_of(components: Any, links: Links = NO_LINKS) -> str:
    """Components, texts and numbers as HTML. Graphs become boxes that assets/static.js draws with plotly.

    Buttons and lists to choose from are left out or, where their words matter, written as text. `links`
    says where a link to the dashboard leads in this file.
    """
    return markup(components, lambda component: _element(component, links))


def _element(component: Json, links: Links) -> str:
    kind, props = component["type"], component["props"]
    classes = set(str(props.get("className") or "").split())
    if kind in SILENT or classes & SERVER_ONLY:
        return ""
    if kind == "Graph":
        return (
            f'<div class="plot"><script type="application/json">{data_block(props["figure"])}</script></div>'
        )
    if kind == "Select":
        return html_of(_chosen(props), links)
    if kind == "Button":
        return _button(props, classes, links)
    if kind == "A":
        return _link(props, classes, links)
    return _tag(_name(component), props, links)


def _name(component: Json) -> str:
    """The tag; what is no element of HTML becomes a plain box."""
    return component["type"].lower() if component["namespace"] == ELEMENTS else "div"


def _tag(name: str, props: Json, links: Links) -> str:
    """An element with what scripts would draw in it; colours of the page become its variables."""
    kept = {
        name: value for name, value in props.items() if name not in DRAWN and not name.startswith("data-go")
    }
    style = {name: COLOURS.get(str(value), value) for name, value in (props.get("style") or {}).items()}
    inside = drawn(props)
    told = {**kept, "style": style} if style else kept
    return tag(name, told, html_of(props.get("children") if inside is None else inside, links))


def _button(props: Json, classes: set[str], links: Links) -> str:
    """The chosen one of a row says what is shown; others are asked of a server and left out."""
    chosen = "segment" in classes and str(props.get("aria-pressed")) == "true"
    if "data-static" in props:  # a script of the file itself listens to it
        return _tag("button", props, links)
    if chosen:
        return f'<span class="segment chosen">{html_of(props.get("children"), links)}</span>'
    if classes & TEXT_BUTTONS:
        return f"<span>{html_of(props.get('children'), links)}</span>"
    return ""


def _link(props: Json, classes: set[str], links: Links) -> str:
    href = str(props.get("href") or "")
    own = href if BESIDE.fullmatch(href) else links(href)
    if own:
        kept = {name: value for name, value in props.items() if name not in ("href", "download")}
        return _tag("a", {**kept, "href": own}, links)
    return "" if "button" in classes else f"<span>{html_of(props.get('children'), links)}</span>"


def _chosen(props: Json) -> Any:
    """The words of the chosen entry of a list."""
    listed: Sequence[Any] = props.get("children") or []
    options = [one.to_plotly_json()["props"] for one in listed]
    return next((one.get("children") for one in options if one.get("selected")), "")
