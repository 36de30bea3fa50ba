"""The page as a whole: the bar, the map page and the head page, of which one is seen."""

from dash import html

from frontend import ids
from frontend.figures.attributes import attrs
from frontend.panels import (
    attention,
    bias,
    causes,
    compare,
    evidence,
    figure,
    gate,
    head,
    header,
    heads,
    investigation,
    map,
    mutations,
    pattern,
    question,
    router,
    scatter,
    sections,
    subspace,
    thumbnails,
    training,
    verdict,
    workshop,
)


def page() -> html.Div:
    """All elements; callbacks fill them."""
    return html.Div(
        [
            *router.layout(),
            *sections.layout(),
            html.A("Skip to the content", href="#content", className="skip-link"),
            header.layout(),
            html.Main(
                [
                    html.Div(id=ids.PROBLEMS, className="problems", **attrs(aria_live="polite")),
                    _map_page(),
                    _head_page(),
                    heads.layout(scatter.layout()),
                    training.layout(),
                    figure.layout(),
                    compare.layout(),
                    workshop.layout(),
                ],
                className="page",
                id=ids.CONTENT,
                tabIndex=-1,
            ),
        ]
    )


def _map_page() -> html.Div:
    left = html.Div([question.layout(), gate.layout()], className="panel side")
    sections = [thumbnails.layout(), *causes.map_layout(), bias.layout()]
    centre = html.Div([*map.layout(), evidence.layout(), *sections], className="centre")
    right = html.Div(map.table_layout(), className="panel side")
    audit = html.Footer(id=ids.AUDIT, className="audit")
    foot = [audit, investigation.layout()]
    return html.Div([html.Div([left, centre, right], className="columns"), *foot], id=ids.MAP_PAGE)


def _head_page() -> html.Div:
    cards = html.Div(attention.layout(), className="cards")
    audit = html.Footer(id=ids.HEAD_AUDIT, className="audit")
    computed = html.Div([*subspace.layout(), *mutations.layout()])
    sections = [pattern.layout(), computed, *causes.layout()]
    return html.Div(
        [*head.layout(), subspace.contents(), verdict.layout(), cards, *sections, audit],
        id=ids.HEAD_PAGE,
        hidden=True,
    )
