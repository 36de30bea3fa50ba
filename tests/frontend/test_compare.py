"""Side by side: pinned heads, two runs, small pictures of attention, the scatter of heads."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from frontend import ids
from frontend.client import BackendClient
from frontend.figures.compare import Pinned, difference_strip, numbers_table, roles_table
from frontend.figures.comparing import Both, rank_correlation, two_of, what_differs
from frontend.figures.pattern import pattern_data, pattern_figure, thumbnails_figure
from frontend.figures.scatter import scatter_card, scatter_figure
from frontend.figures.two_runs import two_maps
from frontend.nodes import Node
from frontend.panels.compare import NO_PINS, card
from frontend.panels.compare import two_of as two_pins
from frontend.panels.follow import Answer
from frontend.panels.router import changed
from frontend.panels.two_runs import choices, run_of, side_by_side
from frontend.panels.wants import wants
from frontend.results import Estimate
from frontend.sheets import sheet, sheets
from frontend.state import State, href, parse
from frontend.theme import DARK, LIGHT
from tests.frontend.conftest import MODEL, FakeApi, attribute, result, table, text_of, walk

Json = dict[str, Any]
PLACE = State(page="compare", model="tiny", pins=("L0H0", "L1H1"))
LEFT, RIGHT = "a" * 64, "b" * 64


def spec_of(**prompts: Any) -> Json:
    """A resolved spec, as a body has it."""
    return {
        "schema": 1,
        "analysis": {"name": "effects", "version": 3},
        "model": {"id": "tiny", "weights": "w1"},
        "prompts": {"set": "sums", "n": 8, "pairs": "p1", **prompts},
        "parameters": {"nodes": "all", "positions": "final"},
    }


@pytest.fixture
def left(effects: Json) -> Json:
    return effects | {"key": LEFT, "spec": spec_of()}


@pytest.fixture
def right(left: Json) -> Json:
    """The same nodes: L0H0 lower, L1H0 within the other's interval, MLP0 measured here."""
    mean = [-2.5, 0.5, 0.75, 0.05, 0.25, 1.0]
    bounds = [[value + by for value in mean] for by in (-0.1, 0.1)]
    tables = left["tables"] | {"total_effect": table(["node"], mean, *bounds)}
    return left | {"key": RIGHT, "spec": spec_of(n=16), "tables": tables, "failures": []}


def smaller(body: Json) -> Json:
    """A result of a model with one layer."""
    nodes = body["coordinates"] | {"node": body["coordinates"]["node"][:3]}
    cut = {part: body["tables"]["total_effect"][part][:3] for part in ("mean", "low", "high")}
    return body | {"coordinates": nodes, "tables": {"total_effect": table(["node"], *cut.values())}}


# ---- what the address says


@pytest.mark.parametrize(
    "address",
    [
        f"/compare?left={LEFT}&right={RIGHT}",
        "/compare?right=model:mcq-tiny-letters-0100",
        "/compare?pins=L0H0,L1H1,L1H0&between=L1H1,L1H0",
        "/heads?x=confidence&y=qk_score&colour=layer",
    ],
)
def test_an_address_is_read_and_written_the_same(address: str) -> None:
    path, _, search = address.partition("?")
    place, problems = parse(path, search)
    assert not problems and href(place) == address


@pytest.mark.parametrize(
    "search", ["left=abc", "right=model:..%2F", "between=L0H0", "between=L0H0,L0H0", "x=head", "colour=red"]
)
def test_what_cannot_be_compared_is_said(search: str) -> None:
    place, problems = parse("/compare", search)
    assert place == State(page="compare") and len(problems) == 1


def test_an_empty_choice_takes_the_run_out_of_the_address() -> None:
    place, problems = changed(replace(PLACE, left=LEFT, right=RIGHT), {"left": ""})
    assert not problems and (place.left, place.right) == ("", RIGHT)


