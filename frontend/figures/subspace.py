"""The subspace of one head: spectra, shares and accuracies, points, and its attention rebuilt from three."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import dcc, html

from frontend.figures.attributes import attrs
from frontend.figures.controls import segmented
from frontend.figures.evidence import big_number
from frontend.figures.legend import heated
from frontend.figures.lines import Line, line_figure, line_panel
from frontend.figures.map import CONFIG
from frontend.figures.points import Cloud, camera_of, clouds, flat
from frontend.results import Estimate, estimates
from frontend.state import State
from frontend.theme import Palette
from frontend.vocabulary import CLOUD_NAME, FLAT_NAME, MUTATION_NAME
from frontend.words import count, number, percent, signed, token, visible

Json = Mapping[str, Any]
COLOUR = {"query": "accent", "keys": "ink", "values": "muted"}
DASH = {"query": "solid", "keys": "solid", "values": "dot"}
VECTOR_NAME = {"query": "queries", "keys": "keys", "values": "values"}


def subspace_figure(body: Json, place: State, palette: Palette) -> list[Any]:
    """Numbers, the flat twins with the table of points, patterns; the scene stands above and stays."""
    return [
        subspace_numbers(body, place.centring),
        _flat(clouds(body), place, palette),
        _prompt_list(body),
        patterns(body),
    ]


def subspace_numbers(body: Json, centring: str) -> html.Div:
    """How much three dimensions hold, and how well they tell letters apart."""
    details = body["details"]
    told = details["nearest_centroid"]
    lucky = {name: f"chance {percent(chance)}" for name, chance in details["chance"].items()}
    shares = {name: spectrum(body, name, centring) for name in ("query", "keys")}
    return html.Div(
        [
            big_number("of query variance in 3 dimensions", _third(shares["query"])),
            big_number("of key variance in 3 dimensions", _third(shares["keys"])),
            big_number(
                "of the variance of its scores over the options",
                percent(details["score_variance_share"]),
                "from 3 dimensions",
            ),
            big_number(
                "queries nearest to their letter",
                percent(told["query_by_correct"]),
                lucky["query_by_correct"],
            ),
            big_number("keys nearest to their label", percent(told["keys_by_label"]), lucky["keys_by_label"]),
            big_number(
                "keys told correct or not",
                percent(told["keys_by_correctness"]),
                lucky["keys_by_correctness"],
            ),
        ],
        className="numbers beside",
    )


def _third(shares: Sequence[Estimate | None]) -> str:
    value = shares[min(3, len(shares) - 1)] if shares else None
    return percent(value.mean if value else None)


def spectrum(body: Json, vector: str, centring: str) -> list[Estimate | None]:
    """Cumulative share of the variance by rank, from rank 0 on."""
    coordinates = body["coordinates"]
    if vector not in coordinates["vector"] or centring not in coordinates["centring"]:
        return []
    row = estimates(
        body, "spectrum", coordinates["vector"].index(vector), coordinates["centring"].index(centring)
    )
    return row if coordinates["rank"][0] == 0 else [Estimate(0.0, unit="fraction"), *row]


def scene_head(place: State) -> list[Any]:
    """What the scene shows, and buttons for those who do not drag."""
    views = [
        html.Button(text, type="button", className="quiet", **attrs(data_view=what))
        for what, text in (("closer", "Closer"), ("further", "Further"), ("back", "As at first"))
    ]
    shown = segmented("cloud", CLOUD_NAME, place.cloud, "What the scene shows")
    back = attrs(data_camera=json.dumps(camera_of(place.cloud, "")))
    return [shown, html.Div(views, className="steps", **back)]


def beside_scene(body: Json, place: State, palette: Palette) -> list[Any]:
    """What colours and sizes mean, and the spectra."""
    return [_key(body, place), _spectra(body, place.centring, palette)]


def _key(body: Json, place: State) -> html.Div:
    marks = ("●", "■", "◆", "✚", "✖")
    letters = [
        html.Span(
            [
                html.I(marks[at % len(marks)], style={"color": f"var(--letter-{at % 10})"}),
                token(name),
            ]
        )
        for at, name in enumerate(body["coordinates"]["answer"])
    ]
    said = (
        "Queries at the final position take the colour of the correct letter, keys that of their own label; "
        "the large keys belong to the correct option. Each cloud has its own axes, fitted on other prompts "
        "and scaled to the same size. Drag to turn."
    )
    over = []
    if place.overlay != "none":
        name = MUTATION_NAME[place.overlay]
        over = [html.P(f"Hollow: the same questions with the mutation “{name}”, in the same axes.")]
    return html.Div([html.Div(letters, className="letters-key"), html.P(said), *over], className="note")


def _spectra(body: Json, centring: str, palette: Palette) -> html.Figure:
    figure = spectra_figure(body, centring, palette)
    figure["layout"]["yaxis"] |= {"range": [0, 1.03]}
    said = "Share of the variance by rank: queries in colour, keys in ink, values dotted."
    return line_panel("Spectra", said, figure)


def spectra_figure(body: Json, centring: str, palette: Palette) -> dict[str, Any]:
    """A line for queries, keys and values each."""
    lines = [
        Line(VECTOR_NAME[name], list(range(len(row))), row, getattr(palette, COLOUR[name]), DASH[name])
        for name in COLOUR
        if (row := spectrum(body, name, centring))
    ]
    return line_figure(lines, "rank", "fraction", palette)


def _flat(found: Sequence[Cloud], place: State, palette: Palette) -> html.Div:
    """Both clouds from the front, where a lasso can be drawn."""
    figures = [
        html.Figure(
            [
                html.Figcaption(html.B("Queries" if cloud.name == "queries" else "Keys")),
                html.Div(
                    dcc.Graph(figure=flat(cloud, place.flat, palette), config=CONFIG, responsive=True),
                    className="flat",
                ),
            ],
            **attrs(aria_label=f"{cloud.name}, flat; the table of points has the numbers"),
        )
        for cloud in found
    ]
    head = html.Div(
        [
            html.H3("The same, flat: draw around points to see their prompts"),
            segmented("flat", FLAT_NAME, place.flat, "Which dimensions"),
        ],
        className="card-head",
    )
    return html.Div([head, html.Div(figures, className="flats")])


def _prompt_list(body: Json) -> html.Details:
    """The table of points, drawn in the browser when it is opened or points are chosen."""
    answers = body["coordinates"]["answer"]
    queries, keys = ((body["tables"].get(name) or {"mean": []})["mean"] or [] for name in ("query", "keys"))
    rows = [
        [
            str(pair["index"] + 1),
            visible(pair["question"]),
            token(pair["label"]),
            _numbers(queries[at] if at < len(queries) else None),
            *(_numbers(key) for key in (keys[at] if at < len(keys) else None) or []),
        ]
        for at, pair in enumerate(body["coordinates"]["pair"])
    ]
    columns = ["", "question", "correct", "query", *(f"key of {token(name)}" for name in answers)]
    told = json.dumps({"columns": columns, "rows": rows})
    every = count(len(rows), "prompt")
    line = html.Summary(f"All points as a table, {every}")
    said = html.P(className="note chosen", role="status", **attrs(aria_live="polite", data_all=every))
    return html.Details(
        [line, said, html.Div(className="scroll", **attrs(data_points=told))], className="more"
    )


def _numbers(place: Sequence[float | None] | None) -> str:
    return "  ".join(number(x) for x in place) if place else number(None)


def patterns(body: Json) -> html.Div:
    """The head's real attention to the options beside the one rebuilt from three dimensions."""
    answers = body["coordinates"]["answer"]
    correct = [pair["correct"] for pair in body["coordinates"]["pair"]]
    tables = [
        _square("Attention", answers, _means(body, "pattern", correct, len(answers)), _share),
        _square("Rebuilt from 3 dimensions", answers, _means(body, "rebuilt", correct, len(answers)), _share),
    ]
    scores = (body["tables"].get("scores") or {}).get("mean")
    if scores:
        tables.append(_square("Mean score, query times key", answers, scores, _score(scores)))
    note = html.P(
        "Means from the final position to each label, by the letter that is correct. To rebuild, the scores "
        "of the options come from three dimensions of query and keys, all other tokens keep their own.",
        className="note",
    )
    return html.Div([html.Div(tables, className="squares-beside"), note])


