"""The map: one heat map of all nodes, layers from left to right, a row per head and the MLPs apart below."""

from typing import Any

from frontend.figures.grid import FAILED, PENDING, Cell, Grid
from frontend.state import Node
from frontend.theme import Palette, diverging, strength
from frontend.words import count, interval, label, signed

Figure = dict[str, Any]

EDGE = 0.06  # room at the border, in cells, so that the outline of an outer cell is whole
GAP_ROW = 0.45  # height of the empty row between heads and MLPs, in cells
MARGIN = {"l": 52, "r": 8, "t": 8, "b": 42}
FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif'
)
HOVER = "%{text}<extra></extra>"
LARGEST_CELL, SMALLEST_CELL = 40, 8  # pixels
CONFIG: Any = {"displayModeBar": False, "showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False}


def map_figure(grid: Grid, palette: Palette, selected: Node | None = None) -> Figure:
    """The figure of a grid. Both axes are numeric: layer, and row in the order of the heads.

    Colour is relative to the largest absolute value and symmetric about a fixed zero; hovering shows the
    true value. Pending cells are hatched, failed ones are empty with a cross.
    """
    return {
        "data": [_heat(grid, palette), _hatch(grid, palette), _crosses(grid, palette)],
        "layout": {
            **_frame(palette),
            "xaxis": _layer_axis(grid, palette),
            "yaxis": _row_axis(grid, palette),
            "shapes": [selection(grid, selected, palette)],
        },
    }


def empty_figure(palette: Palette) -> Figure:
    """The frame without a grid, for a model whose sizes are not known yet."""
    hidden = {"visible": False, "fixedrange": True}
    return {"data": [], "layout": {**_frame(palette), "xaxis": hidden, "yaxis": hidden}}


def box_style(grid: Grid | None) -> dict[str, str | int]:
    """CSS that gives the figure its size before it has values, with square-ish cells at any page width."""
    columns, rows = (grid.n_layers, grid.n_heads + 1 + GAP_ROW) if grid else (30, 10.5)
    width, height = MARGIN["l"] + MARGIN["r"], MARGIN["t"] + MARGIN["b"]
    wide, high = width + columns * LARGEST_CELL, height + rows * LARGEST_CELL
    return {
        "aspectRatio": f"{wide} / {high:.0f}",
        "maxWidth": f"{wide}px",
        "minWidth": f"{width + columns * SMALLEST_CELL}px",
        "minHeight": f"{height + rows * SMALLEST_CELL:.0f}px",
    }


def selection(grid: Grid, node: Node | None, palette: Palette) -> Figure:
    """The outline of the selected cell: a shape, so that the colour below stays what it means."""
    row = _row(grid, node) if node else 0.0
    layer = node.layer if node else 0
    return {
        "type": "rect",
        "name": "selected",
        "visible": node is not None,
        "x0": layer - 0.5,
        "x1": layer + 0.5,
        "y0": row - 0.5,
        "y1": row + 0.5,
        "line": {"color": palette.ink, "width": 2},
        "layer": "above",
    }


def _heat(grid: Grid, palette: Palette) -> Figure:
    rows = [*_head_rows(grid), None, _mlp_row(grid)]
    return {
        "type": "heatmap",
        "name": "",
        "x": list(range(grid.n_layers)),
        "y": _row_edges(grid),
        "z": [_row_values(grid, row, _strength) for row in rows],
        "text": [_row_values(grid, row, _hover) for row in rows],
        "customdata": [_row_values(grid, row, _name) for row in rows],
        "zmin": -1,
        "zmax": 1,
        "zmid": 0,
        "colorscale": diverging(palette),
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertemplate": HOVER,
    }


def _hatch(grid: Grid, palette: Palette) -> Figure:
    cells = [cell for cell in _all(grid) if cell.state == PENDING]
    pattern = {"shape": "/", "fgcolor": palette.line, "bgcolor": palette.panel, "size": 7, "solidity": 0.25}
    return {
        "type": "bar",
        "textposition": "none",
        "name": PENDING,
        "x": [cell.node.layer for cell in cells],
        "base": [_row(grid, cell.node) - 0.45 for cell in cells],
        "y": [0.9] * len(cells),
        "width": 0.9,
        "marker": {"color": palette.panel, "line": {"width": 1, "color": palette.line}, "pattern": pattern},
        **_empty_cells(grid, cells),
    }


def _crosses(grid: Grid, palette: Palette) -> Figure:
    cells = [cell for cell in _all(grid) if cell.state == FAILED]
    return {
        "type": "scatter",
        "name": FAILED,
        "mode": "markers",
        "x": [cell.node.layer for cell in cells],
        "y": [_row(grid, cell.node) for cell in cells],
        "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1, "color": palette.muted}},
        **_empty_cells(grid, cells),
    }


def _empty_cells(grid: Grid, cells: list[Cell]) -> Figure:
    """What cells without a value say and name; the gap between heads and MLPs says nothing."""
    return {
        "text": [_hover(grid, cell) for cell in cells],
        "customdata": [str(cell.node) for cell in cells],
        "hovertemplate": HOVER,
        "showlegend": False,
    }


def _frame(palette: Palette) -> Figure:
    return {
        "margin": MARGIN,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": palette.muted},
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.line,
            "font": {"color": palette.ink, "size": 13, "family": FONT},
            "align": "left",
        },
        "hovermode": "closest",
        "barmode": "overlay",
        "dragmode": False,
        "uirevision": "map",
    }


