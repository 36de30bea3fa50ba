"""Printed figures of what nodes cause: map, single nodes, positions, curves, paths, edges, repair, cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from frontend.figures.curves import curve_figure, curves_of
from frontend.figures.grid import Grid, grid_of
from frontend.figures.map import map_figure
from frontend.figures.paper_forms import Series, bars, dots, unit_words
from frontend.figures.paper_heat import Square, box, colour_bar, heat
from frontend.figures.paper_page import BAR_WIDE, WIDTH, Panel, panel_of
from frontend.figures.positions import squares
from frontend.phrases import METRIC_NAME, for_set, in_unit, set_of
from frontend.results import Estimate, estimate, estimates, nodes
from frontend.state import State
from frontend.theme import Palette, blend
from frontend.words import VIEW_NAME, VIEW_TABLE, role_name, token

Json = Mapping[str, Any]
Rows = Sequence[Sequence[Panel]]
STRONGEST = 24  # rows of a printed list
LEFT, CELL = 52, 40  # left of the map; the largest cell, in pixels
CELL_SHARE = 0.94  # of its place, so that cells stay apart
INPUT = {"q": "query", "k": "key", "v": "value", "mlp": "", "logits": "directly"}


def effects(body: Json, place: State, palette: Palette) -> Rows:
    """The map in the chosen view; nodes that were named are listed with all their effects and letters."""
    if not isinstance((body["spec"].get("parameters") or {}).get("nodes", "all"), str):
        return _few(body, palette)
    table = VIEW_TABLE[place.view] if VIEW_TABLE[place.view] in body["tables"] else "total_effect"
    return [[node_map(grid_of(body, table), _metric_axis(body, place.view, table), palette)]]


def _metric_axis(body: Json, view: str, table: str) -> str:
    metric = "centred_logit" if view == "attribution" else body["details"].get("metric", "centred_logit")
    unit = body["tables"][table]["unit"]
    return f"{VIEW_NAME[view].lower()}, {METRIC_NAME.get(metric, metric)} {in_unit(unit)}"


def node_map(grid: Grid, said: str, palette: Palette) -> Panel:
    """All nodes as on the dashboard's map, with a bar for the colours."""
    screen = map_figure(grid, palette)
    drawn, *others = screen["data"]
    middles = [(low + high) / 2 for low, high in pairwise(drawn["y"])]
    cells = [
        box(layer, y, blend(palette, value), size=CELL_SHARE)
        for y, row in zip(middles, drawn["z"], strict=True)
        for layer, value in enumerate(row)
        if value is not None
    ]
    shown = [colour_bar(grid.largest, grid.unit, palette, said)]
    shown += [trace | {"showlegend": False} for trace in others if trace["x"]]
    wide = min(WIDTH - LEFT - BAR_WIDE, grid.n_layers * CELL)
    rows = len(grid.head_rows) + (1.45 if grid.layer_row else 0.0)
    high = max(110.0, rows * min(CELL, wide / grid.n_layers))
    axes = {"x": screen["layout"]["xaxis"] | {"title": {"text": "layer"}}, "y": screen["layout"]["yaxis"]}
    return Panel(
        shown,
        **axes,
        height=round(high),
        left=LEFT,
        right=BAR_WIDE,
        width=LEFT + wide + BAR_WIDE,
        shapes=cells,
    )


def _few(body: Json, palette: Palette) -> Rows:
    """Every effect of each node, and the letters before and after the patch of a single one."""
    names = [str(node) for node in nodes(body)]
    known = [view for view, table in VIEW_TABLE.items() if table in body["tables"]]
    rows = [
        (f"{node} {VIEW_NAME[view].lower()}", estimate(body, VIEW_TABLE[view], at))
        for at, node in enumerate(names)
        for view in known
    ]
    panels = [
        bars([name for name, _ in rows], Series("", [value for _, value in rows], ""), palette, "Effects")
    ]
    if len(names) == 1:
        letters = [token(name) for name in body["coordinates"]["answer"]]
        worlds = {
            "base_logits": ("run that is edited", palette.ink),
            "patched_logits": ("patched", palette.accent),
        }
        series = [
            Series(name, estimates(body, table, *([0] if table == "patched_logits" else [])), colour)
            for table, (name, colour) in worlds.items()
        ]
        panels.append(dots(letters, series, "logits", for_set("Letters", set_of(body))))
    return [panels]


