"""The subspace of a head: points where they are, one scene, the camera in the link, patches in words."""

import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest
from dash import no_update
from hypothesis import given
from hypothesis import strategies as st

from frontend import ids
from frontend.figures.low_rank import Curves, low_rank_figure, rank_figure
from frontend.figures.points import camera_of, clouds, flat, scene
from frontend.figures.sliders import slider
from frontend.figures.steer import steer_figure, steer_sentence
from frontend.figures.subspace import patterns, spectrum, subspace_figure
from frontend.nodes import Node
from frontend.options import AT, CENTRINGS, CLOUDS, MUTATIONS, ROPES, SECTIONS
from frontend.panels.router import changed
from frontend.panels.subspace import (
    ALL,
    CONTENTS,
    contents,
    low_rank_controls,
    scene_parts,
    steer_controls,
    subspace_controls,
)
from frontend.panels.wants import same, wants
from frontend.state import State, parse, write
from frontend.theme import DARK, LIGHT, letter
from tests.frontend.computed import low_rank_result, steer_result, subspace_result
from tests.frontend.conftest import attribute, text_of

Json = dict[str, Any]
PLACE = State(page="head", model="tiny", node=Node(1, 0), n=8)


def hundredths(numbers: list[int]) -> str:
    """A camera as the page's script writes it."""
    return ",".join(f"{number / 100:g}" for number in numbers)


def markers(figure: Json) -> list[Json]:
    """The traces that are points."""
    return [trace for trace in figure["data"] if trace["mode"] == "markers"]


def test_a_point_lies_where_the_result_says_and_has_the_colour_of_its_letter() -> None:
    body = subspace_result()
    queries, keys = clouds(body)
    found = {point.prompt: point for point in queries.points}
    assert len(found) == 8 and len(keys.points) == 32
    assert list(found[5].place) == body["tables"]["query"]["mean"][5] and found[5].letter == 1
    assert sum(point.correct for point in keys.points) == 8
    drawn = markers(flat(queries, "13", LIGHT))
    at = next(trace for trace in drawn if 5 in trace["customdata"])
    row = at["customdata"].index(5)
    assert [at["x"][row], at["y"][row]] == [found[5].place[0], found[5].place[2]]
    assert at["marker"]["color"] == letter(LIGHT, 1)


def test_one_scene_holds_both_clouds_each_about_its_own_origin() -> None:
    figure = scene(clouds(subspace_result()), "both", "", DARK)
    go.Figure(figure)
    assert [name for name in figure["layout"] if name.startswith("scene")] == ["scene"]
    points = markers(figure)
    at = [x for trace in points for x in trace["x"]]
    assert min(at) < -1 < 1 < max(at) and all(0.2 < abs(x) < 2.4 for x in at)
    alone = markers(scene(clouds(subspace_result()), "keys", "", DARK))
    assert sum(len(trace["x"]) for trace in alone) == 32
    assert max(abs(x) for trace in alone for x in (*trace["x"], *trace["y"], *trace["z"])) == pytest.approx(1)


def test_a_mutation_is_hollow_in_the_axes_that_were_there() -> None:
    before, after = clouds(subspace_result()), clouds(subspace_result(mutation=True))
    assert [cloud.reach for cloud in before] == [cloud.reach for cloud in after]
    layouts = [flat(found[0], "12", LIGHT)["layout"] for found in (before, after)]
    assert layouts[0]["xaxis"] == layouts[1]["xaxis"]
    mutated = [point for point in after[0].points if point.mutated]
    assert len(mutated) == 7  # one prompt could not be written
    symbols = {trace["marker"]["symbol"] for trace in markers(flat(after[0], "12", LIGHT))}
    assert {"circle", "circle-open"} <= symbols
    first_line = next(p for p in after[1].points if p.mutated and p.prompt == 0 and "key of C" in p.said)
    assert first_line.letter == 2  # a label keeps its colour on whatever line it stands


def test_a_prompt_writes_no_html_into_the_figure() -> None:
    body = subspace_result()
    body["coordinates"]["pair"][0] |= {"label": "<b>x", "labels": ["<b>x", "B", "C", "D"]}
    said = [point.said for cloud in clouds(body) for point in cloud.points if point.prompt == 0]
    assert all("<b>x" not in words for words in said) and any("&lt;b&gt;x" in words for words in said)


