"""Which of Dash's own scripts the page fetches: what it draws with at once, what it never uses not at all."""

import re
from typing import Any

from dash import Dash

UNUSED = re.compile(r"<script src=\S*/dash_table/\S*></script>\s*")
COMPONENTS = re.compile(r"<script src=\S*/dcc/(dash_core_components)\.\S*></script>")


class Lean(Dash):
    """Dash without the parts that this page leaves alone: tables and callbacks over a web socket."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.backend.websocket_capability = False  # else every browser keeps asking for one

    def interpolate_index(self, *args: str, **parts: str) -> str:
        """The frame of the page, where Dash writes its scripts."""
        return super().interpolate_index(*args, **{**parts, "scripts": needed(parts["scripts"])})


def needed(scripts: str) -> str:
    """The tags of scripts, among them what draws graphs: Dash would only ask for it when it is needed."""
    return COMPONENTS.sub(_with_graphs, UNUSED.sub("", scripts))


def _with_graphs(found: re.Match[str]) -> str:
    return f"{found[0]}\n{found[0].replace(found[1], 'async-graph')}"
