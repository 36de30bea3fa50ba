"""The map of all nodes with its views, its progress and its twin, the table of the strongest nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.choices import choices_of, choices_row
from frontend.figures.controls import segmented
from frontend.figures.estimate import offered
from frontend.figures.grid import Grid, grid_of, outline, ranked
from frontend.figures.legend import legend
from frontend.figures.map import CONFIG, box_style, empty_figure, map_figure
from frontend.figures.node_list import node_list
from frontend.figures.notices import broken, loading_line, progress, warnings
from frontend.figures.preview import previews
from frontend.figures.tables import coverage_note
from frontend.panels.follow import Answer, look, look_unless_long, machinery
from frontend.panels.links import place_of
from frontend.phrases import ONLY_WRITES, for_set, view_sentence
from frontend.state import DEFAULT
from frontend.state import State as Place
from frontend.still import HTML, within
from frontend.theme import LIGHT, PALETTES
from frontend.words import VIEW_NAME, VIEW_TABLE

Json = dict[str, Any]
TITLE = "What puts the right letter on top?"


@dataclass(frozen=True)
class Drawing:
    """What the map is drawn from: an answer, the model behind it, and how it is looked at."""

    answer: Answer
    model: Mapping[str, Any]
    want: Mapping[str, Any]
    theme: str

    @property
    def grid(self) -> Grid | None:
        """Measured cells, or the outline of the model."""
        if self.answer.body:
            return grid_of(self.answer.body, VIEW_TABLE[self.want["view"]])
        failure = self.answer.error.message if self.answer.state == "failed" and self.answer.error else ""
        return outline(self.model.get("dimensions"), failure, self.want["spec"]["parameters"]["nodes"])

    @property
    def place(self) -> Place:
        """What the address says of the map."""
        return place_of(self.want["address"])


def layout() -> list[Any]:
    """Title, sentence, views, legend, figure and the line on what is happening."""
    head = html.Div(
        [
            html.Div(id=ids.MAP_VIEWS, **within(views(DEFAULT))),
            html.Div(id=ids.MAP_LEGEND, **within(legend(0.0))),
        ],
        className="map-head",
    )
    figure = dcc.Graph(id=ids.MAP, figure=empty_figure(LIGHT), config=CONFIG, responsive=True)
    box = html.Div(
        html.Div(
            html.Div(figure, id=ids.MAP_BOX, className="map-box", style=box_style(None)),
            className="map-scroll",
        ),
        id=ids.MAP_GRID,
        className="panel map-panel",
        tabIndex=0,
        role="group",
        **attrs(
            aria_label="Map of nodes. Arrow keys look at cells, Enter selects one, and again opens it."
            " Shift and Enter add a receiver."
        ),
    )
    return [
        html.H1(TITLE, id=ids.MAP_TITLE),
        html.P(view_sentence(DEFAULT.view, choices_of(DEFAULT)), id=ids.MAP_SENTENCE, className="lead"),
        html.Div(id=ids.CHOICES_ON["map"], **within(choices_row(DEFAULT))),
        head,
        html.Div(id=ids.MAP_WARNINGS),
        box,
        _busy_line(),
        *machinery(ids.MAP),
    ]


def _busy_line() -> html.Div:
    buttons = [
        html.Button("Cancel", id=ids.MAP_CANCEL, className="quiet", hidden=True, type="button"),
        html.Button("Measure again", id=ids.MAP_AGAIN, className="quiet", hidden=True, type="button"),
    ]
    line = html.Div(id=ids.MAP_PROGRESS, className="progress", role="status", **attrs(aria_live="polite"))
    return html.Div([html.Div([line, *buttons], className="busy-line"), html.Div(id=ids.MAP_NOTICE)])


def table_layout() -> html.Section:
    """The card on the right."""
    return html.Section(
        [
            html.H2("Strongest nodes"),
            html.Div(id=ids.NODES, className="node-list"),
            html.Button("Show all nodes", id=ids.NODES_ALL, className="quiet", type="button"),
        ],
        **attrs(aria_label="Strongest nodes"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Draw when the address, the theme or the job moves on; cancel; measure again; list all nodes."""

    @app.callback(
        output=OUTPUTS,
        inputs={
            "want": Input(ids.WANT_MAP, "data"),
            "theme": State(ids.THEME, "data"),
            "again": Input(ids.MAP_AGAIN, "n_clicks"),
            "tick": Input(ids.poll(ids.MAP), "n_intervals"),
        },
        state={"memory": State(ids.memory(ids.MAP), "data")},
        running=[(Output(ids.poll(ids.MAP), "max_intervals"), 0, -1)],
    )
    async def draw(want: Json | None, theme: str, again: int, tick: int, memory: Json | None) -> Json:
        del again, tick
        if want is None or not theme:
            return {**dict.fromkeys(OUTPUTS, no_update), "poll_off": True}
        pressed = ctx.triggered_id == ids.MAP_AGAIN
        spec = want["spec"]
        answer = await (look(client, spec, None) if pressed else look_unless_long(client, spec, memory))
        unchanged = ctx.triggered_id == ids.poll(ids.MAP) and memory is not None and memory == answer.memory
        drawing = Drawing(answer, await model_of(client, want["model"], answer), want, theme)
        return status(drawing) if unchanged else drawn(drawing, memory)

    @app.callback(
        Output(ids.MAP_CANCEL, "disabled"),
        Input(ids.MAP_CANCEL, "n_clicks"),
        State(ids.memory(ids.MAP), "data"),
        prevent_initial_call=True,
    )
    async def cancel(_clicks: int, memory: Json | None) -> bool:
        if memory and memory["key"]:
            await client.cancel(memory["key"])
        return False


