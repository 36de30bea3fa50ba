"""HTML attributes with a hyphen, which Python cannot take as keywords."""

from typing import Any


def attrs(**values: Any) -> dict[str, Any]:
    """`attrs(aria_label="Map")` -> `{"aria-label": "Map"}`, to be spread into an element."""
    return {name.replace("_", "-"): value for name, value in values.items()}
