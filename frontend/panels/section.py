"""A section that is measured on demand: a button starts it and the address keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.controls import go
from frontend.figures.notices import broken, progress, warnings
from frontend.panels.follow import Answer, look, machinery
from frontend.panels.links import place_of
from frontend.panels.seen import Seen
from frontend.theme import PALETTES, Palette

Json = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One question about a node: its name in the address, its words, what draws its result.

    Where there is `then`, the section starts from another result: it makes the section's spec from that one,
    and `before` says what is waited for.
    """

    name: str
    title: str
    aim: str
    draw: Callable[[Json, Mapping[str, Any], Palette], list[Any]]
    unit: str = "pair"
    then: Callable[[Mapping[str, Any], Json], Json] | None = None
    before: str = ""
    controls: Callable[[Mapping[str, Any]], list[Any]] | None = None
    above: Callable[[], Any] | None = None  # what stays as it is when the body is drawn anew


def layout(section: Section) -> html.Section:
    """Title, aim, buttons, an empty body."""
    name = section.name
    buttons = [
        _measure(section),
        _button("Cancel", name, "cancel", section.title),
        _button("Measure again", name, "again", section.title),
    ]
    said = html.Div(
        id=ids.section(name, "progress"), className="progress", role="status", **attrs(aria_live="polite")
    )
    head = html.Div(
        [html.H2(section.title), html.Div([said, *buttons], className="section-tools")],
        className="section-head",
    )
    return html.Section(
        [
            head,
            html.P(section.aim, className="note aim"),
            html.Div(id=ids.section(name, "controls")),
            *([section.above()] if section.above else []),
            html.Div(id=ids.section(name, "body"), className="section-body"),
            *machinery(ids.section(name, "job")),
        ],
        id=ids.section(name, "card"),
        className="panel section",
        hidden=True,
        **attrs(aria_label=section.title),
    )


def _measure(section: Section) -> html.Div:
    """The button, and beside it what pressing it will take; see `estimates`."""
    button = go("Measure", measure=section.name, label=f"Measure: {section.title}")
    return html.Div(
        [
            html.Span(id=ids.section(section.name, "estimate"), className="estimate"),
            html.Span(button, id=ids.section(section.name, "go")),
        ],
        id=ids.section(section.name, "measure"),
        className="measure",
    )


def _button(text: str, name: str, part: str, title: str) -> html.Button:
    label = attrs(aria_label=f"{text}: {title}")
    return html.Button(
        text, id=ids.section(name, part), className="button", hidden=True, type="button", **label
    )


def register(app: Dash, client: BackendClient, section: Section) -> None:
    """Follow the section's job while there is one; cancel; go on after a cancel or a failure."""
    _register_fill(app, client, section)
    _register_cancel(app, client, section.name)
    app.clientside_callback(
        ClientsideFunction("headscope", "redrawn"),
        Output(ids.section(section.name, "card"), "data-drawn"),
        Input(ids.section(section.name, "body"), "children"),
        Input(ids.section(section.name, "card"), "id"),
    )


