"""Effects and attributions of nodes as one figure: the map with its twin, and the numbers of one node."""

from collections.abc import Mapping
from typing import Any

from dash import dcc, html

from frontend.figures.attributes import attrs
from frontend.figures.choices import choices_of
from frontend.figures.controls import go, segmented
from frontend.figures.evidence import NUMBERS, big_number, metric_table, why_not
from frontend.figures.grid import FAILED, Cell, Grid, grid_of, ranked
from frontend.figures.legend import legend
from frontend.figures.map import CONFIG, box_style, map_figure
from frontend.figures.tables import coverage_note, letter_table, profile_table
from frontend.figures.twin import as_table
from frontend.nodes import Node
from frontend.phrases import ONLY_WRITES, for_set, view_sentence
from frontend.results import component_index, estimate, node_index
from frontend.state import State
from frontend.theme import Palette
from frontend.words import VIEW_NAME, VIEW_TABLE, count, effect, percent, spread

Json = Mapping[str, Any]
SHOWN = 18  # rows of the twin before it is opened


def effects(body: Json, place: State, palette: Palette) -> list[Any]:
    """The map in the chosen view, with the numbers of the chosen node; or only the nodes that were asked."""
    if not isinstance(body["spec"]["parameters"]["nodes"], str):
        return _asked_nodes(body, place)
    missing = {view: f"{VIEW_NAME[view]} {ONLY_WRITES}." for view in VIEW_NAME if view not in place.views}
    views = segmented("view", VIEW_NAME, place.view, "What the colour means", missing=missing)
    more = [coverage_note(body)] if place.view == "attribution" else []
    grid = grid_of(body, VIEW_TABLE[place.view])
    return [*_map(grid, place, palette, views), *more, *_twin(grid, place), *_of_node(body, place)]


def attribution(body: Json, place: State, palette: Palette) -> list[Any]:
    """The map of what every head and MLP writes for the correct letter; the letters of the chosen node."""
    grid = grid_of(_as_nodes(body), "attribution")
    row = component_index(body, place.node) if place.node else None
    letters = (
        [
            html.H3(for_set(f"{place.node}: correct letter × letter it writes", place.set)),
            profile_table(body, row),
        ]
        if row is not None
        else []
    )
    return [*_map(grid, place, palette, html.Div()), *_twin(grid, place), _bookkeeping(body), *letters]


def _as_nodes(body: Json) -> Json:
    """Heads and MLPs of an `attribution` result in the form of an `effects` result."""
    listed = [(at, one) for at, one in enumerate(body["coordinates"]["component"]) if _is_node(one)]
    net = body["tables"]["net"]
    parts = {end: net[end] and [net[end][at] for at, _ in listed] for end in ("mean", "low", "high")}
    failures = [one | {"table": "attribution"} for one in body["failures"] if one["table"] == "net"]
    return {
        "coordinates": {"node": [one for _, one in listed]},
        "tables": {"attribution": {**net, "axes": ["node"], **parts}},
        "failures": failures,
        "complete": body["complete"],
        "n_done": body["n_done"],
    }


def _is_node(component: Json) -> bool:
    return component["kind"] in ("head", "mlp")


def _bookkeeping(body: Json) -> html.P:
    """What is neither head nor MLP: embedding and biases, which the map has no cell for."""
    said = [
        f"{one['label']} {effect(estimate(body, 'net', at))}"
        for at, one in enumerate(body["coordinates"]["component"])
        if not _is_node(one)
    ]
    return html.P(f"Not on the map, in logits: {', '.join(said)}." if said else "", className="note")


def _map(grid: Grid, place: State, palette: Palette, views: Any) -> list[Any]:
    said = for_set(view_sentence(place.view, choices_of(place), place.nodes), place.set)
    graph = dcc.Graph(figure=map_figure(grid, palette, place.node), config=CONFIG, responsive=True)
    box = html.Div(
        html.Div(graph, className="map-box", style=box_style(grid)),
        className="map-scroll",
        role="img",
        **attrs(aria_label=f"Map of nodes, {VIEW_NAME[place.view].lower()}. The table has the numbers."),
    )
    head = html.Div([views, legend(grid.largest, grid.unit)], className="map-head")
    return [html.P(said, className="note"), head, box]


def _twin(grid: Grid, place: State) -> list[Any]:
    """The table with the same numbers, and in words why a cell is empty."""
    cells = ranked(grid, place.sort)
    failed = [cell for row in grid.rows for cell in row.cells if cell.state == FAILED]
    why = [html.Li(f"{cell.node}: no value. {cell.reason}") for cell in failed[:SHOWN]]
    rest = [html.Li(f"{len(failed) - SHOWN} more have none.")] if len(failed) > SHOWN else []
    line = f"The same as a table, {count(len(cells), 'node')}"
    head = html.Tr(
        [
            html.Th("node"),
            html.Th(VIEW_NAME[place.view].lower(), className="number"),
            html.Th("95 % interval", className="number"),
        ]
    )
    return [
        *([html.Ul([*why, *rest], className="note without-value")] if why else []),
        as_table(head, [_row(cell, place) for cell in cells], line),
    ]


def _row(cell: Cell, place: State) -> html.Tr:
    """A node; its name shows its numbers."""
    return html.Tr(
        [
            html.Th(go(str(cell.node), node=str(cell.node), className="node-button"), scope="row"),
            html.Td(effect(cell.value), className="number"),
            html.Td(spread(cell.value), className="number bounds"),
        ],
        className="selected" if cell.node == place.node else "",
    )


def _of_node(body: Json, place: State) -> list[Any]:
    at = node_index(body, place.node) if place.node else None
    if place.node is None or at is None:
        return []
    return [html.H3(str(place.node)), _numbers(body, place, at), *metric_table(None, body, at)]


def _numbers(body: Json, place: State, at: int) -> html.Div:
    """The effects of one node, each with its interval or the reason why there is none."""
    failed = {one["table"]: one["reason"] for one in body["failures"] if one["where"] == str(_node(body, at))}
    shown = []
    for view, name in NUMBERS.items():
        value = estimate(body, VIEW_TABLE[view], at)
        below = spread(value) or failed.get(VIEW_TABLE[view]) or why_not(place, view)
        shown.append(big_number(name, effect(value), below))
    flips = estimate(body, "flips", at)
    pairs = count(body["n_done"], "pair")
    shown.append(
        big_number(
            for_set("pairs whose letter flips", place.set), percent(flips.mean if flips else None), pairs
        )
    )
    return html.Div(shown, className="numbers five")


def _node(body: Json, at: int) -> Node:
    return Node.read(body["coordinates"]["node"][at]["label"])


def _asked_nodes(body: Json, place: State) -> list[Any]:
    """Single nodes: the numbers of the first with its letters, and all others as a table."""
    correct = next((pair["correct"] for pair in body["details"].get("pairs", [])), None)
    grid = grid_of(body, VIEW_TABLE[place.view])
    others = [] if len(grid.cells) == 1 else _twin(grid, place)
    letters = (
        [html.H3(for_set("Logits of the letters", place.set)), letter_table(body, correct)]
        if estimate(body, "base_logits", 0)
        else []
    )
    first = _node(body, 0)
    return [
        html.P(for_set(view_sentence("total", choices_of(place), place.nodes), place.set), className="note"),
        html.H3(str(first)),
        _numbers(body, place, 0),
        *letters,
        *metric_table(None, body, 0),
        *others,
    ]
