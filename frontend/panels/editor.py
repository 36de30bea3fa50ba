"""Editing a prompt pair, or writing one: the tokenizer answers while one types; a press keeps the pair."""

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from frontend import drafts, ids, specs
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.editor import form
from frontend.figures.notices import broken
from frontend.figures.workshop import checked
from frontend.panels.links import place_of
from frontend.phrases import is_text_set
from frontend.words import count

Json = dict[str, Any]
NOT_KEPT = "Not kept yet: see above what is missing."
MOST = 1000  # pairs of a set that is edited
USUAL: Json = {  # what a set of finished pairs does not depend on
    "split": "held_out",
    "seed": "0",
    "sampler": "swap_options",
    "options": "4",
    "labels": "letters",
    "format": "(A)",
    "prelude": "false",
    "shots": "0",
    "mutation": "none",
    "own": "",
}


def openers() -> list[Any]:
    """The two ways into the form."""
    return [
        html.Button("Edit this pair", id=ids.EDITOR_OPEN, className="button", type="button"),
        html.Button("Write a pair of texts", id=ids.EDITOR_NEW, className="button", type="button"),
    ]


def layout() -> html.Section:
    """The form, hidden until a pair is edited, and below it what the tokenizer says."""
    return html.Section(
        [
            html.Form(id=ids.EDITOR_FORM, className="editor-form", **attrs(data_typed=ids.EDITOR_TYPED)),
            html.Div(id=ids.EDITOR_SAID, className="editor-said"),
            html.Div(id=ids.EDITOR_NOTICE),
            dcc.Store(id=ids.EDITOR_PAIR),
            dcc.Store(id=ids.EDITOR_TYPED),
        ],
        id=ids.EDITOR,
        className="panel",
        hidden=True,
        **attrs(aria_label="Editing a pair"),
    )


def register(app: Dash, client: BackendClient) -> None:
    """Open, redraw, check while typing, keep."""
    _register_open(app, client)
    _register_form(app, client)
    _register_check(app, client)
    _register_save(app, client)


def _register_open(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.EDITOR_PAIR, "data"),
        Input(ids.EDITOR_OPEN, "n_clicks"),
        Input(ids.EDITOR_NEW, "n_clicks"),
        State(ids.WANT_PROMPTS, "data"),
        prevent_initial_call=True,
    )
    async def opened(_edit: int, _new: int, want: Json | None) -> Any:
        if want is None:
            return no_update
        if ctx.triggered_id == ids.EDITOR_NEW:
            return {"pair": drafts.BLANK, "index": None, "want": want}
        index = place_of(want["address"]).index
        (pair,) = await pairs_of(client, want, first=index, limit=1)
        return {"pair": pair, "index": index, "want": want}


def _register_form(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.EDITOR_FORM, "children"),
        Output(ids.EDITOR, "hidden"),
        Output(ids.EDITOR_TYPED, "data"),
        Input(ids.EDITOR_PAIR, "data"),
    )
    async def shown(edited: Json | None) -> Any:
        return ([], True, {}) if edited is None else (_titled(edited), False, {})

    @app.callback(
        Output(ids.EDITOR_PAIR, "data", allow_duplicate=True),
        Input({"step": ALL}, "n_clicks"),
        State(ids.EDITOR_TYPED, "data"),
        State(ids.EDITOR_PAIR, "data"),
        prevent_initial_call=True,
    )
    async def stepped(clicks: list[int | None], values: Json, edited: Json) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update
        pair, step = drafts.filled(edited["pair"], values), ctx.triggered_id["step"]
        if step == "shot":
            return edited | {"pair": drafts.with_shot(pair, await _example(client, edited, pair))}
        return edited | {"pair": drafts.changed(pair, step)}


def _register_check(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.EDITOR_SAID, "children"),
        Input(ids.EDITOR_TYPED, "data"),
        State(ids.EDITOR_PAIR, "data"),
        prevent_initial_call=True,
    )
    async def typed(values: Json, edited: Json | None) -> Any:
        if edited is None:
            return []
        try:
            return checked(await check(client, edited, drafts.filled(edited["pair"], values)))
        except BackendError as error:
            return [broken(error)]


