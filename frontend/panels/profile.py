"""What a node writes: its attribution to every letter, by which letter is correct. Heads and MLPs alike."""

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.notices import broken, progress
from frontend.figures.tables import profile_table
from frontend.nodes import Node
from frontend.panels.follow import Answer, look, machinery
from frontend.phrases import for_set, set_of
from frontend.results import component_index
from frontend.still import HTML

Json = dict[str, Any]


def layout() -> html.Section:
    """One card, on the page of every node."""
    return html.Section(
        [html.Div(id=ids.HEAD_PROFILE), *machinery(ids.HEAD_PROFILE)],
        className="panel",
        **attrs(aria_label="Letters that the node writes"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill the card when the node or the prompts change. One result serves all nodes of a model."""

    @app.callback(
        Output(ids.HEAD_PROFILE, HTML),
        Output(ids.memory(ids.HEAD_PROFILE), "data"),
        Output(ids.poll(ids.HEAD_PROFILE), "disabled"),
        Input(ids.WANT_PROFILE, "data"),
        Input(ids.poll(ids.HEAD_PROFILE), "n_intervals"),
        State(ids.memory(ids.HEAD_PROFILE), "data"),
        running=[(Output(ids.poll(ids.HEAD_PROFILE), "max_intervals"), 0, -1)],
    )
    async def profile(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        answer = await look(client, want["spec"], memory)
        return profile_card(answer, Node.read(want["node"])), answer.memory, not answer.pending


def profile_card(answer: Answer, node: Node) -> list[Any]:
    """The table, and how far it is."""
    problem = [broken(answer.error)] if answer.error else []
    running = [html.P(progress(answer.job), className="note")] if answer.job else []
    table = _table(answer.body, node) if answer.body else []
    prompts = answer.spec["prompts"]["set"] if answer.spec else ""
    head = html.H2(for_set("Correct letter × letter it writes", prompts))
    return [head, *table, *problem, *running]


def _table(body: Json, node: Node) -> list[Any]:
    row = component_index(body, node)
    if row is None:
        return []
    note = "Mean logits that its write adds to each letter, less the mean over the letters. Blue adds."
    source = attrs(data_key=body["key"], data_complete=str(body["complete"]).lower())
    return [
        html.Div(profile_table(body, row), **source),
        html.P(for_set(note, set_of(body)), className="note"),
    ]
