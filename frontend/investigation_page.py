"""The page of an investigation: the map with a link in every cell, and a panel for every node it leads to."""

from collections.abc import Mapping
from typing import Any

from dash import html

from frontend.figures.attributes import attrs
from frontend.figures.audit import audit
from frontend.figures.evidence import NUMBERS, big_number
from frontend.figures.grid import grid_of
from frontend.figures.kinds import kind_of
from frontend.figures.question import question_card
from frontend.figures.texts import caption
from frontend.investigation import Found, Investigation, place_in
from frontend.investigation_map import back, map_panel
from frontend.nodes import Node
from frontend.offline import html_of
from frontend.static import asset, document, heading, plotly_for
from frontend.theme import LIGHT
from frontend.words import VIEW_TABLE, count, effect, spread, visible

Json = Mapping[str, Any]


def index_page(found: Investigation) -> tuple[str, str]:
    """The page as HTML, and the plotting library that it needs beside it, empty where there is no graph."""
    own = {node: [one for one in found.results if node in one.nodes] for node in _nodes(found)}
    panels = [_node_panel(found, node, results) for node, results in own.items()]
    content = heading(visible(found.name)) + html_of(_head(found)) + map_panel(found, own)
    content += html_of([*panels, *_whole_model(found)], _local)
    plotly = plotly_for(content)
    linked = ["plotly.min.js"] if plotly else []
    return document(found.name, content, [], linked=linked, scripts=[asset("investigation.js")]), plotly


def _local(address: str) -> str:
    """A link to a node's page in the dashboard leads to its panel here."""
    path = address.split("?")[0].rstrip("/").split("/")
    return f"#{path[-1]}" if len(path) == 4 and path[1] == "m" else ""


def _nodes(found: Investigation) -> list[Node]:
    """Nodes with results of their own, and those with a note, in the order of the computation."""
    noted = {Node.read(name) for name, _ in found.notes}
    return sorted({node for one in found.results for node in one.nodes} | noted, key=_in_order)


def _in_order(node: Node) -> tuple[int, bool, int]:
    return node.layer, node.head is None, node.head or 0


def _head(found: Investigation) -> list[Any]:
    """What this is, and the notes of the one who made it."""
    origin, n = found.origin, count(len(found.results), "result")
    model, prompts = visible(origin["model"]), visible(origin["prompts"])
    said = f"Model {model}, {origin['dtype']}; {prompts}, seed {origin['seed']}; {n}."
    notes = [
        html.Li([html.A(name, href=f"#{name}"), html.Span(f"  {visible_lines(text)}", className="pre")])
        for name, text in found.notes
    ]
    listed = [html.Section([html.H2("Notes"), html.Ul(notes)], className="panel notes")] if notes else []
    return [html.P(said, className="lead"), *listed]


def visible_lines(text: str) -> str:
    """Text whose line ends stay line ends."""
    return "\n".join(visible(line) if line else "" for line in text.split("\n"))


def _node_panel(found: Investigation, node: Node, results: list[Found]) -> html.Section:
    """The map's numbers of a node, its note, and the figure of every result about it."""
    noted = [text for name, text in found.notes if name == str(node)]
    parts = [
        html.Div([html.H2(str(node), className="node-name"), back()], className="card-head"),
        *_means(found, node),
        *(html.P(visible_lines(text), className="pre note-text") for text in noted),
        *(_block(one) if one.nodes[0] == node else _elsewhere(one) for one in results),
    ]
    return html.Section(parts, id=str(node), className="panel node", **attrs(aria_label=str(node)))


def _means(found: Investigation, node: Node) -> list[Any]:
    one = found.map
    if one is None:
        return []
    shown = []
    for view, name in NUMBERS.items():
        value = (
            grid_of(one.body, VIEW_TABLE[view]).cell(node).value
            if VIEW_TABLE[view] in one.body["tables"]
            else None
        )
        shown.append(big_number(name, effect(value), spread(value)))
    said = f"Means over {count(one.body['n_done'], 'pair')}, with 95 % intervals."
    return [html.Div(shown, className="numbers"), html.P(said, className="note")]


def _elsewhere(one: Found) -> html.P:
    """A result about several heads has its figure at the first."""
    node = str(one.nodes[0])
    return html.P([f"{visible(one.title)}: see ", html.A(node, href=f"#{node}")])


def _block(one: Found) -> html.Section:
    """One result: its figure, what it shows, where it is from, its files."""
    place = place_in(one)
    files = html.P(
        [
            html.A("Numbers (JSON)", href=f"data/{one.file}.json"),
            " · ",
            html.A("Table (CSV)", href=f"tables/{one.file}.csv"),
        ],
        className="note files",
    )
    return html.Section(
        [
            html.H3(visible(one.title), className="result-title"),
            *kind_of(one.analysis).draw(one.body, place, LIGHT),
            html.P(caption(one.body, place), className="note"),
            html.Footer(audit(one.body), className="audit"),
            files,
        ],
        className="section result",
    )


def _whole_model(found: Investigation) -> list[Any]:
    """Results about no node in particular, each behind its title."""
    others = [one for one in found.results if not one.nodes and one is not found.map]
    if not others:
        return []
    listed = [
        html.Details(
            [html.Summary(visible(one.title)), *_questions(one), _block(one)], className="more whole"
        )
        for one in others
    ]
    return [html.Section([html.H2("The whole model"), *listed], className="panel")]


def _questions(one: Found) -> list[Any]:
    """All pairs of a draw as people read them."""
    if one.analysis != "prompts":
        return []
    pairs = one.body["details"]["pairs"]
    return [
        html.Div([html.H3(f"Question {pair['index'] + 1}"), *question_card(pair)], className="one-pair")
        for pair in pairs
    ]
