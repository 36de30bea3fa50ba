"""The map: one heat map of all nodes, layers from left to right, a row per head, the MLPs apart below."""

from typing import Any

from frontend.figures.grid import FAILED, PENDING, Cell, Grid, Row
from frontend.nodes import Node
from frontend.phrases import with_unit
from frontend.theme import Palette, diverging, strength
from frontend.words import count, effect, label, spread

Figure = dict[str, Any]

EDGE = 0.06  # room at the border, in cells, so that the outline of an outer cell is whole
GAP_ROW = 0.45  # height of the empty row between heads and MLPs, in cells
MARGIN = {"l": 52, "r": 8, "t": 8, "b": 42}
FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif'
)
HOVER = "%{text}<extra></extra>"
LARGEST_CELL, SMALLEST_CELL, LONE_ROW = 40, 8, 32  # pixels
TOUCHABLE, DEEP = 16, 40  # up to so many layers, cells stay large enough for a finger
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
    columns, rows = (grid.n_layers, 0.5 + _row_edges(grid)[-1]) if grid else (30, 10.5)
    width, height = MARGIN["l"] + MARGIN["r"], MARGIN["t"] + MARGIN["b"]
    wide, high = width + columns * LARGEST_CELL, height + rows * LARGEST_CELL
    return {
        "aspectRatio": f"{wide} / {high:.0f}",
        "maxWidth": f"{wide}px",
        "minWidth": f"{width + columns * (SMALLEST_CELL if columns > DEEP else TOUCHABLE)}px",
        "minHeight": f"{height + rows * (SMALLEST_CELL if rows > 2 else LONE_ROW):.0f}px",
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
    rows = _rows(grid)
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
        **surroundings(palette, 12),
        "margin": MARGIN,
        "barmode": "overlay",
        "uirevision": "map",
    }


def surroundings(palette: Palette, size: float) -> Figure:
    """What all figures share: words of a size, no ground of their own, a quiet box for what is pointed at."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": size, "color": palette.muted},
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.line,
            "font": {"color": palette.ink, "size": 13, "family": FONT},
            "align": "left",
        },
        "hovermode": "closest",
        "dragmode": False,
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
    step = 1 + max(0, len(grid.head_rows) - 1) // 20
    heads = [head for head in range(0, len(grid.head_rows), step) if step == 1 or grid.n_heads - head > 2]
    below = [grid.layer_row] if grid.layer_row else []
    edges = _row_edges(grid)
    return _axis(
        range=[edges[-1] + EDGE, -0.5 - EDGE],
        tickvals=[*heads, *(edges[-1] - 0.5 for _ in below)],
        ticktext=[*(grid.head_rows[head].name for head in heads), *(row.name for row in below)],
        color=palette.muted,
    )


def _rows(grid: Grid) -> list[Row | None]:
    """All rows from the top; None is the gap between heads and MLPs."""
    gap = [None] if grid.head_rows and grid.layer_row else []
    return [*grid.head_rows, *gap, *([grid.layer_row] if grid.layer_row else [])]


def _row_edges(grid: Grid) -> list[float]:
    edges = [-0.5]
    for row in _rows(grid):
        edges.append(edges[-1] + (1 if row else GAP_ROW))
    return edges


def _row(grid: Grid, node: Node) -> float:
    return _row_edges(grid)[-1] - 0.5 if node.head is None else float(node.head)


def _all(grid: Grid) -> list[Cell]:
    return [cell for row in grid.rows for cell in row.cells]


def _row_values(grid: Grid, row: Row | None, value: Any) -> list[Any]:
    return [None] * grid.n_layers if row is None else [value(grid, cell) for cell in row.cells]


def _strength(grid: Grid, cell: Cell) -> float | None:
    return None if cell.value is None else round(strength(cell.value.mean, grid.largest), 4)


def _name(_grid: Grid, cell: Cell) -> str:
    return str(cell.node)


def _hover(grid: Grid, cell: Cell) -> str:
    if cell.state == PENDING:
        return f"<b>{cell.node}</b>  not measured yet"
    if cell.value is None:
        return f"<b>{cell.node}</b>  no value: {label(cell.reason)}"
    value = with_unit(effect(cell.value), cell.value.unit)
    return f"<b>{cell.node}</b>  {value}<br>{count(grid.n, 'pair')} {spread(cell.value)}"
