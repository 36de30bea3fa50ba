"""The page of one node: its numbers from the same result as the map, and a sentence made from them."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.choices import choices_of, choices_row
from frontend.figures.head import Measured, head_numbers, head_sentence, neighbours
from frontend.figures.notices import broken, loading_line, progress, warnings
from frontend.nodes import Node
from frontend.panels import notes, pins, verdict
from frontend.panels.follow import Answer, look, machinery
from frontend.panels.links import place_of
from frontend.results import node_index
from frontend.state import DEFAULT
from frontend.still import HTML, within

Json = dict[str, Any]


def layout() -> list[Any]:
    """Title row, sentence and numbers."""
    return [
        html.Div(
            [html.Div(id=ids.HEAD_TITLE, className="title-parts"), verdict.chip(), pins.tools("head")],
            className="title-row",
        ),
        html.P(id=ids.HEAD_SENTENCE, className="lead", role="status", **attrs(aria_live="polite")),
        html.Div(id=ids.CHOICES_ON["head"], **within(choices_row(DEFAULT))),
        html.Div(id=ids.HEAD_NOTICE),
        html.Div(id=ids.HEAD_NUMBERS, className="numbers six"),
        notes.layout("head"),
        *machinery(ids.HEAD_NUMBERS),
    ]


def register(app: Dash, client: BackendClient) -> None:
    """Fill the head page when its node or the prompts change, and while its job runs."""
    _register_title(app, client)

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_HEAD, "data"),
            "pattern": Input(ids.memory(ids.HEAD_PATTERN), "data"),
            "tick": Input(ids.poll(ids.HEAD_NUMBERS), "n_intervals"),
        },
        state={"memory": State(ids.memory(ids.HEAD_NUMBERS), "data")},
        running=[(Output(ids.poll(ids.HEAD_NUMBERS), "max_intervals"), 0, -1)],
    )
    async def head(want: Json | None, pattern: Json | None, tick: int, memory: Json | None) -> Json:
        del tick
        if want is None:
            return {**dict.fromkeys(OUTPUTS, no_update), "poll_off": True}
        answer = await look(client, want["spec"], memory)
        try:
            model = await client.model(want["spec"]["model"])
        except BackendError:
            model = {}
        return shown(want, answer, model, await attention_body(client, want, pattern))


def _register_title(app: Dash, client: BackendClient) -> None:
    """The node and its neighbours, which wait for no result."""

    @app.callback(Output(ids.HEAD_TITLE, HTML), Input(ids.WANT_HEAD, "data"))
    async def title(want: Json | None) -> Any:
        if want is None:
            return no_update
        try:
            model = await client.model(want["spec"]["model"])
        except BackendError:
            model = {}
        return neighbours(place_of(want["address"]), model.get("dimensions"))


OUTPUTS = {
    "sentence": Output(ids.HEAD_SENTENCE, "children"),
    "notice": Output(ids.HEAD_NOTICE, HTML),
    "numbers": Output(ids.HEAD_NUMBERS, HTML),
    "audit": Output(ids.HEAD_AUDIT, HTML),
    "poll_off": Output(ids.poll(ids.HEAD_NUMBERS), "disabled"),
    "memory": Output(ids.memory(ids.HEAD_NUMBERS), "data"),
}


async def attention_body(client: BackendClient, want: Json, pattern: Mapping[str, Any] | None) -> Json | None:
    """The attention of the same head over the same prompts, if its panel has it."""
    if not pattern or not pattern.get("key"):
        return None
    spec = pattern["spec"]
    same = spec["prompts"] == want["spec"]["prompts"] and spec["model"] == want["spec"]["model"]
    node = str(Node(spec["parameters"]["layer"], spec["parameters"]["head"]))
    if not same or node != want["node"]:
        return None
    return (await look(client, spec, pattern)).body


def shown(want: Json, answer: Answer, model: Mapping[str, Any], pattern: Mapping[str, Any] | None) -> Json:
    """Every part of the page that is about the node's effects."""
    place, node = place_of(want["address"]), Node.read(want["node"])
    body, job = answer.body, answer.job
    row = node_index(body, node) if body else None
    known = Measured(node, body, row, pattern) if body and row is not None else None
    waiting = loading_line(model) if model and body is None else ""
    said = head_sentence(known, choices_of(place)) if known else waiting or (progress(job) if job else "")
    more = f" {progress(job)}." if body and job else ""
    troubles: list[Any] = [broken(answer.error)] if answer.error else []
    if body and known is None:
        troubles.append(html.P(f"{node} does not exist in this model.", className="notice broken"))
    return {
        "sentence": said + more,
        "notice": [*troubles, *(warnings(body["warnings"]) if body else [])],
        "numbers": head_numbers(place, known, pattern),
        "audit": audit(body, place) if body else "",
        "poll_off": not answer.pending,
        "memory": answer.memory,
    }
