"""The evidence card below the map: what patching the selected node does on this pair, and over all."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.evidence import (
    NUMBERS,
    big_number,
    head_of_card,
    letters,
    mean_lines,
    means_note,
    metric_table,
    no_node,
    on_label,
    pair_values,
    where_it_looks,
    why_not,
)
from frontend.figures.notices import broken, progress
from frontend.figures.preview import preview_layout
from frontend.nodes import Node
from frontend.panels import notes, pins, receivers
from frontend.panels.follow import Answer, body_now, look, look_at_all, machinery
from frontend.panels.links import place_of
from frontend.results import node_index, pair_of
from frontend.still import HTML, within

Json = dict[str, Any]


def layout() -> html.Section:
    """The card, empty until a node is selected."""
    return html.Section(
        [
            preview_layout(),
            html.Div([_title(), pins.tools("map")], className="evidence-head"),
            html.P(id=ids.PATH_SAID, className="note path-said", role="status"),
            html.Div(_filled(), id=ids.EVIDENCE, hidden=True),
            *machinery(ids.EVIDENCE),
            *machinery(ids.EVIDENCE_STRIP),
        ],
        id=ids.EVIDENCE_CARD,
        className="panel evidence",
        **attrs(aria_label="Evidence for the selected node", aria_live="polite"),
    )


def _title() -> html.Div:
    return html.Div(id=ids.EVIDENCE_TITLE, **within(no_node()))


def _filled() -> list[Any]:
    numbers = [
        big_number(name, "", html.Span(id=ids.MEANS[view]), id=ids.VALUES[view])
        for view, name in NUMBERS.items()
    ]
    attention = big_number("attention on the correct label", "", id=ids.VALUE_ATTENTION)
    return [
        html.Div([*numbers, attention], className="numbers five", id=ids.EVIDENCE_NUMBERS),
        html.P(id=ids.MEANS_NOTE, className="note"),
        receivers.layout(),
        html.Div(
            [html.Div(id=ids.EVIDENCE_LETTERS), html.Div(id=ids.EVIDENCE_STRIP)], className="evidence-more"
        ),
        html.Div(id=ids.EVIDENCE_METRICS, className="evidence-metrics"),
        notes.layout("map"),
    ]


def register(app: Dash, client: BackendClient) -> None:
    """Patch the selected node on the chosen pair; beside it the mean, as far as the sweep is."""
    _register_means(app, client)
    _register_effects(app, client)
    _register_strip(app, client)
    _register_metrics(app, client)


def _register_means(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.EVIDENCE_TITLE, HTML),
        Output(ids.EVIDENCE, "hidden"),
        *(Output(ids.MEANS[view], HTML) for view in NUMBERS),
        Output(ids.MEANS_NOTE, "children"),
        Input(ids.WANT_PAIR, "data"),
        Input(ids.memory(ids.MAP), "data"),
    )
    async def means(want: Json | None, sweep: Json | None) -> list[Any]:
        if want is None:
            return [no_update] * 7
        if want["node"] is None:
            return [no_node(), True, *[""] * 5]
        body = await body_now(client, sweep)
        at, place = node_index(body, Node.read(want["node"])) if body else None, place_of(want["address"])
        lines = [why_not(place, view) or mean_lines(body, view, at) for view in NUMBERS]
        return [head_of_card(place), False, *lines, means_note(body)]


def _register_effects(app: Dash, client: BackendClient) -> None:
    @app.callback(
        *(Output(ids.VALUES[view], "children") for view in NUMBERS),
        Output(ids.EVIDENCE_LETTERS, HTML),
        Output(ids.memory(ids.EVIDENCE), "data"),
        Output(ids.poll(ids.EVIDENCE), "disabled"),
        Input(ids.WANT_PAIR, "data"),
        Input(ids.poll(ids.EVIDENCE), "n_intervals"),
        State(ids.memory(ids.EVIDENCE), "data"),
        running=busy(ids.EVIDENCE, ids.EVIDENCE_NUMBERS, ids.EVIDENCE_LETTERS),
    )
    async def effects(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None or want["node"] is None:
            return (*[no_update] * 6, True)
        asked = {"effects": want["effects"], "prompts": want["spec"]}
        answers = await look_at_all(client, asked, memory or {})
        return effects_shown(want, answers)


def _register_strip(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.VALUE_ATTENTION, "children"),
        Output(ids.EVIDENCE_STRIP, HTML),
        Output(ids.memory(ids.EVIDENCE_STRIP), "data"),
        Output(ids.poll(ids.EVIDENCE_STRIP), "disabled"),
        Input(ids.WANT_PAIR, "data"),
        Input(ids.poll(ids.EVIDENCE_STRIP), "n_intervals"),
        State(ids.memory(ids.EVIDENCE_STRIP), "data"),
        running=busy(ids.EVIDENCE_STRIP, ids.EVIDENCE_STRIP),
    )
    async def strip(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None or want["node"] is None:
            return (*[no_update] * 3, True)
        if want["tokens"] is None:
            return "", [], None, True
        answer = await look(client, want["tokens"], memory, priority="click")
        shown = where_it_looks(answer.body) if answer.body else trouble([answer])
        return on_label(answer.body), shown, answer.memory, not answer.pending


def _register_metrics(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.EVIDENCE_METRICS, HTML),
        Input(ids.memory(ids.EVIDENCE), "data"),
        Input(ids.memory(ids.MAP), "data"),
        State(ids.WANT_PAIR, "data"),
    )
    async def metrics(pair: Json | None, sweep: Json | None, want: Json | None) -> Any:
        if want is None or want["node"] is None or not pair:
            return no_update
        effects = await body_now(client, pair["effects"])
        over_all = await body_now(client, sweep)
        place = node_index(over_all, Node.read(want["node"])) if over_all else None
        return metric_table(effects, over_all, place)


def busy(panel: str, *parts: str) -> list[Any]:
    """While a callback runs: its parts, which show what was before, are veiled, and its timer rests."""
    usual = {part: "numbers five" if part == ids.EVIDENCE_NUMBERS else "" for part in parts}
    veils = [(Output(part, "className"), f"{name} veiled", name) for part, name in usual.items()]
    return [*veils, (Output(ids.poll(panel), "max_intervals"), 0, -1)]


def effects_shown(want: Json, answers: dict[str, Answer]) -> tuple[Any, ...]:
    """Numbers and letters of this pair, what to follow, and whether to look again."""
    effects, prompts = answers["effects"], answers["prompts"].body
    pair = pair_of(prompts, want["index"]) if prompts else None
    shown = letters(effects.body, pair) if effects.body else trouble([effects])
    memory = {name: answer.memory for name, answer in answers.items()}
    pending = any(answer.pending for answer in answers.values())
    return *pair_values(effects.body), shown, memory, not pending


def trouble(answers: Sequence[Answer]) -> list[Any]:
    """Why there is nothing yet: what is being waited for, or what went wrong."""
    errors = [broken(answer.error) for answer in answers if answer.error]
    return [*errors, *(html.P(progress(answer.job), className="note") for answer in answers if answer.job)]
