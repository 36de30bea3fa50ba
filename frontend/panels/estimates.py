"""Beside every Measure button what it will take; where it would not fit into memory, that instead of it.

One request for all sections of a page, a moment after they have been drawn, so that it delays nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, ctx, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.estimate import estimate_words, first_words
from frontend.panels import bias, causes, heads, mutations, pattern, receivers, subspace, thumbnails
from frontend.panels.section import Section

Json = dict[str, Any]
SECTIONS: tuple[Section, ...] = (
    *causes.ON_HEAD,
    causes.EDGES,
    causes.CURVES,
    bias.BIAS,
    heads.QK,
    *subspace.ALL,
    *mutations.ALL,
    pattern.PATTERN,
    thumbnails.THUMBNAILS,
    receivers.RECEIVERS,
)
MOMENT_S = 0.6


def register(app: Dash, client: BackendClient) -> None:
    """Tell it for every section that is not measured yet, whenever what it would measure changes."""

    @app.callback(
        output={
            "words": [Output(ids.section(one.name, "estimate"), "children") for one in SECTIONS],
            "hidden": [Output(ids.section(one.name, "go"), "hidden") for one in SECTIONS],
        },
        inputs=[[Input(ids.WANT_SECTION[one.name], "data") for one in SECTIONS]],
    )
    async def tell(wants: list[Json | None]) -> Json:
        changed = {found["prop_id"].split(".")[0] for found in ctx.triggered}
        await asyncio.sleep(MOMENT_S)
        told = await asyncio.gather(
            *(
                told_of(client, one, want) if ids.WANT_SECTION[one.name] in changed else unchanged()
                for one, want in zip(SECTIONS, wants, strict=True)
            )
        )
        return {"words": [words for words, _ in told], "hidden": [hidden for _, hidden in told]}


async def unchanged() -> tuple[Any, Any]:
    """What stands there stays."""
    return no_update, no_update


async def told_of(client: BackendClient, of: Section, want: Mapping[str, Any] | None) -> tuple[Any, bool]:
    """The words of one section, and whether its button must go. An estimate that fails is left out."""
    if want is None or want["asked"]:
        return [], False
    try:
        estimate = await client.estimate(want["spec"])
        if of.then is None:
            return estimate_words(estimate), not estimate["fits"]
        if not estimate["stored"]:
            return first_words(estimate, of.before), not estimate["fits"]
        first = await client.stored(estimate["key"])
        own = await client.estimate(of.then(want["spec"], first.body))
    except (BackendError, KeyError):
        return [], False
    return estimate_words(own), not own["fits"]