def test_only_the_page_that_compares_asks_for_the_pins() -> None:
    want = wants(PLACE, "tiny")
    asked = want[ids.WANT_COMPARE]
    assert asked and list(asked["sweeps"]) == ["effects", "categories"]
    assert set(asked["heads"]) == {
        f"{what} of {pin}" for what in ("attention", "tokens") for pin in PLACE.pins
    }
    assert all(
        spec["prompts"]["index"] == (0 if "tokens" in name else None) for name, spec in asked["heads"].items()
    )
    mlp = wants(replace(PLACE, pins=("MLP0",)), "tiny")[ids.WANT_COMPARE]
    assert mlp and list(mlp["sweeps"]) == ["effects"] and mlp["heads"] == {}
    assert ids.WANT_COMPARE not in wants(replace(PLACE, page="map"), "tiny"), "out of sight it stays"


def test_what_only_the_page_that_compares_shows_redraws_no_other() -> None:
    """Axes and pins change the scatter, not the table beside it."""
    place = State(page="heads", model="tiny")
    other = replace(place, x="confidence", colour="layer", left=LEFT, between=("L0H0", "L1H1"))
    before, after = wants(place, "tiny"), wants(other, "tiny")
    assert {name for name in before if before[name] != after[name]} == {ids.WANT_SCATTER, ids.WANT_HISTORY}


# ---- numbers of two runs


def test_differences_are_right_less_left_where_both_were_measured(left: Json, right: Json) -> None:
    found = {str(both.node): both for both in two_of(left, right, "total_effect").nodes}
    assert found["L0H0"].difference == Estimate(-0.5)
    assert found["L0H0"].overlap is False and found["L1H0"].overlap is True
    assert found["MLP0"].difference is None and found["MLP0"].overlap is None
    assert found["L0H0"].sentence == (
        "L0H0: left −2.00 [−2.10, −1.90]; right −2.50 [−2.60, −2.40]; difference −0.50; "
        "the intervals are apart."
    )
    assert "left not measured" in found["MLP0"].sentence and "difference" not in found["MLP0"].sentence


@pytest.mark.parametrize(
    ("bounds", "overlap"),
    [((1.0, 2.0, 2.0, 3.0), True), ((1.0, 2.0, 2.1, 3.0), False), ((1.0, None, 2.1, 3.0), None)],
)
def test_intervals_meet_or_are_apart(bounds: tuple[Any, ...], overlap: bool | None) -> None:
    one, other = Estimate(1.5, *bounds[:2]), Estimate(2.5, *bounds[2:])
    assert Both(Node(0, 0), one, other).overlap is overlap
    assert Both(Node(0, 0), other, one).overlap is overlap


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-2.0, 0.5, None, 0.0, 0.25, 1.0], 1.0),
        ([2.0, -0.5, None, 0.0, -0.25, -1.0], -1.0),
        ([-2.0, 0.5, None, 0.5, 0.25, 1.0], 8 / 95**0.5),  # ranks 1 4 2 3 5 and 1 3.5 3.5 2 5
        ([1.0, 1.0, None, 1.0, 1.0, 1.0], None),
    ],
)
def test_rank_correlation_is_spearmans(left: Json, values: list[Any], expected: float | None) -> None:
    other = left | {"tables": {"total_effect": table(["node"], values)}}
    found = rank_correlation(two_of(left, other, "total_effect"))
    assert found == (None if expected is None else (pytest.approx(expected), 5))


def test_models_of_other_sizes_have_no_difference_and_it_says_why(left: Json, right: Json) -> None:
    small = smaller(right)
    two = two_of(left, small, "total_effect")
    assert "2 layers of 2 heads and 1 layer of 2 heads" in two.why_not
    assert rank_correlation(two) is None and two.largest_difference == 0
    drawn = two_maps(left, small, "total_effect")
    told = json.loads(attribute(drawn, "data-compare")[0])
    assert [one["title"] for one in told["maps"]] == ["Left: tiny", "Right: tiny"]
    assert two.why_not in text_of(drawn) and "Rank correlation" not in text_of(drawn)
    assert "right not measured" in told["words"]["L1H0"]


def test_other_metrics_have_no_difference(left: Json, right: Json) -> None:
    other = right | {"details": {"metric": "letter_loss"}}
    two = two_of(left | {"details": {"metric": "centred_logit"}}, other, "total_effect")
    assert "centred logit and letter loss" in two.why_not


