"""Selection bias, on the map page: measured on demand over all orders of the options."""

from typing import Any

from frontend.figures.bias import bias_figure
from frontend.panels import section
from frontend.panels.links import place_of
from frontend.panels.section import Section

BIAS = Section(
    "bias",
    "Does it prefer a letter?",
    "The options of every question in all cyclic orders: what the model says of a letter whatever stands "
    "behind it, and how much of every node’s attribution that is.",
    lambda body, want, _palette: bias_figure(body, place_of(want["address"])),
)


def layout() -> Any:
    """One section."""
    return section.layout(BIAS)