def test_numbers_stand_beside_chance_and_the_table_has_every_point() -> None:
    built = subspace_figure(subspace_result(), PLACE, LIGHT)
    text = text_of(built)
    assert "93 %of query variance in 3 dimensions" in text
    assert "96 %queries nearest to their letterchance 25 %" in text
    assert "88 %keys told correct or notchance 50 %" in text
    (told,) = attribute(built, "data-points")
    table = json.loads(told)
    assert table["columns"][3:] == ["query", "key of A", "key of B", "key of C", "key of D"]
    assert len(table["rows"]) == 8 and all(len(row) == 8 for row in table["rows"])


def test_spectra_begin_at_none_and_the_pattern_is_beside_the_rebuilt_one() -> None:
    row = spectrum(subspace_result(), "keys", "prompt")
    assert len(row) == 65 and row[0] and row[0].mean == 0.0 and row[-1] and row[-1].mean == 1.0
    text = text_of(patterns(subspace_result()))
    assert "AttentioncorrectA" not in text and "A0.850.030.030.03" in text
    assert "Rebuilt from 3 dimensions" in text and "A0.680.020.020.02" in text
    assert "A+9.0−2.0−2.0−2.0" in text


def test_the_scene_waits_for_a_result_and_keeps_the_last_one() -> None:
    want = wants(replace(PLACE, cloud="keys", overlay="roman"), "tiny")[ids.WANT_SECTION["subspace"]]
    nothing = scene_parts(None, want, LIGHT)
    assert nothing["hidden"] and nothing["figure"] is no_update
    parts = scene_parts(subspace_result(mutation=True), want, DARK)
    assert not parts["hidden"] and "Roman numerals" in text_of(parts["beside"])
    assert sum(len(trace["x"]) for trace in markers(parts["figure"])) == 64
    eye = camera_of("keys", "")
    assert parts["figure"]["layout"]["scene"]["camera"] == eye
    assert json.loads(attribute(parts["head"], "data-camera")[0]) == eye


def test_a_letter_without_a_prompt_has_no_mean() -> None:
    assert "D––––" in text_of(patterns(subspace_result(3)))


def test_turning_the_camera_draws_nothing_anew_and_a_link_has_it() -> None:
    at = "1,-1.5,0.5,0,0,0"
    turned = replace(PLACE, camera=at)
    assert parse(*write(turned)) == (turned, [])
    assert camera_of("both", at)["eye"] == {"x": 1.0, "y": -1.5, "z": 0.5}
    before, after = wants(PLACE, "tiny"), wants(turned, "tiny")
    assert all(same(after[name], before[name]) for name in before if name != ids.WANT_HISTORY)
    assert after[ids.WANT_SECTION["subspace"]]["camera"] == at  # type: ignore[index]
    other = wants(replace(turned, overlay="shuffled"), "tiny")
    assert not same(other[ids.WANT_SECTION["subspace"]], after[ids.WANT_SECTION["subspace"]])
    assert same(other[ids.WANT_HEAD], after[ids.WANT_HEAD])


@pytest.mark.parametrize("text", ["1,2", "a,b,c,d,e,f", "1,1,1,1,1,1,1", "1e9,0,0,0,0,0", "nan,0,0,0,0,0"])
def test_a_camera_that_is_none_is_said(text: str) -> None:
    state, problems = parse("/", f"?camera={text}")
    assert state.camera == "" and "six numbers" in problems[0]


def test_a_section_follows_its_own_choices_but_not_those_of_others() -> None:
    place = replace(PLACE, measure=("subspace", "steer"))
    assert changed(place, {"overlay": "shuffled"})[0].measure == ("subspace", "steer")
    assert changed(place, {"rank": "5"})[0].measure == ("subspace", "steer")
    assert changed(place, {"rank": "5", "n": "4"})[0].measure == ()
    assert changed(place, {"node": "L1H1"})[0].measure == ()
    slow = replace(PLACE, measure=("low_rank", "mutations"))
    assert changed(slow, {"rank": "5"})[0].measure == ("low_rank",)  # only another number of the same curves
    assert changed(slow, {"curve": "v", "bars": "accuracy", "bar": "dot"})[0].measure == slow.measure


@given(
    st.builds(
        State,
        mutation=st.sampled_from(MUTATIONS),
        overlay=st.sampled_from(MUTATIONS),
        at=st.sampled_from(AT),
        rope=st.sampled_from(ROPES),
        centring=st.sampled_from(CENTRINGS),
        cloud=st.sampled_from(CLOUDS),
        rank=st.integers(1, 512),
        strength=st.integers(-40, 40).map(lambda eighths: eighths / 8),
        camera=st.just("") | st.lists(st.integers(-999, 999), min_size=6, max_size=6).map(hundredths),
    )
)
def test_what_a_section_is_drawn_by_is_read_back(state: State) -> None:
    assert parse(*write(state)) == (state, [])


