"""Figures of what is measured on demand: estimates look like estimates, nothing is invented."""

import json
from typing import Any

import plotly.graph_objects as go
import pytest

from frontend.figures.bars import Bar, ranked_bars
from frontend.figures.choices import choices_of
from frontend.figures.curves import MEANING, curve_figure, curves_figure, curves_of
from frontend.figures.paths import edge_table, knock_out_table, path_table, repair_table
from frontend.figures.positions import count_words, position_figure, squares, table_data
from frontend.nodes import Node
from frontend.panels.causes import where
from frontend.panels.wants import wants
from frontend.results import Estimate
from frontend.state import State
from frontend.theme import DARK, LIGHT
from tests.frontend.conftest import attribute, result, table, text_of

Json = dict[str, Any]
PLACE = State(page="head", model="tiny", node=Node(1, 0), n=4, index=2)


@pytest.fixture
def positions() -> Json:
    """Two heads at two tokens: one cell measured, two estimated, one with nothing."""
    nodes = [{"label": f"L1H{head}", "layer": 1, "head": head} for head in range(2)]
    pos = [
        {"position": 7, "text": " B\n", "roles": ["label", "label_correct"], "differs": True},
        {"position": 8, "text": " (", "roles": ["open_bracket"], "differs": False},
    ]
    return result(
        complete=False,
        coordinates={"node": nodes, "pos": pos},
        tables={
            "total_effect": table(["node", "pos"], [[-2.0, None], [None, None]]),
            "estimate": table(["node", "pos"], [[-1.5, 0.5], [0.25, None]]),
        },
        details={"n_measured": 1, "n_cells": 4, "spearman": None, "no_estimate": None},
    )


def cells(body: Json) -> list[list[str]]:
    """Class, strength, words and name of every cell of the figure."""
    figure = position_figure(squares(body), "L1H0", "What it means.")
    (told,) = attribute(figure, "data-squares")
    return [cell for row in json.loads(told)["rows"] for cell in row["cells"]]


def test_an_estimate_never_looks_measured(positions: Json) -> None:
    classes, _, words, _ = zip(*cells(positions), strict=True)
    assert [name.split()[1] for name in classes] == ["measured", "estimate", "estimate", "pending"]
    place = "L1H0 at “·B⏎” (token 7; label, correct; the prompts differ here)"
    assert words[0].startswith(f"{place}: measured −2.00")
    assert words[0].endswith("estimated −1.50 logits")
    assert words[1].endswith("estimated +0.50 logits, not measured")
    assert words[3].endswith("not measured yet") and "heat" not in classes[3]


def test_what_stays_empty_says_why(positions: Json) -> None:
    failure = {"table": "total_effect", "where": "L1H1 8", "reason": "The model overflowed."}
    name, strength, words, _ = cells(positions | {"complete": True, "failures": [failure]})[3]
    assert "failed" in name and strength == "" and words.endswith("The model overflowed.")


def test_squares_share_a_scale_and_lines_of_the_prompt_stand_apart(positions: Json) -> None:
    found = cells(positions)
    assert [strength for _, strength, _, _ in found] == ["100%", "44%", "29%", ""]
    assert "line-end" in found[0][0] and "line-end" not in found[1][0]
    assert [name for *_, name in found] == ["L1H0 7", "L1H0 8", "L1H1 7", "L1H1 8"]


def test_the_heading_of_a_token_says_where_and_what_it_is(positions: Json) -> None:
    data = table_data(squares(positions), "L1H0")
    assert data["columns"][0] == [
        "token-name line-end differs",
        "·B⏎",
        "token 7; label, correct; the prompts differ here",
    ]
    assert [row["own"] for row in data["rows"]] == [True, False]


