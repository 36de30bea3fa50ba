"""A prompt as lines of tokens, what one head does with each of them as the background."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.legend import heat, heat_class
from frontend.results import estimate, estimates
from frontend.words import number, percent, signed, token

Json = Mapping[str, Any]
WEIGHTING_SENTENCE = {
    "raw": "Share of the attention from the final position.",
    "value_weighted": "Attention times the length of what is read there (value-weighted), as a share.",
    "output_weighted": "Attention times the length of what the head writes from there, as a share.",
    "signed": "What each token adds to the correct letter’s centred logit through this head, in logits.",
}

READ: dict[str, Any] = {  # see assets/access.js
    "className": "strip",
    "tabIndex": 0,
    "role": "group",
    **attrs(aria_label="Tokens of the prompt. Left and right arrow read them one by one.", data_read="1"),
}


def token_strip(body: Json, weighting: str) -> html.Div:
    """The tokens of a `token_attention` result."""
    values = token_values(body, weighting)
    if weighting != "signed":
        return strip(body, values, 1.0, lambda value: number(value, 3))
    largest = max((abs(value) for value in values[1:]), default=0.0)
    return strip(body, values, largest, lambda value: f"{signed(value)} logits")


def strip(
    body: Json, values: Sequence[float], largest: float, write: Callable[[float], str], **more: Any
) -> html.Div:
    """Tokens with a value each. The first takes what attends nowhere and is left white."""
    lines: list[list[html.Span]] = [[]]
    for entry, value in zip(body["coordinates"]["pos"], values, strict=True):
        lines[-1].append(_token(entry, value, largest, write(value)))
        if "\n" in entry["text"]:
            lines.append([])
    drawn = [html.Div(line, className="strip-line") for line in lines if line]
    return html.Div([*drawn, html.P(className="note token-readout", role="status")], **READ, **more)


def token_values(body: Json, weighting: str) -> list[float]:
    """One number a token: a share of the attention (raw or value-weighted), or logits (signed)."""
    if weighting == "signed":
        row = estimates(body, "signed")
    else:
        row = estimates(body, "attention", body["coordinates"]["weighting"].index(weighting))
    return [value.mean if value else 0.0 for value in row]


def sink_note(body: Json, weighting: str) -> str:
    """What the first position takes; it is not coloured, since most heads rest there."""
    first = token(body["coordinates"]["pos"][0]["text"])
    mass = token_values(body, weighting)[0]
    if weighting == "signed":
        return f"The first token “{first}” adds {signed(mass)} logits; it is not coloured."
    return f"The first token “{first}” takes {percent(mass)}; it is not coloured."


def on_correct_label(body: Json) -> float | None:
    """Raw attention on the label of the correct option, on this prompt; None where it lists no options."""
    raw = body["coordinates"]["weighting"].index("raw")
    places = [entry["pos"] for entry in body["coordinates"]["pos"] if "label_correct" in entry["roles"]]
    found = [estimate(body, "attention", raw, place) for place in places]
    return sum(value.mean for value in found if value) if places else None


def _token(entry: Json, value: float, largest: float, said: str) -> html.Span:
    sink = entry["pos"] == 0
    return html.Span(
        token(entry["text"]),
        className="token " + ("sink" if sink else heat_class(value)),
        style=None if sink else heat(value, largest),
        title=f"{entry['pos']}: {said} ({', '.join(entry['roles'])})",
        **attrs(data_pos=entry["pos"], data_value=f"{value:.6g}"),
    )
