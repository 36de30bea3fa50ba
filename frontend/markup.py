"""Dash components as HTML text, for files that stand by themselves: escaped, and nothing asks a server."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from frontend.theme import variables
from frontend.unscripted import DRAWN, drawn

Json = Mapping[str, Any]
Links = Callable[[str], str]  # an address of the dashboard -> one in this file, or nothing
VOID = {"area", "br", "col", "hr", "img", "input", "meta", "wbr"}
RENAMED = {"className": "class", "htmlFor": "for"}
NOT_WRITTEN = {"children", "key", "n_clicks", "n_clicks_timestamp", "disable_n_clicks", "data-go", *DRAWN}
SILENT = {"Store", "Interval", "Location", "Script", "Iframe", "ObjectEl", "Embed", "Input", "Textarea"}
TEXT_BUTTONS = {"node-button", "sort", "node-link"}  # what they say is part of the figure
SERVER_ONLY = {"share", "copy-figure"}  # what only a running dashboard can do
COLOURS = variables()
BESIDE = re.compile(r"#?[\w][\w./-]*")  # a place in this file, or a file beside it
HYPHEN = re.compile(r"(?<!^)(?=[A-Z])")
NO_LINKS: Links = lambda _href: ""  # noqa: E731


def html_of(components: Any, links: Links = NO_LINKS) -> str:
    """Components, texts and numbers as HTML. Graphs become boxes that assets/static.js draws with plotly.

    Buttons and lists to choose from are left out or, where their words matter, written as text. `links`
    says where a link to the dashboard leads in this file.
    """
    if components is None or isinstance(components, bool):
        return ""
    if isinstance(components, str | int | float):
        return escape(str(components).replace("\0", ""))
    if isinstance(components, list | tuple):
        return "".join(html_of(one, links) for one in components)
    return _element(components.to_plotly_json(), links)


def data_block(value: Any) -> str:
    """JSON inside a page: no text in it can end the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


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
    plain = component["namespace"] == "dash_html_components"
    return component["type"].lower() if plain else "div"


def _tag(name: str, props: Json, links: Links) -> str:
    opening = f"<{name}{_attributes(props)}>"
    if name in VOID:
        return opening
    inside = drawn(props)
    return f"{opening}{html_of(props.get('children') if inside is None else inside, links)}</{name}>"


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


def _attributes(props: Json) -> str:
    written = [
        _attribute(RENAMED.get(name, name if "-" in name else name.lower()), value)
        for name, value in props.items()
        if name not in NOT_WRITTEN and not name.startswith("data-go")
    ]
    return "".join(written)


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False or name.startswith("on"):
        return ""
    if value is True:
        return f" {name}"
    if name == "style":
        value = _style(value)
    return f' {name}="{escape(str(value))}"' if value != "" or name == "title" else ""


def _style(style: Json) -> str:
    """`{"minWidth": "3px", "--w": "4%"}` as CSS; colours of the page become its variables."""
    named = {_css_name(name): COLOURS.get(str(value), value) for name, value in style.items()}
    return ";".join(f"{name}:{value}" for name, value in named.items())


def _css_name(name: str) -> str:
    return name if name.startswith("--") else HYPHEN.sub("-", name).lower()
