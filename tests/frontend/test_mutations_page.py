"""Mutations, line or letter, the algorithm, probes: no value is invented, every bar leads to its prompts."""

import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go

from frontend import ids
from frontend.figures.mutations import bar_figure, mutations_figure, prompts_of
from frontend.figures.nth_item import nth_item_figure, probes_figure, pseudocode_figure
from frontend.nodes import Node
from frontend.options import MUTATIONS
from frontend.panels.mutations import ALL, mutations_controls, probes_controls
from frontend.panels.wants import wants
from frontend.state import State
from frontend.theme import DARK, LIGHT
from frontend.vocabulary import MUTATION_NAME, OVERLAY_NAME
from tests.frontend.computed import (
    mutations_result,
    nth_item_result,
    probes_result,
    pseudocode_result,
)
from tests.frontend.conftest import attribute, text_of

Json = dict[str, Any]
PLACE = State(page="head", model="tiny", node=Node(1, 0), n=8)


def test_every_mutation_has_a_name() -> None:
    from analysis.mutations import MUTATIONS as KNOWN

    assert tuple(MUTATION_NAME) == MUTATIONS == tuple(KNOWN) and OVERLAY_NAME["none"] == "none"


def test_every_mutation_has_its_group_of_bars() -> None:
    figure = bar_figure(mutations_result(), PLACE, "letter_loss", LIGHT)
    go.Figure(figure)
    assert [trace["name"] for trace in figure["data"]] == [
        "clean",
        "heads ablated",
        "full rank",
        "rank 3",
        "3 random dimensions",
        "chance",
    ]
    assert all(len(trace["y"]) == len(MUTATIONS) for trace in figure["data"])
    assert figure["data"][0]["customdata"] == list(MUTATIONS)
    roman = MUTATIONS.index("roman")
    assert [trace["y"][roman] for trace in figure["data"]] == [None] * 6
    assert "no value" in figure["data"][0]["text"][roman]


def test_the_metric_can_be_switched_and_a_missing_bar_says_why() -> None:
    accuracy = bar_figure(mutations_result(), PLACE, "accuracy", DARK)
    assert accuracy["data"][0]["y"][0] == 0.98
    assert accuracy["layout"]["yaxis"]["title"]["text"] == "fraction"
    text = text_of(mutations_figure(mutations_result(), replace(PLACE, bars="accuracy"), DARK))
    assert "II is not one token." in text and "0.980" in text and "L1H0" in text


def test_a_bar_leads_to_its_prompts_also_by_keyboard() -> None:
    body = mutations_result()
    assert prompts_of(body, "none") == [] and prompts_of(body, "dot") == []
    built = mutations_figure(body, replace(PLACE, bar="shuffled"), LIGHT)
    text = text_of(built)
    assert "Shuffled: 4 prompts, 2 answered right" in text
    assert "chooses C; right is A, loss 0.200 nats" in text and "(C) blue\n(A) red" in text
    changes = [json.loads(told) for told in attribute(built, "data-go")]
    assert {"bar": "shuffled"} in changes


def test_a_click_on_a_bar_measures_nothing() -> None:
    place = replace(PLACE, measure=("mutations",))
    specs = [
        want["spec"]
        for bar in ("none", "shuffled")
        if (want := wants(replace(place, bar=bar), "tiny")[ids.WANT_SECTION["mutations"]])
    ]
    assert specs[0] == specs[1] and specs[0]["parameters"] == {"heads": ["L1H0"], "rank": 3, "kind": "qk"}


def test_prompts_are_mutated_for_every_analysis_only_when_asked() -> None:
    plain, mutated = (
        wants(replace(PLACE, mutation=name), "tiny")[ids.WANT_HEAD] for name in ("none", "numbers")
    )
    assert plain and mutated and "mutation" not in plain["spec"]["prompts"]
    assert mutated["spec"]["prompts"]["mutation"] == "numbers"


def test_line_and_letter_stand_beside_chance() -> None:
    built = nth_item_figure(nth_item_result())
    text = text_of(built)
    assert "chance, 25 %" in text and "L1H097 %26 %90 %30 %80 %10 %10 %" in text
    assert {"--size": "97.0%", "--chance": "25.0%"} in attribute(built, "style")
    assert "70 %of answers follow the line" in text and "20 %of answers follow the letter" in text


def test_scores_without_a_swap_have_no_columns_for_it() -> None:
    body = nth_item_result()
    del body["tables"]["causal"], body["tables"]["model"]
    text = text_of(nth_item_figure(body))
    assert "goes to" not in text and "whole model" not in text and "97 %" in text


def test_the_algorithm_is_shown_as_it_is_with_its_agreement() -> None:
    text = text_of(pseudocode_figure(pseudocode_result()))
    assert "    n = options.index(correct)\n" in text and "by the line of the correct option" in text
    assert "counting lines it agrees 95 % of the time; as looking up letters it agrees 40 %" in text
    assert "unchanged98 %0.050" in text and "shuffled labels91 %0.200" in text


def test_probes_are_lines_over_the_layers_with_chance() -> None:
    built = probes_figure(probes_result(), PLACE, LIGHT)
    (figure,) = attribute(built, "figure")
    go.Figure(figure)
    named = [trace["name"] for trace in figure["data"] if trace.get("name")]
    assert named == ["line", "symbol", "chance"]
    assert "30.9500.900" in text_of(built)


def test_choices_are_fields_of_the_address() -> None:
    found = wants(PLACE, "tiny")
    want, probed = (found[ids.WANT_SECTION[name]] for name in ("mutations", "probes"))
    assert want and probed
    built = [*mutations_controls(want), *probes_controls(probed)]
    assert attribute(built, "data-choice") == ["kind", "role"]
    assert [json.loads(told)["name"] for told in attribute(built, "data-slider")] == ["rank"]
    assert [section.name for section in ALL] == ["mutations", "nth_item", "pseudocode", "probes"]
