"""What can be chosen is what the analysis knows, the address carries it, and every sentence follows it."""

from typing import Any, get_args

import pytest

from frontend import options, phrases, specs
from frontend.figures.choices import CHOICES, choices_of, choices_row
from frontend.figures.evidence import head_of_card, metric_table, why_not
from frontend.figures.grid import Grid, grid_of
from frontend.figures.legend import legend
from frontend.figures.map import box_style, map_figure
from frontend.nodes import Node
from frontend.panels.map import views
from frontend.panels.router import changed
from frontend.phrases import view_sentence
from frontend.state import DEFAULT, State
from frontend.theme import LIGHT
from tests.frontend.conftest import attribute, result, table, text_of, walk

Json = dict[str, Any]


def test_what_can_be_chosen_is_what_the_analysis_knows() -> None:
    from analysis.metrics import METRICS, MetricName
    from analysis.nodes import Kind
    from analysis.roles import ROLES

    assert set(options.METRICS) == set(get_args(MetricName))
    assert set(options.NODES) <= set(get_args(Kind))
    assert set(options.ROLES) <= set(ROLES)
    assert {name: metric.unit for name, metric in METRICS.items()} == phrases.METRIC_UNIT
    lower = {name for name, metric in METRICS.items() if metric.better == "lower"}
    assert lower == set(phrases.LOWER_IS_BETTER)


def test_everything_that_can_be_chosen_has_a_name_and_a_phrase() -> None:
    offered = {
        "nodes": options.NODES,
        "positions": options.POSITIONS,
        "source": options.SOURCES,
        "direction": options.DIRECTIONS,
        "metric": options.METRICS,
    }
    assert {name: tuple(options) for name, (_, options) in CHOICES.items()} == offered
    assert tuple(phrases.POSITIONS_PHRASE) == options.POSITIONS
    assert tuple(phrases.METRIC_PHRASE) == options.METRICS


def test_the_row_shows_what_the_address_says() -> None:
    place = State(metric="loss", positions="label_correct")
    selects = [part for part in walk(choices_row(place)) if getattr(part, "data-choice", None)]
    chosen = {
        getattr(one, "data-choice"): [option.value for option in one.children if option.selected]
        for one in selects
    }
    assert chosen == {name: [getattr(place, name)] for name in CHOICES}
    assert "Defaults" in text_of(choices_row(place)) and "Defaults" not in text_of(choices_row(DEFAULT))
    on_head = choices_row(State(page="head", node=Node(1, 0)))
    assert "nodes" not in attribute(on_head, "data-choice")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            DEFAULT,
            "centred logit, in logits, when one node is patched from the corrupt prompt at the",
        ),
        (State(direction="denoising"), "patched from the clean prompt"),
        (State(source="zero", direction="denoising"), "set to zero in the corrupt run"),
        (State(metric="letter_loss"), "in nats"),
        (State(metric="letter_loss"), "A lower one is better."),
        (State(metric="accuracy", positions="all"), "as a fraction of 1, when one node"),
        (State(nodes="residual", positions="label"), "residual stream before one layer is patched"),
    ],
)
def test_the_sentence_says_what_was_chosen(place: State, said: str) -> None:
    assert said in view_sentence("total", choices_of(place), place.nodes)


def test_choices_go_into_every_spec_of_effects() -> None:
    place = State(metric="loss", direction="denoising", positions="all", source="mean", nodes="queries")
    assert specs.sweep(place)["parameters"] == {"nodes": "queries", **choices_of(place)}
    assert specs.writers_sweep(place)["parameters"]["nodes"] == "all"
    assert specs.ranking(place)["parameters"] == {"nodes": "all"}
    assert specs.ranking(DEFAULT) == specs.sweep(DEFAULT)  # the map that is there already
    assert set(specs.CHOICES) == set(choices_of(DEFAULT))
    assert specs.paths(place, Node(1, 0))["parameters"]["positions"] == "all"
    assert specs.paths(State(positions="label"), Node(1, 0))["parameters"]["positions"] == "all"
    assert specs.paths(DEFAULT, Node(1, 0))["parameters"]["positions"] == "final"
    assert specs.position_effects(place, Node(3))["parameters"]["kind"] == "mlps"


