"""Bars per mutation: does what explains the head still explain it when the form of the prompt changes?"""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from frontend.figures.attributes import attrs
from frontend.figures.controls import segmented
from frontend.figures.lines import faint, frame, plain_axis
from frontend.figures.map import CONFIG
from frontend.figures.twin import as_table
from frontend.results import Estimate, estimate
from frontend.state import State
from frontend.theme import Palette
from frontend.vocabulary import BARS_NAME, KIND_NAME
from frontend.words import count, label, number, token, visible

Json = Mapping[str, Any]
Figure = dict[str, Any]
BAR_NAME = {
    "clean": "clean",
    "ablated": "heads ablated",
    "full_rank": "full rank",
    "low_rank": "rank {rank}",
    "random": "{rank} random dimensions",
    "chance": "chance",
}
BAR_NOTE = {
    "letter_loss": "Loss over the letters, in nats; lower is better.",
    "accuracy": "Share of questions with the correct letter on top.",
    "centred_logit": "The correct letter’s centred logit, in logits.",
}
BAR_UNIT = {"letter_loss": "nats", "accuracy": "fraction", "centred_logit": "logits"}


def mutations_figure(body: Json, place: State, palette: Palette) -> list[Any]:
    """The bars, their table, and the prompts behind the bar that was clicked."""
    metrics = body["coordinates"]["metric"]
    metric = place.bars if place.bars in metrics else metrics[0]
    chosen = {name: BARS_NAME[name] for name in metrics}
    head = html.Div(
        [
            html.P(_said(body, place, metric), className="note"),
            segmented("bars", chosen, metric, "What the bars show"),
        ],
        className="card-head",
    )
    graph = dcc.Graph(figure=bar_figure(body, place, metric, palette), config=CONFIG, responsive=True)
    n = len(body["coordinates"]["mutation"])
    box = html.Div(graph, className="bars-plot", style={"minWidth": f"{90 + 62 * n}px"})
    figure = html.Figure(
        html.Div(box, className="scroll"), **attrs(aria_label="Bars per mutation; the table has the numbers")
    )
    return [head, _bar_key(place, palette), figure, _twin(body, place, metric), *prompts_of(body, place.bar)]


def _said(body: Json, place: State, metric: str) -> str:
    heads = ", ".join(body["details"].get("heads") or place.heads or [str(place.node)])
    return (
        f"{BAR_NOTE[metric]} {KIND_NAME[place.kind]} of {heads}: fitted once on unmutated prompts, "
        "judged on every mutation. Click a bar to read its prompts."
    )


def colours(palette: Palette) -> dict[str, str]:
    """One colour a bar; what is explained stands out, what it is compared with is quiet."""
    return {
        "clean": palette.ink,
        "ablated": palette.letters[1],
        "full_rank": faint(palette.accent, 0.45),
        "low_rank": palette.accent,
        "random": palette.muted,
        "chance": palette.line,
    }


def bar_name(bar: str, rank: int) -> str:
    """What a bar is called at a rank."""
    return BAR_NAME[bar].format(rank=rank)


