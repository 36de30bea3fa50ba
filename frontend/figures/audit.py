"""The audit strip: one line at the foot of a figure that says where its numbers come from."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.share import share
from frontend.state import State
from frontend.words import count, number, tiny

NO_BREAK = "\N{NO-BREAK SPACE}"
Json = Mapping[str, Any]


def audit(body: Json, place: State | None = None) -> html.Div:
    """Model, precision, prompts, passes, certificate, version, date and key of a result, and its menu.

    `place` says how the figure is looked at, so that what is shared looks the same.
    """
    origin = body["provenance"]
    pairs = count(body["n"], "pair")
    done = pairs if body["complete"] else f"{body['n_done']} of {pairs}"
    parts = [
        f"{origin['model']}@{origin['revision']}",
        origin["dtype"],
        origin["device"],
        f"{origin['prompts']}, {done}",
        f"seed {origin['seed']}",
        count(origin["forward_passes"], "forward pass", "forward passes"),
        f"{number(origin['seconds'], 1)} s",
        f"certificate {tiny(origin['certificate'])}",
        f"headscope {origin['version']}",
        str(origin["date"])[:10],
        f"key {body['key'][:12]}",
    ]
    if origin.get("rounding") is not None:
        parts.insert(2, f"rounding {tiny(origin['rounding'])} logits")
    line = " · ".join(part.replace(" ", NO_BREAK) for part in parts)
    words = html.Span(line, className="audit-line", title=f"Key {body['key']}")
    return html.Div(
        [words, *share(body, place)],
        className="audit-parts",
        **attrs(data_key=body["key"], data_complete=str(body["complete"]).lower()),
    )
