"""What remains of heads that keep r dimensions: four measures over the rank, with their baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from frontend.figures.controls import segmented
from frontend.figures.evidence import big_number
from frontend.figures.lines import UNIT, Line, level, line_figure, line_panel
from frontend.figures.twin import as_table
from frontend.phrases import with_unit
from frontend.results import Estimate, estimate
from frontend.state import State
from frontend.theme import Palette
from frontend.vocabulary import KIND_NAME, KIND_PHRASE
from frontend.words import interval, number, percent

Json = Mapping[str, Any]
MEASURE = {
    "centred_logit": ("Centred logit", "of the correct letter"),
    "letter_loss": ("Loss", "over the letters; lower is better"),
    "accuracy": ("Accuracy", "the correct letter is on top"),
    "attention_on_correct": ("Attention", "on the correct label, mean of the heads"),
}
BASIS_NAME = {"top": "strongest", "random": "random", "bottom": "weakest"}
NEAR_CHANCE = 0.10
NOT_ALONE = "they do not carry the behaviour alone; other heads and MLPs do it too."
TABLE_RANKS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True)
class Curves:
    """One measure of a `low_rank` result."""

    body: Json
    metric: str

    @property
    def _at(self) -> int:
        return [entry["label"] for entry in self.body["coordinates"]["metric"]].index(self.metric)

    @property
    def unit(self) -> str:
        """What the values are in."""
        return self.body["coordinates"]["metric"][self._at]["unit"]

    def measured(self, kind: str, basis: str) -> tuple[list[int], list[Estimate | None]]:
        """Ranks that were measured, and the values there; the others are left out, never joined up."""
        coordinates = self.body["coordinates"]
        if kind not in coordinates["kind"] or basis not in coordinates["basis"]:
            return [], []
        at = coordinates["kind"].index(kind), coordinates["basis"].index(basis)
        values = {
            rank: estimate(self.body, "measured", self._at, *at, place)
            for place, rank in enumerate(coordinates["rank"])
        }
        known = {rank: self._in_unit(value) for rank, value in values.items() if value}
        return list(known), list(known.values())

    def one(self, table: str) -> Estimate | None:
        """The clean run, or the run without the heads."""
        value = estimate(self.body, table, self._at)
        return self._in_unit(value) if value else None

    def _in_unit(self, value: Estimate) -> Estimate:
        return Estimate(value.mean, value.low, value.high, self.unit)


def low_rank_figure(body: Json, place: State, palette: Palette) -> list[Any]:
    """Numbers at the chosen rank, four small figures, and the table with the same numbers."""
    known = [entry["label"] for entry in body["coordinates"]["metric"] if entry["label"] in MEASURE]
    curves = [Curves(body, name) for name in known]
    panels = [
        line_panel(*MEASURE[curve.metric], rank_figure(curve, place.curve, palette)) for curve in curves
    ]
    said = (
        f"The colour is {KIND_PHRASE[place.curve]} kept in its strongest r dimensions, thin lines are the "
        "other kinds. Grey band and line: r random dimensions; dotted: the r weakest. Dashed: the clean run; "
        "dash-dot: the heads replaced by their mean. The dimensions were fitted on other prompts."
    )
    names = {kind: KIND_NAME[kind] for kind in body["coordinates"]["kind"]}
    head = html.Div(
        [html.P(said, className="note"), segmented("curve", names, place.curve, "What keeps r dimensions")],
        className="card-head",
    )
    heads = ", ".join(body["details"]["heads"])
    return [
        _three(curves, place, heads),
        *_carries(curves, heads),
        head,
        html.Div(panels, className="curves"),
        _twin(curves, place.curve),
    ]


def rank_figure(curve: Curves, kind: str, palette: Palette) -> dict[str, Any]:
    """One measure against the rank."""
    others = [name for name in curve.body["coordinates"]["kind"] if name != kind]
    lines = [Line(KIND_NAME[name], *curve.measured(name, "top"), palette.muted, width=0.8) for name in others]
    lines += [
        Line("random", *curve.measured(kind, "random"), palette.muted, width=1.5, band=True),
        Line("weakest", *curve.measured(kind, "bottom"), palette.muted, "dot", 1.5),
    ]
    ends = (0, curve.body["details"]["d_head"])
    lines += [
        level("clean run", curve.one("clean"), ends, palette.ink, "dash"),
        level("heads replaced by their mean", curve.one("ablated"), ends, palette.ink, "dashdot"),
        Line(f"{KIND_NAME[kind]}, strongest", *curve.measured(kind, "top"), palette.accent, band=True),
    ]
    return line_figure([line for line in lines if any(line.y)], "rank r", curve.unit, palette)


def _three(curves: Sequence[Curves], place: State, heads: str) -> html.Div:
    """The clean run, the chosen rank with its baselines, and none of the heads, for the centred logit."""
    curve = next((one for one in curves if one.metric == "centred_logit"), curves[0])
    few = curve.body["coordinates"]["rank"]
    rank = place.rank if place.rank in few else few[-1]

    def at_rank(basis: str) -> Estimate | None:
        ranks, values = curve.measured(place.curve, basis)
        return values[ranks.index(rank)] if rank in ranks else None

    def shown(name: str, value: Estimate | None, basis: str = "") -> html.Div:
        kept = f"{percent(_recovery(curve.body, place.curve, basis, rank))} of the gap" if basis else ""
        below = "  ".join(part for part in (interval(value, number), kept) if part)
        return big_number(name, number(value.mean if value else None), below)

    name = MEASURE[curve.metric][0].lower()
    return html.Div(
        [
            shown(f"{name}, clean run", curve.one("clean")),
            shown(f"{KIND_NAME[place.curve]} of {heads} in {rank} dimensions", at_rank("top"), "top"),
            shown(f"in {rank} random dimensions", at_rank("random"), "random"),
            shown(f"{heads} replaced by the mean", curve.one("ablated")),
        ],
        className="numbers beside",
    )


def _carries(curves: Sequence[Curves], heads: str) -> list[html.P]:
    """Whether these heads alone carry the behaviour: without them, is the model back at chance?"""
    curve = next((one for one in curves if one.metric == "accuracy"), None)
    clean, ablated = (curve.one("clean"), curve.one("ablated")) if curve else (None, None)
    if curve is None or clean is None or ablated is None:
        return []
    chance = curve.body["details"]["chance"]["accuracy"]
    needed = "the behaviour needs them." if ablated.mean <= chance + NEAR_CHANCE else NOT_ALONE
    without = f"Without {heads} accuracy is {percent(ablated.mean)}"
    return [html.P(f"{without} (clean {percent(clean.mean)}, chance {percent(chance)}): {needed}")]


def _recovery(body: Json, kind: str, basis: str, rank: int) -> float | None:
    """Share of the gap between the replaced and the clean run that these dimensions close."""
    axes = (("kind", kind), ("basis", basis), ("rank", rank))
    value = estimate(body, "recovery", *(body["coordinates"][axis].index(name) for axis, name in axes))
    return value.mean if value else None


def _twin(curves: Sequence[Curves], kind: str) -> html.Details:
    """The same numbers as a table, for the ranks that people ask for."""
    columns = [
        (
            f"{MEASURE[curve.metric][0]}, {BASIS_NAME[basis]}",
            dict(zip(ranks, values, strict=True)),
            curve.unit,
        )
        for curve in curves
        for basis in BASIS_NAME
        for ranks, values in [curve.measured(kind, basis)]
        if ranks
    ]
    ranks = sorted({rank for _, values, _ in columns for rank in values if rank in TABLE_RANKS})
    head = html.Tr([html.Th("rank"), *(html.Th(name, className="number") for name, _, _ in columns)])
    rows = [
        html.Tr([html.Th(str(rank), scope="row"), *(_value(values.get(rank)) for _, values, _ in columns)])
        for rank in ranks
    ]
    ends = [
        html.Tr([html.Th(name, scope="row"), *_ends(curves, columns, table)])
        for name, table in (("clean run", "clean"), ("replaced by the mean", "ablated"))
    ]
    units = ", ".join(f"{MEASURE[curve.metric][0].lower()} in {UNIT.get(curve.unit)}" for curve in curves)
    line = f"The same as a table, for {KIND_NAME[kind]}"
    return as_table(head, [*rows, *ends], line, said=html.P(units, className="note"))


def _ends(curves: Sequence[Curves], columns: Sequence[Any], table: str) -> list[html.Td]:
    """A run without a rank, once under each measure's first column."""
    values = {f"{MEASURE[curve.metric][0]}, {BASIS_NAME['top']}": curve.one(table) for curve in curves}
    return [_value(values[name]) if name in values else html.Td() for name, _, _ in columns]


def _value(value: Estimate | None) -> html.Td:
    bounds = ""
    if value and value.low is not None and value.high is not None:
        bounds = with_unit(f"[{number(value.low, 3)}, {number(value.high, 3)}]", value.unit)
    return html.Td(number(value.mean if value else None, 3), className="number", title=bounds)
