"""The capability gate: whether the model does the task at all, before a circuit is read into it."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.notices import progress
from frontend.panels.follow import Answer, look, machinery
from frontend.phrases import for_set, is_text_set, set_of
from frontend.results import Estimate, estimate, estimates
from frontend.still import HTML, within
from frontend.words import NONE, interval, number, percent, token

Json = dict[str, Any]
BY_CONTENT = "accuracy_by_content"
MAIN = (
    ("by letter", "accuracy_by_letter", percent),
    ("by content", BY_CONTENT, percent),
    ("both prompts of a pair", "accuracy_both", percent),
    ("centred logit of the letter", "centred_logit", number),
)
MORE = (
    ("loss, whole vocabulary (nats)", "nll", number),
    ("loss, letters only (nats)", "letter_nll", number),
)


def layout() -> html.Section:
    """The card under the question."""
    return html.Section(
        [
            html.H2("Can the model do it?"),
            html.Div(id=ids.GATE, className="gate", **within(gate_table(None))),
            *machinery(ids.GATE),
        ],
        **attrs(aria_label="Capability gate"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Measure the gate whenever the prompts change."""

    @app.callback(
        Output(ids.GATE, HTML),
        Output(ids.memory(ids.GATE), "data"),
        Output(ids.poll(ids.GATE), "disabled"),
        Input(ids.WANT_GATE, "data"),
        Input(ids.poll(ids.GATE), "n_intervals"),
        State(ids.memory(ids.GATE), "data"),
    )
    async def gate(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        answer = await look(client, want["spec"], memory)
        return shown(answer), answer.memory, not answer.pending


def shown(answer: Answer) -> list[Any]:
    """The table, with the verdict once it is there; its size does not change while it fills."""
    prompts = answer.spec["prompts"]["set"] if answer.spec else ""
    if answer.error:
        return [gate_table(None, prompts), html.P(f"Not measured: {answer.error}", className="note")]
    if answer.body is None:
        waiting = progress(answer.job) if answer.job else ""
        return [gate_table(None, prompts), html.P(waiting, className="note")]
    details = answer.body["details"]
    at_chance = " at-chance" if details.get("at_chance") else ""
    verdict = html.P(details.get("verdict", ""), className=f"note verdict{at_chance}")
    return [gate_table(answer.body), verdict, more_table(answer.body)]


def gate_table(body: Mapping[str, Any] | None, prompts: str = "") -> html.Table:
    """Name, value, interval; dashes where nothing is measured. Contents of plain texts are their answers."""
    prompts = set_of(body) if body else prompts
    rows = [row for row in MAIN if row[1] != BY_CONTENT or not is_text_set(prompts)]
    named = [_row(body, for_set(name, prompts), table, write) for name, table, write in rows]
    return html.Table(html.Tbody(named), className="table plain")


def more_table(body: Mapping[str, Any]) -> html.Details:
    """Losses, and how often each letter is found when it is the correct one."""
    letters = body["coordinates"]["answer"]
    recall = [
        _number_row(f"recall of {token(letter)}", share, percent)
        for letter, share in zip(letters, estimates(body, "recall"), strict=False)
    ]
    more = [_row(body, for_set(name, set_of(body)), table, write) for name, table, write in MORE]
    rows = [*more, *recall]
    table = html.Table(html.Tbody(rows), className="table plain")
    said = for_set("Losses and recall by letter", set_of(body))
    return html.Details([html.Summary(said), table], className="more")


def _row(body: Mapping[str, Any] | None, name: str, table: str, write: Any) -> html.Tr:
    return _number_row(name, estimate(body, table) if body else None, write)


def _number_row(name: str, value: Estimate | None, write: Any) -> html.Tr:
    spread = interval(value, lambda bound: write(bound).removesuffix(" %"))
    shown_value = write(value.mean) if value else NONE
    return html.Tr(
        [
            html.Th(name, scope="row"),
            html.Td(shown_value, className="number", title=f"95 % interval {spread}"),
        ]
    )