def test_how_good_the_estimates_were(positions: Json) -> None:
    want = wants(PLACE, "tiny")["want-where"]
    assert want is not None
    text = text_of(where(positions, want, LIGHT))
    assert "Question 3 of 4" in text and "1 of 4 cells are measured." in text and "correlation" not in text
    assert "rank correlation of 0.93" in count_words(positions["details"] | {"spearman": 0.93})
    flat = positions["details"] | {"no_estimate": "accuracy has no slope"}
    assert count_words(flat).endswith("There are no estimates: accuracy has no slope.")


def bars(*values: float | None) -> list[Bar]:
    return [
        Bar(f"n{at}", None if value is None else Estimate(value), "It overflowed")
        for at, value in enumerate(values)
    ]


def test_bars_share_a_zero_and_the_strongest_come_first() -> None:
    first, said = ranked_bars(bars(0.5, None, -2.0, 1.0), ("node", "effect"), 3)
    assert text_of(first) == "nodeeffectn2−2.00n3+1.00n0+0.50"
    shapes = attribute(first, "style")
    assert shapes[:2] == [{"--from": "0.0%", "--size": "50.0%"}, {"--from": "50.0%", "--size": "25.0%"}]
    assert text_of(said) == "1 row without a value: It overflowed."


def test_what_is_not_listed_is_bounded_in_words() -> None:
    first, line, said = ranked_bars(bars(*(1 - at / 100 for at in range(50))), ("node", "effect"), 10)
    assert text_of(first).endswith("n9+0.91") and text_of(line).startswith("20 weaker ones")
    assert text_of(said) == "The other 20 are at most 0.7 logits, either way."


def paths_result() -> Json:
    receivers = [
        {"label": "L1H1.q", "layer": 1, "head": 1, "input": "q"},
        {"label": "MLP1", "layer": 1, "head": None, "input": "mlp"},
        {"label": "logits", "layer": None, "head": None, "input": "logits"},
    ]
    one = [table([], -2.0, -2.5, -1.5) for _ in range(2)]
    return result(
        coordinates={"receiver": receivers},
        tables={
            "path_effect": table(["receiver"], [0.25, -0.5, -1.5]),
            "all_paths": one[0],
            "total_effect": one[1],
        },
    )


def test_paths_stand_beside_the_total_effect() -> None:
    text = text_of(path_table(paths_result(), PLACE, choices_of(PLACE)))
    assert text.startswith("−2.00all paths together[−2.50, −1.50]−2.00total effect[−2.50, −1.50]")
    assert "logits directly−1.50MLP1 −0.50L1H1 query+0.25" in text
    assert "when one receiver alone reads L1H0 patched from the corrupt prompt at the final position" in text
    everywhere = State(node=Node(1, 0), positions="label", metric="letter_loss")
    text = text_of(path_table(paths_result(), everywhere, choices_of(everywhere)))
    assert "at all positions" in text and "loss over the letters" in text


def test_receivers_lead_to_their_own_pages() -> None:
    links = attribute(path_table(paths_result(), PLACE, choices_of(PLACE)), "href")
    assert "/m/tiny/L1H1?n=4&index=2" in links


def test_edges_show_which_ones_are_only_estimated() -> None:
    edges = [
        {"sender": "L0H0", "receiver": "L1H1.v", "input": "v"},
        {"sender": "MLP0", "receiver": "logits", "input": "logits"},
    ]
    body = result(
        coordinates={"edge": edges},
        tables={"estimate": table(["edge"], [2.0, 1.0]), "measured": table(["edge"], [1.75, None])},
    )
    built = edge_table(body, State(n=4, index=2), 1)
    assert "L0H0 → L1H1 value+1.75+2.00MLP0 → logits directly+1.00+1.00" in text_of(built)
    drawn = [name for name in attribute(built, "className") if "signed-bar" in name]
    assert [name.split()[2:] for name in drawn] == [["positive"], ["positive", "hollow"]]
    assert "Question 3 of 4" in text_of(built) and "of the 2 strongest, 1 are measured" in text_of(built)