def test_specs_ask_for_what_the_address_says() -> None:
    place = replace(PLACE, at="newline", rope="pre", overlay="roman", steer_mode="move", strength=1.5)
    found = wants(place, "tiny")
    spec = {name: found[ids.WANT_SECTION[name]]["spec"]["parameters"] for name in ("subspace", "steer")}  # type: ignore[index]
    assert spec["subspace"] == {
        "layer": 1,
        "head": 0,
        "at": "newline",
        "rope": "pre",
        "centring": "prompt",
        "mutation": "roman",
    }
    assert spec["steer"]["strength"] == 1.5 and spec["steer"]["rank"] == 3
    together = wants(replace(PLACE, heads=("L0H0", "L1H0")), "tiny")[ids.WANT_SECTION["low_rank"]]
    assert together and together["spec"]["parameters"]["heads"] == ["L0H0", "L1H0"]
    assert text_of(low_rank_controls(together)).startswith("L0H0, L1H0 together Only L1H0")


def test_every_choice_of_a_section_is_a_field_of_the_address() -> None:
    want = wants(replace(PLACE, steer_mode="move"), "tiny")[ids.WANT_SECTION["steer"]]
    assert want
    built = [*steer_controls(want), *subspace_controls(want)]
    assert set(attribute(built, "data-choice")) == {
        *("steer_vector", "steer_mode", "at", "rope", "centring", "overlay"),
    }
    told = [json.loads(text) for text in attribute(built, "data-slider")]
    assert [data["name"] for data in told] == ["rank", "strength"]
    assert json.loads(attribute(slider("rank", 40, (1, 16, 1), "dimensions"), "data-slider")[0])["max"] == 40


def test_a_rank_that_was_not_measured_is_not_joined_up() -> None:
    curve = Curves(low_rank_result(), "centred_logit")
    ranks, values = curve.measured("qk", "random")
    assert 4 not in ranks and 32 not in ranks and all(values)
    figure = rank_figure(curve, "qk", LIGHT)
    go.Figure(figure)
    named = [trace["name"] for trace in figure["data"] if "name" in trace]
    assert named[-1] == "Q and K, strongest" and {"clean run", "random", "weakest"} <= set(named)
    without = rank_figure(Curves(low_rank_result(), "attention_on_correct"), "qk", LIGHT)
    assert "heads replaced by their mean" not in [trace.get("name") for trace in without["data"]]


def test_low_rank_says_which_heads_and_has_its_baselines_as_numbers() -> None:
    text = text_of(low_rank_figure(low_rank_result(), PLACE, LIGHT))
    assert text.startswith("3.60centred logit, clean run")
    assert "Q and K of L1H0 in 3 dimensions" in text and "in 3 random dimensions" in text
    assert "0.40L1H0 replaced by the mean" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "the query of the clean prompt takes the corrupt prompt’s values in its 3 strongest"),
        ({"steer_vector": "keys"}, "the keys of the clean prompt take the corrupt prompt’s values"),
        ({"steer_mode": "move", "strength": 0.5}, "moves by 0.50 times the step"),
        ({"steer_mode": "remove", "rank": 5}, "loses what is in its 5 strongest dimensions"),
    ],
)
def test_a_patch_is_said_in_words(change: Json, words: str) -> None:
    assert words in steer_sentence(replace(PLACE, **change))


def test_flips_have_their_interval_and_worlds_stand_below_each_other() -> None:
    text = text_of(steer_figure(steer_result()))
    assert "62 %answers that follow the corrupt prompt[50 %, 75 %]" in text
    assert "clean prompt0.830.050.02patched in the subspace0.100.700.05corrupt prompt0.040.860.02" in text


def test_the_contents_lead_to_sections_that_exist() -> None:
    assert {section.name for section in ALL} < set(CONTENTS) <= set(SECTIONS)
    assert attribute(contents(), "href")[0] == "#section-subspace-card"


@pytest.mark.parametrize(
    ("ablated", "words"), [(0.3, "the behaviour needs them"), (0.94, "do not carry the behaviour alone")]
)
def test_it_says_whether_the_heads_carry_the_behaviour(ablated: float, words: str) -> None:
    body = low_rank_result()
    body["tables"]["ablated"]["mean"][2] = ablated
    text = text_of(low_rank_figure(body, PLACE, LIGHT))
    assert f"accuracy is {round(100 * ablated)} % (clean 98 %, chance 25 %)" in text and words in text