def bar_figure(body: Json, place: State, metric: str, palette: Palette) -> Figure:
    """Groups of bars, a group for each mutation; a mutation without a value keeps its empty place."""
    mutations, bars = body["coordinates"]["mutation"], body["coordinates"]["bar"]
    at = body["coordinates"]["metric"].index(metric)
    names = [entry["label"] for entry in mutations]
    traces = []
    for place_of_bar, bar in enumerate(bars):
        values = [estimate(body, "bars", at, row, place_of_bar) for row in range(len(names))]
        traces.append(
            {
                "type": "bar",
                "name": bar_name(bar, place.rank),
                "x": [_short(entry["title"]) for entry in mutations],
                "y": [value.mean if value else None for value in values],
                "marker": {"color": colours(palette)[bar], "line": {"width": 0}},
                "customdata": names,
                "text": [
                    _hover(bar_name(bar, place.rank), one, values[i]) for i, one in enumerate(mutations)
                ],
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    values_axis = {"showgrid": True, "gridcolor": palette.line, "nticks": 5, "zeroline": True}
    return {
        "data": traces,
        "layout": {
            **frame(palette),
            "margin": {"l": 48, "r": 10, "t": 6, "b": 118},
            "barmode": "group",
            "bargap": 0.28,
            "bargroupgap": 0.06,
            "xaxis": plain_axis(palette, "", tickangle=-35, type="category"),
            "yaxis": plain_axis(palette, BAR_UNIT[metric], zerolinecolor=palette.muted, **values_axis),
            "uirevision": "bars",
        },
    }


def _short(title: str) -> str:
    text = label(title)
    return text if len(text) <= 24 else text[:23] + "…"


def _hover(bar: str, mutation: Json, value: Estimate | None) -> str:
    if value is None:
        return f"<b>{label(mutation['title'])}</b>, {bar}: no value"
    bounds = f" [{number(value.low, 3)}, {number(value.high, 3)}]" if value.low is not None else ""
    example = label(mutation["example"])
    return f"<b>{label(mutation['title'])}</b> {example}<br>{bar}: {number(value.mean, 3)}{bounds}"


def _bar_key(place: State, palette: Palette) -> html.Div:
    marks = [
        html.Span([html.I(style={"background": colour}), bar_name(bar, place.rank)])
        for bar, colour in colours(palette).items()
    ]
    return html.Div(marks, className="bars-key note")


def _twin(body: Json, place: State, metric: str) -> html.Details:
    """The same as a table: what every mutation isolates, its bars, and a button for its prompts."""
    bars, mutations = body["coordinates"]["bar"], body["coordinates"]["mutation"]
    at = body["coordinates"]["metric"].index(metric)
    names = [bar_name(bar, place.rank) for bar in bars]
    head = html.Tr(
        [html.Th("mutation"), html.Th("isolates"), *(html.Th(name, className="number") for name in names)]
    )
    rows = [
        html.Tr(
            [
                html.Th(_choose(entry), scope="row"),
                html.Td(_isolates(body, entry), className="small"),
                *(_value(estimate(body, "bars", at, row, column)) for column in range(len(bars))),
            ],
            className="own" if entry["label"] == place.bar else "",
        )
        for row, entry in enumerate(mutations)
    ]
    return as_table(head, rows)


def _choose(entry: Json) -> html.Button:
    change = f'{{"bar": "{entry["label"]}"}}'
    return html.Button(
        visible(entry["title"]),
        type="button",
        className="node-button",
        **attrs(data_go=change, aria_label=f"Prompts with {visible(entry['title'])}"),
    )


def _isolates(body: Json, entry: Json) -> str:
    """What the mutation tells apart, or why it has no bars."""
    why = (body["details"].get("missing") or {}).get(entry["label"])
    return str(why or visible(entry["isolates"]))


def _value(value: Estimate | None) -> html.Td:
    bounds = ""
    if value and value.low is not None and value.high is not None:
        bounds = f"[{number(value.low, 3)}, {number(value.high, 3)}]"
    return html.Td(number(value.mean if value else None, 3), className="number", title=bounds)


def prompts_of(body: Json, mutation: str) -> list[Any]:
    """The mutated prompts behind a bar, with the letter that the unchanged model chooses."""
    found: Sequence[Json] = (body["details"].get("prompts") or {}).get(mutation) or []
    named = {entry["label"]: entry["title"] for entry in body["coordinates"]["mutation"]}
    if mutation not in named or not found:
        return []
    right = sum(1 for prompt in found if prompt["chosen"] == prompt["correct"])
    title = f"{visible(named[mutation])}: {count(len(found), 'prompt')}, {right} answered right"
    cards = [_prompt(prompt) for prompt in found]
    return [html.Div([html.H3(title), html.Ol(cards, className="prompt-cards")], className="bar-prompts")]


def _prompt(prompt: Json) -> html.Li:
    labels = prompt["labels"]
    chosen, correct = (
        token(labels[at]) if isinstance(at, int) and at < len(labels) else str(at)
        for at in (prompt["chosen"], prompt["correct"])
    )
    good = prompt["chosen"] == prompt["correct"]
    said = f"chooses {chosen}, right" if good else f"chooses {chosen}; right is {correct}"
    loss = f", loss {number(prompt['letter_loss'], 3)} nats" if prompt["letter_loss"] is not None else ""
    return html.Li(
        [html.Pre(prompt["text"]), html.P(said + loss, className="note" if good else "note wrong")]
    )
