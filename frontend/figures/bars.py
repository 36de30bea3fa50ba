"""Ranked tables with a bar in every row: negative to the left of a common zero, positive to the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from frontend.figures.evidence import big_number
from frontend.phrases import with_unit
from frontend.results import Estimate
from frontend.theme import SCALE_FLOOR
from frontend.words import NONE, count, effect, interval, spread

OPENED = 20  # rows behind the line: every element costs the browser, and the API has them all


@dataclass(frozen=True)
class Bar:
    """One row: what it is about, its value or why there is none, and cells that stand behind the value."""

    name: Any
    value: Estimate | None
    reason: str = ""
    more: tuple[html.Td, ...] = ()
    own: bool = False
    hollow: bool = False  # an estimate, not a measurement

    @property
    def size(self) -> float:
        """How strong it is, whatever its sign."""
        return abs(self.value.mean) if self.value else 0.0


def ranked_bars(bars: Sequence[Bar], headings: Sequence[str], shown: int) -> list[Any]:
    """The strongest rows, the next behind a line to open, and in words how weak the others are."""
    order = sorted((bar for bar in bars if bar.value), key=lambda bar: -bar.size)
    unit = next((bar.value.unit for bar in order if bar.value), "logit")
    largest = max([SCALE_FLOOR.get(unit, 0.0), *(bar.size for bar in order)])
    head = html.Thead(html.Tr(_headings(headings)))
    tables = [
        html.Div(
            html.Table([head, html.Tbody([_row(bar, largest) for bar in part])], className="table bars"),
            className="scroll",
        )
        for part in (order[:shown], order[shown : shown + OPENED])
    ]
    found: list[Any] = tables[:1]
    if len(order) > shown:
        line = html.Summary(f"{count(min(OPENED, len(order) - shown), 'weaker one')}")
        found.append(html.Details([line, tables[1]], className="more"))
    words = [*_weakest(order[shown + OPENED :]), *_without_value([bar for bar in bars if not bar.value])]
    return [*found, *(html.P(sentence, className="note") for sentence in words)]


def _weakest(bars: Sequence[Bar]) -> list[str]:
    if not bars:
        return []
    unit = bars[0].value.unit if bars[0].value else ""
    size = with_unit(f"{bars[0].size:.2g}", unit)
    return [f"The other {len(bars)} are at most {size}, either way."]


def _without_value(bars: Sequence[Bar]) -> list[str]:
    reasons = dict.fromkeys(bar.reason or "no value came out" for bar in bars)
    return [f"{count(len(bars), 'row')} without a value: {'; '.join(reasons)}."] if bars else []


def beside(*numbers: tuple[str, Estimate | None], write: Callable[[float], str] | None = None) -> html.Div:
    """Numbers side by side, each with its interval; changes with their sign unless `write` says otherwise."""
    shown = [
        big_number(name, effect(value), spread(value))
        if write is None
        else big_number(name, write(value.mean) if value else NONE, interval(value, write))
        for name, value in numbers
    ]
    return html.Div(shown, className="numbers beside")


def _headings(headings: Sequence[str]) -> list[Any]:
    name, value, *more = headings
    return [
        html.Th(name),
        html.Td(className="bar-cell"),
        html.Th(value, className="number"),
        *(html.Th(text, className="number") for text in more),
    ]


def _row(bar: Bar, largest: float) -> html.Tr:
    return html.Tr(
        [
            html.Th(bar.name, scope="row"),
            signed_bar(bar, largest),
            html.Td(effect(bar.value), className="number", title=spread(bar.value)),
            *bar.more,
        ],
        className="own" if bar.own else "",
    )


def signed_bar(bar: Bar, largest: float) -> html.Td:
    """A bar from the common zero: where it begins and how long it is, as shares of the cell."""
    share = 50 * bar.value.mean / largest if bar.value else 0.0
    style: Any = {"--from": f"{50 + min(share, 0.0):.1f}%", "--size": f"{abs(share):.1f}%"}
    side = ("negative" if share < 0 else "positive") + (" hollow" if bar.hollow else "")
    return html.Td(className=f"bar-cell signed-bar {side}", style=style)
