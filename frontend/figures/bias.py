"""Selection bias: which letter the model prefers whatever stands behind it, and which nodes carry that."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.bars import beside
from frontend.figures.controls import node_link
from frontend.figures.legend import heated
from frontend.results import Estimate, estimate, estimates, nodes
from frontend.state import State
from frontend.theme import SCALE_FLOOR
from frontend.words import effect, interval, percent, signed, spread, token

Json = Mapping[str, Any]
SHOWN = 8


def bias_figure(body: Json, place: State) -> list[Any]:
    """Letters with prior and recall, accuracy before and after debiasing, nodes with a label prior."""
    rstd, after = (body["details"].get(name) for name in ("rstd", "debiased_rstd"))
    numbers = beside(
        ("accuracy", estimate(body, "accuracy")),
        ("debiased accuracy", estimate(body, "debiased_accuracy")),
        ("right in every order of the options", estimate(body, "permutation_accuracy")),
        ("spread of recall over the letters (RStd)", None if rstd is None else Estimate(rstd)),
        ("the same, debiased", None if after is None else Estimate(after)),
        write=percent,
    )
    tables = html.Div([_letters(body), _nodes(body, place)], className="bias-tables")
    return [numbers, tables]


def _letters(body: Json) -> html.Div:
    """Prior and recall of every letter; without a bias all priors are the same."""
    answers = body["coordinates"]["answer"]
    even = 1 / len(answers)
    head = html.Tr(
        [
            html.Th("letter"),
            *(html.Th(text, className="number") for text in ("prior", "against even", "recall")),
        ]
    )
    rows = [
        html.Tr([html.Th(token(letter), scope="row"), *_share(prior), _off(prior, even), *_share(recall)])
        for letter, prior, recall in zip(
            answers, estimates(body, "prior"), estimates(body, "recall"), strict=True
        )
    ]
    note = "Prior: probability of the letter over all orders of the options. Recall: how often it is found "
    note += "where it is correct."
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table")
    return html.Div([table, html.P(note, className="note")])


def _share(value: Estimate | None) -> list[html.Td]:
    shown = percent(value.mean if value else None)
    return [html.Td(shown, className="number", title=interval(value, percent))]


def _off(value: Estimate | None, even: float) -> html.Td:
    if value is None:
        return html.Td(signed(None), className="number")
    off = value.mean - even
    return heated(f"{signed(100 * off, 0)} points", off, 2 * even)


def _nodes(body: Json, place: State) -> html.Div:
    """The nodes whose write favours a letter whatever stands behind it, beside what follows the content."""
    known = [
        (node, prior, estimate(body, "content_attribution", at))
        for at, node in enumerate(nodes(body))
        if (prior := estimate(body, "prior_attribution", at))
    ]
    known.sort(key=lambda entry: -abs(entry[1].mean))
    largest = max([SCALE_FLOOR["logit"], *(abs(part.mean) for row in known for part in row[1:] if part)])
    head = html.Tr(
        [html.Th("node"), *(html.Th(text, className="number") for text in ("label prior", "content part"))]
    )
    rows = [
        html.Tr([html.Th(node_link(node, place), scope="row"), *(_logit(part, largest) for part in parts)])
        for node, *parts in known[:SHOWN]
    ]
    note = "Logits of the node’s attribution: what stays over all orders of the options, and the rest, which "
    note += f"follows the content. The {len(rows)} strongest priors of {len(known)} nodes."
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table")
    return html.Div([table, html.P(note, className="note")])


def _logit(value: Estimate | None, largest: float) -> html.Td:
    if value is None:
        return html.Td(signed(None), className="number")
    return heated(effect(value), value.mean, largest, title=spread(value))