def test_both_maps_have_one_scale_and_the_difference_its_own(left: Json, right: Json) -> None:
    told = json.loads(attribute(two_maps(left, right, "total_effect"), "data-compare")[0])
    cells = [{cell[0]: cell for row in one["cells"] for cell in row} for one in told["maps"]]
    assert cells[1]["L0H0"][1] == -1 and -1 < cells[0]["L0H0"][1] < -0.8, "−2.5 is the end of both scales"
    assert cells[0]["L1H1"][1] == cells[1]["L1H1"][1] > 0, "the same number has the same colour"
    assert cells[2]["L0H0"][1] == -1 and cells[2]["L0H1"][1] == 0
    assert cells[0]["MLP0"][1:] == [None, "failed"] == cells[2]["MLP0"][1:]
    assert told["maps"][0]["gap"] == 2 and told["maps"][0]["rows"] == ["H0", "H1", "MLP"]


def test_what_differs_is_in_words_and_digests_only_where_nothing_else_tells(left: Json) -> None:
    assert what_differs(left, left) == []
    other = left | {"spec": spec_of(n=16, pairs="p2", prelude=True)}
    assert what_differs(left, other) == [("pairs", "8", "16"), ("prelude", "none", "yes")]
    edited = left | {"spec": spec_of(pairs="p2")}
    assert what_differs(left, edited) == [("questions", "as they were then", "changed, under the same name")]


# ---- which runs


def test_a_key_is_read_from_the_store_and_another_model_is_asked_the_same(
    api: FakeApi, client: BackendClient, left: Json
) -> None:
    posted = {"analysis": "effects", "model": "tiny", "prompts": {}, "parameters": {"nodes": "all"}}
    api.answers[("GET", f"/api/results/{LEFT}")] = (200, left)
    api.answers[("GET", f"/api/results/{LEFT}/record")] = (200, {"key": LEFT, "spec": posted, "stored": True})
    api.answers[("POST", "/api/results")] = (200, left | {"key": RIGHT})
    want = {"left": LEFT, "right": "model:other", "spec": {"analysis": "effects", "model": "default"}}
    first = asyncio.run(run_of(client, want, "left", None))
    assert first.body == left and ("POST", "/api/results") not in api.asked
    second = asyncio.run(run_of(client, want, "right", None))
    assert second.spec == {**posted, "model": "other"} and second.key == RIGHT


def test_a_run_that_nobody_ever_asked_for_is_an_error_and_no_number(client: BackendClient) -> None:
    found = asyncio.run(run_of(client, {"left": LEFT, "right": "", "spec": {}}, "left", None))
    assert found.body is None and found.error and found.error.status == 404
    drawn = side_by_side({"view": "total"}, {"left": found, "right": Answer(None, RIGHT)})
    assert "no such thing" in text_of(drawn) and not attribute(drawn, "data-compare")


def test_only_whole_sweeps_are_offered_and_a_strange_key_stays_chosen() -> None:
    about = {"model": "tiny", "prompts": "sums", "n": 8, "date": "2026-11-22T10:00:00Z"}
    whole = {"key": LEFT, "spec": {"parameters": {"nodes": "all", "metric": "letter_loss"}}, **about}
    single = {"key": RIGHT, "spec": {"parameters": {"nodes": ["L0H0"]}}, **about}
    drawn = choices({"left": "", "right": "c" * 64}, [whole, single], [MODEL])
    options = {part.value: part for part in walk(drawn) if type(part).__name__ == "Option"}
    assert set(options) == {"", LEFT, "c" * 64, "model:tiny"}
    assert text_of(options[LEFT]) == "tiny · sums · 8 pairs · letter loss · 2026-11-22"


def test_a_view_that_one_run_lacks_cannot_be_chosen(left: Json, right: Json) -> None:
    answers = {"left": Answer({}, LEFT, left), "right": Answer({}, RIGHT, right)}
    drawn = side_by_side({"view": "direct"}, answers)
    pressed = [part for part in walk(drawn) if getattr(part, "aria-pressed", "") == "true"]
    assert text_of(pressed) == "Total effect", "what cannot be shown falls back to what both have"


# ---- pinned heads


