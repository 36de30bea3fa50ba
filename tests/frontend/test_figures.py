"""Figures are pure: the same result gives the same figure, and a cell says only what was measured."""

from typing import Any

import plotly.graph_objects as go
import pytest

from frontend.figures.choices import choices_of
from frontend.figures.grid import FAILED, MEASURED, PENDING, Grid, grid_of, outline, ranked
from frontend.figures.head import Measured, head_numbers, head_sentence
from frontend.figures.legend import legend
from frontend.figures.map import box_style, empty_figure, map_figure
from frontend.figures.tables import label_table, letter_table
from frontend.figures.tokens import on_correct_label, sink_note, token_strip
from frontend.nodes import Node
from frontend.state import DEFAULT, State
from frontend.theme import DARK, LIGHT, POWER, SCALE_FLOOR, diverging, strength
from tests.frontend.conftest import result, table, text_of, walk

Json = dict[str, Any]
USUAL = choices_of(DEFAULT)


@pytest.fixture
def grid(effects: Json) -> Grid:
    return grid_of(effects, "total_effect")


def test_cells_are_measured_failed_or_pending(grid: Grid, effects: Json) -> None:
    assert grid.cell(Node(0, 0)).state == MEASURED
    assert grid.cell(Node(0)).state == FAILED
    partial = grid_of(effects | {"complete": False, "failures": []}, "total_effect")
    assert partial.cell(Node(0)).state == PENDING
    assert outline({"n_layers": 2, "n_heads": 2}) == Grid(2, 2)
    assert Grid(2, 2).cell(Node(1, 1)).state == PENDING


def test_a_value_that_was_not_computed_has_no_colour_and_no_number(grid: Grid) -> None:
    heat = map_figure(grid, LIGHT)["data"][0]
    assert heat["z"][3][0] is None  # MLP0 failed
    assert heat["hoverongaps"] is False
    assert "not finite" in heat["text"][3][0] and not any(
        character.isdigit() for character in heat["text"][3][0][10:]
    )
    assert map_figure(Grid(2, 2), LIGHT)["data"][0]["z"] == [[None, None]] * 4


def test_zero_is_fixed_and_the_scale_symmetric(grid: Grid) -> None:
    heat = map_figure(grid, LIGHT)["data"][0]
    assert (heat["zmin"], heat["zmid"], heat["zmax"]) == (-1, 0, 1)
    assert heat["z"][0] == [-1.0, 0.0]  # -2.0 is the largest, 0.0 stays zero
    assert heat["z"][3][1] == pytest.approx(0.5**POWER, abs=1e-3)
    for palette in (LIGHT, DARK):
        assert diverging(palette)[1] == [0.5, palette.zero]


def test_colour_strength_is_odd_and_bounded() -> None:
    for value in (0.0, 0.1, 1.0, 3.0):
        assert strength(-value, 2.0) == -strength(value, 2.0)
        assert abs(strength(value, 2.0)) <= 1
    assert strength(1.0, 0.0) == 0.0


def test_hover_shows_true_values_with_interval(grid: Grid) -> None:
    text = map_figure(grid, LIGHT)["data"][0]["text"][0][0]
    assert "−2.00 logits" in text and "[−2.10, −1.90]" in text and "2 pairs" in text


def test_axes_are_numeric_and_mlps_stand_apart(grid: Grid) -> None:
    figure = map_figure(grid, LIGHT)
    heat, layout = figure["data"][0], figure["layout"]
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "linear"
    assert all(
        isinstance(value, (int, float)) for value in (*heat["x"], *heat["y"], *layout["yaxis"]["tickvals"])
    )
    assert heat["z"][2] == [None, None]  # the gap
    assert layout["yaxis"]["ticktext"] == ["H0", "H1", "MLP"]


def test_user_text_is_escaped_and_never_a_template(grid: Grid) -> None:
    heat = map_figure(grid, LIGHT)["data"][0]
    assert heat["hovertemplate"] == "%{text}<extra></extra>"
    assert "<b>not finite" not in heat["text"][3][0] and "&lt;b&gt;not finite" in heat["text"][3][0]


