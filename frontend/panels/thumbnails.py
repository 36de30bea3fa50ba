"""On the map page: small pictures of the attention of all heads on the question, measured on demand."""

from typing import Any

from frontend.figures.pattern import thumbnails_figure
from frontend.panels import section
from frontend.panels.section import Section

THUMBNAILS = Section(
    "thumbnails",
    "Attention of all heads",
    "The attention pattern of every head on this question, small, in the order of the map.",
    lambda body, _want, _palette: thumbnails_figure(body),
)


def layout() -> Any:
    """One section."""
    return section.layout(THUMBNAILS)
