"""The state of the page as a panel gets it, for the links that it writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from frontend.state import State, parse


def place_of(address: Mapping[str, Any]) -> State:
    """The state behind an address that the router wrote, with the model named."""
    place, _ = parse(address["path"], address["search"])
    return replace(place, model=place.model or address["default"])