def _register_fill(app: Dash, client: BackendClient, section: Section) -> None:
    name, job = section.name, ids.section(section.name, "job")
    outputs = {
        "controls": Output(ids.section(name, "controls"), "children"),
        "body": Output(ids.section(name, "body"), "children"),
        "progress": Output(ids.section(name, "progress"), "children"),
        "measure_hidden": Output(ids.section(name, "measure"), "hidden"),
        "cancel_hidden": Output(ids.section(name, "cancel"), "hidden"),
        "again_hidden": Output(ids.section(name, "again"), "hidden"),
        "hidden": Output(ids.section(name, "card"), "hidden"),
        "memory": Output(ids.memory(job), "data"),
        "poll_off": Output(ids.poll(job), "disabled"),
    }

    @app.callback(
        output=outputs,
        inputs={
            "want": Input(ids.WANT_SECTION[name], "data"),
            "theme": State(ids.THEME, "data"),
            "again": Input(ids.section(name, "again"), "n_clicks"),
            "tick": Input(ids.poll(job), "n_intervals"),
        },
        state={"memory": State(ids.memory(job), "data")},
        running=[(Output(ids.poll(job), "max_intervals"), 0, -1)],
    )
    async def fill(want: Json | None, theme: str | None, again: int, tick: int, memory: Json | None) -> Json:
        del again, tick
        quiet = {**dict.fromkeys(outputs, no_update), "poll_off": True}
        if want is None:
            return {**quiet, "hidden": True}
        pressed = ctx.triggered_id == ids.section(name, "again")
        seen = Seen.read(memory)
        if not (want["asked"] or pressed or seen.shows(want["spec"])):
            return {**quiet, **waiting(), "controls": controls(section, want), "memory": memory}
        answer = await measured(client, section, want["spec"], replace(seen, last={}) if pressed else seen)
        news = seen.after(want["spec"], answer)
        polled = ctx.triggered_id == ids.poll(job)
        stays = polled and seen.last == news.last
        body = no_update if stays else drawn(section, answer, want, PALETTES[theme or "light"])
        shown = {"body": body, "controls": no_update if polled else controls(section, want)}
        return {**told(section, answer), **shown, "memory": no_update if stays else news.written}


def _register_cancel(app: Dash, client: BackendClient, name: str) -> None:
    @app.callback(
        Output(ids.section(name, "cancel"), "disabled"),
        Input(ids.section(name, "cancel"), "n_clicks"),
        State(ids.memory(ids.section(name, "job")), "data"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, memory: Json | None) -> bool:
        key = Seen.read(memory).last.get("key")
        if key:
            await client.cancel(key)
        return False


async def measured(client: BackendClient, section: Section, spec: Json, seen: Seen) -> Answer:
    """The answer to the section's spec, by way of the result that it starts from if there is one."""
    if section.then is None:
        return await look(client, spec, seen.followed(spec), priority=priority_of(spec))
    first = await look(client, spec, seen.followed(spec))
    if first.body is None or not first.body["complete"]:
        return Answer(spec, first.key, None, first.job, first.error)
    try:
        own = section.then(spec, first.body)
    except KeyError:
        error = BackendError("no_ranking", "The effects came without a ranking of the nodes.")
        return Answer(spec, first.key, error=error)
    return await look(client, own, seen.followed(own), priority=priority_of(own))


def priority_of(spec: Json) -> str:
    """One pair is answered at once; what runs over all of them waits for clicks."""
    return "sweep" if spec["prompts"]["index"] is None else "click"


def controls(section: Section, want: Mapping[str, Any]) -> list[Any]:
    """What can be chosen for this section alone."""
    return section.controls(want) if section.controls else []


def waiting() -> Json:
    """Before anybody has asked."""
    return {
        "body": [],
        "progress": "",
        "measure_hidden": False,
        "cancel_hidden": True,
        "again_hidden": True,
        "hidden": False,
    }


def told(section: Section, answer: Answer) -> Json:
    """What is happening, and what can be done about it."""
    first = section.then is not None and answer.job and answer.job["analysis"] == "effects"
    words = progress(answer.job, section.unit) if answer.job else ""
    return {
        "progress": f"{section.before}: {words}" if first else words,
        "measure_hidden": True,
        "cancel_hidden": answer.state not in ("queued", "running"),
        "again_hidden": not answer.may_restart,
        "hidden": False,
        "poll_off": not answer.pending,
    }


def drawn(section: Section, answer: Answer, want: Mapping[str, Any], palette: Palette) -> list[Any]:
    """The figure as far as it is, with its warnings and its audit strip."""
    problem = [broken(answer.error)] if answer.error else []
    if answer.body is None:
        return problem
    foot = html.Div(audit(answer.body, place_of(want["address"])), className="audit")
    return [*problem, *warnings(answer.body["warnings"]), *section.draw(answer.body, want, palette), foot]
