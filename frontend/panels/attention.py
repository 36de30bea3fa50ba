"""Where a head looks from the final position: token by token on one prompt, and by kind of token over all."""

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.attributes import attrs
from frontend.figures.controls import segmented
from frontend.figures.notices import broken, progress
from frontend.figures.question import question_card as prompt_pair
from frontend.figures.tables import label_table, letter_table, role_table
from frontend.figures.tokens import WEIGHTING_SENTENCE, sink_note, token_strip
from frontend.panels import profile
from frontend.panels.follow import Answer, look, look_at_all, machinery
from frontend.panels.question import heading
from frontend.phrases import for_set, is_text_set, set_of
from frontend.results import pair_of
from frontend.still import HTML

Json = dict[str, Any]
WEIGHTING_NAME = {
    "raw": "Attention",
    "value_weighted": "Value-weighted",
    "output_weighted": "Output-weighted",
    "signed": "Logits",
}


def layout() -> list[Any]:
    """One question, the tables of letters, the table of roles."""
    return [
        html.Section(
            [html.Div(id=ids.HEAD_TOKENS), *machinery(ids.HEAD_TOKENS)],
            className="panel",
            **attrs(aria_label="Attention on one prompt"),
        ),
        html.Div([_pattern_card(), profile.layout()], className="stack"),
        html.Section(
            html.Div(id=ids.HEAD_ROLES),
            id=ids.HEAD_ROLES_CARD,
            className="panel",
            hidden=True,
            **attrs(aria_label="Attention by kind of token"),
        ),
    ]


def _pattern_card() -> html.Section:
    return html.Section(
        [html.Div(id=ids.HEAD_PATTERN), *machinery(ids.HEAD_PATTERN)],
        id=ids.HEAD_PATTERN_CARD,
        className="panel",
        hidden=True,
        **attrs(aria_label="Attention by correct letter"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Fill both cards when the head, the pair or the weighting changes."""

    @app.callback(
        Output(ids.HEAD_TOKENS, HTML),
        Output(ids.memory(ids.HEAD_TOKENS), "data"),
        Output(ids.poll(ids.HEAD_TOKENS), "disabled"),
        Input(ids.WANT_TOKENS, "data"),
        Input(ids.poll(ids.HEAD_TOKENS), "n_intervals"),
        State(ids.memory(ids.HEAD_TOKENS), "data"),
        running=[(Output(ids.poll(ids.HEAD_TOKENS), "max_intervals"), 0, -1)],
    )
    async def question(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True
        specs = {"effects": want["effects"], "tokens": want["tokens"], "prompts": want["spec"]}
        answers = await look_at_all(
            client, {name: spec for name, spec in specs.items() if spec}, memory or {}
        )
        pending = any(answer.pending for answer in answers.values())
        return (
            question_card(want, answers),
            {name: answer.memory for name, answer in answers.items()},
            not pending,
        )

    @app.callback(
        Output(ids.HEAD_PATTERN, HTML),
        Output(ids.HEAD_ROLES, HTML),
        Output(ids.HEAD_PATTERN_CARD, "hidden"),
        Output(ids.HEAD_ROLES_CARD, "hidden"),
        Output(ids.memory(ids.HEAD_PATTERN), "data"),
        Output(ids.poll(ids.HEAD_PATTERN), "disabled"),
        Input(ids.WANT_PATTERN, "data"),
        Input(ids.poll(ids.HEAD_PATTERN), "n_intervals"),
        State(ids.memory(ids.HEAD_PATTERN), "data"),
        running=[(Output(ids.poll(ids.HEAD_PATTERN), "max_intervals"), 0, -1)],
    )
    async def pattern(want: Json | None, _tick: int, memory: Json | None) -> tuple[Any, ...]:
        if want is None:
            return no_update, no_update, True, True, no_update, True
        answer = await look(client, want["spec"], memory, priority="click")
        no_labels = is_text_set(want["spec"]["prompts"]["set"])
        cards = [] if no_labels else letters_card(answer), roles_card(answer)
        return *cards, no_labels, False, answer.memory, not answer.pending


def question_card(want: Json, answers: dict[str, Answer]) -> list[Any]:
    """One question: the head's attention as background of its tokens, its letters before and after."""
    bodies = {name: answer.body for name, answer in answers.items()}
    problems = [broken(answer.error) for answer in answers.values() if answer.error][:1]
    waiting = [html.P(progress(job), className="note") for answer in answers.values() if (job := answer.job)][
        :1
    ]
    return [
        heading(want["index"], want["n"]),
        *(strip(bodies["tokens"], want["weighting"]) if "tokens" in bodies else asked(bodies, want["index"])),
        *letters(bodies.get("effects"), bodies.get("prompts"), want["index"]),
        *problems,
        *waiting,
    ]


def asked(bodies: dict[str, Json | None], index: int) -> list[Any]:
    """The question as a person reads it, for a node without attention."""
    prompts = bodies.get("prompts")
    pair = pair_of(prompts, index) if prompts else None
    return prompt_pair(pair) if pair else []


def strip(body: Json | None, weighting: str) -> list[Any]:
    """The tokens of the prompt with the chosen weighting as background."""
    head = [
        html.H3("Where it looks from the final position"),
        segmented("weighting", WEIGHTING_NAME, weighting, "What the background means"),
    ]
    if body is None:
        return head
    note = f"{WEIGHTING_SENTENCE[weighting]} {sink_note(body, weighting)}"
    return [*head, token_strip(body, weighting), html.P(note, className="note")]


def letters(effects: Json | None, prompts: Json | None, index: int) -> list[Any]:
    """The letters of this question before and after the patch."""
    pair = pair_of(prompts, index) if prompts else None
    if effects is None or pair is None:
        return []
    return [
        html.H3(for_set("Logits of the letters on this question", set_of(effects))),
        letter_table(effects, pair["clean"]["correct"]),
    ]


def letters_card(answer: Answer) -> list[Any]:
    """The table correct letter by attended label, and how far it is."""
    head = html.H2("Correct letter × attended label")
    problem = [broken(answer.error)] if answer.error else []
    running = [html.P(progress(answer.job), className="note")] if answer.job else []
    if answer.body is None:
        return [head, *problem, *running]
    note = "Mean attention from the final position on each label, by the letter that is correct."
    source = attrs(data_key=answer.body["key"], data_complete=str(answer.body["complete"]).lower())
    table = html.Div(label_table(answer.body, "raw"), **source)
    return [head, table, html.P(note, className="note"), *problem, *running]


def roles_card(answer: Answer) -> list[Any]:
    """Attention by kind of token."""
    head = html.H2("Attention by kind of token")
    note = "Mean share of the attention from the final position. A token can be of several kinds; "
    note += "kinds below 0.01 are left out."
    if answer.body is None:
        return [head]
    return [head, html.Div(role_table(answer.body), className="scroll"), html.P(note, className="note")]
