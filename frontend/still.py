"""Finished content is one element with HTML inside: what no callback addresses needs no components.

Dash asks every component of the page at every change. A table of a hundred cells is therefore sent as one
element whose `data-html` assets/still.js puts into it, before it is painted.
"""

from collections.abc import Mapping
from copy import copy
from functools import wraps
from typing import Any

from dash import Output, no_update
from dash.development.base_component import Component

from frontend.bundles import Lean
from frontend.markup import Json, element, is_element, markup

HTML = "data-html"  # what is inside an element, where it is HTML and no components


class Addressed(ValueError):
    """Something of this has to stay a component."""


def within(content: Any) -> dict[str, Any]:
    """Content as a property of the element that holds it: `html.Div(id="x", **within(rows))`."""
    return {HTML: markup(content)}


def still(content: Any) -> Any:
    """The same content, where every element that holds only other elements holds their HTML instead.

    What has an id, or is more than an element, stays a component, and so does everything around it.
    """
    if isinstance(content, list | tuple):
        return [still(one) for one in content]
    inside = getattr(content, "children", None)
    if not isinstance(content, Component) or not _components(inside):
        return content
    drawn = copy(content)
    try:
        _only_element(content.to_plotly_json())
        setattr(drawn, HTML, markup(inside, _unaddressed))
        drawn.children = None
    except Addressed:
        drawn.children = still(inside)
    return drawn


class Page(Lean):
    """Dash whose callbacks answer with finished content: see `finished`."""

    def callback(self, *told: Any, **named: Any) -> Any:
        """As that of Dash, for functions that are `async`."""
        listed = [one for one in told if isinstance(one, Output)]
        outputs = named.get("output") or (listed[0] if len(listed) == 1 else listed or told[0])
        register = super().callback(*told, **named)

        def decorate(function: Any) -> Any:
            @wraps(function)
            async def answer(*values: Any, **by_name: Any) -> Any:
                return finished(outputs, await function(*values, **by_name))

            return register(answer)

        return decorate


def finished(output: Any, value: Any) -> Any:
    """An answer as the page gets it: `data-html` as text, children with as few components as can be."""
    if value is no_update:
        return value
    if isinstance(output, Mapping):
        return {name: finished(one, value[name]) for name, one in output.items()}
    if isinstance(output, list | tuple):
        return [finished(one, part) for one, part in zip(output, value, strict=True)]
    if output.component_property == HTML:
        return markup(value)
    return still(value) if output.component_property == "children" else value


def _components(inside: Any) -> list[Component]:
    listed = inside if isinstance(inside, list | tuple) else [inside]
    return [one for one in listed if isinstance(one, Component)]


def _unaddressed(component: Json) -> str:
    _only_element(component)
    return element(component, _unaddressed)


def _only_element(component: Json) -> None:
    if not is_element(component) or "id" in component["props"]:
        raise Addressed
