"""Printed figures of what heads compute: where they look, subspaces, mutations, algorithms, categories."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from frontend.figures.heads import rows_of, titles
from frontend.figures.low_rank import MEASURE, Curves, rank_figure
from frontend.figures.mutations import BAR_UNIT, bar_figure
from frontend.figures.nth_item import probe_figure
from frontend.figures.paper_forms import Series, dots, mark, short, unit_words, whiskers
from frontend.figures.paper_heat import Square, heat
from frontend.figures.paper_page import Figure, Panel, panel_of
from frontend.figures.points import SYMBOLS, clouds, flat, scene
from frontend.figures.steer import TARGET_NAME, WORLD_NAME
from frontend.figures.subspace import spectra_figure
from frontend.phrases import is_text_set, set_of
from frontend.results import Estimate, estimate, estimates, named
from frontend.state import State
from frontend.theme import Palette, letter
from frontend.vocabulary import MUTATION_NAME
from frontend.words import label, role_name, token

Json = Mapping[str, Any]
Rows = Sequence[Sequence[Panel]]
SHARE = unit_words("fraction")
SHOWN = 24
WEIGHTED: dict[str, str] = {
    "raw": "attention",
    "value_weighted": "value-weighted",
    "output_weighted": "output-weighted",
}


def attention(body: Json, place: State, palette: Palette) -> Rows:
    """By kind of token, and on every label by which letter is correct."""
    weightings = body["coordinates"]["weighting"]
    chosen = place.weighting if place.weighting in weightings else weightings[0]
    roles = [role_name(role["label"]) for role in body["coordinates"]["role"]]
    kinds = [
        Series(str(WEIGHTED.get(name, name)), estimates(body, "by_role", at), letter(palette, at))
        for at, name in enumerate(weightings)
    ]
    looks = dots(roles, kinds, SHARE, "From the final position, by kind of token")
    if is_text_set(set_of(body)):
        return [[looks]]
    answers = [token(name) for name in body["coordinates"]["answer"]]
    at = weightings.index(chosen)
    shares = [estimates(body, "correct_by_label", at, row) for row in range(len(answers))]
    square = Square(answers, answers, shares, "fraction", "correct", "label attended to")
    labels = heat(square, palette, f"On each label ({WEIGHTED.get(chosen, chosen)})")
    return [[replace(looks, share=1.1), replace(labels, share=1.0)]]


def subspace(body: Json, place: State, palette: Palette) -> Rows:
    """The clouds in three dimensions, flat from the front, and how much few dimensions hold."""
    found = clouds(body)
    room = scene(found, place.cloud, place.camera, palette)
    names = [_letter_key(body, palette)]
    solid = panel_of(
        room, "Queries and keys in their three strongest dimensions", height=280, left=8, bottom=10
    )
    twins = [
        panel_of(
            flat(cloud, place.flat, palette), "Queries" if cloud.name == "queries" else "Keys", height=200
        )
        for cloud in found
    ]
    spectra = panel_of(spectra_figure(body, place.centring, palette), "Variance by rank", height=200)
    keyed = replace(twins[0], data=[*twins[0].data, *(trace for key in names for trace in key)])
    return [[solid], [keyed, twins[1], spectra]]


def _letter_key(body: Json, palette: Palette) -> list[Figure]:
    """What the colours mean, for the legend: traces without points."""
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(token(name)),
            "x": [None],
            "y": [None],
            "marker": {"color": letter(palette, at), "symbol": SYMBOLS[at % len(SYMBOLS)], "size": 8},
        }
        for at, name in enumerate(body["coordinates"]["answer"])
    ]


def low_rank(body: Json, place: State, palette: Palette) -> Rows:
    """Four measures over the rank with their baselines."""
    names = [one["label"] for one in body["coordinates"]["metric"] if one["label"] in MEASURE]
    kinds = body["coordinates"]["kind"]
    kind = place.curve if place.curve in kinds else kinds[0]
    panels = [_rank_panel(Curves(body, name), kind, palette) for name in names]
    return [panels[at : at + 2] for at in range(0, len(panels), 2)]


def _rank_panel(curve: Curves, kind: str, palette: Palette) -> Panel:
    figure = rank_figure(curve, kind, palette)
    thin = [trace for trace in figure["data"] if trace.get("line", {}).get("width") == 0.8]
    for trace in thin:
        trace["name"] = "other kinds"
    if curve.unit == "fraction":
        figure["layout"]["yaxis"] |= {"range": [0, 1.04]}
    return panel_of(figure, ", ".join(MEASURE[curve.metric]), height=180)


def steer(body: Json, _place: State, palette: Palette) -> Rows:
    """Where the head looks and which letter comes out: before, steered, and in the corrupt run."""
    worlds, targets = body["coordinates"]["world"], body["coordinates"]["target"]
    names = [str(TARGET_NAME.get(name, name)) for name in targets]
    titles = {"attention": "Attention to labels", "letters": "Probability among the letters"}
    panels = []
    for table, title in titles.items():
        series = [
            Series(str(WORLD_NAME.get(world, world)), estimates(body, table, at), letter(palette, at))
            for at, world in enumerate(worlds)
        ]
        panels.append(dots(names, series, SHARE, title))
    return [panels]


def mutations(body: Json, place: State, palette: Palette) -> Rows:
    """Groups of bars, one for each mutation; a name may repeat, so the groups are numbered."""
    metrics, groups = body["coordinates"]["metric"], body["coordinates"]["mutation"]
    metric = place.bars if place.bars in metrics else metrics[0]
    rank = body["details"].get("rank", place.rank)
    drawn = bar_figure(body, replace(place, rank=rank), metric, palette)["data"]
    each, at = 0.8 / max(1, len(drawn)), metrics.index(metric)
    data = []
    for bar, trace in enumerate(drawn):
        values = [estimate(body, "bars", at, group, bar) for group in range(len(groups))]
        middles = [group + each * (bar - (len(drawn) - 1) / 2) for group in range(len(groups))]
        bounds = {"error_y": whiskers(values, palette.ink) | {"width": 1.5}}
        data.append({**trace, "x": middles, "width": each * 0.9, **bounds})
    x = {
        "tickmode": "array",
        "tickvals": list(range(len(groups))),
        "ticktext": [label(short(one["title"], 28)) for one in groups],
        "tickangle": -35 if len(groups) > 3 else 0,
        "type": "linear",
        "range": [-0.6, len(groups) - 0.4],
    }
    y = {"title": {"text": BAR_UNIT[metric]}, "showgrid": True, "nticks": 6, "rangemode": "tozero"}
    return [[Panel(data, x, y, height=230, bottom=116 if len(groups) > 3 else 44)]]


def nth_item(body: Json, _place: State, palette: Palette) -> Rows:
    """How often the nearest mean names the right line, or the right letter, for the heads that do it best."""
    heads = named(body, "head")
    scores, chance = body["coordinates"]["score"], body["details"].get("chance")
    best = sorted(
        range(len(heads)),
        key=lambda at: (
            -max(
                _mean(estimate(body, table, at, one))
                for table in ("queries", "keys")
                for one in range(len(scores))
            )
        ),
    )[:SHOWN]
    panels = []
    for table in ("queries", "keys"):
        series = [
            Series(
                "by line" if score == "position" else "by letter",
                [estimate(body, table, at, one) for at in best],
                letter(palette, one),
            )
            for one, score in enumerate(scores)
        ]
        panels.append(
            dots(
                [heads[at] for at in best],
                series,
                SHARE,
                table.capitalize(),
                marks=_chance(chance, len(best), palette),
            )
        )
    return [panels]


def _chance(chance: Any, rows: int, palette: Palette) -> list[Figure]:
    return [mark("chance", chance, rows, palette.muted)] if isinstance(chance, float) else []


def pseudocode(body: Json, _place: State, palette: Palette) -> Rows:
    """How often the algorithm picks the head's option, and how far its attention is from the prediction."""
    names = [MUTATION_NAME.get(name, name) for name in named(body, "mutation")]
    lucky = _chance(body["details"].get("chance"), len(names), palette)
    same = dots(
        names, [Series("", estimates(body, "agreement"), palette.accent)], SHARE, "Same option", marks=lucky
    )
    far = dots(names, [Series("", estimates(body, "divergence"), palette.ink)], "nats", "Divergence")
    return [[same, far]]


