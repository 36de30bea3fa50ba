"""The table of all heads, the list of categories and the thresholds, as the page's script draws them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.controls import go
from frontend.figures.heads import Row, arranged, titles
from frontend.figures.legend import heat, heat_class
from frontend.figures.tables import ARIA_SORT, NEXT_SORT, SORT_WORD
from frontend.heads import ROWS
from frontend.state import State, href
from frontend.theme import SCALE_FLOOR
from frontend.words import NONE, count, effect, interval, number, spread

Json = Mapping[str, Any]
SIGNED = ("total_effect", "net_attribution")  # strongest first, whatever the sign
HEADING = {
    "head": "head",
    "category": "category",
    "confidence": "confidence",
    "net_attribution": "attribution",
    "total_effect": "total effect",
    "label_mass": "label mass",
    "diagonal_share": "diagonal share",
    "qk_score": "QK-score",
}
MEANING = {
    "head": "Layer and head, counted from 0.",
    "category": "What the head does, by its measures and the thresholds; your own verdict comes first.",
    "confidence": "0.5 at a threshold; 1 where every measure that decides is as far beyond it as can be.",
    "net_attribution": "Logits that its write adds to the correct letter, less the mean over the letters.",
    "total_effect": "Change of the correct letter’s centred logit when the head is patched, in logits.",
    "label_mass": "Share of its value-weighted attention that lies on the labels.",
    "diagonal_share": "Of that on the labels, the share on the correct one.",
    "qk_score": "How often its query picks the correct label among the labels.",
}
FIRST_ORDER = {"head": "lowest", "category": "lowest", **dict.fromkeys(SIGNED, "strength")}


def next_order(column: str, place: State) -> str:
    """The order after another press on the heading of a column."""
    if place.by != column:
        return FIRST_ORDER.get(column, "highest")
    if column in SIGNED:
        return NEXT_SORT[place.order]
    return "highest" if place.order == "lowest" else "lowest"


def table_data(rows: Sequence[Row], place: State, *, with_qk: bool) -> Json:
    """What the page's script draws the table from: headings that sort, rows, and how many are left out."""
    columns = [name for name in HEADING if name != "qk_score" or with_qk]
    fitting = arranged(rows, place)
    largest = {name: _largest(rows, name) for name in SIGNED}
    left = len(fitting) - place.rows
    return {
        "label": "All heads",
        "columns": [_heading(column, place) for column in columns],
        "rows": [_cells(row, place, columns, largest) for row in fitting[: place.rows]],
        "said": f"{count(len(fitting), 'head')} of {len(rows)}" if len(fitting) < len(rows) else "",
        "more": _more(left, place.rows),
        "find": place.find,
        "empty": "No head fits.",
    }


def _largest(rows: Sequence[Row], column: str) -> float:
    means = [abs(value.mean) for row in rows if (value := row.value(column))]
    return max([SCALE_FLOOR["logit"], *means])


def _heading(column: str, place: State) -> Json:
    chosen = place.by == column
    order = next_order(column, place)
    now = f"; now {SORT_WORD[place.order]}" if chosen else ""
    return {
        "text": HEADING[column],
        "title": MEANING[column],
        "label": f"Sort by {HEADING[column]}{now}",
        "go": {"by": column, "order": order},
        "sort": ARIA_SORT[place.order] if chosen else "none",
        "class": "" if column in ("head", "category") else "number",
    }


def _cells(row: Row, place: State, columns: Sequence[str], largest: Mapping[str, float]) -> Json:
    head = replace(place, page="head", node=row.node)
    return {
        "head": str(row.node),
        "href": href(head),
        "category": [row.own_title or row.title or NONE, _beside(row)],
        "numbers": [
            _number(row, column, largest) for column in columns if column not in ("head", "category")
        ],
    }


def _beside(row: Row) -> str:
    """What stands small beside the category: which kind, or what was measured where a person disagrees."""
    if row.own and row.own != row.category:
        return f"yours; measured {row.title}"
    return "yours too" if row.own else row.kind


def _number(row: Row, column: str, largest: Mapping[str, float]) -> list[str]:
    """Text, interval, class and strength of the colour."""
    value = row.value(column)
    if column not in SIGNED or value is None:
        return [number(value.mean if value else None), interval(value, number), "", ""]
    strength = heat(value.mean, largest[column])["--w"]
    return [effect(value), spread(value), heat_class(value.mean), strength]


def counts_list(rows: Sequence[Row], place: State, body: Json) -> list[Any]:
    """Every category with its number of heads; a press shows only these. Below it what the chosen means."""
    found = Counter(row.shown for row in rows)
    named = {"all": "all heads", **titles(body)}
    lines = [
        html.Li(
            [
                go(title, category=name, className="node-button", **_pressed(title, name == place.category)),
                html.Span(str(len(rows) if name == "all" else found[name]), className="number"),
            ],
            className="selected" if name == place.category else "",
        )
        for name, title in named.items()
    ]
    meanings = {one["name"]: one["meaning"] for one in body["details"].get("categories", [])}
    meaning = meanings.get(
        place.category, "A head belongs to the first category in this list whose rule it meets."
    )
    return [html.Ol(lines, className="category-list"), html.P(meaning, className="note")]


def _pressed(title: str, chosen: bool) -> dict[str, Any]:
    return {"label": f"Only {title}, shown now" if chosen else f"Only {title}"}


def thresholds_list(body: Json, place: State) -> list[Any]:
    """A slider for every threshold, and a way back. Moving one changes verdicts; no model runs."""
    sliders = [
        html.Div(className="range", **attrs(data_range=slider(one), data_key=one["name"]))
        for one in body["details"].get("thresholds", [])
    ]
    usual = [go("Defaults", className="quiet", thresholds="")] if place.thresholds else []
    note = html.P("Moving one judges the same measures anew: no model runs.", className="note")
    return [note, *sliders, *usual]


def slider(threshold: Json) -> str:
    """What the page's script draws a slider from."""
    name = threshold["name"]
    told = {part: threshold[part] for part in ("low", "high", "value")}
    label, step = name.replace("_", " "), 0.01 if threshold["high"] <= 2 else 0.05
    words = {"label": label, "note": threshold["meaning"], "send": "threshold", "of": name}
    return json.dumps({**told, **words, "step": step})


def _more(left: int, shown: int) -> Json | None:
    """The button below the table while rows are left out."""
    words = f"Show {ROWS} more" if left > ROWS else "Show all"
    return {"text": words, "go": {"rows": str(shown + ROWS)}} if left > 0 else None
