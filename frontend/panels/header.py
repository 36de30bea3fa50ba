"""The bar at the top: model, prompts, certificate, finding a head, light or dark, copying the link."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from frontend import ids, own
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.attributes import attrs
from frontend.figures.forms import fields, text
from frontend.figures.model import certificate_words, model_card, model_words
from frontend.figures.notices import loading_line
from frontend.nodes import Node
from frontend.panels import chooser, history, pages, pins
from frontend.panels.links import place_of
from frontend.state import DEFAULT
from frontend.state import State as Place
from frontend.still import HTML
from frontend.vocabulary import MUTATION_NAME
from frontend.words import count, label, visible

Json = dict[str, Any]
MODEL_POLL_MS = 1000


def layout() -> html.Header:
    """Everything in the bar, and the line below it while a model loads."""
    return html.Header(
        [
            html.Div(
                [_brand(), pages.layout(), html.Div(_tools(), className="tools")],
                className="bar-row",
            ),
            html.Div(
                [html.Div(_chips(), className="chips"), history.layout(), pins.layout()],
                className="bar-strip",
            ),
            history.words_layout(),
            html.Div(id=ids.STATUS, className="sr-only", role="status", **attrs(aria_live="polite")),
            dcc.Interval(id=ids.MODEL_POLL, interval=MODEL_POLL_MS, disabled=True),
            dcc.Store(id=ids.FIND_TYPED),
            dcc.Store(id=ids.THEME),
        ],
        className="bar",
    )


def _brand() -> html.A:
    return html.A(
        ["head", html.Span("scope")], href="/", className="brand", id=ids.HOME, title="Back to the start"
    )


def _chips() -> list[Any]:
    certificate = html.Span(id=ids.CERTIFICATE_CHIP, className="chip")
    card = html.Div(id=ids.MODEL_CARD, className="model-card")
    model = _popover(ids.MODEL_CHIP, "model", [card, chooser.model_layout()])
    return [model, _popover(ids.PROMPTS_CHIP, "prompts", [chooser.layout()]), certificate]


def _popover(chip: str, name: str, content: list[Any]) -> html.Div:
    """A chip and what it opens; see assets/popovers.js."""
    opens = attrs(aria_haspopup="dialog", aria_expanded="false", aria_controls=ids.popover(chip))
    button = html.Button(name, id=chip, className="chip", type="button", **opens)
    panel = html.Div(
        content,
        id=ids.popover(chip),
        className="popover",
        hidden=True,
        role="dialog",
        tabIndex=-1,
        **attrs(aria_label=name.capitalize()),
    )
    return html.Div([button, panel])


def _tools() -> list[Any]:
    return [
        html.Div([_find(), html.Kbd("/"), html.P(id=ids.FIND_SAID, role="alert")], className="find"),
        html.Button("Dark", id=ids.THEME_SWITCH, className="button", type="button"),
        html.Button("Keys", id="keys-button", className="button", type="button", title="Keys and tour (?)"),
        html.Button("Copy link", id=ids.COPY_LINK, className="button primary", type="button"),
    ]


def _find() -> html.Form:
    told = {"id": ids.FIND, "placeholder": "Find a head", "autocomplete": "off", "spellcheck": "false"}
    named = attrs(aria_label="Find a head, for example L23H2", aria_describedby=ids.FIND_SAID)
    return html.Form(**fields(text("text", "", **told, **named)), **attrs(data_submit=ids.FIND_TYPED))


def register(app: Dash, client: BackendClient) -> None:
    """Model and its certificate, finding a head, and the parts that only the browser does."""

    @app.callback(
        Output(ids.MODEL_CHIP, "children"),
        Output(ids.PROMPTS_CHIP, "children"),
        Output(ids.CERTIFICATE_CHIP, "children"),
        Output(ids.CERTIFICATE_CHIP, "className"),
        Output(ids.MODEL_CARD, "children"),
        Output(ids.MODEL_POLL, "disabled"),
        Input(ids.WANT_MODEL, "data"),
        Input(ids.MODEL_POLL, "n_intervals"),
    )
    async def model(want: Json | None, _tick: int) -> tuple[Any, ...]:
        if want is None:
            return (no_update,) * 6
        try:
            found, sets = await client.model(want["model"]), await client.prompt_sets()
        except BackendError as error:
            return want["model"], no_update, str(error), "chip bad", str(error), not error.may_pass
        return chips(found, prompts_words(want, sets))

    @app.callback(
        Output(ids.GO, "data", allow_duplicate=True),
        Output(ids.FIND_SAID, "children"),
        Input(ids.FIND_TYPED, "data"),
        State(ids.WANT_MODEL, "data"),
        prevent_initial_call=True,
    )
    async def find(entered: Json | None, want: Json | None) -> tuple[Any, Any]:
        typed, at = (entered["text"], entered["at"]) if entered else ("", "")
        if not want or not typed:
            return no_update, None
        problem = await missing(client, want["model"], typed)
        return (no_update, problem) if problem else ({"node": typed, "at": at}, None)

    _register_clientside(app)


def chips(model: Mapping[str, Any], prompts: list[Any]) -> tuple[Any, ...]:
    """Texts of the three chips and the card about the model; keeps asking until the model has loaded."""
    certificate = model["certificate"]
    failed = certificate is not None and not certificate["passed"]
    return (
        model_words(model),
        prompts,
        certificate_words(model),
        "chip bad" if failed or model["state"] == "failed" else "chip",
        [*model_card(model), html.P(loading_line(model), className="note")],
        model["state"] in ("ready", "failed"),
    )


def prompts_words(want: Json, sets: list[Json]) -> list[Any]:
    """`prompts stated facts 32 pairs`."""
    place = place_of(want["address"])
    title = next((entry["title"] for entry in sets if entry["id"] == place.set), place.set)
    return [
        "prompts ",
        html.B(label(title).lower() if title != place.set else title),
        f" {count(place.n, 'pair')}",
        mutated(place),
    ]


def mutated(place: Place) -> str:
    """`, Roman numerals, own labels W X Y Z`: what changes the form of the prompts; usually nothing."""
    named = [MUTATION_NAME[place.mutation]] if place.mutation != DEFAULT.mutation else []
    return "".join(f", {name}" for name in [*named, *([visible(own.words(place.own))] if place.own else [])])


async def missing(client: BackendClient, model: str, typed: str) -> str | None:
    """Why there is no such node, as a sentence, or None."""
    try:
        node = Node.read(typed)
        sizes = (await client.model(model))["dimensions"]
    except ValueError:
        return "Type a node such as L23H2 or MLP24."
    except BackendError as error:
        return str(error)
    if sizes and not (node.layer < sizes["n_layers"] and (node.head or 0) < sizes["n_heads"]):
        return f"No {node}: layers 0–{sizes['n_layers'] - 1}, heads 0–{sizes['n_heads'] - 1}."
    return None


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("headscope", "theme"),
        Output(ids.THEME, "data"),
        Output(ids.THEME_SWITCH, "children"),
        Input(ids.THEME_SWITCH, "n_clicks"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("headscope", "answered"),
        Output(ids.COPY_LINK, "data-answered"),
        Input(ids.ANSWERED, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("headscope", "copy"),
        Output(ids.COPY_LINK, "children"),
        Input(ids.COPY_LINK, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("headscope", "drawn"),
        Output(ids.MAP_GRID, "data-drawn"),
        Input(ids.MAP, "figure"),
        Input(ids.WANT_PAIR, "data"),
        Input(ids.NODES, HTML),
    )
    app.clientside_callback(
        ClientsideFunction("headscope", "settled"),
        Output(ids.HOME, "data-settled"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        Input(ids.WANT_MODEL, "data"),
    )