def test_pending_cells_are_hatched_failed_ones_crossed(grid: Grid) -> None:
    _, hatch, crosses = map_figure(grid, LIGHT)["data"]
    assert hatch["x"] == [] and crosses["x"] == [0]
    _, hatch, crosses = map_figure(Grid(2, 2), LIGHT)["data"]
    assert len(hatch["x"]) == 6 and crosses["x"] == []
    assert hatch["marker"]["pattern"]["shape"] == "/"


def test_the_selected_cell_has_an_outline(grid: Grid) -> None:
    shape = map_figure(grid, LIGHT, Node(1, 0))["layout"]["shapes"][0]
    assert shape["visible"] and (shape["x0"], shape["x1"], shape["y0"], shape["y1"]) == (0.5, 1.5, -0.5, 0.5)
    assert not map_figure(grid, LIGHT)["layout"]["shapes"][0]["visible"]


@pytest.mark.parametrize("grid_size", [(1, 1), (2, 2), (30, 9), (80, 64), (126, 128)])
def test_figures_are_valid_and_keep_their_size(grid_size: tuple[int, int]) -> None:
    empty = Grid(*grid_size)
    go.Figure(map_figure(empty, DARK, Node(0, 0)))
    assert box_style(empty) == box_style(Grid(*grid_size, n=5))


def test_the_frame_without_a_model_is_valid() -> None:
    go.Figure(empty_figure(LIGHT))


def test_ranking(grid: Grid) -> None:
    assert [str(cell.node) for cell in ranked(grid, "strength")][:2] == ["L0H0", "MLP1"]
    assert str(ranked(grid, "highest")[0].node) == "MLP1"
    assert str(ranked(grid, "lowest")[0].node) == "L0H0"
    assert [str(cell.node) for cell in ranked(grid, "node")] == ["L0H0", "L0H1", "L1H0", "L1H1", "MLP1"]


def test_letters_before_and_after(effects: Json) -> None:
    repaired = letter_table(effects | {"details": {"direction": "denoising"}}, 0)
    assert text_of(repaired).startswith("lettercorrupt run")
    text = text_of(letter_table(effects, 0))
    assert text.startswith("letterclean run") and "Acorrect3.001.00−2.00" in text and "B1.001.50+0.50" in text


def test_legend_ends_are_equal_and_opposite() -> None:
    text = text_of(legend(2.5))
    assert text.startswith("−2.50") and text.endswith("+2.50")
    assert text_of(legend(0.0)) == "0 logits"


def test_token_strip_shows_marks_and_hides_the_sink(token_attention: Json) -> None:
    strip = token_strip(token_attention, "raw")
    assert text_of(strip) == "Question·<b>&AB⏎"
    spans = [part for part in walk(strip) if getattr(part, "data-pos", None) is not None]
    assert "sink" in spans[0].className and spans[0].style is None
    assert spans[2].className == "token heat positive" and spans[2].style["--w"] == "74%"
    assert sink_note(token_attention, "raw") == "The first token “Question” takes 30 %; it is not coloured."


def test_token_strip_signed(token_attention: Json) -> None:
    spans = [
        part
        for part in walk(token_strip(token_attention, "signed"))
        if getattr(part, "data-pos", None) is not None
    ]
    assert "negative" in spans[3].className and "positive" in spans[2].className
    assert "−1.00 logits" in spans[3].title
    assert "+0.10 logits" in sink_note(token_attention, "signed")


def test_attention_on_the_correct_label(token_attention: Json) -> None:
    assert on_correct_label(token_attention) == pytest.approx(0.6)


def test_label_table_leaves_unmeasured_cells_empty() -> None:
    body = result(
        coordinates={"weighting": ["raw"], "answer": ["A", "B"]},
        tables={"correct_by_label": table(["weighting", "correct", "answer"], [[[0.7, 0.1], [None, None]]])},
    )
    assert text_of(label_table(body, "raw")) == "correct→ A→ BA0.700.10B––"


