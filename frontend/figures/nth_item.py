"""Nth item or letter: two scores and a swap for each head, the algorithm in words, probes over the layers."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.evidence import big_number
from frontend.figures.lines import Line, level, line_figure, line_panel
from frontend.figures.twin import as_table
from frontend.results import Estimate, estimate, named
from frontend.state import State
from frontend.theme import Palette
from frontend.vocabulary import MUTATION_NAME, ROLE_NAME
from frontend.words import NONE, count, interval, number, percent, visible

Json = Mapping[str, Any]
SCORE_NAME = {"position": "by line", "letter": "by letter"}
TARGET_NAME = {
    "nth_line": "goes to the same line",
    "letter_line": "goes to the same letter",
    "stays": "stays",
}
READS = {
    "nth_item": "It goes by the line of the correct option, whatever label stands there.",
    "letter": "It goes by the label of the correct option, on whatever line it stands.",
}
CANDIDATE = {"nth_item": "read as counting lines", "letter": "as looking up letters"}


def nth_item_figure(body: Json) -> list[Any]:
    """Scores of every head as bars with the chance line, the swap beside them, the whole model."""
    heads = named(body, "head")
    scores, chance = body["coordinates"]["score"], body["details"].get("chance")
    swap = [_swap(body, at) for at in range(len(heads))] if "causal" in body["tables"] else []
    columns = [("keys", name, "keys " + SCORE_NAME[name]) for name in scores] + [
        ("queries", name, "query " + SCORE_NAME[name]) for name in scores
    ]
    top = [html.Th("head"), *(html.Th(title) for _, _, title in columns)]
    top += [html.Th(TARGET_NAME[name], className="number") for name in _targets(body)] if swap else []
    rows = [
        html.Tr(
            [
                html.Th(name, scope="row"),
                *(
                    _score(estimate(body, table, at, scores.index(score)), chance)
                    for table, score, _ in columns
                ),
                *(swap[at] if swap else []),
            ]
        )
        for at, name in enumerate(heads)
    ]
    table = html.Table([html.Thead(html.Tr(top)), html.Tbody(rows)], className="table nth")
    lucky = f" The line in each bar is chance, {percent(chance)}." if isinstance(chance, float) else ""
    said = (
        "Labels shuffled over the lines: how often the nearest mean of other prompts names the right line, "
        f"or the right letter.{lucky} On the right: another prompt’s query put into the head; where its "
        "attention goes."
    )
    return [html.P(said, className="note"), html.Div(table, className="scroll"), *_whole_model(body, heads)]


def _targets(body: Json) -> list[str]:
    return body["coordinates"].get("target") or []


def _swap(body: Json, head: int) -> list[html.Td]:
    values = [estimate(body, "causal", head, target) for target in range(len(_targets(body)))]
    return [
        html.Td(percent(value.mean) if value else NONE, className="number", title=interval(value, percent))
        for value in values
    ]


def _score(value: Estimate | None, chance: Any) -> html.Td:
    """A share of 1 as a bar with a mark at chance."""
    mean = value.mean if value else 0.0
    style: Any = {"--size": f"{100 * mean:.1f}%"}
    mark = {"--chance": f"{100 * chance:.1f}%"} if isinstance(chance, float) else {}
    words = html.Span(percent(value.mean) if value else NONE)
    return html.Td(
        html.Div(words, className="share-bar", style=style | mark),
        className="share",
        title=interval(value, percent),
    )


def _whole_model(body: Json, heads: Sequence[str]) -> list[Any]:
    """What the answer follows when the queries of all heads are swapped together."""
    if "model" not in body["tables"]:
        return []
    found = [(name, estimate(body, "model", at)) for at, name in enumerate(body["coordinates"]["score"])]
    numbers = [
        big_number(
            f"of answers follow the {'line' if name == 'position' else 'letter'}",
            percent(value.mean) if value else NONE,
            interval(value, percent),
        )
        for name, value in found
    ]
    title = f"The whole model, when the queries of {', '.join(heads)} are swapped"
    return [html.Div([html.H3(title), html.Div(numbers, className="numbers beside")])]


def pseudocode_figure(body: Json) -> list[Any]:
    """The algorithm as text, and how often it picks the head's option, mutation by mutation."""
    details = body["details"]
    head = [html.Th("mutation"), html.Th("same option"), html.Th("divergence, nats", className="number")]
    chance = details.get("chance")
    rows = [
        html.Tr(
            [
                html.Th(MUTATION_NAME.get(name, name), scope="row"),
                _score(estimate(body, "agreement", at), chance),
                html.Td(_mean(estimate(body, "divergence", at)), className="number"),
            ]
        )
        for at, name in enumerate(named(body, "mutation"))
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="table nth")
    said = f"{READS.get(details['reads'], '')} {_candidates(details)}".strip()
    return [
        html.P(said),
        html.Pre(visible_lines(details["code"]), className="code"),
        html.Div(table, className="scroll"),
        html.P(
            "Same option: the algorithm names the option that the head attends to most. Divergence: of the "
            "head’s attention over the options from what the algorithm predicts.",
            className="note",
        ),
    ]