def _axis(**more: Any) -> Figure:
    plain = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "type": "linear"}
    return {**plain, "tickmode": "array", **more}


def _layer_axis(grid: Grid, palette: Palette) -> Figure:
    step = max(1, next(step for step in (1, 5, 10, 20, 50, 100) if grid.n_layers / step <= 8 or step == 100))
    layers = list(range(0, grid.n_layers, step))
    title = {
        "text": "layer" if grid.n_layers < 10 else "layer (the computation runs left to right)",
        "standoff": 6,
        "font": {"size": 12, "color": palette.muted},
    }
    return _axis(
        range=[-0.5 - EDGE, grid.n_layers - 0.5 + EDGE],
        tickvals=layers,
        ticktext=[str(n) for n in layers],
        title=title,
    )


def _row_axis(grid: Grid, palette: Palette) -> Figure:
    step = 1 + (grid.n_heads - 1) // 20
    heads = [head for head in range(0, grid.n_heads, step) if step == 1 or grid.n_heads - head > 2]
    names = [*(f"H{head}" for head in heads), "MLP"]
    bottom = _row_edges(grid)[-1]
    return _axis(
        range=[bottom + EDGE, -0.5 - EDGE],
        tickvals=[*heads, _mlp_y(grid)],
        ticktext=names,
        color=palette.muted,
    )


def _row_edges(grid: Grid) -> list[float]:
    heads = [row - 0.5 for row in range(grid.n_heads + 1)]
    return [*heads, heads[-1] + GAP_ROW, heads[-1] + GAP_ROW + 1]


def _mlp_y(grid: Grid) -> float:
    return grid.n_heads + GAP_ROW


def _row(grid: Grid, node: Node) -> float:
    return _mlp_y(grid) if node.head is None else float(node.head)


def _head_rows(grid: Grid) -> list[list[Cell]]:
    return [[grid.cell(Node(layer, head)) for layer in range(grid.n_layers)] for head in range(grid.n_heads)]


def _mlp_row(grid: Grid) -> list[Cell]:
    return [grid.cell(Node(layer)) for layer in range(grid.n_layers)]


def _all(grid: Grid) -> list[Cell]:
    return [cell for row in (*_head_rows(grid), _mlp_row(grid)) for cell in row]


def _row_values(grid: Grid, row: list[Cell] | None, value: Any) -> list[Any]:
    return [None] * grid.n_layers if row is None else [value(grid, cell) for cell in row]


def _strength(grid: Grid, cell: Cell) -> float | None:
    return None if cell.value is None else round(strength(cell.value.mean, grid.largest), 4)


def _name(_grid: Grid, cell: Cell) -> str:
    return str(cell.node)


def _hover(grid: Grid, cell: Cell) -> str:
    if cell.state == PENDING:
        return f"<b>{cell.node}</b>  not measured yet"
    if cell.value is None:
        return f"<b>{cell.node}</b>  no value: {label(cell.reason)}"
    spread = interval(cell.value)
    return f"<b>{cell.node}</b>  {signed(cell.value.mean)} logits<br>{count(grid.n, 'pair')} {spread}"
