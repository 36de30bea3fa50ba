"""Uploading a file of prompts: its first pairs and every problem are seen before anything is kept.

The browser sends the file to the API by itself (assets/workshop.js), as it may be larger than a callback.
"""

import json
from typing import Any

from dash import Dash, Input, Output, dcc, html

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.workshop import file_problems, preview, previewed
from frontend.panels.editor import USUAL
from frontend.words import visible

Json = dict[str, Any]
SHOWN = 32  # pairs that are used at first
FORMATS = (
    ("CSV, as MMLU’s files", "What is 1 + 1?,1,2,3,4,B"),
    ("JSON lines, questions", '{"question": "What is 1 + 1?", "options": ["1", "2"], "answer": "B"}'),
    (
        "JSON lines, pairs of texts",
        '{"clean": "A cat is an", "corrupt": "A rose is a", "answer": " animal", "distractor": " plant"}',
    ),
)


def layout() -> html.Section:
    """Where a file is dropped or chosen, and what it holds."""
    examples = [html.Li([f"{name}: ", html.Code(line)]) for name, line in FORMATS]
    return html.Section(
        [
            html.H2("Upload a file"),
            html.P(
                "Drop a file here or choose one. It is shown first and kept only when you use it; then "
                "everybody of this server can open it by its link.",
                className="note",
            ),
            html.Div(id=ids.UPLOAD_FILE, className="upload-file"),
            html.Details(
                [html.Summary("What a line looks like"), html.Ul(examples, className="upload-formats")],
                className="more",
            ),
            html.Div(id=ids.UPLOAD_SAID, className="upload-said"),
            dcc.Store(id=ids.UPLOAD_ANSWER),
        ],
        className="panel",
        **attrs(aria_label="Upload a file", data_upload="drop"),
    )


def register(app: Dash, _client: BackendClient) -> None:
    """Show what the API says of the file that the browser sent."""

    @app.callback(
        Output(ids.UPLOAD_SAID, "children"), Input(ids.UPLOAD_ANSWER, "data"), prevent_initial_call=True
    )
    async def said(answer: Json | None) -> list[Any]:
        return shown(answer) if answer else []


def shown(answer: Json) -> list[Any]:
    """The file's name; its prompts with a button to use them, or its problems."""
    name, found = html.H3(visible(answer["name"])), answer["body"]
    if not answer["ok"]:
        return [name, html.P(visible(found["error"]["message"]), className="remark stops")]
    if found["problems"]:
        return [name, *file_problems(found["problems"])]
    change = USUAL | {"page": "map", "index": "0", "n": str(min(SHOWN, found["n"]))}
    use = html.Button(
        "Use these prompts",
        className="button primary",
        type="button",
        disabled=found["n_unusable"] == found["n_checked"],
        **attrs(data_upload="use", data_change=json.dumps(change)),
    )
    return [name, *preview(found), use, *previewed(found)]