def test_self_repair_marks_the_node_itself() -> None:
    parts = [
        {"label": "embedding", "kind": "embedding", "layer": None, "head": None},
        {"label": "L1H0", "kind": "head", "layer": 1, "head": 0},
        {"label": "MLP1", "kind": "mlp", "layer": 1, "head": None},
    ]
    sums = {"direct_effect": -2.0, "total_effect_frozen": -1.5, "total_effect": -1.25}
    body = result(
        coordinates={"component": parts},
        tables={
            "change": table(["component"], [0.0, -2.0, 0.5]),
            **{name: table([], value) for name, value in sums.items()},
        },
    )
    text = text_of(repair_table(body, PLACE))
    assert text.startswith("−2.00of L1H0 itself−1.50all changes together−1.25total effect")
    assert text.endswith("componentchange95 % intervalL1H0itself−2.00MLP1+0.50embedding0.00")


def test_knock_out_stands_beside_the_attention_that_was_cut() -> None:
    body = result(
        coordinates={"role": [{"label": "label_correct", "meaning": "the label of the correct option"}]},
        tables={
            "effect": table(["role"], [-2.0]),
            "weight": table(["role"], [0.66]),
            "flips": table(["role"], [0.5]),
        },
    )
    text = text_of(knock_out_table(body, PLACE, "centred_logit"))
    assert text.endswith("kind of tokeneffectattention cutletter flipslabel, correct−2.000.6650 %")
    assert "when L1H0 may not look from the final position" in text


def curves_result(**parts: Any) -> Json:
    fraction = {"unit": "fraction"}
    areas = {name: table([], 0.8) | fraction for name in ("cpr", "cmd", "cpr_random", "cmd_random")}
    by_k = (
        table(["curve", "k"], [[0.0, 0.5, 1.0]] * 3, [[0.0, 0.25, 1.0]] * 3, [[0.0, 0.75, 1.0]] * 3)
        | fraction
    )
    return result(
        coordinates={"k": [0, 1, 300], "curve": ["sufficiency", "necessity", "faithfulness"]},
        tables={"curve": by_k, "random": by_k, "coverage": table(["k"], [0.0, 0.5, 1.0]) | fraction} | areas,
        **parts,
    )


def test_every_curve_is_a_figure_with_a_meaning_and_a_row_in_the_table() -> None:
    curves = curves_of(curves_result())
    assert [curve.name for curve in curves] == list(MEANING)
    for curve in curves:
        go.Figure(curve_figure(curve, DARK))
    text = text_of(curves_figure(curves_result(), LIGHT))
    assert "0.80area under faithfulness (CPR)" in text
    assert "10.5000.5000.5000.5000.5000.5000.500" in text  # k = 1 in all seven columns


def test_curves_have_a_place_for_no_node_and_a_band_only_where_it_was_measured() -> None:
    suffices, *_, coverage = curves_of(curves_result())
    drawn = curve_figure(suffices, LIGHT)["data"]
    assert drawn[-1]["x"][0] == 0.0 and drawn[-1]["y"] == [0.0, 0.5, 1.0]
    assert [trace["y"] for trace in drawn[:2]] == [[0.0, 0.25, 1.0], [0.0, 0.75, 1.0]]
    assert len(drawn) == 6 and len(curve_figure(coverage, LIGHT)["data"]) == 3
    assert "[0.250, 0.750]" in drawn[-1]["text"][1]
    assert [trace["name"] for trace in drawn[4:]] == ["random rankings", "ranked by attribution"]
    marked = curve_figure(suffices, LIGHT)["layout"]["xaxis"]["ticktext"]
    assert marked == ["0", "1", "3", "10", "30", "100", "300"]


def test_a_curve_that_was_not_computed_has_no_point() -> None:
    body = curves_result()
    body["tables"]["curve"]["mean"] = [[0.0, None, 1.0]] * 3
    curve = curves_of(body)[0]
    figure = curve_figure(curve, LIGHT)
    assert figure["data"][-1]["y"] == [0.0, None, 1.0]
    assert "–" in text_of(curves_figure(body, LIGHT))
