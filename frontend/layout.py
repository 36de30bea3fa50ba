"""The page as a whole: the bar, the map page and the head page, of which one is seen."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from frontend import ids
from frontend.figures.attributes import attrs
from frontend.panels import (
    attention,
    bias,
    causes,
    evidence,
    gate,
    head,
    header,
    heads,
    map,
    mutations,
    question,
    router,
    subspace,
    training,
    verdict,
)

THEME: Any = {
    "fontFamily": "var(--font)",
    "fontFamilyMonospace": "var(--mono)",
    "defaultRadius": "md",
    "primaryColor": "orange",
    "focusRing": "auto",
}


def page() -> dmc.MantineProvider:
    """All elements; callbacks fill them."""
    return dmc.MantineProvider(
        [
            *router.layout(),
            header.layout(),
            html.Main(
                [
                    html.Div(id=ids.PROBLEMS, className="problems", **attrs(aria_live="polite")),
                    _map_page(),
                    _head_page(),
                    heads.layout(),
                    training.layout(),
                ],
                className="page",
            ),
        ],
        id=ids.PROVIDER,
        theme=THEME,
        forceColorScheme="light",
    )


def _map_page() -> html.Div:
    left = html.Div([question.layout(), gate.layout()], className="panel side")
    centre = html.Div(
        [*map.layout(), evidence.layout(), *causes.map_layout(), bias.layout()], className="centre"
    )
    right = html.Div(map.table_layout(), className="panel side")
    audit = html.Footer(id=ids.AUDIT, className="audit")
    return html.Div([html.Div([left, centre, right], className="columns"), audit], id=ids.MAP_PAGE)


def _head_page() -> html.Div:
    cards = html.Div(attention.layout(), className="cards")
    audit = html.Footer(id=ids.HEAD_AUDIT, className="audit")
    computed = html.Div([*subspace.layout(), *mutations.layout()])
    return html.Div(
        [*head.layout(), subspace.contents(), verdict.layout(), cards, computed, *causes.layout(), audit],
        id=ids.HEAD_PAGE,
        hidden=True,
    )
