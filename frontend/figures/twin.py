"""The twin of a figure: its numbers as a table, behind a line to open."""

from collections.abc import Sequence
from typing import Any

from dash import html

LINE = "The same as a table"


def as_table(head: html.Tr, rows: Sequence[html.Tr], line: str = LINE, *, said: Any = None) -> html.Details:
    """For eyes that read, and for those that hear; what is `said` stands above the table."""
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="table")
    above = [] if said is None else [said]
    return html.Details([html.Summary(line), *above, html.Div(table, className="scroll")], className="more")
