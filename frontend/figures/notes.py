"""A note on a node: the data that the page's script draws its text area from, and the text to read."""

import json
from collections.abc import Iterable, Mapping

from dash import html

from frontend.marks import NOTE, NOTES
from frontend.words import visible


def note_data(node: str | None, notes: Mapping[str, str]) -> str:
    """Whose note, its text, and how long it may be; empty without a node."""
    if node is None:
        return ""
    others = sum(len(text) for label, text in notes.items() if label != node)
    return json.dumps(
        {"node": node, "text": notes.get(node, ""), "most": NOTE, "most_in_all": NOTES, "others": others}
    )


def notes_list(notes: Iterable[tuple[str, str]]) -> list[html.Dl]:
    """All notes to read, for figures and exports; nothing where there is none."""
    entries = [
        part
        for label, text in notes
        for part in (html.Dt(label), *(html.Dd(visible(line)) for line in text.split("\n") if line))
    ]
    return [html.Dl(entries, className="notes")] if entries else []
