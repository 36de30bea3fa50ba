"""A head patched inside its subspace only: where it looks and which letter comes out, before and after."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.evidence import big_number
from frontend.figures.tables import share_cell
from frontend.results import Estimate, estimate
from frontend.state import State
from frontend.words import count, interval, number, percent

Json = Mapping[str, Any]
WORLD_NAME = {"clean": "clean prompt", "steered": "patched in the subspace", "corrupt": "corrupt prompt"}
TARGET_NAME = {
    "correct": "clean prompt’s letter",
    "source_correct": "corrupt prompt’s letter",
    "other": "others, each",
}
VECTOR_WORD = {"query": "the query", "keys": "the keys"}


def steer_sentence(place: State) -> str:
    """What the patch does, in words."""
    what, rank = VECTOR_WORD[place.steer_vector], f"its {place.rank} strongest dimensions"
    head = f"In {place.node}, {what} of the clean prompt"
    many = "s" if place.steer_vector == "query" else ""
    take = f"take{many}"
    if place.steer_mode == "swap":
        return f"{head} {take} the corrupt prompt’s values in {rank} and nothing else."
    if place.steer_mode == "move":
        step = "the step from the clean letter’s mean to that of the corrupt prompt’s"
        return f"{head} move{many} by {number(place.strength)} times {step}, in {rank} only."
    lose = "loses" if place.steer_vector == "query" else "lose"
    return f"{head} {lose} what is in {rank}: the mean over other prompts takes its place."


def steer_figure(body: Json) -> list[Any]:
    """How often attention and answer follow, then both tables side by side."""
    flips, looks = estimate(body, "flips"), estimate(body, "attention_flips")
    numbers = [
        big_number("answers that follow the corrupt prompt", percent(_mean(flips)), _spread(flips)),
        big_number("of the prompts, attention follows too", percent(_mean(looks)), _spread(looks)),
    ]
    tables = [
        _table(body, "attention", "Attention of the final position to labels"),
        _table(body, "letters", "Probability among the letters"),
    ]
    said = f"Means over {count(body['n_done'], 'pair')}; the rates have 95 % intervals."
    return [
        html.Div(numbers, className="numbers beside"),
        html.Div(tables, className="squares-beside"),
        html.P(said, className="note"),
    ]


def _mean(value: Estimate | None) -> float | None:
    return value.mean if value else None


def _spread(value: Estimate | None) -> str:
    return interval(value, percent)


def _table(body: Json, name: str, title: str) -> html.Div:
    """Worlds as rows, targets as columns."""
    worlds, targets = body["coordinates"]["world"], body["coordinates"]["target"]
    head = [html.Td(), *(html.Th(TARGET_NAME.get(one, one), className="number") for one in targets)]
    rows = [
        html.Tr(
            [
                html.Th(WORLD_NAME.get(world, world), scope="row"),
                *(share_cell(estimate(body, name, at, target)) for target in range(len(targets))),
            ],
            className="own" if world == "steered" else "",
        )
        for at, world in enumerate(worlds)
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="table labels steered")
    return html.Div([html.H3(title), html.Div(table, className="scroll")])
