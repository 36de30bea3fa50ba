"""Computing a stored figure anew: the button, its job, and how far the new numbers are from the old."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from frontend import ids
from frontend.client import BackendClient, Pending
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.notices import broken, progress
from frontend.panels.follow import Answer, look, machinery
from frontend.phrases import with_unit
from frontend.words import visible

Json = dict[str, Any]


def button() -> html.Button:
    """Among what can be done with the figure."""
    return html.Button("Recompute", id=ids.FIGURE_AGAIN, className="button", type="button", hidden=True)


def layout() -> list[Any]:
    """Progress, cancel, and the sentence on what came out."""
    line = html.Div(id=ids.FIGURE_PROGRESS, className="progress", role="status", **attrs(aria_live="polite"))
    cancel = html.Button("Cancel", id=ids.FIGURE_CANCEL, className="quiet", type="button", hidden=True)
    return [html.Div([line, cancel], className="busy-line recompute"), *machinery(ids.FIGURE_BODY)]


OUTPUTS = {
    "progress": Output(ids.FIGURE_PROGRESS, "children"),
    "disabled": Output(ids.FIGURE_AGAIN, "disabled"),
    "cancel_hidden": Output(ids.FIGURE_CANCEL, "hidden"),
    "arrived": Output(ids.FIGURE_ARRIVED, "data"),
    "memory": Output(ids.memory(ids.FIGURE_BODY), "data"),
    "poll_off": Output(ids.poll(ids.FIGURE_BODY), "disabled"),
}
AT_REST = {
    "progress": "",
    "disabled": False,
    "cancel_hidden": True,
    "arrived": no_update,
    "memory": None,
    "poll_off": True,
}


def register(app: Dash, client: BackendClient) -> None:
    """Start when pressed, follow the job, forget it when another figure is opened; cancel."""

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_FIGURE, "data"),
            "pressed": Input(ids.FIGURE_AGAIN, "n_clicks"),
            "tick": Input(ids.poll(ids.FIGURE_BODY), "n_intervals"),
        },
        state={"memory": State(ids.memory(ids.FIGURE_BODY), "data")},
        running=[(Output(ids.poll(ids.FIGURE_BODY), "max_intervals"), 0, -1)],
        prevent_initial_call=True,
    )
    async def again(want: Json | None, pressed: int | None, tick: int, memory: Json | None) -> Json:
        del pressed, tick
        key = want["key"] if want else None
        if key and ctx.triggered_id == ids.FIGURE_AGAIN:
            return told(await started(client, key), key)
        if key and memory and memory["of"] == key:
            return told(await look(client, memory["spec"], memory), key)
        return AT_REST

    @app.callback(
        Output(ids.FIGURE_CANCEL, "disabled"),
        Input(ids.FIGURE_CANCEL, "n_clicks"),
        State(ids.memory(ids.FIGURE_BODY), "data"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, memory: Json | None) -> bool:
        if memory and memory["key"]:
            await client.cancel(memory["key"])
        return False


async def started(client: BackendClient, key: str) -> Answer:
    """A job that computes the same anew; where the numbers are gone, one that brings them back."""
    try:
        record = await client.record(key)
        if record["stored"]:
            new = await client.again(key)
            return Answer(record["spec"], new.key, job=new.job)
        got = await client.request(record["spec"], "click")
    except BackendError as error:
        return Answer(None, error=error)
    if isinstance(got, Pending):
        return Answer(record["spec"], got.key, job=got.job)
    return Answer(record["spec"], got.key, got.body)


def told(answer: Answer, key: str) -> Json:
    """How far it is, or what came out."""
    running = answer.state in ("queued", "running", "waiting")
    found = result(answer, key) if answer.state == "done" and answer.body else None
    words = [broken(answer.error)] if answer.error else found
    if words is None:
        words = progress(answer.job) if answer.job else ""
    return {
        "progress": words,
        "disabled": running,
        "cancel_hidden": not running,
        "arrived": answer.key if found is not None else no_update,
        "memory": {**answer.memory, "of": key} if running else None,
        "poll_off": not answer.pending,
    }


def result(answer: Answer, key: str) -> list[Any]:
    """What a finished computation says: how far the numbers are apart, and where the new ones are."""
    body = answer.body or {}
    again = body["details"].get("again")
    if again is None:
        if answer.key == key:
            return [html.Span("Computed again; these are its numbers.")]
        other = "Computed with today’s weights and libraries, which gives another result: "
        return [html.Span(other), html.A("open it", href=f"/f/{answer.key}"), "."]
    link = html.A("Open the new result", href=f"/f/{answer.key}")
    return [html.Span(f"Recomputed today: {difference(again)} "), link, "."]


def difference(again: Mapping[str, Any]) -> str:
    """`largest difference 0 logits over 1,234 values.`"""
    largest, n = again["largest_difference"], f"{again['n_values']:,}"
    said = [f"largest difference {amount(largest, again['unit'])} over {n} values."]
    if largest is None:
        said = ["no value could be compared."]
    said += [visible(sentence) for sentence in again.get("differs", [])]
    if not again["same_key"]:
        said.append("The weights, the questions or a library have changed since.")
    return " ".join(said)


def amount(value: float | None, unit: str) -> str:
    """`0 logits`, `2e−7 logits`, `0.013`."""
    text = "0" if value == 0 else f"{value:.2g}".replace("e-0", "e−").replace("e-", "e−")
    return with_unit(text, unit)


def of_another(body: Mapping[str, Any]) -> list[Any]:
    """On the page of a result that was computed again: of which, and how far it is off."""
    again = body["details"].get("again")
    if not again:
        return []
    link = html.A("another figure", href=f"/f/{again['of']}")
    said = [html.Span("Computed again, of "), link, html.Span(f": {difference(again)}")]
    return [html.Div(said, className="notice warning", role="note")]
