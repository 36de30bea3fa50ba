"""Tables of the page: letters before and after a patch, labels attended to and written, kinds of token."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import html

from frontend.figures.legend import heated
from frontend.phrases import for_set, set_of
from frontend.results import Estimate, estimate, estimates
from frontend.theme import SCALE_FLOOR
from frontend.words import interval, number, role_name, signed, token

Json = Mapping[str, Any]
Shares = Sequence[Estimate | None]
SMALLEST_SHARE = 0.005  # below it a kind of token would read 0.00
NEXT_SORT = {"strength": "lowest", "lowest": "highest", "highest": "strength", "node": "strength"}
SORT_WORD = {"strength": "strongest first", "lowest": "lowest first", "highest": "highest first", "node": ""}
ARIA_SORT = {"strength": "other", "lowest": "ascending", "highest": "descending", "node": "none"}


def coverage_note(body: Json) -> html.P:
    """How few nodes carry most of what favours the letter."""
    ranking, n_nodes = body["details"]["ranking"], len(body["coordinates"]["node"])
    carried, against = len(ranking["nodes"]), len(ranking["negative"])
    return html.P(
        f"{carried} of {n_nodes} nodes carry {ranking['share']:.0%} of the positive attribution; "
        f"{against} work against the letter.".replace("%", " %"),
        className="note",
    )


def letter_table(body: Json, correct: int | None) -> html.Table:
    """The logit of every letter in the run that is edited and after the patch of a result's only node."""
    answers = body["coordinates"]["answer"]
    before, after = estimates(body, "base_logits"), estimates(body, "patched_logits", 0)
    rows = [
        _letter_row(letter, before[place], after[place], place == correct)
        for place, letter in enumerate(answers)
    ]
    run = "corrupt run" if body["details"].get("direction") == "denoising" else "clean run"
    columns = [html.Th(text, className="number") for text in (run, "patched", "change")]
    head = html.Tr([html.Th(for_set("letter", set_of(body))), *columns])
    return html.Table(className="table letters", children=[html.Thead(head), html.Tbody(rows)])


def _letter_row(letter: str, before: Estimate | None, after: Estimate | None, correct: bool) -> html.Tr:
    change = after.mean - before.mean if before and after else None
    numbers = (number(before.mean if before else None), number(after.mean if after else None), signed(change))
    name: list[Any] = [token(letter), html.Span("correct", className="tag")] if correct else [token(letter)]
    return html.Tr([html.Td(name)] + [html.Td(text, className="number") for text in numbers])


def label_table(body: Json, weighting: str) -> html.Table:
    """Mean attention on every label, by which letter is correct."""
    chosen = body["coordinates"]["weighting"].index(weighting)
    shares = [
        estimates(body, "correct_by_label", chosen, row) for row in range(len(body["coordinates"]["answer"]))
    ]
    return _letters_square(body, [[share_cell(share) for share in row] for row in shares])


def profile_table(body: Json, component: int) -> html.Table:
    """Mean centred attribution of one component to every letter, by which letter is correct."""
    letters = range(len(body["coordinates"]["answer"]))
    values = [estimates(body, "by_letter", component, row) for row in letters]
    largest = max([abs(value.mean) for row in values for value in row if value] + [SCALE_FLOOR["logit"]])
    return _letters_square(body, [[_logit(value, largest) for value in row] for row in values])


def _letters_square(body: Json, cells: Sequence[Sequence[html.Td]]) -> html.Table:
    """A row for every correct letter, a column for every letter."""
    answers = body["coordinates"]["answer"]
    head = [html.Th("correct")] + [html.Th(f"→ {token(letter)}", className="number") for letter in answers]
    rows = [
        html.Tr([html.Th(token(letter), scope="row"), *row])
        for letter, row in zip(answers, cells, strict=True)
    ]
    return html.Table(className="table labels", children=[html.Thead(html.Tr(head)), html.Tbody(rows)])


def _logit(value: Estimate | None, largest: float) -> html.Td:
    if value is None:
        return html.Td(number(None), className="number", title="no prompt has this correct letter")
    return heated(signed(value.mean), value.mean, largest)


def share_cell(value: Estimate | None) -> html.Td:
    """A share with its colour; none is as white as 0."""
    mean = value.mean if value else None
    return heated(number(mean), mean or 0.0, 1.0, title=interval(value, number))


def role_table(body: Json) -> html.Table:
    """Attention by kind of token, as numbers and bars."""
    weightings = body["coordinates"]["weighting"]
    rows = most_attended(
        (role, [estimate(body, "by_role", weighting, place) for weighting in range(len(weightings))])
        for place, role in enumerate(body["coordinates"]["role"])
    )
    head = html.Tr([html.Th("token"), *(html.Th(role_name(name), colSpan=2) for name in weightings)])
    return html.Table(
        className="table roles", children=[html.Thead(head), html.Tbody([_role_row(*row) for row in rows])]
    )


def most_attended(rows: Iterable[tuple[Json, Shares]]) -> list[tuple[Json, Shares]]:
    """Kinds of token with their shares, most attended first; what would read 0.00 is out."""

    def largest(row: tuple[Json, Shares]) -> float:
        return max((share.mean for share in row[1] if share), default=0.0)

    return sorted((row for row in rows if largest(row) >= SMALLEST_SHARE), key=largest, reverse=True)


def _role_row(role: Json, shares: Shares) -> html.Tr:
    cells: list[Any] = [html.Th(role_name(role["label"]), scope="row", title=role["meaning"])]
    for share in shares:
        mean = share.mean if share else None
        bar = html.Div(className="bar", style={"width": f"{min(1.0, mean or 0.0) * 100:.1f}%"})
        cells.append(html.Td(number(mean), className="number", title=interval(share, number)))
        cells.append(html.Td(bar, className="bar-cell"))
    return html.Tr(cells)
