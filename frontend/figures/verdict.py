"""The verdict on one head: category, confidence, evidence, and a person's own; the export of all verdicts."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.heads import titles, verdict_of
from frontend.heads import CATEGORIES
from frontend.state import State
from frontend.words import number, visible

Json = Mapping[str, Any]


def verdict_chip(body: Json | None, place: State) -> list[Any]:
    """`correct letter 0.97` beside the head's name; a person's own verdict comes first."""
    label = str(place.node)
    found, mine = verdict_of(body, label) if body else None, dict(place.verdicts).get(label)
    if body is None or found is None:
        return []
    named = titles(body)
    if mine and mine != found["category"]:
        measured = f" yours; measured {named.get(found['category'], found['category'])}"
        return [html.B(named.get(mine, mine)), measured]
    return [html.B(named.get(found["category"], found["category"])), f" {number(found['confidence'])}"]


def verdict_card(body: Json, place: State) -> list[Any]:
    """What the head is taken for, what that means, and every measure that was asked with its threshold."""
    found = verdict_of(body, str(place.node))
    if found is None:
        return [html.P(f"There is no verdict on {place.node} yet.", className="note")]
    about = {one["name"]: one for one in body["details"]["categories"]}
    category = about.get(found["category"], {"title": found["category"], "meaning": ""})
    kind = f", {visible(found['kind'])}" if found["kind"] else ""
    said = f"{category['title'].capitalize()}{kind}, confidence {number(found['confidence'])}. "
    words = [html.P([html.B(said), category["meaning"]]), own_verdict(body, place)]
    evidence = [
        _closest(found, titles(body)),
        html.Div(evidence_table(found["evidence"]), className="scroll"),
    ]
    return [
        html.Div([html.Div(words, className="verdict-words"), html.Div(evidence)], className="verdict-body")
    ]


def _closest(found: Json, named: Mapping[str, str]) -> Any:
    """Where no rule is met, of which rule the evidence is."""
    if found["category"] != "other" or "closest" not in found:
        return None
    nearest = named.get(found["closest"], found["closest"])
    return html.P(f"The rule that comes closest is that of a {nearest} head:", className="note")


def evidence_table(evidence: list[Json]) -> html.Table:
    """Measure, value, threshold, and whether it is met."""
    head = html.Tr(
        [
            html.Th("measure"),
            *(html.Th(text, className="number") for text in ("value", "threshold")),
            html.Td(),
        ]
    )
    return html.Table(
        [html.Thead(head), html.Tbody([_evidence_row(one) for one in evidence])],
        className="table evidence-table",
    )


def _evidence_row(one: Json) -> html.Tr:
    met = one["met"]
    return html.Tr(
        [
            html.Th(one["measure"].replace("_", " "), scope="row"),
            html.Td(number(one["value"]), className="number"),
            html.Td(f"{one.get('relation', '')} {number(one['threshold'])}", className="number"),
            html.Td("met" if met else "not met", className="met" if met else "unmet"),
        ]
    )


def own_verdict(body: Json, place: State) -> html.Label:
    """A person's own verdict, which travels with the link and stands beside the measured one."""
    label, named = str(place.node), titles(body)
    mine = dict(place.verdicts).get(label, "")
    options = {"": "as measured", **{name: named.get(name, name.replace("_", " ")) for name in CATEGORIES}}
    listed = [
        html.Option(text, value=f"{label}:{name}", selected=name == mine) for name, text in options.items()
    ]
    select = html.Select(listed, **attrs(data_choice="verdict", aria_label=f"Your verdict on {label}"))
    return html.Label(
        [html.Span("your verdict; it travels with the link"), select],
        className="choice own-verdict" + (" changed" if mine else ""),
    )


def exported(body: Json, place: State) -> Json:
    """All verdicts with their evidence and a person's own, and where they come from."""
    own = dict(place.verdicts)
    verdicts = [{**one, "own": own.get(one["head"])} for one in body["details"].get("verdicts", [])]
    about = {part: body[part] for part in ("key", "spec", "complete", "n_done", "provenance")}
    return {**about, "thresholds": body["details"].get("thresholds", []), "verdicts": verdicts}
