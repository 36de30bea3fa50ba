"""The page of all heads: how many there are of each category, thresholds to move, the table, QK-scores."""

import json
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.heads import rows_of
from frontend.figures.heads_table import counts_list, table_data, thresholds_list
from frontend.figures.notices import broken, loading_line, progress, warnings
from frontend.figures.qk import qk_table
from frontend.figures.verdict import exported
from frontend.panels import section
from frontend.panels.follow import Answer, body_now, look, machinery
from frontend.panels.links import place_of
from frontend.panels.section import Section
from frontend.still import HTML

Json = dict[str, Any]
QK = Section(
    "qk",
    "QK-score: who knows, but does not say",
    "How often a head’s query at the final position picks the correct label by its scores q · k alone, "
    "whatever the head writes and whatever the model says.",
    lambda body, want, _palette: qk_table(body, place_of(want["address"])),
)
OUTPUTS = {
    "counts": Output(ids.HEADS_COUNTS, HTML),
    "thresholds": Output(ids.HEADS_THRESHOLDS, HTML),
    "table": Output(ids.HEADS_TABLE, "data-heads"),
    "progress": Output(ids.HEADS_PROGRESS, "children"),
    "notice": Output(ids.HEADS_NOTICE, HTML),
    "cancel_hidden": Output(ids.HEADS_CANCEL, "hidden"),
    "again_hidden": Output(ids.HEADS_AGAIN, "hidden"),
    "audit": Output(ids.HEADS_AUDIT, HTML),
    "poll_off": Output(ids.poll(ids.HEADS_TABLE), "disabled"),
    "memory": Output(ids.memory(ids.HEADS_TABLE), "data"),
}


def layout(*figures: Any) -> html.Div:
    """Categories and thresholds at the left; figures, the table that is their twin, and QK-scores."""
    return html.Div(
        [
            html.H1("What does each head do?"),
            html.P(
                "Every head of the model with the category that its attention, its write and its effect "
                "speak for. Tick some to analyse them together; a name opens its page.",
                className="lead",
            ),
            html.Div([_side(), _centre(*figures)], className="columns heads-columns"),
            html.Footer(id=ids.HEADS_AUDIT, className="audit"),
            *machinery(ids.HEADS_TABLE),
            dcc.Download(id=ids.HEADS_FILE),
        ],
        id=ids.HEADS_PAGE,
        className="heads-page",
        hidden=True,
    )


def _side() -> html.Div:
    thresholds = html.Details(
        [html.Summary("Thresholds"), html.Div(id=ids.HEADS_THRESHOLDS)], className="more thresholds"
    )
    export = html.Button("Export verdicts", id=ids.HEADS_EXPORT, className="button", type="button")
    categories = html.Section(
        [html.H2("Categories"), html.Div(id=ids.HEADS_COUNTS), thresholds, export],
        **attrs(aria_label="Categories"),
    )
    return html.Div(categories, className="panel side")


def _centre(*figures: Any) -> html.Div:
    buttons = [
        html.Button("Cancel", id=ids.HEADS_CANCEL, className="quiet", hidden=True, type="button"),
        html.Button("Measure again", id=ids.HEADS_AGAIN, className="quiet", hidden=True, type="button"),
    ]
    line = html.Div(id=ids.HEADS_PROGRESS, className="progress", role="status", **attrs(aria_live="polite"))
    table = html.Section(
        [html.Div([line, *buttons], className="busy-line"), html.Div(id=ids.HEADS_TABLE)],
        className="panel heads-panel",
        **attrs(aria_label="All heads"),
    )
    return html.Div([html.Div(id=ids.HEADS_NOTICE), *figures, table, section.layout(QK)], className="centre")


