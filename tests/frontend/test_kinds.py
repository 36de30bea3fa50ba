"""Every analysis has a figure by itself, with words that a paper can use and code that asks for it again."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from dash import dcc

from backend.schemas.names import AnalysisName
from frontend import ids, specs
from frontend.addresses import LOOKS, drawn_by, name_of, shown_as, state_of
from frontend.figures.audit import audit
from frontend.figures.captions import SAID
from frontend.figures.kinds import KINDS, kind_of
from frontend.figures.methods import METHOD, REFERENCES
from frontend.figures.texts import caption, methods, posted, python_of, title
from frontend.nodes import Node
from frontend.panels import sections
from frontend.panels.section import Section
from frontend.panels.wants import wants
from frontend.state import FIELDS, State, parse, write
from frontend.theme import LIGHT
from tests.frontend.conftest import attribute, result, table, text_of, walk
from tests.frontend.real import computed

Json = dict[str, Any]
NAMES = get_args(AnalysisName)
HEAD, MLP = Node(1, 1), Node(1)
PLACE = State(model="tiny", n=2, seed=3, index=1, options=3, metric="letter_loss", direction="denoising")
ASKED = {
    "prompts": specs.prompts(PLACE),
    "gate": specs.gate(PLACE),
    "sweep": specs.sweep(State(model="tiny", nodes="queries", positions="label", source="mean")),
    "pair": specs.pair_effects(PLACE, HEAD),
    "attribution": specs.attribution(PLACE),
    "where": specs.position_effects(PLACE, Node(1, 0)),
    "where of MLPs": specs.position_effects(PLACE, Node(0)),
    "edges": specs.edges(PLACE),
    "paths": specs.paths(State(model="tiny", positions="all"), MLP),
    "repair": specs.self_repair(PLACE, HEAD),
    "knock-out": specs.knock_out(PLACE, HEAD),
    "attention": specs.attention(PLACE, HEAD),
    "tokens": specs.token_attention(PLACE, HEAD),
    "subspace": specs.subspace(State(model="tiny", at="newline", overlay="numbers", rope="pre"), HEAD),
    "low rank": specs.low_rank(State(model="tiny", heads=("L0H0", "L1H1"), centring="global"), HEAD),
    "steer": specs.steer(State(model="tiny", steer_mode="move", strength=0.5, rank=5), HEAD),
    "mutations": specs.mutations(State(model="tiny", rank=2, kind="qkv", mutation="dot"), HEAD),
    "nth item": specs.nth_item(PLACE, HEAD),
    "pseudocode": specs.pseudocode(PLACE, HEAD),
    "probes": specs.probes(State(model="tiny", role="final")),
    "categories": specs.categories(State(model="tiny", thresholds=(("entropy", "0.8"),))),
    "QK-scores": specs.qk_scores(PLACE),
    "bias": specs.bias(PLACE),
}
AGAIN = {
    "prompts": lambda place: specs.prompts(place),
    "gate": lambda place: specs.gate(place),
    "effects": lambda place: (
        specs.sweep(place) if place.node is None else specs.pair_effects(place, place.node)
    ),
    "attribution": lambda place: specs.attribution(place),
    "position_effects": lambda place: specs.position_effects(place, place.node),
    "edge_estimates": lambda place: specs.edges(place),
    "knock_out": lambda place: specs.knock_out(place, place.node),
    "categories": lambda place: specs.categories(place),
    "qk_scores": lambda place: specs.qk_scores(place),
    "probes": lambda place: specs.probes(place),
    "bias": lambda place: specs.bias(place),
}


@pytest.fixture(scope="session")
def bodies(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> dict[str, Json]:
    return computed(tmp_path_factory.mktemp("real") / "data", tiny_folder)


def test_every_analysis_has_a_kind_a_caption_and_a_method() -> None:
    assert set(KINDS) == set(NAMES) == set(SAID) == set(METHOD)
    assert set(LOOKS) <= set(NAMES) and {name for names in LOOKS.values() for name in names} <= set(FIELDS)


@pytest.mark.parametrize("name", ASKED)
def test_a_spec_leads_back_to_the_place_that_asked_for_it(name: str) -> None:
    spec = ASKED[name]
    analysis, place = name_of(spec), state_of(spec)
    ask = AGAIN.get(analysis) or (lambda place: getattr(specs, analysis)(place, place.node))
    assert json.dumps(ask(place), sort_keys=True) == json.dumps(spec, sort_keys=True)
    assert parse(*write(place)) == (place, [])


def test_a_resolved_spec_leads_to_the_same_place(bodies: dict[str, Json]) -> None:
    for name, body in bodies.items():
        if name != "categories":  # a resolved spec names the default thresholds too
            assert state_of(body["spec"]) == state_of(posted(body["spec"])), name
        assert state_of(body["spec"]).model == "tiny" and state_of(body["spec"]).n == 2


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_draws_a_real_result(bodies: dict[str, Json], name: str) -> None:
    body = bodies[name]
    place = state_of(body["spec"])
    drawn = kind_of(name).draw(body, place, LIGHT)
    assert len(text_of(drawn)) > 20
    assert not [
        part.id for part in walk(drawn) if getattr(part, "id", None)
    ]  # a figure may stand beside any other
    said = caption(body, place)
    assert "Model tiny (float32)" in said and ("n = 2 pairs" in said or "one pair" in said)
    cited = [mark for mark in REFERENCES if mark in METHOD[name]]
    assert all(REFERENCES[mark] in methods(body) for mark in cited) and body["key"] in methods(body)


def section_want(of: Section, body: Json) -> Json:
    """What the page asks of a section for the figure that it draws from this result."""
    place = replace(state_of(body["spec"]), measure=(), receivers=("L1H1", "MLP1"))
    pages = (replace(place, page=page, node=place.node or Node(0, 0)) for page in ("map", "head", "heads"))
    found = (wants(one, "tiny")[ids.WANT_SECTION[of.name]] for one in pages)
    return next(want for want in found if want)


@pytest.mark.parametrize("of", sections.ALL, ids=lambda of: of.name)
def test_only_sections_that_say_so_draw_with_plotly(bodies: dict[str, Json], of: Section) -> None:
    """The others are sent as HTML, which keeps the keyboard and what is scrolled where they are."""
    named = {"where": "position_effects", "repair": "self_repair", "knock": "knock_out", "qk": "qk_scores"}
    named |= {"edges": "edge_estimates", "every_token": "pattern", "receivers": "paths"}
    body = bodies[named.get(of.name, of.name)]
    drawn = of.draw(body, section_want(of, body), LIGHT)
    assert any(isinstance(part, dcc.Graph) for part in walk(drawn)) == of.plots


@pytest.mark.parametrize("name", NAMES)
def test_the_code_asks_for_exactly_this_result(bodies: dict[str, Json], name: str) -> None:
    code = python_of(bodies[name], "http://host:1")
    assigned = next(node for node in ast.parse(code).body if isinstance(node, ast.Assign))
    assert ast.literal_eval(assigned.value) == posted(bodies[name]["spec"])
    assert bodies[name]["key"] in code and '"http://host:1"' in code


def test_numbers_of_a_figure_are_those_of_the_result(bodies: dict[str, Json]) -> None:
    body = bodies["effects"]
    place = drawn_by(body["spec"], State(view="attribution", node=Node(1)))
    drawn = kind_of("effects").draw(body, place, LIGHT)
    row = [entry["label"] for entry in body["coordinates"]["node"]].index("MLP1")
    value = body["tables"]["total_effect"]["mean"][row]
    assert f"{abs(value):.2f}" in text_of(drawn)
    assert place.view == "attribution" and "adds directly" in text_of(drawn)


def failed(kind: str) -> Json:
    """Effects of which one could not be computed."""
    nodes = [{"label": "L0H0", "layer": 0, "head": 0}, {"label": "MLP0", "layer": 0, "head": None}]
    return result(
        spec={"analysis": "effects", "model": "tiny", "prompts": {"n": 2}, "parameters": {"nodes": kind}},
        coordinates={"node": nodes},
        tables={"total_effect": table(["node"], [-2.0, None], [-2.1, None], [-1.9, None])},
        failures=[{"table": "total_effect", "where": "MLP0", "reason": "<b>not finite</b>"}],
    )


def test_a_failed_value_is_empty_with_its_reason_and_never_a_number() -> None:
    body = failed("all")
    drawn = kind_of("effects").draw(body, drawn_by(body["spec"], State(node=Node(0))), LIGHT)
    assert "MLP0: no value. <b>not finite</b>" in text_of(
        drawn
    )  # as text: the browser never reads it as HTML
    numbers = [text_of(part) for part in walk(drawn) if getattr(part, "className", "") == "value"]
    assert numbers[0] == "–" and not any(letter.isdigit() for letter in "".join(numbers))
    graph = next(part for part in walk(drawn) if getattr(part, "figure", None))
    heat = graph.figure["data"][0]
    assert heat["z"][-1] == [None] and "no value" in heat["text"][-1][0]


def test_a_result_that_no_figure_draws_is_shown_as_its_tables() -> None:
    body = failed("all") | {"spec": {"analysis": "new_idea"}}
    kind = kind_of("new_idea")
    drawn = text_of(kind.draw(body, State(), LIGHT))
    assert kind.title == "New idea" and "−2.0000" in drawn and "<b>not finite</b>" in drawn


def test_titles_name_what_they_are_about(bodies: dict[str, Json]) -> None:
    named = {name: title(bodies[name]["spec"], kind_of(name).title) for name in ("paths", "gate", "low_rank")}
    assert named == {
        "paths": "Path effects: L0H1",
        "gate": "Can the model do it?",
        "low_rank": "Low rank: L1H1",
    }


def test_the_menu_shares_the_figure_as_it_is_looked_at(bodies: dict[str, Json]) -> None:
    body = bodies["effects"]
    strip = audit(body, State(model="tiny", n=2, view="direct"))
    key = body["key"]
    links = attribute(strip, "href")
    assert links[0] == f"/f/{key}?view=direct" and f"/f/{key}.svg?view=direct" in links
    assert {link.split("?")[0].rsplit(".", 1)[-1] for link in links[1:]} == set(
        ["png", "svg", "pdf", "html", "csv", "json", "py", "txt"]
    )
    copied = attribute(strip, "data-copy")
    assert f'src="{{origin}}/f/{key}?view=direct&embed=1"' in copied[1]
    assert attribute(audit(body | {"complete": False}), "href") == []


def test_a_link_says_only_what_differs_from_the_figure_itself(bodies: dict[str, Json]) -> None:
    spec = bodies["attribution"]["spec"]
    assert write(shown_as(spec, State(view="attribution")))[1] == ""
    assert write(shown_as(spec, State(node=Node(1, 1), metric="loss")))[1] == "?node=L1H1"
