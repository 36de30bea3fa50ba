"""Beside every Measure button what it will take; where it would not fit into memory, that instead of it.

One request for all sections of a page, a moment after they have been drawn, so that it delays nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, ctx

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.estimate import estimate_words, first_words
from frontend.markup import markup
from frontend.panels.section import Section
from frontend.panels.sections import ALL

Json = dict[str, Any]
MOMENT_S = 0.6


def register(app: Dash, client: BackendClient) -> None:
    """Tell it for every section that is not measured yet, whenever what it would measure changes."""

    @app.callback(
        output=Output(ids.ESTIMATES, "data"),
        inputs=[[Input(ids.WANT_SECTION[one.name], "data") for one in ALL]],
    )
    async def tell(wants: list[Json | None]) -> Json:
        changed = {found["prop_id"].split(".")[0] for found in ctx.triggered}
        await asyncio.sleep(MOMENT_S)
        asked = {
            one: want for one, want in zip(ALL, wants, strict=True) if ids.WANT_SECTION[one.name] in changed
        }
        words = await asyncio.gather(*(words_of(client, one, want) for one, want in asked.items()))
        return {one.name: {"estimate": markup(said)} for one, said in zip(asked, words, strict=True)}


async def words_of(client: BackendClient, of: Section, want: Mapping[str, Any] | None) -> list[Any]:
    """The words of one section. Where it will not fit, the style sheet hides the button beside them.

    An estimate that fails is left out.
    """
    if want is None or want["asked"]:
        return []
    try:
        estimate = await client.estimate(want["spec"])
        if of.then is None:
            return estimate_words(estimate)
        if not estimate["stored"]:
            return first_words(estimate, of.before)
        first = await client.stored(estimate["key"])
        own = await client.estimate(of.then(want["spec"], first.body))
    except (BackendError, KeyError):
        return []
    return estimate_words(own)