@pytest.mark.parametrize(
    ("mean", "low", "high", "said"),
    [
        (
            -2.66,
            -2.9,
            -2.4,
            "L0H0 lowers the correct letter’s centred logit by 2.66 on average over 2 pairs (95 %",
        ),
        (0.5, 0.4, 0.6, "raises the correct letter’s centred logit by 0.50"),
        (
            -0.02,
            -0.05,
            0.01,
            "by −0.02 on average over 2 pairs; the 95 % interval [−0.05, +0.01] includes zero.",
        ),
        (1.0, None, None, "raises the correct letter’s centred logit by 1.00 on average over 2 pairs."),
        (None, None, None, "The effect of L0H0 could not be measured."),
    ],
)
def test_the_sentence_says_only_what_was_measured(
    mean: float | None, low: float | None, high: float | None, said: str
) -> None:
    bounds = ([mean], None if low is None else [low], None if high is None else [high])
    body = result(tables={"total_effect": table(["node"], *bounds)})
    sentence = head_sentence(Measured(Node(0, 0), body, 0), USUAL)
    assert said in sentence and "attention" not in sentence


def test_a_map_of_noise_stays_pale(effects: Json) -> None:
    effects["tables"]["total_effect"]["mean"] = [0.001] * 6
    noise = grid_of(effects, "total_effect")
    assert noise.largest == SCALE_FLOOR["logit"]
    assert map_figure(noise, LIGHT)["data"][0]["z"][0][0] < 0.1


def test_numbers_of_a_node_come_from_its_row(effects: Json) -> None:
    pattern = result(tables={"on_correct_label": table(["weighting"], [0.9, 0.8], [0.85, 0.7], [0.95, 0.9])})
    known = Measured(Node(0, 1), effects, 1, pattern)
    text = text_of(head_numbers(State(node=known.node), known, pattern))
    assert "+0.50total effect[+0.40, +0.60]" in text
    assert "0.90attention on the correct label[0.85, 0.95]" in text
    assert "90 % of its attention" in head_sentence(known, USUAL)
    assert "attention" not in text_of(head_numbers(State(node=Node(0)), None, None))


def test_attention_that_is_still_measured_is_said_to_be(effects: Json) -> None:
    unfinished = {
        "complete": False,
        "n": 32,
        "n_done": 5,
        "tables": {"on_correct_label": table(["weighting"], [0.5])},
    }
    known = Measured(Node(0, 1), effects, 1, result(**unfinished))
    assert "attention" not in head_sentence(known, USUAL)
    assert "correct label, 5 of 32 pairs" in text_of(
        head_numbers(State(node=known.node), known, known.pattern)
    )


def test_the_coverage_note_counts_the_nodes() -> None:
    from frontend.figures.tables import coverage_note

    ranking = {"share": 0.8, "nodes": ["L1H0", "MLP2"], "negative": ["L0H0"]}
    body = {"details": {"ranking": ranking}, "coordinates": {"node": [{}] * 6}}
    assert coverage_note(body).children == (
        "2 of 6 nodes carry 80 % of the positive attribution; 1 work against the letter."
    )


def test_after_a_failure_every_cell_is_empty_and_says_why() -> None:
    grid = outline({"n_layers": 2, "n_heads": 2}, "The label '10' is not a single token.")
    assert grid and grid.cell(Node(1, 1)).state == "failed"
    assert "single token" in grid.cell(Node(1)).reason
    assert grid.measured == []


def test_the_profile_has_a_row_for_every_correct_letter_and_no_number_for_one_without_prompts() -> None:
    from frontend.figures.tables import profile_table
    from frontend.panels.follow import Answer
    from frontend.panels.profile import profile_card
    from frontend.results import component_index

    component = [
        {"label": "embedding", "kind": "embedding", "layer": None, "head": None},
        {"label": "L0H1", "kind": "head", "layer": 0, "head": 1},
        {"label": "MLP0", "kind": "mlp", "layer": 0, "head": None},
    ]
    values = [[[0.0, 0.0]] * 2, [[1.0, -1.0], [None, None]], [[0.25, -0.25], [-2.0, 2.0]]]
    body = result(
        coordinates={"component": component, "correct": ["A", "B"], "answer": ["A", "B"]},
        tables={"by_letter": table(["component", "correct", "answer"], values)},
    )
    assert (
        component_index(body, Node(0, 1)),
        component_index(body, Node(0)),
        component_index(body, Node(3)),
    ) == (
        1,
        2,
        None,
    )
    text = text_of(profile_table(body, 1))
    assert "+1.00" in text and "−1.00" in text and "None" not in text
    assert text_of(profile_card(Answer({}, "k"), Node(0))) == "Correct letter × letter it writes"
