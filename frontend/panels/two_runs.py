"""Two runs of the map side by side: which ones, how far they are, and what they say."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.compared import OTHER_MODEL
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.controls import segmented
from frontend.figures.notices import broken, progress
from frontend.figures.two_runs import two_maps
from frontend.panels.follow import Answer, look, machinery
from frontend.state import DEFAULT
from frontend.still import HTML
from frontend.words import VIEW_NAME, VIEW_TABLE, count, visible

Json = dict[str, Any]
SIDES = ("left", "right")
NOTHING = (
    "Choose what stands on the right: another stored run, or the same measurement on another model, which is "
    "then made."
)


def layout() -> html.Section:
    """Which runs, then what they say."""
    return html.Section(
        [
            html.H2("Two runs"),
            html.Div(id=ids.RUNS_CHOICE),
            html.Div(id=ids.RUNS),
            *machinery(ids.RUNS),
        ],
        className="panel section",
        **attrs(aria_label="Two runs"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Offer what is stored; follow both runs."""

    @app.callback(
        Output(ids.RUNS_CHOICE, HTML),
        Input(ids.WANT_RUNS, "data"),
        Input(ids.memory(ids.RUNS), "data"),
    )
    async def choice(want: Json | None, _memory: Json | None) -> Any:
        if want is None:
            return no_update
        try:
            records, models = await client.records(analysis="effects"), await client.models()
        except BackendError as error:
            return [broken(error)]
        return choices(want, records, models)

    @app.callback(
        Output(ids.RUNS, "children"),
        Output(ids.memory(ids.RUNS), "data"),
        Output(ids.poll(ids.RUNS), "disabled"),
        Input(ids.WANT_RUNS, "data"),
        Input(ids.poll(ids.RUNS), "n_intervals"),
        State(ids.memory(ids.RUNS), "data"),
        running=[(Output(ids.poll(ids.RUNS), "max_intervals"), 0, -1)],
    )
    async def runs(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        if not want["right"]:
            return [html.P(NOTHING, className="note")], no_update, True
        answers = {side: await run_of(client, want, side, (memory or {}).get(side)) for side in SIDES}
        news = {side: answer.memory for side, answer in answers.items()}
        stays = ctx.triggered_id == ids.poll(ids.RUNS) and news == memory
        shown = no_update if stays else side_by_side(want, answers)
        return shown, news, not any(answer.pending for answer in answers.values())


async def run_of(client: BackendClient, want: Json, side: str, memory: Mapping[str, Any] | None) -> Answer:
    """The run of one side: the map's own, a stored one, or the other side's on another model.

    A stored result that had to make room is measured again from what was asked then.
    """
    chosen = want[side]
    try:
        if chosen.startswith(OTHER_MODEL):
            spec = await spec_of(client, want, "right" if side == "left" else "left")
            return await look(client, {**spec, "model": chosen.removeprefix(OTHER_MODEL)}, memory)
        if not chosen:
            return await look(client, want["spec"], memory)
        try:
            return Answer(None, chosen, (await client.stored(chosen)).body)
        except BackendError as error:
            if error.status != 404:
                raise
        return await look(client, await spec_of(client, want, side), memory)
    except BackendError as error:
        return Answer(None, chosen, error=error)


async def spec_of(client: BackendClient, want: Json, side: str) -> Json:
    """What was asked for on one side; another model's run is that of the map."""
    chosen = want[side]
    if not chosen or chosen.startswith(OTHER_MODEL):
        return want["spec"]
    return (await client.record(chosen))["spec"]


def choices(want: Json, records: list[Json], models: list[Json]) -> html.Div:
    """A list for each side: the map's own run, what is stored, the same on another model."""
    whole = [one for one in records if isinstance(one["spec"]["parameters"].get("nodes", "all"), str)]
    stored = {one["key"]: words_of(one) for one in whole}
    others = {f"{OTHER_MODEL}{one['id']}": one["title"] for one in models}
    own = {"left": "this map", "right": "choose …"}
    lists = [_list(side, want[side], own[side], stored, others) for side in SIDES]
    return html.Div(lists, className="choices runs-choice")


def words_of(record: Json) -> str:
    """One stored run in a line: model, prompts, what was patched, when."""
    chosen = record["spec"]["parameters"].items()
    changed = [str(value).replace("_", " ") for name, value in chosen if value != getattr(DEFAULT, name, "")]
    about = [record["model"], record["prompts"], count(record["n"], "pair")]
    parts = [*about, *changed, str(record["date"])[:10]]
    return visible(" · ".join(part for part in parts if part))


def _list(
    side: str, chosen: str, own: str, stored: Mapping[str, str], others: Mapping[str, str]
) -> html.Label:
    groups = {"stored runs": stored, "the same on another model": others}
    known = {"", *stored, *others}
    first = [html.Option(own, value="", selected=not chosen)]
    if chosen not in known:
        first.append(html.Option(f"key {chosen[:12]}", value=chosen, selected=True))
    listed = [
        html.Optgroup(
            [html.Option(text, value=value, selected=value == chosen) for value, text in group.items()],
            label=name,
        )
        for name, group in groups.items()
        if group
    ]
    select = html.Select([*first, *listed], **attrs(data_choice=side, aria_label=f"Run on the {side}"))
    return html.Label([html.Span(side), select], className="choice" + (" changed" if chosen else ""))


def side_by_side(want: Json, answers: Mapping[str, Answer]) -> list[Any]:
    """Both maps as soon as both runs have some values."""
    errors = [
        html.Div([html.H3(f"No run on the {side}"), broken(answer.error)])
        for side, answer in answers.items()
        if answer.error
    ]
    jobs = [
        html.P(f"{side}: {progress(answer.job)}", className="note")
        for side, answer in answers.items()
        if answer.job
    ]
    bodies = [answer.body for answer in answers.values() if answer.body]
    if len(bodies) < len(SIDES):
        return [*errors, *jobs]
    left, right = bodies
    missing = {
        view: f"{VIEW_NAME[view]} was not measured in both."
        for view, table in VIEW_TABLE.items()
        if not all(table in body["tables"] for body in bodies)
    }
    view = want["view"] if want["view"] not in missing else "total"
    return [
        *errors,
        *jobs,
        segmented("view", VIEW_NAME, view, "What the colour means", missing=missing),
        *two_maps(left, right, VIEW_TABLE[view]),
        *(html.Div(audit(body), className="audit") for body in bodies),
    ]
