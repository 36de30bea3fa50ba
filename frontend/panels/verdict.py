"""What one head is taken for, on its page: the same result as on the page of all heads."""

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.notices import broken, progress
from frontend.figures.verdict import verdict_card, verdict_chip
from frontend.panels.follow import Answer, look, machinery
from frontend.panels.links import place_of
from frontend.still import HTML

Json = dict[str, Any]


def chip() -> html.Span:
    """The category beside the head's name."""
    return html.Span(id=ids.VERDICT_CHIP, className="chip verdict-chip")


def layout() -> html.Section:
    """One card, on the page of a head."""
    return html.Section(
        [html.H2("What kind of head is it?"), html.Div(id=ids.VERDICT), *machinery(ids.VERDICT)],
        id=ids.VERDICT_CARD,
        className="panel verdict-card",
        hidden=True,
        **attrs(aria_label="Category"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill the card when the head, the prompts, a threshold or the own verdict changes."""

    @app.callback(
        Output(ids.VERDICT, HTML),
        Output(ids.VERDICT_CHIP, HTML),
        Output(ids.VERDICT_CARD, "hidden"),
        Output(ids.memory(ids.VERDICT), "data"),
        Output(ids.poll(ids.VERDICT), "disabled"),
        Input(ids.WANT_VERDICT, "data"),
        Input(ids.poll(ids.VERDICT), "n_intervals"),
        State(ids.memory(ids.VERDICT), "data"),
        running=[(Output(ids.poll(ids.VERDICT), "max_intervals"), 0, -1)],
    )
    async def verdict(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return [], [], True, no_update, True
        answer = await look(client, want["spec"], memory, priority="background")
        place = place_of(want["address"])
        chip_words = verdict_chip(answer.body, place)
        return shown(answer, place), chip_words, False, answer.memory, not answer.pending


def shown(answer: Answer, place: Any) -> list[Any]:
    """The verdict as far as it is measured, and what is being waited for."""
    card = verdict_card(answer.body, place) if answer.body else []
    problem = [broken(answer.error)] if answer.error else []
    waits = [html.P(f"All heads: {progress(answer.job)}", className="note")] if answer.job else []
    return [*card, *problem, *waits]
