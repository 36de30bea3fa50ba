"""Printed figures of a model as a whole: gate, attributions, letter bias, one training step, prompts."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.figures.grid import MEASURED, Cell, Grid
from frontend.figures.paper_causes import node_map
from frontend.figures.paper_forms import Series, bars, dots, mark, unit_words
from frontend.figures.paper_heat import Square, heat
from frontend.figures.paper_page import SMALL, WIDTH, Figure, Panel
from frontend.nodes import Node
from frontend.phrases import for_set, set_of
from frontend.results import Estimate, component_index, estimate, estimates, nodes
from frontend.state import State
from frontend.theme import Palette, letter
from frontend.words import label, number, token

Json = Mapping[str, Any]
Rows = Sequence[Sequence[Panel]]
SHARE = unit_words("fraction")
ACCURACIES = {
    "accuracy_by_letter": "by letter",
    "accuracy_by_content": "by content",
    "accuracy_both": "both prompts of a pair",
}
STRONGEST = 12


def gate(body: Json, _place: State, palette: Palette) -> Rows:
    """Accuracy with chance, and how often each letter is chosen and found."""
    known = [name for name in ACCURACIES if name in body["tables"]]
    found = Series("", [estimate(body, name) for name in known], palette.accent)
    right = dots(
        [for_set(ACCURACIES[name], set_of(body)) for name in known],
        [found],
        SHARE,
        "Accuracy",
        marks=_chance(body, len(known), palette),
    )
    letters = [token(name) for name in body["coordinates"]["answer"]]
    series = [
        Series("recall", estimates(body, "recall"), palette.accent),
        Series("chosen", estimates(body, "chosen_share"), palette.ink),
    ]
    return [[right, dots(letters, series, SHARE, for_set("Letters", set_of(body)))]]


def _chance(body: Json, rows: int, palette: Palette) -> list[Figure]:
    chance = body["details"].get("chance")
    return [mark("chance", chance, rows, palette.muted)] if isinstance(chance, float) else []


def attribution(body: Json, place: State, palette: Palette) -> Rows:
    """Net attribution of every node as a map; for a chosen node what it adds to each letter."""
    grid = _net(body)
    prompts = set_of(body)
    title = for_set("attribution to the correct letter, logits", prompts)
    rows: list[list[Panel]] = [[node_map(grid, title, palette)]]
    at = component_index(body, place.node) if place.node else None
    if at is not None:
        letters = [token(name) for name in body["coordinates"]["answer"]]
        values = [estimates(body, "by_letter", at, row) for row in range(len(letters))]
        square = Square(letters, letters, values, "logit", "correct", for_set("letter written", prompts))
        adds = for_set(f"What {place.node} adds to each letter", prompts)
        rows.append([heat(square, palette, adds)])
    return rows


def _net(body: Json) -> Grid:
    cells, layers, heads = {}, 1, 0
    for one, value in zip(body["coordinates"]["component"], estimates(body, "net"), strict=True):
        if one["kind"] in ("head", "mlp"):
            node = Node(one["layer"], one["head"])
            cells[node] = Cell(node, MEASURED if value else "failed", value)
            layers, heads = max(layers, node.layer + 1), max(heads, (node.head or 0) + 1)
    return Grid(layers, heads, body["n_done"], cells)


def bias(body: Json, _place: State, palette: Palette) -> Rows:
    """Prior and recall of the letters, and the nodes that favour a letter whatever stands behind it."""
    letters = [token(name) for name in body["coordinates"]["answer"]]
    even = [mark("even", 1 / len(letters), len(letters), palette.muted)]
    series = [
        Series("prior", estimates(body, "prior"), palette.accent),
        Series("recall", estimates(body, "recall"), palette.ink),
    ]
    priors = list(zip(nodes(body), estimates(body, "prior_attribution"), strict=True))
    at = {str(node): place for place, (node, _) in enumerate(priors)}
    best = sorted(priors, key=lambda one: -abs(one[1].mean if one[1] else 0.0))[:STRONGEST]
    names = [str(node) for node, _ in best]
    parts = [
        Series("label prior", [value for _, value in best], letter(palette, 0)),
        Series(
            "content", [estimate(body, "content_attribution", at[name]) for name in names], letter(palette, 1)
        ),
    ]
    return [
        [
            dots(letters, series, SHARE, "Letters", marks=even),
            dots(names, parts, "logits", "Strongest label priors"),
        ]
    ]


def checkpoint(body: Json, _place: State, palette: Palette) -> Rows:
    """Accuracy by mutation, and how many heads are of each category."""
    forms = [one["title"] for one in body["coordinates"]["mutation"]]
    right = Series("", estimates(body, "accuracy"), palette.accent)
    kinds = [name.replace("_", " ") for name in body["coordinates"]["category"]]
    counted = Series("heads", estimates(body, "categories"), "")
    accuracy = dots(forms, [right], SHARE, "Accuracy by mutation", marks=_chance(body, len(forms), palette))
    return [[accuracy, bars(kinds, counted, palette, "Heads of each category")]]


def prompts(body: Json, _place: State, palette: Palette) -> Rows:
    """The first questions with what is correct in both prompts of a pair, as text."""
    pairs = body["details"]["pairs"][:STRONGEST]
    lines = [line for pair in pairs for line in _pair_lines(pair)]
    text = {
        "type": "scatter",
        "mode": "text",
        "x": [0] * len(lines),
        "y": list(range(len(lines))),
        "text": lines,
        "textposition": "middle right",
        "textfont": {"size": SMALL, "color": palette.ink},
        "showlegend": False,
    }
    hidden = {"visible": False, "type": "linear"}
    y = {**hidden, "range": [len(lines) - 0.5, -0.5]}
    return [[Panel([text], {**hidden, "range": [0, 100]}, y, height=19 * len(lines), left=4, bottom=8)]]


def _pair_lines(pair: Json) -> list[str]:
    clean, corrupt = pair["clean"], pair["corrupt"]
    question = _cut(f"{pair['index'] + 1}. {clean['question']}")
    right, now = (one["options"][one["correct"]]["label"].strip() for one in (clean, corrupt))
    said = f"    {_options(clean)}   correct {right}; corrupt prompt {now}"
    return [f"<b>{label(question)}</b>", label(_cut(said))]


def _options(prompt: Json) -> str:
    """Labels with their contents; a plain text has only words that may follow."""
    if prompt.get("plain_text"):
        return " / ".join(one["label"].strip() for one in prompt["options"])
    return "  ".join(f"({one['label'].strip()}) {one['content'].strip()}" for one in prompt["options"])


def _cut(text: str) -> str:
    most = round(WIDTH / (0.5 * SMALL))
    return text if len(text) <= most else text[: most - 1] + "…"


def anything(body: Json, _place: State, palette: Palette) -> Rows:
    """What has no figure of its own: its first table with one axis or two, or its numbers."""
    for table, known in body["tables"].items():
        axes = [[_name(one) for one in body["coordinates"][axis]] for axis in known["axes"]]
        if len(axes) == 2 and max(len(axis) for axis in axes) <= 64:
            values = [estimates(body, table, row) for row in range(len(axes[0]))]
            square = Square(axes[0], axes[1], values, known["unit"], known["axes"][0], known["axes"][1])
            return [[heat(square, palette, table.replace("_", " "), written=len(axes[1]) < 10)]]
        if len(axes) == 1 and len(axes[0]) <= 2 * STRONGEST:
            return [[bars(axes[0], Series(table.replace("_", " "), estimates(body, table), ""), palette)]]
    named = {name: estimate(body, name) for name, known in body["tables"].items() if not known["axes"]}
    words = [f"{name.replace('_', ' ')}: {_said(value)}" for name, value in named.items()]
    return [[_lines(words or ["This result has no numbers to draw."], palette)]]


def _name(entry: Any) -> str:
    return str(entry.get("label", "") if isinstance(entry, Mapping) else entry)


def _said(value: Estimate | None) -> str:
    return number(value.mean, 3) if value else "not computed"


def _lines(words: Sequence[str], palette: Palette) -> Panel:
    text = {
        "type": "scatter",
        "mode": "text",
        "x": [0] * len(words),
        "y": list(range(len(words))),
        "text": [label(word) for word in words],
        "textposition": "middle right",
        "textfont": {"size": SMALL, "color": palette.ink},
        "showlegend": False,
    }
    hidden = {"visible": False, "type": "linear"}
    y = {**hidden, "range": [len(words) - 0.5, -0.5]}
    return Panel([text], {**hidden, "range": [0, 100]}, y, height=max(40, 19 * len(words)), left=4, bottom=8)
