"""All sections of a page in one answer: a page of many sections asks once, not once for each of them.

What changes of them comes as one piece of data, from which a script writes their parts; an output for each
part would be a hundred and more, and Dash walks along all outputs at every step. Only where plotly draws,
bodies are outputs.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.markup import markup
from frontend.panels import bias, causes, heads, mutations, pattern, receivers, subspace, thumbnails
from frontend.panels.follow import machinery
from frontend.panels.section import AGAIN, CANCEL, Section, controls, drawn, measured, told, waiting
from frontend.panels.seen import Seen
from frontend.theme import PALETTES, Palette

Json = dict[str, Any]
ALL: tuple[Section, ...] = (
    *causes.ON_HEAD,
    causes.EDGES,
    causes.CURVES,
    bias.BIAS,
    heads.QK,
    *subspace.ALL,
    *mutations.ALL,
    pattern.PATTERN,
    thumbnails.THUMBNAILS,
    receivers.RECEIVERS,
)
PLOTS = tuple(one.name for one in ALL if one.plots)
AS_HTML = ("buttons", "controls", "body")
PANEL = ids.SECTIONS_OF_PAGE


@dataclass(frozen=True)
class Kept:
    """What the page keeps of a section from one answer to the next."""

    seen: Json = field(default_factory=lambda: Seen().written)
    drawn: str = ""  # the want that it shows, in short
    shown: bool = False
    pending: bool = False
    empty: bool = True


@dataclass(frozen=True)
class News:
    """What changes of a section: its parts on the page, what is kept, and of the subspace its scene."""

    parts: Json
    kept: Kept
    scene: Json = field(default_factory=dict)


def layout() -> list[Any]:
    """What is never seen: one memory and one timer for all sections."""
    stores = (ids.SECTION_PRESSED, ids.QK_MEASURED, ids.SECTIONS_NEWS, ids.ESTIMATES)
    return [*machinery(PANEL), *(dcc.Store(id=name) for name in stores)]


def register(app: Dash, client: BackendClient) -> None:
    """Fill every section of the page, follow what is pending, cancel, measure again."""

    @app.callback(
        output={
            "news": Output(ids.SECTIONS_NEWS, "data"),
            "plots": {name: Output(ids.section(name, "body"), "children") for name in PLOTS},
            "scene": subspace.SCENE_OUTPUTS,
            "qk": Output(ids.QK_MEASURED, "data"),
            "memory": Output(ids.memory(PANEL), "data"),
            "poll_off": Output(ids.poll(PANEL), "disabled"),
        },
        inputs={
            "wants": {one.name: Input(ids.WANT_SECTION[one.name], "data") for one in ALL},
            "pressed": Input(ids.SECTION_PRESSED, "data"),
            "tick": Input(ids.poll(PANEL), "n_intervals"),
        },
        state={"memory": State(ids.memory(PANEL), "data"), "theme": State(ids.THEME, "data")},
        running=[(Output(ids.poll(PANEL), "max_intervals"), 0, -1)],
    )
    async def fill(
        wants: Mapping[str, Json | None],
        pressed: Json | None,
        tick: int,
        memory: Json | None,
        theme: str | None,
    ) -> Json:
        del tick
        kept = {one.name: Kept(**(memory or {}).get(one.name, {})) for one in ALL}
        if pressed and ctx.triggered_id == ids.SECTION_PRESSED:
            name = pressed["section"]
            kept[name] = await after_press(client, kept[name], pressed["what"])
        palette = PALETTES[theme or "light"]
        found = await asyncio.gather(
            *(news(client, one, wants[one.name], kept[one.name], palette) for one in ALL)
        )
        return answer(dict(zip(kept, found, strict=True)))

    for store in (ids.SECTIONS_NEWS, ids.ESTIMATES):
        app.clientside_callback(
            ClientsideFunction("headscope", "told"),
            Output(ids.CONTENT, f"data-{store}"),
            Input(store, "data"),
        )


def answer(found: Mapping[str, News]) -> Json:
    """The news of all sections as what the callback gives."""
    written = {name: _written(one.parts, name in PLOTS) for name, one in found.items()}
    return {
        "news": {name: parts for name, parts in written.items() if parts} or no_update,
        "plots": {name: found[name].parts.get("body", no_update) for name in PLOTS},
        "scene": {
            **dict.fromkeys(subspace.SCENE_OUTPUTS, no_update),
            **found[subspace.SUBSPACE.name].scene,
        },
        "qk": measured_now(found[heads.QK.name]),
        "memory": {name: asdict(one.kept) for name, one in found.items()},
        "poll_off": not any(one.kept.shown and one.kept.pending for one in found.values()),
    }


def _written(parts: Json, plots: bool) -> Json:
    """The parts of a section as a script puts them on the page: see `told` in assets/headscope.js."""
    return {
        part: markup(value) if part in AS_HTML else value
        for part, value in parts.items()
        if not (plots and part == "body")
    }


def measured_now(of: News) -> Any:
    """Which result a section has just drawn, if it is complete."""
    last = Seen.read(of.kept.seen).last
    return last if "body" in of.parts and last.get("state") == "done" else no_update


async def after_press(client: BackendClient, kept: Kept, what: str) -> Kept:
    """Stop the job that a section follows, or forget it, so that the section is asked for anew."""
    seen = Seen.read(kept.seen)
    if what == AGAIN:
        return replace(kept, drawn="", seen=replace(seen, last={}).written)
    if what == CANCEL and seen.last.get("key"):
        await client.cancel(seen.last["key"])
    return kept


async def news(client: BackendClient, of: Section, want: Json | None, kept: Kept, palette: Palette) -> News:
    """What becomes of one section. What is as it was is not asked for, drawn or sent again."""
    if want is None:
        return News({"hidden": True} if kept.shown else {}, replace(kept, shown=False))
    wanted = _short(want)
    fresh = wanted != kept.drawn
    parts: Json = {} if kept.shown else {"hidden": False}
    if fresh:
        parts["controls"] = controls(of, want)
    now = replace(kept, drawn=wanted, shown=True)
    if not (fresh or kept.pending):
        return News(parts, now)
    seen = Seen.read(kept.seen)
    if not (want["asked"] or seen.shows(want["spec"])):
        return _unasked(of, parts, now)
    found = await measured(client, of, want["spec"], seen)
    after = seen.after(want["spec"], found)
    now = replace(now, seen=after.written, pending=found.pending, empty=False)
    parts |= told(of, found)
    if not fresh and after.last == seen.last:
        return News(parts, now)
    parts["body"] = drawn(of, found, want, palette)
    is_scene = of.name == subspace.SUBSPACE.name
    return News(parts, now, subspace.scene_parts(found.body, want, palette) if is_scene else {})


def _unasked(of: Section, parts: Json, now: Kept) -> News:
    """Only its button; what was drawn for something else goes."""
    parts = {**parts, **waiting(of)}
    if now.empty:
        del parts["body"]
    gone = {"hidden": True} if of.name == subspace.SUBSPACE.name and not now.empty else {}
    return News(parts, replace(now, pending=False, empty=True), gone)


def _short(want: Json) -> str:
    """A want in a few letters. Where a scene is looked at from is the reader's, and draws nothing anew."""
    told = {name: value for name, value in want.items() if name != "camera"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
