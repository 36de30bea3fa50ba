"""Components as HTML text, exactly what React would make of them: every text escaped, no script."""

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]
Writer = Callable[[Json], str]  # a component as Dash sends it -> HTML
ELEMENTS = "dash_html_components"
VOID = {"area", "br", "col", "hr", "img", "input", "meta", "wbr"}
OUTSIDERS = {"Script", "Iframe", "ObjectEl", "Embed", "Frame", "Frameset", "Base", "Link", "Meta"}
RENAMED = {"className": "class", "htmlFor": "for"}
NOT_WRITTEN = {"children", "key", "n_clicks", "n_clicks_timestamp", "disable_n_clicks"}
IN_WORDS = re.compile(r"(data|aria)-|(contenteditable|draggable|spellcheck)$")  # there, true is a word
HYPHEN = re.compile(r"(?<!^)(?=[A-Z])")
UNSAFE = re.compile(r"\W*(javascript|vbscript)", re.IGNORECASE)
NO_LENGTHS = {"flex", "flexGrow", "fontWeight", "lineHeight", "opacity", "order", "zIndex"}


def markup(content: Any, write: Writer | None = None) -> str:
    """Components, texts and numbers as HTML. `write` says how a component is written, if not as it is."""
    if content is None or isinstance(content, bool):
        return ""
    if isinstance(content, str | int | float):
        return escaped(content)
    if isinstance(content, list | tuple):
        return "".join(markup(one, write) for one in content)
    return (write or element)(content.to_plotly_json())


def element(component: Json, write: Writer | None = None) -> str:
    """A component as the element that it names, and what is inside by the same writer."""
    if not is_element(component):
        raise ValueError(f"{component['type']} is more than an element with texts.")
    props = component["props"]
    return tag(component["type"].lower(), props, markup(props.get("children"), write))


def is_element(component: Json) -> bool:
    """Whether it is an element of HTML that stands for itself."""
    return component["namespace"] == ELEMENTS and component["type"] not in OUTSIDERS


def tag(name: str, props: Json, inside: str) -> str:
    """An element with these properties around HTML."""
    opening = f"<{name}{attributes(props)}>"
    if name in VOID:
        return opening
    kept = "\n" if name == "pre" and inside.startswith("\n") else ""  # HTML drops the first one
    return f"{opening}{kept}{inside}</{name}>"


def attributes(props: Json) -> str:
    """Properties as React writes them, each with a space before it. Dash has them in any order."""
    return "".join(_attribute(name, props[name]) for name in sorted(props) if name not in NOT_WRITTEN)


def escaped(value: Any) -> str:
    """A text or a number, for inside an element or an attribute."""
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    return escape(str(plain).replace("\0", "")).replace("\r", "&#13;")


def data_block(value: Any) -> str:
    """JSON inside a page: no text in it can end the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _attribute(prop: str, value: Any) -> str:
    name = RENAMED.get(prop, prop if "-" in prop else prop.lower())
    if isinstance(value, bool) and IN_WORDS.match(name):
        value = str(value).lower()
    if value is None or value is False or name.startswith("on"):
        return ""
    if value is True:
        return f" {name}"
    if name == "style":
        return f' style="{escaped(_style(value))}"' if value else ""
    if name in ("href", "src") and UNSAFE.match(re.sub(r"\s|[\0-\x1f]", "", str(value))):
        return ""
    return f' {name}="{escaped(value)}"'


def _style(style: Json) -> str:
    """`{"minWidth": 3, "--w": "4%"}` as CSS; no value can begin another rule."""
    written = ((name, _css_value(name, value)) for name, value in style.items())
    return ";".join(f"{_css_name(name)}:{value}" for name, value in written if value and ";" not in value)


def _css_value(name: str, value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and value and not name.startswith("--") and name not in NO_LENGTHS:
        return f"{escaped(value)}px"
    return "" if value is None or isinstance(value, bool) else str(value).strip()


def _css_name(name: str) -> str:
    return name if name.startswith("--") else HYPHEN.sub("-", name).lower()
