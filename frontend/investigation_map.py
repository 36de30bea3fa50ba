"""The map of an investigation: a table whose cells are links, all its views, what other nodes say."""

from collections.abc import Mapping

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.evidence import NUMBERS, big_number
from frontend.figures.grid import Grid, Row, grid_of
from frontend.figures.legend import heat, heat_class, legend
from frontend.investigation import Found, Investigation
from frontend.markup import data_block
from frontend.nodes import Node
from frontend.offline import html_of
from frontend.phrases import for_set, set_of, view_sentence, with_unit
from frontend.state import DEFAULT
from frontend.words import NONE, VIEW_NAME, VIEW_TABLE, count, effect, spread, visible

CHOICES = ("metric", "direction", "positions", "source")
Own = Mapping[Node, list[Found]]
HINT = "A dot marks nodes with results or a note of their own. Click one, or use the arrow keys and Enter."


def map_panel(found: Investigation, own: Own) -> str:
    one = found.map
    if one is None:
        return html_of(html.P("No map of all nodes is stored on these prompts.", className="notice"))
    grids = {
        view: grid_of(one.body, table) for view, table in VIEW_TABLE.items() if table in one.body["tables"]
    }
    first = "total" if "total" in grids else next(iter(grids))
    panel = html.Section(
        [
            html.Div([html.H2("Map"), _views(grids, first)], className="card-head"),
            *(_said(one, view, view == first) for view in grids),
            html.Div(_table(grids[first], own), className="scroll"),
            html.P(HINT, className="note"),
            html.Footer(audit(one.body), className="audit"),
        ],
        className="panel",
        id="map",
    )
    cells = data_block({view: _cells(grid) for view, grid in grids.items()})
    return (
        html_of(panel) + f'<script type="application/json" id="cells">{cells}</script>{html_of(_other(one))}'
    )


def _views(grids: Mapping[str, Grid], first: str) -> html.Div:
    """Buttons for what the colour means."""
    buttons = [
        html.Button(
            VIEW_NAME[view],
            type="button",
            className="segment",
            **attrs(data_static=view, aria_pressed=str(view == first).lower()),
        )
        for view in grids
    ]
    return html.Div(buttons, className="segments", role="group", **attrs(aria_label="What the colour means"))


def _said(one: Found, view: str, first: bool) -> html.Div:
    """What the colour of a view means, and its scale."""
    details = one.body["details"]
    choices = {name: details.get(name, getattr(DEFAULT, name)) for name in CHOICES}
    grid = grid_of(one.body, VIEW_TABLE[view])
    words = html.P(
        for_set(for_set(view_sentence(view, choices), set_of(one.body)), set_of(one.body)), className="note"
    )
    return html.Div(
        [words, legend(grid.largest, grid.unit)],
        className="view-words",
        hidden=not first,
        **attrs(data_of=view),
    )


def _table(grid: Grid, own: Own) -> html.Table:
    """Rows of heads with the MLPs below, every cell a link to the node's panel."""
    layers = html.Tr(
        [html.Th("layer", scope="col"), *(html.Th(str(layer), scope="col") for layer in range(grid.n_layers))]
    )
    rows = [_row(grid, row, own) for row in grid.head_rows]
    rows += [_row(grid, grid.layer_row, own, below=True)] if grid.layer_row else []
    told = attrs(aria_label="Map of nodes; arrow keys move")
    return html.Table([html.Tbody(rows), html.Tfoot(layers)], className="atlas", **told)


def _row(grid: Grid, row: Row, own: Own, *, below: bool = False) -> html.Tr:
    cells = [html.Td(_link(grid, cell.node, own.get(cell.node))) for cell in row.cells]
    return html.Tr([html.Th(row.name, scope="row"), *cells], className="below" if below else "")


def _link(grid: Grid, node: Node, results: list[Found] | None) -> html.A:
    style, classes, words = _cell(grid, node)
    more = "; has results of its own" if results else "; has a note" if results is not None else ""
    dot = html.I(className="dot") if more else ""
    return html.A(
        dot,
        href=f"#{node}",
        className=f"cell {classes}",
        style=style,
        title=words + more,
        tabIndex=-1,
        **attrs(aria_label=words + more, data_label=str(node), data_more=more),
    )


def _cell(grid: Grid, node: Node) -> tuple[dict[str, str], str, str]:
    """Colour and words of a cell; one without a value is empty and says why."""
    cell = grid.cell(node)
    if cell.value is None:
        return {}, "empty-cell", f"{node}: no value, {visible(cell.reason or 'not measured')}"
    value = with_unit(effect(cell.value), cell.value.unit)
    return (
        heat(cell.value.mean, grid.largest),
        heat_class(cell.value.mean),
        f"{node}: {value} {spread(cell.value)}".rstrip(),
    )


def _cells(grid: Grid) -> dict[str, list[str]]:
    """Strength, class, words and number of every cell, for the switch between views and for other nodes."""
    found = {}
    for row in grid.rows:
        for cell in row.cells:
            style, classes, words = _cell(grid, cell.node)
            shown = effect(cell.value) if cell.value else NONE
            found[str(cell.node)] = [style.get("--w", ""), classes, words, shown, spread(cell.value)]
    return found


def _other(one: Found) -> html.Section:
    """The panel of a node without results of its own: the script writes the map's numbers into it."""
    missing = "Nothing more was computed for this node in this investigation; these are the map’s numbers."
    return html.Section(
        [
            html.Div([html.H2("", className="node-name"), back()], className="card-head"),
            html.Div([big_number(name, NONE, " ") for name in NUMBERS.values()], className="numbers"),
            html.P(
                f"{missing} Means over {count(one.body['n_done'], 'pair')}, with 95 % intervals.",
                className="note",
            ),
        ],
        id="other",
        className="panel other-node",
        hidden=True,
        **attrs(data_views=" ".join(NUMBERS), aria_live="polite"),
    )


def back() -> html.A:
    """The way from a panel to the map."""
    return html.A("Back to the map", href="#map", className="back")