def position_effects(body: Json, _place: State, palette: Palette) -> Rows:
    """Nodes by tokens; what is only estimated has a dot."""
    rows = squares(body)
    columns = [f"{column['position']} {token(column['text'])}" for column in body["coordinates"]["pos"]]
    values = [[one.value for one in row] for row in rows]
    unit = body["tables"]["total_effect"]["unit"]
    square = Square([row[0].node for row in rows], columns, values, unit, "", "token")
    panel = heat(square, palette, written=False)
    guessed = [(x, y) for y, row in enumerate(rows) for x, one in enumerate(row) if one.state == "estimate"]
    dotted = {
        "type": "scatter",
        "mode": "markers",
        "name": "estimate",
        "showlegend": False,
        "x": [x for x, _ in guessed],
        "y": [y for _, y in guessed],
        "marker": {"size": 3, "color": palette.muted},
    }
    return [[replace(panel, data=[*panel.data, *([dotted] if guessed else [])], height=_flat(square))]]


def _flat(square: Square) -> int:
    """Square-ish cells as wide as the page allows."""
    cell = max(9.0, min(22.0, (WIDTH - 60 - BAR_WIDE) / max(1, len(square.columns))))
    return round(max(48.0, cell * len(square.rows)))


def curves(body: Json, _place: State, palette: Palette) -> Rows:
    """Four curves over the first k nodes, random rankings behind."""
    panels = [
        panel_of(curve_figure(curve, palette), curve.name.capitalize(), height=170)
        for curve in curves_of(body)
    ]
    return [panels[at : at + 2] for at in range(0, len(panels), 2)]


def paths(body: Json, _place: State, palette: Palette) -> Rows:
    """The strongest receivers."""
    sender = body["details"]["sender"]
    entries = [
        (_receiver(one), value)
        for one, value in zip(body["coordinates"]["receiver"], estimates(body, "path_effect"), strict=True)
    ]
    return [[_strongest(entries, f"path effect from {sender}", palette)]]


def _receiver(one: Json) -> str:
    return f"{one['label']} {INPUT.get(one['input'], one['input'])}".strip()


def edge_estimates(body: Json, _place: State, palette: Palette) -> Rows:
    """The strongest edges; hollow bars are estimates."""
    entries, hollow = [], {}
    for at, edge in enumerate(body["coordinates"]["edge"]):
        measured = estimate(body, "measured", at)
        name = f"{edge['sender']} → {_receiver({'label': edge['receiver'], 'input': edge['input']})}"
        hollow[name] = measured is None
        entries.append((name, measured or estimate(body, "estimate", at)))
    return [[_strongest(entries, "effect (hollow: estimate)", palette, hollow)]]


def self_repair(body: Json, _place: State, palette: Palette) -> Rows:
    """Whose direct effects change most."""
    names = [one["label"] for one in body["coordinates"]["component"]]
    entries = list(zip(names, estimates(body, "change"), strict=True))
    return [[_strongest(entries, f"change of direct effect, {body['details']['node']} patched", palette)]]


def knock_out(body: Json, _place: State, palette: Palette) -> Rows:
    """What cutting the attention to each kind of token does, beside the attention that was cut."""
    roles = body["coordinates"]["role"]
    entries = sorted(
        zip(roles, estimates(body, "effect"), estimates(body, "weight"), strict=True),
        key=lambda one: -_size(one[1]),
    )
    names = [role_name(role["label"]) for role, _, _ in entries]
    effect_bars = bars(
        names,
        Series(_axis("effect", body, "effect"), [one for _, one, _ in entries], ""),
        palette,
        "Effect of the cut",
    )
    cut = dots(
        names,
        [Series("", [one for *_, one in entries], palette.ink)],
        unit_words("fraction"),
        "Attention cut",
    )
    return [[effect_bars, cut]]


def _axis(what: str, body: Json, table: str) -> str:
    return f"{what}, {unit_words(body['tables'][table]['unit'])}"


def _strongest(
    entries: Sequence[tuple[str, Estimate | None]],
    what: str,
    palette: Palette,
    hollow: Mapping[str, bool] | None = None,
) -> Panel:
    """The strongest of a list as bars, strongest first; values that are missing come last."""
    order = sorted(entries, key=lambda entry: -_size(entry[1]))[:STRONGEST]
    unit = next((value.unit for _, value in order if value), "")
    left_out = f"; the {len(order)} strongest of {len(entries)}" if len(order) < len(entries) else ""
    empty = [(hollow or {}).get(name, False) for name, _ in order]
    series = Series(f"{what}, {unit_words(unit)}{left_out}", [value for _, value in order], "", empty)
    return bars([name for name, _ in order], series, palette)


def _size(value: Estimate | None) -> float:
    return abs(value.mean) if value else -1.0