def _register_save(app: Dash, client: BackendClient) -> None:
    @app.callback(
        Output(ids.GO, "data", allow_duplicate=True),
        Output(ids.EDITOR_NOTICE, "children"),
        Output(ids.EDITOR_PAIR, "data", allow_duplicate=True),
        Input({"save": ALL}, "n_clicks"),
        State(ids.EDITOR_TYPED, "data"),
        State(ids.EDITOR_PAIR, "data"),
        prevent_initial_call=True,
    )
    async def saved(clicks: list[int | None], values: Json, edited: Json | None) -> Any:
        if not any(clicks) or not ctx.triggered_id or edited is None:
            return no_update, no_update, no_update
        how = ctx.triggered_id["save"]
        if how == "close":
            return no_update, [], None
        pair = drafts.filled(edited["pair"], values)
        try:
            if not (await check(client, edited, pair))["usable"]:
                return no_update, html.P(NOT_KEPT, className="note"), no_update
            return await keep(client, edited, pair, how), [], None
        except BackendError as error:
            return no_update, [broken(error)], no_update


async def check(client: BackendClient, edited: Json, pair: Json) -> Json:
    """What the tokenizer of the model says of a pair."""
    return await client.check_prompts({"model": place_of(edited["want"]["address"]).model, **pair})


async def keep(client: BackendClient, edited: Json, pair: Json, how: str) -> Json:
    """Store the pair, alone or in the set that it came from, and go where it is used."""
    pairs, index = [pair], 0
    if how != "alone":
        pairs = await pairs_of(client, edited["want"], first=0, limit=MOST)
        index = len(pairs) if edited["index"] is None else edited["index"]
        pairs[index:] = [pair, *pairs[index + 1 :]]
    kept = await client.keep_prompts(pairs)
    page = "prompts" if how == "stay" else "map"
    return {**USUAL, "set": kept["id"], "n": str(len(pairs)), "index": str(index), "page": page}


async def pairs_of(client: BackendClient, want: Json, *, first: int, limit: int) -> list[Json]:
    """Pairs of the draw as they can be edited."""
    drawn = await client.draw(specs.draw(place_of(want["address"]), first, limit, check=False))
    return [one["pair"] for one in drawn["pairs"]]


async def _example(client: BackendClient, edited: Json, pair: Json) -> Json:
    """Another question of the draw, which is not among the examples yet."""
    used = [pair["clean"]["question"], *(shot["question"] for shot in pair["clean"].get("shots", []))]
    questions = [one["clean"] for one in await pairs_of(client, edited["want"], first=0, limit=20)]
    return next((one for one in questions if one["question"] not in used), questions[0])


def _titled(edited: Json) -> list[Any]:
    index, want = edited["index"], edited["want"]
    n = place_of(want["address"]).n
    title = "A new pair of texts" if index is None else f"Editing pair {index + 1} of {count(n, 'pair')}"
    return [html.H2(title), *form(edited["pair"]), html.Div(_buttons(edited), className="form-steps")]


def _buttons(edited: Json) -> list[Any]:
    """A new text can join a set of texts; an edited pair replaces the one that it was."""
    alone = _save("Use this pair alone", "alone", "button")
    close = _save("Close without keeping", "close", "quiet")
    name = place_of(edited["want"]["address"]).set
    if edited["index"] is None and not is_text_set(name):
        return [_save("Use this pair", "alone", "button primary"), close]
    stay = _save("Keep and stay here", "stay", "button")
    whole = "Use these prompts" if edited["index"] is not None else "Add it to these prompts and use them"
    return [_save(whole, "use", "button primary"), stay, alone, close]


def _save(text: str, how: str, kind: str) -> html.Button:
    return html.Button(text, id={"save": how}, className=kind, type="button")
