"""On the page of a head: where it looks from every token of the question, measured on demand."""

from typing import Any

from frontend.figures.pattern import pattern_figure
from frontend.panels import section
from frontend.panels.section import Section

PATTERN = Section(
    "every_token",
    "Attention of every token",
    "The map is about the final position; here is where this head looks from each token of the question.",
    lambda body, _want, _palette: pattern_figure(body),
)


def layout() -> Any:
    """One section."""
    return section.layout(PATTERN)