def probes(body: Json, place: State, palette: Palette) -> Rows:
    """From which layer on line and symbol can be read."""
    return [
        [
            panel_of(
                probe_figure(body, palette),
                f"What a linear probe reads ({role_name(place.role)})",
                height=220,
            )
        ]
    ]


def categories(body: Json, place: State, palette: Palette) -> Rows:
    """A mark for every head at its layer; heads without a category are small and grey."""
    rows = rows_of(body, place)
    words = titles(body)
    traces = []
    for at, name in enumerate([one for one in words if one != "other"] + ["other"]):
        mine = [row.node for row in rows if row.shown == name]
        colour = palette.muted if name == "other" else letter(palette, at)
        look = {"color": colour, "symbol": "circle-open" if name == "other" else SYMBOLS[at % len(SYMBOLS)]}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{label(words.get(name, name))} ({len(mine)})",
                "x": [node.layer for node in mine],
                "y": [node.head for node in mine],
                "marker": {**look, "size": 4 if name == "other" else 9},
            }
        )
    layers, heads = 1 + max(row.node.layer for row in rows), 1 + max(row.node.head or 0 for row in rows)
    x = {"title": {"text": "layer"}, "range": [-0.7, layers - 0.3], "type": "linear", **_whole(layers)}
    y = {"title": {"text": "head"}, "range": [heads - 0.4, -0.6], "type": "linear", **_whole(heads)}
    return [[Panel(traces, x, y, height=max(140, 24 * heads))]]


def _whole(n: int) -> Figure:
    """Ticks at whole numbers."""
    return {"tickmode": "linear", "tick0": 0, "dtick": 1 if n <= 12 else 2 if n <= 24 else 5}


def qk_scores(body: Json, _place: State, palette: Palette) -> Rows:
    """The heads whose scores alone pick the correct label, with the model and chance."""
    heads = named(body, "head")
    values = estimates(body, "accuracy")
    best = sorted(range(len(heads)), key=lambda at: -_mean(values[at]))[:SHOWN]
    model = estimate(body, "model_accuracy")
    marks = _chance(body["details"].get("chance"), len(best), palette)
    marks += [mark("whole model", model.mean, len(best), palette.ink, "dot")] if model else []
    series = [Series("scores of the head", [values[at] for at in best], palette.accent)]
    return [[dots([heads[at] for at in best], series, f"picks the correct label, {SHARE}", marks=marks)]]


def _mean(value: Estimate | None) -> float:
    return value.mean if value else -1.0
