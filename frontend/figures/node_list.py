"""The map's twin for the keyboard: a list of all its nodes, drawn by the page's script as they are many."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.grid import Cell
from frontend.figures.tables import ARIA_SORT, NEXT_SORT, SORT_WORD
from frontend.words import effect, spread

SHOWN = 18  # before all are asked for

Json = Mapping[str, Any]


def node_list(cells: Sequence[Cell], order: str, name: str) -> html.Div:
    """Nodes with their values. A press on one selects it, a second opens it; headings sort."""
    return html.Div(**attrs(data_nodes=json.dumps(list_data(cells, order, name))))


def list_data(cells: Sequence[Cell], order: str, name: str) -> Json:
    """Headings with what they ask for, and a row of name, value and interval for every node."""
    said = f"Sort by value; now {SORT_WORD[order]}" if SORT_WORD[order] else "Sort by value"
    by_node = {
        "text": "node",
        "label": "Sort by node",
        "sort": "ascending" if order == "node" else "none",
        "go": {"sort": "node"},
    }
    by_value = {
        "text": name.lower(),
        "label": said,
        "sort": ARIA_SORT[order],
        "go": {"sort": NEXT_SORT[order]},
        "class": "number",
    }
    rows = [[str(cell.node), effect(cell.value), spread(cell.value)] for cell in cells]
    return {"columns": [by_node, by_value], "rows": rows, "shown": SHOWN}