def test_a_view_that_does_not_exist_cannot_be_pressed_and_says_why() -> None:
    place = State(positions="all")
    off = [part for part in walk(views(place)) if getattr(part, "disabled", False)]
    assert [text_of(part) for part in off] == ["Attribution", "Direct", "Indirect"]
    assert all("final position only" in part.title for part in off)
    assert changed(State(view="direct"), {"positions": "all"})[0] == place


def test_a_dash_has_its_reason() -> None:
    assert why_not(State(node=Node(1, 0)), "direct") == ""
    assert "final position" in why_not(State(node=Node(1, 0, "q")), "direct")
    assert "final position" in why_not(State(node=Node(1, 0), positions="all"), "attribution")
    assert why_not(State(node=Node(1, None, "attn"), positions="all"), "total") == ""


@pytest.mark.parametrize(
    ("label", "opens"), [("L1H0.k", "Open head"), ("MLP1", "Open MLP"), ("RESID1", None)]
)
def test_the_card_opens_the_page_of_the_owner(label: str, opens: str | None) -> None:
    card = head_of_card(State(model="tiny", node=Node.read(label)))
    assert (opens in text_of(card)) if opens else ("Open" not in text_of(card))


def one_row(unit: str = "nat") -> Json:
    nodes = [{"label": f"ATTN{layer}", "layer": layer, "head": None} for layer in range(3)]
    return result(
        coordinates={"node": nodes},
        tables={"total_effect": table(["node"], [0.25, None, -0.5]) | {"unit": unit}},
        complete=False,
    )


def test_attention_blocks_are_one_row_in_their_own_unit() -> None:
    grid = grid_of(one_row(), "total_effect")
    assert (grid.kind, grid.unit, grid.head_rows) == ("attention", "nat", [])
    figure = map_figure(grid, LIGHT, Node(2, None, "attn"))
    heat = figure["data"][0]
    assert heat["customdata"] == [["ATTN0", "ATTN1", "ATTN2"]] and heat["y"] == [-0.5, 0.5]
    assert "+0.250 nats" in heat["text"][0][0] and heat["z"][0][1] is None
    assert figure["layout"]["shapes"][0]["y0"] == -0.5
    assert text_of(legend(grid.largest, grid.unit)) == "−0.5000 nats+0.500"


def test_parts_of_heads_have_no_row_of_mlps() -> None:
    figure = map_figure(Grid(2, 3, kind="keys"), LIGHT)
    assert figure["data"][0]["customdata"] == [[f"L{n}H{h}.k" for n in range(2)] for h in range(3)]
    assert figure["layout"]["yaxis"]["ticktext"] == ["H0", "H1", "H2"]
    assert box_style(Grid(30, 9, kind="residual"))["minHeight"] == "82px"


def test_all_metrics_stand_side_by_side_in_their_own_units() -> None:
    metrics = [
        {"label": "centred_logit", "unit": "logit", "better": "higher"},
        {"label": "letter_loss", "unit": "nat", "better": "lower"},
    ]
    pair = result(
        coordinates={"metric": metrics}, tables={"by_metric": table(["metric", "node"], [[-2.0], [0.5]])}
    )
    bounds = [[-3.0, 0.0], [0.1, 0.0]], [[-1.0, 0.0], [0.2, 0.0]]
    mean = [[-2.5, 0.0], [0.125, None]]
    sweep = result(
        coordinates={"metric": metrics}, tables={"by_metric": table(["metric", "node"], mean, *bounds)}
    )
    text = text_of(metric_table(pair, sweep, 0))
    assert "centred logitlogits−2.00−2.50[−3.00, −1.00]" in text
    assert "loss, letters onlynats+0.500+0.125[+0.100, +0.200]" in text and "mean, 2 pairs" in text
    assert "nats+0.500–" in text_of(metric_table(pair, sweep, 1))
    assert "logits–−2.50" in text_of(metric_table(None, sweep, 0))
    assert metric_table(None, None, None) == []
