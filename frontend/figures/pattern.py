"""Attention patterns as data for the page's script: every token of one head, small pictures of all heads."""

import json
from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.results import estimates
from frontend.words import count, role_name, token

Json = Mapping[str, Any]


def pattern_figure(body: Json) -> list[Any]:
    """The tokens of a `pattern` result; the one looked at colours those that it looks at."""
    note = (
        "Point at a token, or move with the arrow keys: the tokens that it attends to take colour, those "
        "that attend to it are underlined. A click holds it. The first token is not coloured, since most "
        "heads rest there. Listed are the strongest keys of each token, from "
        f"{body['details']['smallest']} on; what is not listed is said."
    )
    return [
        html.Div(className="pattern", **attrs(data_pattern=json.dumps(pattern_data(body)))),
        html.P(note, className="note"),
    ]


def pattern_data(body: Json) -> Json:
    """What the script draws: tokens with their roles, the flat lists, what each query gives to the rest."""
    details = body["details"]
    rest = estimates(body, "not_listed")
    return {
        "tokens": [
            [token(entry["text"]), ", ".join(map(role_name, entry["roles"])), "\n" in entry["text"]]
            for entry in body["coordinates"]["pos"]
        ],
        **{name: details[name] for name in ("query", "key", "value")},
        "rest": [value.mean if value else None for value in rest],
    }


def thumbnails_figure(body: Json) -> list[Any]:
    """All heads of a `thumbnails` result in the order of the map, on one canvas."""
    details = body["details"]
    across = f"{details['size']} × {details['size']} pixels for {count(details['n_tokens'], 'token')}"
    note = (
        "Rows are the tokens that look, columns those looked at, from the prompt’s beginning at the top "
        f"left; {across}, each as strong as the largest attention in it. Point at a head to enlarge it, "
        "click to select it."
    )
    data = {name: details[name] for name in ("size", "pixels", "first_key")}
    shape = {axis: len(body["coordinates"][axis]) for axis in ("layer", "head")}
    told = {**data, **shape, "sink": body["tables"]["sink"]["mean"]}
    return [
        html.Div(className="thumbnails", **attrs(data_thumbnails=json.dumps(told))),
        html.P(note, className="note"),
    ]