OUTPUTS = {
    "figure": Output(ids.MAP, "figure"),
    "box": Output(ids.MAP_BOX, "style"),
    "views": Output(ids.MAP_VIEWS, HTML),
    "legend": Output(ids.MAP_LEGEND, HTML),
    "title": Output(ids.MAP_TITLE, "children"),
    "sentence": Output(ids.MAP_SENTENCE, "children"),
    "table": Output(ids.NODES, HTML),
    "warnings": Output(ids.MAP_WARNINGS, HTML),
    "audit": Output(ids.AUDIT, HTML),
    "progress": Output(ids.MAP_PROGRESS, "children"),
    "notice": Output(ids.MAP_NOTICE, HTML),
    "cancel_hidden": Output(ids.MAP_CANCEL, "hidden"),
    "again_hidden": Output(ids.MAP_AGAIN, "hidden"),
    "again": Output(ids.MAP_AGAIN, "children"),
    "poll_off": Output(ids.poll(ids.MAP), "disabled"),
    "memory": Output(ids.memory(ids.MAP), "data"),
}


async def model_of(client: BackendClient, model: str, answer: Answer) -> Mapping[str, Any]:
    """The model's state while there are no values that would say as much."""
    if answer.body:
        return {}
    try:
        return await client.model(model)
    except BackendError:
        return {}


def status(drawing: Drawing) -> Json:
    """Only the words about what is happening; the figure stays as it is."""
    answer = drawing.answer
    loading = loading_line(drawing.model) if drawing.model else ""
    words = loading or (progress(answer.job) if answer.job else offered(answer.offer))
    return {
        **dict.fromkeys(OUTPUTS, no_update),
        "progress": words,
        "notice": [broken(answer.error)] if answer.error else [],
        "cancel_hidden": answer.state not in ("queued", "running"),
        "again_hidden": not answer.may_restart,
        "again": "Measure" if answer.offer else "Measure again",
        "poll_off": not answer.pending,
        "memory": answer.memory,
    }


def drawn(drawing: Drawing, before: Mapping[str, Any] | None) -> Json:
    """The whole map. Where nothing came back for the same spec, the last good figure stays."""
    grid, palette = drawing.grid, PALETTES[drawing.theme]
    place = drawing.place
    words = {"views": views(place), "title": for_set(TITLE, place.set), "sentence": sentence(place)}
    answer = drawing.answer
    if answer.body is None and before and before["spec"] == answer.spec and before["n_done"]:
        return {**status(drawing), **words, "memory": {**answer.memory, "n_done": before["n_done"]}}
    body = answer.body
    return {
        **status(drawing),
        **words,
        "figure": with_previews(map_figure(grid, palette) if grid else empty_figure(palette), body, place),
        "box": box_style(grid),
        "legend": legend(grid.largest, grid.unit) if grid else legend(0.0),
        "table": _table(drawing, grid),
        "warnings": warnings(body["warnings"]) if body else [],
        "audit": audit(body, place) if body else "",
    }


def with_previews(figure: Json, body: Json | None, place: Place) -> Json:
    """The figure with what its cells say when they are pointed at; the page's script shows it."""
    return {**figure, "layout": {**figure["layout"], "meta": previews(body, place)}}


def sentence(place: Place) -> str:
    """What the colour means, for these prompts."""
    return for_set(view_sentence(place.view, choices_of(place), place.nodes), place.set)


def views(place: Place) -> html.Div:
    """What the colour can mean; views that do not exist for these nodes and positions cannot be pressed."""
    missing = {view: f"{VIEW_NAME[view]} {ONLY_WRITES}." for view in VIEW_NAME if view not in place.views}
    return segmented("view", VIEW_NAME, place.view, "What the colour means", missing=missing)


def _table(drawing: Drawing, grid: Grid | None) -> Any:
    cells = ranked(grid, drawing.want["sort"]) if grid else []
    if not cells:
        return html.P("No node is measured yet.", className="note")
    view = drawing.want["view"]
    table = node_list(cells, drawing.want["sort"], VIEW_NAME[view])
    body = drawing.answer.body
    return [coverage_note(body), table] if view == "attribution" and body else table
