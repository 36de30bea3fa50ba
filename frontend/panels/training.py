"""The page on training: a slider over the checkpoints of all runs, their numbers, curves over the steps."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.controls import link
from frontend.figures.evidence import big_number
from frontend.figures.notices import broken, warnings
from frontend.figures.runs import Checkpoint, Run, runs_of, steps_of
from frontend.figures.training import curves, twin
from frontend.nodes import Node
from frontend.panels.follow import Answer, look, machinery
from frontend.panels.links import place_of
from frontend.results import Estimate
from frontend.state import State as Place
from frontend.still import HTML
from frontend.theme import PALETTES
from frontend.words import NONE, count, interval, number, percent

Json = dict[str, Any]
SHOWN = {
    "accuracy": ("accuracy, unchanged prompts", percent),
    "position_score": ("position score", number),
    "letter_score": ("letter score", number),
    "recovery": ("rank-3 recovery", percent),
}
OUTPUTS = {
    "slider": Output(ids.TRAINING_STEP, "data-range"),
    "numbers": Output(ids.TRAINING_NUMBERS, HTML),
    "curves": Output(ids.TRAINING_CURVES, "children"),
    "progress": Output(ids.TRAINING_PROGRESS, "children"),
    "notice": Output(ids.TRAINING_NOTICE, HTML),
    "cancel_hidden": Output(ids.TRAINING_CANCEL, "hidden"),
    "audit": Output(ids.TRAINING_AUDIT, HTML),
    "memory": Output(ids.memory(ids.TRAINING_CURVES), "data"),
    "poll_off": Output(ids.poll(ids.TRAINING_CURVES), "disabled"),
}


def layout() -> html.Div:
    """Slider, numbers of the chosen step, curves."""
    line = html.Div(
        id=ids.TRAINING_PROGRESS, className="progress", role="status", **attrs(aria_live="polite")
    )
    cancel = html.Button("Cancel", id=ids.TRAINING_CANCEL, className="quiet", hidden=True, type="button")
    slider = html.Div(id=ids.TRAINING_STEP, className="range training-step")
    steps = html.Section(
        [slider, html.Div([line, cancel], className="busy-line"), html.Div(id=ids.TRAINING_NUMBERS)],
        className="panel training-checkpoints",
        **attrs(aria_label="Checkpoints"),
    )
    figures = html.Section(
        html.Div(id=ids.TRAINING_CURVES), className="panel section", **attrs(aria_label="Over training")
    )
    return html.Div(
        [
            html.H1("What does training change?"),
            html.P(
                "The same measures at every checkpoint of every run, on the same questions: does it get "
                "cleaner with longer training, and do random labels give another feature?",
                className="lead",
            ),
            html.Div(id=ids.TRAINING_NOTICE),
            steps,
            figures,
            html.Footer(id=ids.TRAINING_AUDIT, className="audit"),
            *machinery(ids.TRAINING_CURVES),
        ],
        id=ids.TRAINING_PAGE,
        hidden=True,
    )


def register(app: Dash, client: BackendClient) -> None:
    """Ask for every checkpoint, draw what has come; cancel what is left."""

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_TRAINING, "data"),
            "theme": State(ids.THEME, "data"),
            "tick": Input(ids.poll(ids.TRAINING_CURVES), "n_intervals"),
        },
        state={"memory": State(ids.memory(ids.TRAINING_CURVES), "data")},
        running=[(Output(ids.poll(ids.TRAINING_CURVES), "max_intervals"), 0, -1)],
    )
    async def fill(want: Json | None, theme: str | None, tick: int, memory: Json | None) -> Json:
        del tick
        if want is None:
            return {**dict.fromkeys(OUTPUTS, no_update), "poll_off": True}
        place = place_of(want["address"])
        try:
            runs = runs_of(await client.models())
        except BackendError as error:
            return {**dict.fromkeys(OUTPUTS, no_update), "notice": [broken(error)], "poll_off": False}
        answers = await look_at(client, place, runs, (memory or {}).get("followed", {}))
        shows = {"address": want["address"], "theme": theme, "done": done_in(answers)}
        said = status(answers, {**shows, "followed": {name: one.memory for name, one in answers.items()}})
        if memory and all(memory.get(name) == value for name, value in shows.items()):
            return said
        return said | drawn(place, [filled(run, answers) for run in runs], theme or "light")

    @app.callback(
        Output(ids.TRAINING_CANCEL, "disabled"),
        Input(ids.TRAINING_CANCEL, "n_clicks"),
        State(ids.memory(ids.TRAINING_CURVES), "data"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, memory: Json | None) -> bool:
        followed = (memory or {}).get("followed", {}).values()
        left = [one["key"] for one in followed if one["key"] and one["state"] in ("queued", "running")]
        await asyncio.gather(*(client.cancel(key) for key in left))
        return False


async def look_at(
    client: BackendClient, place: Place, runs: Sequence[Run], memory: Mapping[str, Any]
) -> dict[str, Answer]:
    """How far every checkpoint is, by the model's id."""
    models = [one.model for run in runs for one in run.checkpoints]
    asked = {model: specs.checkpoint(place, model) for model in models}
    answers = await asyncio.gather(*(look(client, asked[model], memory.get(model)) for model in models))
    return dict(zip(models, answers, strict=True))