def _candidates(details: Json) -> str:
    """How close the algorithm that was chosen is, and the one that was not."""
    parts = [
        f"{CANDIDATE.get(name, name)} it agrees {percent(both['agreement'])} of the time"
        for name, both in (details.get("candidates") or {}).items()
    ]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if parts else ""


def visible_lines(text: str) -> str:
    """Text whose line ends stay line ends."""
    return "\n".join(visible(line) if line else "" for line in text.split("\n"))


def _mean(value: Estimate | None) -> str:
    return number(value.mean, 3) if value else NONE


def probes_figure(body: Json, place: State, palette: Palette) -> list[Any]:
    """From which layer on the line and the symbol can be read off."""
    said = (
        f"Read {ROLE_NAME[place.role]} of shuffled prompts: the symbol in colour, the line in blue, "
        f"chance dashed. {count(body['n_done'], 'pair')}."
    )
    return [
        html.Div(
            line_panel("What a linear probe reads", said, probe_figure(body, palette)), className="curves"
        ),
        _probe_table(body, named(body, "layer"), body["coordinates"]["target"]),
    ]


def probe_figure(body: Json, palette: Palette) -> dict[str, Any]:
    """Accuracy of the probes over the layers, one line for the line and one for the symbol."""
    layers, targets = named(body, "layer"), body["coordinates"]["target"]
    chance = body["details"].get("chance")
    colour = {"position": palette.letters[1], "symbol": palette.accent}
    lines = [
        Line(
            {"position": "line", "symbol": "symbol"}[name],
            [int(layer) for layer in layers],
            [estimate(body, "accuracy", row, targets.index(name)) for row in range(len(layers))],
            colour[name],
            band=True,
        )
        for name in targets
    ]
    if isinstance(chance, float):
        ends = (int(layers[0]), int(layers[-1]))
        lines.append(level("chance", Estimate(chance, unit="fraction"), ends, palette.muted, "dash"))
    figure = line_figure(lines, "layer", "fraction", palette, even=True)
    figure["layout"]["yaxis"] |= {"range": [0, 1.05]}
    return figure


def _probe_table(body: Json, layers: Sequence[str], targets: Sequence[str]) -> html.Details:
    head = html.Tr([html.Th("layer"), *(html.Th(name, className="number") for name in targets)])
    rows = [
        html.Tr(
            [
                html.Th(str(layer), scope="row"),
                *(
                    html.Td(_mean(estimate(body, "accuracy", row, at)), className="number")
                    for at in range(len(targets))
                ),
            ]
        )
        for row, layer in enumerate(layers)
    ]
    return as_table(head, rows)
