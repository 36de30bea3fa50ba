"""The page that puts things side by side: pinned heads on the same questions, and two runs."""

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.compare import Pinned, difference_strip, numbers_table, roles_table, strips
from frontend.figures.controls import segmented
from frontend.figures.notices import broken, progress, warnings
from frontend.nodes import Node
from frontend.panels import two_runs
from frontend.panels.attention import WEIGHTING_NAME
from frontend.panels.follow import Answer, look, machinery
from frontend.panels.links import place_of
from frontend.state import State as Place
from frontend.still import HTML
from frontend.words import count

Json = dict[str, Any]
Between = tuple[Pinned, Pinned] | None
NO_PINS = (
    "No head is pinned. Select one on the map and press p or “Pin”, or draw around some on the page of all "
    "heads; then come back."
)
ONE_PIN = "Pin another one to see both side by side."


def layout() -> html.Div:
    """Title, the card of the pins, the card of the runs."""
    pins = html.Section(
        [html.Div(id=ids.COMPARE_PINS), *machinery(ids.COMPARE_PINS)],
        className="panel",
        **attrs(aria_label="Pinned heads"),
    )
    return html.Div(
        [
            html.H1("Side by side"),
            html.P(
                "Pinned heads on the same questions, and one measurement beside another: two runs, two "
                "models, two steps of a training.",
                className="lead",
            ),
            pins,
            two_runs.layout(),
        ],
        id=ids.COMPARE_PAGE,
        className="compare-page",
        hidden=True,
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill the card of the pins as its results arrive; the runs look after themselves."""
    two_runs.register(app, client)

    @app.callback(
        Output(ids.COMPARE_PINS, HTML),
        Output(ids.memory(ids.COMPARE_PINS), "data"),
        Output(ids.poll(ids.COMPARE_PINS), "disabled"),
        Input(ids.WANT_COMPARE, "data"),
        Input(ids.poll(ids.COMPARE_PINS), "n_intervals"),
        State(ids.memory(ids.COMPARE_PINS), "data"),
        running=[(Output(ids.poll(ids.COMPARE_PINS), "max_intervals"), 0, -1)],
    )
    async def pinned(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        answers = await answers_of(client, want, memory or {})
        news = {name: answer.memory for name, answer in answers.items()}
        stays = ctx.triggered_id == ids.poll(ids.COMPARE_PINS) and news == memory
        shown = no_update if stays else card(want, answers)
        return shown, news, not any(answer.pending for answer in answers.values())


async def answers_of(client: BackendClient, want: Json, memory: Mapping[str, Any]) -> dict[str, Answer]:
    """What there is by now; what is about single heads comes first."""
    specs = {**dict.fromkeys(want["sweeps"], "sweep"), **dict.fromkeys(want["heads"], "click")}
    wanted = {**want["sweeps"], **want["heads"]}
    answers = await asyncio.gather(
        *(look(client, wanted[name], memory.get(name), priority=first) for name, first in specs.items())
    )
    return dict(zip(specs, answers, strict=True))


def card(want: Json, answers: Mapping[str, Answer]) -> list[Any]:
    """Everything about the pins that has come so far."""
    place = place_of(want["address"])
    if not want["pins"]:
        return [html.H2("Pinned heads"), html.P(NO_PINS, className="note")]
    pins = [pinned_of(label, answers) for label in want["pins"]]
    between = two_of(pins, want["between"])
    heads = [pin for pin in pins if pin.node.head is not None]
    errors = [answer.error for answer in answers.values() if answer.error]
    jobs = [f"{name}: {progress(answer.job)}" for name, answer in answers.items() if answer.job]
    said = {sentence for answer in answers.values() if answer.body for sentence in answer.body["warnings"]}
    return [
        html.H2("Pinned heads"),
        *([html.P(ONE_PIN, className="note")] if len(pins) == 1 else []),
        *warnings(sorted(said)),
        *([broken(errors[0])] if errors else []),
        *(html.P(line, className="note") for line in jobs[:2]),
        *(controls(heads, between, place) if heads else []),
        html.Div([numbers_table(pins, place), *by_role(heads, between, place)], className="pinned-tables"),
        *(on_question(heads, between, place) if heads else []),
        origins(answers),
    ]


def controls(heads: list[Pinned], between: Between, place: Place) -> list[Any]:
    """How attention is weighted, and which two heads are subtracted where there are more."""
    pairs = [f"{one.node},{other.node}" for at, one in enumerate(heads) for other in heads[at + 1 :]]
    chosen = f"{between[0].node},{between[1].node}" if between else ""
    shown = [segmented("weighting", WEIGHTING_NAME, place.weighting, "How attention is weighted")]
    if len(pairs) > 1:
        named = {name: name.replace(",", " and ") for name in pairs}
        shown.append(segmented("between", named, chosen, "Which two are subtracted"))
    return [html.Div(shown, className="compare-controls")]


def by_role(heads: list[Pinned], between: Between, place: Place) -> list[Any]:
    """Where they look by kind of token, over all pairs; logits have no such shares."""
    weighting = place.weighting if place.weighting != "signed" else "raw"
    return [roles_table(heads, weighting, between)] if any(head.roles for head in heads) else []


def on_question(heads: list[Pinned], between: Between, place: Place) -> list[Any]:
    """Where they look token by token on the question that is shown."""
    apart = difference_strip(*between, place.weighting) if between else []
    title = f"Where they look from the final position, question {place.index + 1}"
    return [html.H3(title), strips(heads, place.weighting), *apart]


def pinned_of(label: str, answers: Mapping[str, Answer]) -> Pinned:
    """One pin with its bodies."""
    bodies = {name: answer.body for name, answer in answers.items()}
    return Pinned(
        Node.read(label),
        bodies.get("effects"),
        bodies.get("categories"),
        bodies.get(f"attention of {label}"),
        bodies.get(f"tokens of {label}"),
    )


def two_of(pins: list[Pinned], between: list[str]) -> Between:
    """The two pins that are subtracted: those of the address, otherwise the first two heads."""
    heads = {str(pin.node): pin for pin in pins if pin.node.head is not None}
    named = [heads[label] for label in between if label in heads]
    first = named if len(named) == 2 else list(heads.values())[:2]
    return (first[0], first[1]) if len(first) == 2 else None


def origins(answers: Mapping[str, Answer]) -> html.Details:
    """Where the numbers come from, a line for each result."""
    lines = [
        html.Div([html.Span(name), html.Div(audit(answer.body), className="audit")], className="origin")
        for name, answer in answers.items()
        if answer.body
    ]
    words = f"Where these numbers come from: {count(len(lines), 'result')}"
    return html.Details([html.Summary(words), *lines], className="more")