def done_in(answers: Mapping[str, Answer]) -> list[str]:
    """What has come or failed, to tell whether anything is to be drawn anew."""
    return [name for name, one in answers.items() if one.state in ("done", "failed")]


def filled(run: Run, answers: Mapping[str, Answer]) -> Run:
    """A run with the complete results of its checkpoints."""

    def result(one: Checkpoint) -> Checkpoint:
        answer = answers[one.model]
        body = answer.body if answer.state == "done" else None
        return replace(one, body=body, trouble=str(answer.error) if answer.error else "")

    return replace(run, checkpoints=[result(one) for one in run.checkpoints])


def status(answers: Mapping[str, Answer], memory: Json) -> Json:
    """How many checkpoints are measured, and whether to look again."""
    states = [one.state for one in answers.values()]
    done, waits = states.count("done"), any(one.pending for one in answers.values())
    errors = [one.error for one in answers.values() if one.error]
    cancelled = f", {states.count('cancelled')} cancelled" if "cancelled" in states else ""
    words = f"{done} of {count(len(states), 'checkpoint')} measured{cancelled}"
    return {
        **dict.fromkeys(OUTPUTS, no_update),
        "progress": words if done < len(states) else "",
        "notice": [broken(errors[0])] if errors else [],
        "cancel_hidden": not waits,
        "memory": memory,
        "poll_off": not waits,
    }


def drawn(place: Place, runs: Sequence[Run], theme: str) -> Json:
    """Slider, numbers and curves of what is measured."""
    if not runs:
        return {"numbers": html.P("This server has no training run.", className="note")}
    steps = steps_of(runs)
    step = max((one for one in steps if place.step is None or one <= place.step), default=steps[0])
    shown = [run.at(step) for run in runs]
    numbers = [run_numbers(place, run, step) for run in runs]
    strips = [html.Div(audit(one.body)) for one in shown if one.body]
    return {
        "slider": slider(steps, step),
        "numbers": html.Div(numbers, className="runs"),
        "curves": [*curves(runs, step, PALETTES[theme]), twin(runs)],
        "audit": strips,
    }


def slider(steps: Sequence[int], step: int) -> str:
    """What the page's script draws the slider from: it moves from checkpoint to checkpoint."""
    texts = [f"step {one:,}" for one in steps]
    about = {"label": "Checkpoint", "send": "step", "values": list(steps), "texts": texts}
    return json.dumps({**about, "low": 0, "high": len(steps) - 1, "step": 1, "value": steps.index(step)})


def run_numbers(place: Place, run: Run, step: int) -> html.Section:
    """One run at the chosen step: its numbers, and the ways into this checkpoint."""
    one = run.at(step)
    early = ", where this run begins" if one.step > step else ""
    there = replace(place, model=one.model, step=None)
    ways = [
        link("Open its map", replace(there, page="map"), model=one.model, set=there.set),
        link("Open its heads", replace(there, page="heads"), model=one.model, set=there.set),
    ]
    values = {table: one.value(table, *(["none"] if table == "accuracy" else [])) for table in SHOWN}
    numbers = [_number(name, values[table], write) for table, (name, write) in SHOWN.items()]
    why = html.P(one.trouble, className="note") if one.trouble else ""
    head = html.Div(
        [html.H2(run.title), html.Span(f"step {one.step:,}{early}", className="note")], className="run-head"
    )
    said = warnings(one.body["warnings"]) if one.body else []
    best = html.P(best_heads(there, one), className="note best-heads")
    parts = [
        head,
        html.Div(numbers, className="numbers"),
        best,
        why,
        *said,
        html.Div(ways, className="run-ways"),
    ]
    return html.Section(parts, **attrs(aria_label=run.title))


def best_heads(there: Place, one: Checkpoint) -> list[Any]:
    """The heads that write the letter at this step, each one press away."""
    labels = one.body["details"].get("heads", []) if one.body else []
    nodes = [Node.read(label) for label in labels]
    found = [
        link(
            str(node),
            replace(there, page="head", node=node),
            className="node-link",
            model=one.model,
            set=there.set,
        )
        for node in nodes
    ]
    spaced = [part for anchor in found for part in (anchor, " ")]
    return ["Best heads: ", *spaced] if found else []


def _number(name: str, value: Estimate | None, write: Any) -> html.Div:
    return big_number(name, write(value.mean) if value else NONE, interval(value, write))