@pytest.fixture
def pins(effects: Json, token_attention: Json) -> list[Pinned]:
    """Two heads with everything; the second looks elsewhere."""
    roles = [{"label": "label_correct", "meaning": "M"}, {"label": "question", "meaning": "Q"}]
    shape = {"weighting": ["raw"], "role": roles}

    def attention(label: float, question: float) -> Json:
        means = table(["weighting", "role"], [[label, question]])
        on_label = table(["weighting"], [label], [label - 0.1], [label + 0.1])
        return result(coordinates=shape, tables={"by_role": means, "on_correct_label": on_label})

    moved = json.loads(json.dumps(token_attention))
    moved["tables"]["attention"]["mean"][0] = [0.1, 0.4, 0.2, 0.3, 0.0]
    return [
        Pinned(Node(0, 0), effects, None, attention(0.75, 0.125), token_attention),
        Pinned(Node(1, 1), effects, None, attention(0.25, 0.625), moved),
    ]


def rows_in(drawn: Any) -> dict[str, list[str]]:
    """The cells of a table by the names of its rows."""
    return {
        text_of(row.children[0]): [text_of(cell) for cell in row.children[1:]]
        for row in walk(drawn)
        if type(row).__name__ == "Tr"
    }


def test_pins_stand_in_columns_with_means_and_intervals(pins: list[Pinned]) -> None:
    rows = rows_in(numbers_table(pins, PLACE))
    assert rows["total effect"] == ["−2.00[−2.10, −1.90]", "+0.25[+0.15, +0.35]"]
    assert rows["direct effect"] == ["–", "–"], "never a guess"
    assert rows["attention on the correct label"][1].startswith("0.25")


def test_roles_of_two_pins_are_subtracted(pins: list[Pinned]) -> None:
    rows = rows_in(roles_table(pins, "raw", (pins[0], pins[1])))
    assert rows["attention on"] == ["L0H0", "L1H1", "L1H1 less L0H0"]
    assert rows["label, correct"] == ["0.75", "0.25", "−0.50"]
    assert rows["question"] == ["0.12", "0.62", "+0.50"]


def test_the_difference_of_two_strips_has_a_fixed_zero_and_no_colour_on_the_first_token(
    pins: list[Pinned],
) -> None:
    drawn = difference_strip(pins[0], pins[1], "raw")
    values = [float(value) for value in attribute(drawn, "data-value")]
    assert values == pytest.approx([-0.2, 0.4, -0.4, 0.2, 0.0])
    tokens = [part for part in walk(drawn) if getattr(part, "data-value", None)]
    assert "sink" in tokens[0].className and "positive" in tokens[1].className
    assert tokens[1].style["--w"] == tokens[2].style["--w"] == "100%" and tokens[4].style["--w"] == "0%"
    assert difference_strip(pins[0], replace(pins[1], tokens=None), "raw") == []


def test_the_pair_that_is_subtracted_is_that_of_the_address(pins: list[Pinned]) -> None:
    three = [*pins, Pinned(Node(1, 0)), Pinned(Node(0))]
    assert two_pins(three, []) == (pins[0], pins[1])
    chosen = two_pins(three, ["L1H0", "L0H0"])
    assert chosen and [str(pin.node) for pin in chosen] == ["L1H0", "L0H0"]
    assert two_pins(three, ["L1H0", "L5H5"]) == (pins[0], pins[1])
    assert two_pins([Pinned(Node(0)), pins[0]], []) is None


def test_without_pins_the_page_says_how_to_pin() -> None:
    address = {"path": "/compare", "search": "", "default": "tiny"}
    assert NO_PINS in text_of(card({"pins": [], "address": address}, {}))


# ---- patterns


@pytest.fixture
def pattern(token_attention: Json) -> Json:
    details = {"query": [0, 1, 1], "key": [0, 0, 1], "value": [1.0, 0.75, 0.2], "smallest": 0.005}
    rest = table(["pos"], [0.0, 0.05, None, 0.0, 0.0])
    return result(coordinates=token_attention["coordinates"], tables={"not_listed": rest}, details=details)


def test_a_pattern_comes_with_visible_tokens_and_what_is_not_listed(pattern: Json) -> None:
    told = pattern_data(pattern)
    assert told["tokens"][1] == ["·<b>&", "content", False] and told["tokens"][4] == ["⏎", "newline", True]
    assert told["rest"] == [0.0, 0.05, None, 0.0, 0.0] and told["value"] == [1.0, 0.75, 0.2]
    assert json.loads(attribute(pattern_figure(pattern), "data-pattern")[0]) == told


