"""A section that is measured on demand: a button starts it and the address keeps it. See `sections`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import html

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.controls import go
from frontend.figures.notices import broken, progress, warnings
from frontend.panels.follow import Answer, look
from frontend.panels.links import place_of
from frontend.panels.seen import Seen
from frontend.still import within
from frontend.theme import Palette

Json = dict[str, Any]
CANCEL, AGAIN = "cancel", "again"  # what can be pressed


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
    plots: bool = False  # whether plotly draws in the body


def layout(section: Section) -> html.Section:
    """Title, aim, what is happening, buttons, an empty body; components only where plotly draws in it."""
    name = section.name
    said = html.Div(
        id=ids.section(name, "progress"), className="progress", role="status", **attrs(aria_live="polite")
    )
    estimate = html.Span(id=ids.section(name, "estimate"), className="estimate")
    buttons = html.Div(id=ids.section(name, "buttons"), className="section-buttons")
    head = html.Div(
        [html.H2(section.title), html.Div([said, estimate, buttons], className="section-tools")],
        className="section-head",
    )
    parts = [
        head,
        html.P(section.aim, className="note aim"),
        html.Div(id=ids.section(name, "controls")),
        *([section.above()] if section.above else []),
        html.Div(id=ids.section(name, "body"), className="section-body"),
    ]
    inside = {"children": parts} if section.plots else within(parts)
    named = {"id": ids.section(name, "card"), **attrs(aria_label=section.title)}
    return html.Section(className="panel section", hidden=True, **named, **inside)


def _pressed(text: str, section: Section, what: str) -> html.Button:
    """A button whose press `sections` hears of."""
    told = json.dumps({"section": section.name, "what": what})
    named = attrs(aria_label=f"{text}: {section.title}", data_press=told)
    return html.Button(text, className="button", type="button", **named)


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


def waiting(section: Section) -> Json:
    """Before anybody has asked."""
    ask = go("Measure", measure=section.name, label=f"Measure: {section.title}")
    return {"body": [], "progress": "", "buttons": [ask]}


def told(section: Section, answer: Answer) -> Json:
    """What is happening, and what can be done about it."""
    first = section.then is not None and answer.job and answer.job["analysis"] == "effects"
    words = progress(answer.job, section.unit) if answer.job else ""
    cancel = [_pressed("Cancel", section, CANCEL)] if answer.state in ("queued", "running") else []
    again = [_pressed("Measure again", section, AGAIN)] if answer.may_restart else []
    return {"progress": f"{section.before}: {words}" if first else words, "buttons": [*cancel, *again]}


def drawn(section: Section, answer: Answer, want: Mapping[str, Any], palette: Palette) -> list[Any]:
    """The figure as far as it is, with its warnings and its audit strip."""
    problem = [broken(answer.error)] if answer.error else []
    if answer.body is None:
        return problem
    foot = html.Div(audit(answer.body, place_of(want["address"])), className="audit")
    return [*problem, *warnings(answer.body["warnings"]), *section.draw(answer.body, want, palette), foot]