def _means(body: Json, table: str, correct: Sequence[int], n: int) -> list[list[float | None]]:
    """Mean over the pairs with each correct letter; None where there is no such pair."""
    found = (body["tables"].get(table) or {"mean": []})["mean"] or []
    rows: list[list[float | None]] = []
    for letter in range(n):
        mine = [
            row
            for row, right in zip(found, correct, strict=False)
            if right == letter and row and None not in row
        ]
        rows.append([sum(row[at] for row in mine) / len(mine) if mine else None for at in range(n)])
    return rows


def _square(
    title: str, answers: Sequence[str], rows: Sequence[Sequence[float | None]], cell: Callable[[Any], html.Td]
) -> html.Div:
    head = [html.Th("correct"), *(html.Th(f"→ {token(name)}", className="number") for name in answers)]
    lines = [
        html.Tr([html.Th(token(name), scope="row"), *(cell(value) for value in row)])
        for name, row in zip(answers, rows, strict=False)
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(lines)], className="table labels")
    return html.Div([html.H3(title), html.Div(table, className="scroll")])


def _share(value: float | None) -> html.Td:
    return heated(number(value), value or 0.0, 1.0)


def _score(rows: Sequence[Sequence[float | None]]) -> Callable[[float | None], html.Td]:
    largest = max([abs(value) for row in rows for value in row if value is not None] + [0.1])

    def cell(value: float | None) -> html.Td:
        return heated(signed(value, 1), value or 0.0, largest)

    return cell
