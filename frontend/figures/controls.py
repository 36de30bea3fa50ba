"""Buttons that change the address of the page. They carry what they change as data; one script listens."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.nodes import Node
from frontend.state import DEFAULT, State, href


def go(
    text: Any, *, className: str = "button", label: str | None = None, disabled: bool = False, **change: Any
):
    """A button that changes fields of the page's state, for example `index=3`."""
    more = attrs(aria_label=label) if label else {}
    return html.Button(
        text,
        className=className,
        disabled=disabled,
        type="button",
        **attrs(data_go=json.dumps({name: str(value) for name, value in change.items()})),
        **more,
    )


def link(
    text: Any, to: State, *, className: str = "button", id: str | None = None, **more_change: str
) -> html.A:
    """A link to another page of the same state; opens in a new tab like any link.

    A press changes page and node in the address and `more_change`; everything else stays.
    """
    change = {"page": to.page, "node": str(to.node) if to.node else "", **more_change}
    more = attrs(id=id) if id else {}
    return html.A(text, href=href(to), className=className, **attrs(data_go=json.dumps(change)), **more)


def node_link(node: Node, place: State) -> html.A:
    """The name of a node, which leads to its page."""
    return link(str(node), replace(place, page="head", node=node), className="node-link")


def segmented(
    name: str,
    options: dict[str, str],
    chosen: str,
    label: str,
    *,
    missing: Mapping[str, str] = MappingProxyType({}),
) -> html.Div:
    """A row of buttons of which one is chosen; `missing` says why some cannot be."""
    buttons = [
        html.Button(
            text,
            type="button",
            className="segment",
            disabled=value in missing,
            title=missing.get(value, ""),
            **attrs(data_go=json.dumps({name: value}), aria_pressed=str(value == chosen).lower()),
        )
        for value, text in options.items()
    ]
    return html.Div(buttons, className="segments", role="group", **attrs(aria_label=label))


def together(place: State) -> list[Any]:
    """Which heads a section takes together, and the way back to the one of the page."""
    own = str(place.node)
    if place.heads in ((), (own,)):
        return []
    heads = html.Span(f"{', '.join(place.heads)} together ")
    return [html.P([heads, go(f"Only {own}", heads=own, className="quiet")], className="note together")]


def select(name: str, options: Mapping[str, str], chosen: str, label: str) -> html.Label:
    """A field of the page's state to choose from a list; the browser's own control, which phones know."""
    listed = [html.Option(text, value=value, selected=value == chosen) for value, text in options.items()]
    changed = " changed" if chosen != getattr(DEFAULT, name) else ""
    return html.Label(
        [html.Span(label), html.Select(listed, **attrs(data_choice=name, aria_label=label))],
        className=f"choice{changed}",
    )
