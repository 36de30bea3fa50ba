"""What a measurement will take, in a few words beside the button that starts it."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.words import duration

Json = Mapping[str, Any]


def estimate_words(estimate: Json) -> list[Any]:
    """`about 14 s`, its basis to be pointed at; nothing where nothing is known or it is stored already."""
    if not estimate["fits"]:
        return [html.Span(estimate["message"], className="too-large")]
    if estimate["stored"] or estimate["seconds"] is None:
        return []
    return [html.Span(f"about {duration(estimate['seconds'])}", title=estimate["message"])]


def first_words(estimate: Json, before: str) -> list[Any]:
    """The same of what has to be measured before: `First the ranking: about 8 s`."""
    if not estimate["fits"] or estimate["seconds"] is None:
        return estimate_words(estimate)
    return [html.Span(f"{before}: about {duration(estimate['seconds'])}", title=estimate["message"])]


def offered(estimate: Json | None) -> str:
    """What it says beside a button where a measurement was not begun unasked."""
    return f"This would take about {duration(estimate['seconds'])}." if estimate else ""
