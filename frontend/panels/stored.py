"""What the router knows of a stored figure: the place in the dashboard where it stands, and its name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from frontend.addresses import LOOKS, drawn_by, name_of
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.kinds import kind_of
from frontend.figures.texts import title
from frontend.state import DEFAULT, State

Json = Mapping[str, Any]


async def spec_of(client: BackendClient, key: str) -> Json | None:
    """The spec of a result, by its record, which outlives its bytes; None where nobody ever asked."""
    try:
        return (await client.record(key))["spec"]
    except BackendError:
        return None


async def about(client: BackendClient, place: State) -> tuple[State, str]:
    """The page of a figure with the model and the prompts that it is about, and its name.

    Any other page is as it is, and named by its place.
    """
    if place.page != "figure":
        return place, ""
    spec = await spec_of(client, place.figure)
    if spec is None:
        return place, "Figure"
    own = replace(drawn_by(spec, place), page="figure", figure=place.figure, embed=place.embed)
    return own, title(spec, kind_of(name_of(spec)).title)


async def stepped_from(client: BackendClient, place: State, change: Mapping[str, str]) -> State:
    """The place that a change starts from: a figure can be looked at otherwise; all else leaves it."""
    if place.page != "figure":
        return place
    spec = await spec_of(client, place.figure)
    if spec is None:
        return DEFAULT
    stays = set(change) - {"at"} <= {*LOOKS.get(name_of(spec), ()), "theme"}
    return place if stays else drawn_by(spec, place)