def test_the_listed_keys_are_in_the_csv(pattern: Json) -> None:
    assert sheet(pattern).count("\nattention,") == 3 and "1, <b>&,0,Question,0.75," in sheet(pattern)
    assert sheets(pattern)["attention"].splitlines()[2] == "1, <b>&,0,Question,0.75,fraction"


def test_pictures_of_all_heads_are_passed_on_as_they_are() -> None:
    body = result(
        coordinates={"layer": [0, 1], "head": [0, 1, 2]},
        tables={"sink": table(["layer", "head"], [[0.5, 0.1, 0.2], [0.3, None, 0.9]])},
        details={"size": 2, "n_tokens": 7, "pixels": "AAEC", "first_key": "AwQ="},
    )
    drawn = thumbnails_figure(body)
    told = json.loads(attribute(drawn, "data-thumbnails")[0])
    assert (told["layer"], told["head"], told["size"], told["pixels"]) == (2, 3, 2, "AAEC")
    assert "2 × 2 pixels for 7 tokens" in text_of(drawn)


def test_the_next_question_keeps_the_patterns_measured_and_another_head_does_not() -> None:
    place = State(page="map", model="tiny", measure=("thumbnails", "edges"))
    assert changed(place, {"index": "1"})[0].measure == ("thumbnails",), "edges take a while"
    head = State(page="head", model="tiny", node=Node(0, 1), measure=("every_token",))
    assert changed(head, {"index": "1"})[0].measure == ("every_token",)
    assert changed(head, {"node": "L1H0"})[0].measure == ()


def test_selecting_a_head_does_not_redraw_the_pictures_of_all() -> None:
    place = State(page="map", model="tiny", measure=("thumbnails",))
    name = ids.WANT_SECTION["thumbnails"]
    assert wants(place, "tiny")[name] == wants(replace(place, node=Node(1, 1)), "tiny")[name]


# ---- the scatter


def all_heads() -> Json:
    """Three heads; the last has no effect."""
    labels = ("L0H0", "L0H1", "L1H0")
    names = ("correct_letter", "suppressor", "other")
    verdicts = [
        {"head": head, "category": name, "confidence": 0.5, "kind": None}
        for head, name in zip(labels, names, strict=True)
    ]
    return result(
        coordinates={"head": [{"label": head} for head in labels]},
        tables={
            "total_effect": table(["head"], [-2.0, 0.5, None], [-2.2, 0.4, None], [-1.8, 0.6, None]),
            "label_mass": table(["head"], [0.9, 0.1, 0.3]),
        },
        details={
            "verdicts": verdicts,
            "categories": [{"name": name, "title": name, "meaning": ""} for name in names],
        },
    )


def test_heads_without_one_of_the_values_are_left_out_and_counted() -> None:
    drawn = scatter_card(all_heads(), None, State(page="heads"), LIGHT)
    assert json.loads(attribute(drawn, "data-ranked")[0]) == ["L0H0", "L0H1"], "strongest total effect first"
    assert "1 head without one of the two values left out" in text_of(drawn)


@pytest.mark.parametrize("colour", ["category", "layer", "none"])
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_point_carries_its_label_and_intervals(colour: str, palette: Any) -> None:
    from frontend.figures.heads import rows_of

    place = State(page="heads", colour=colour, pins=("L0H0",))
    figure = scatter_figure(rows_of(all_heads(), place)[:2], place, palette)
    points = [entry for trace in figure["data"][:-1] for entry in trace["customdata"]]
    assert points == [["L0H0", 0.9, 0.9, -2.2, -1.8], ["L0H1", 0.1, 0.1, 0.4, 0.6]]
    outlines = [width for trace in figure["data"][:-1] for width in trace["marker"]["line"]["width"]]
    assert outlines == [2, 0], "a pinned head is outlined"
    assert (
        figure["layout"]["xaxis"]["zeroline"]
        and figure["layout"]["yaxis"]["title"]["text"] == "total effect, logits"
    )
    if colour == "category":
        assert len({trace["marker"]["symbol"] for trace in figure["data"][:-1]}) == 2, "never by colour alone"