def register(app: Dash, client: BackendClient) -> None:
    """Fill the page when the address or the job moves on; cancel; measure again; export."""

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_HEADS, "data"),
            "qk": Input(ids.QK_MEASURED, "data"),
            "again": Input(ids.HEADS_AGAIN, "n_clicks"),
            "tick": Input(ids.poll(ids.HEADS_TABLE), "n_intervals"),
        },
        state={"memory": State(ids.memory(ids.HEADS_TABLE), "data")},
        running=[(Output(ids.poll(ids.HEADS_TABLE), "max_intervals"), 0, -1)],
    )
    async def fill(want: Json | None, qk: Json | None, again: int, tick: int, memory: Json | None) -> Json:
        del again, tick
        if want is None:
            return {**dict.fromkeys(OUTPUTS, no_update), "poll_off": True}
        answer = await look(client, want["spec"], None if ctx.triggered_id == ids.HEADS_AGAIN else memory)
        stays = ctx.triggered_id == ids.poll(ids.HEADS_TABLE) and memory == answer.memory
        words = await waited_for(client, want["spec"]["model"], answer)
        if stays:
            return {**dict.fromkeys(OUTPUTS, no_update), **status(answer, words)}
        return shown(want, answer, words, await qk_body(client, want, qk))

    _register_cancel(app, client)
    _register_export(app, client)


def _register_cancel(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.HEADS_CANCEL, "disabled"),
        Input(ids.HEADS_CANCEL, "n_clicks"),
        State(ids.memory(ids.HEADS_TABLE), "data"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, memory: Json | None) -> bool:
        if memory and memory["key"]:
            await client.cancel(memory["key"])
        return False


def _register_export(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.HEADS_FILE, "data"),
        Input(ids.HEADS_EXPORT, "n_clicks"),
        State(ids.WANT_HEADS, "data"),
        State(ids.memory(ids.HEADS_TABLE), "data"),
        prevent_initial_call=True,
    )
    async def export(clicks: int | None, want: Json | None, memory: Json | None) -> Any:
        body = await body_now(client, memory) if clicks and want else None
        if want is None or body is None:
            return no_update
        text = json.dumps(exported(body, place_of(want["address"])), indent=1, ensure_ascii=False)
        return {"content": text, "filename": f"verdicts-{body['key'][:12]}.json", "type": "application/json"}


async def waited_for(client: BackendClient, model: str, answer: Answer) -> str:
    """What the page is waiting for: the model, or the job."""
    if answer.body is None and answer.state != "failed":
        try:
            loading = loading_line(await client.model(model))
        except BackendError:
            loading = ""
        if loading:
            return loading
    return progress(answer.job) if answer.job else ""


async def qk_body(client: BackendClient, want: Json, measured: Mapping[str, Any] | None) -> Json | None:
    """The QK-scores of the same heads on the same prompts, if they have been measured."""
    spec = measured["spec"] if measured else {}
    same = measured and all(spec[name] == want["spec"][name] for name in ("model", "prompts"))
    return await body_now(client, measured) if same else None


def status(answer: Answer, words: str) -> Json:
    """What is happening, and what can be done about it."""
    return {
        "progress": words,
        "cancel_hidden": answer.state not in ("queued", "running"),
        "again_hidden": not answer.may_restart,
        "poll_off": not answer.pending,
        "memory": answer.memory,
    }


def shown(want: Json, answer: Answer, words: str, qk: Json | None) -> Json:
    """Everything on the page as far as it is measured; without values what was there stays."""
    said = {**dict.fromkeys(OUTPUTS, no_update), **status(answer, words)}
    said["notice"] = [broken(answer.error)] if answer.error else []
    body, place = answer.body, place_of(want["address"])
    if body is None:
        return said
    rows = rows_of(body, place, qk)
    return said | {
        "counts": counts_list(rows, place, body),
        "thresholds": thresholds_list(body, place),
        "table": json.dumps(table_data(rows, place, with_qk=qk is not None)),
        "notice": [*said["notice"], *warnings(body["warnings"])],
        "audit": audit(body, place),
    }
