"""The page on training: checkpoints by run, drawn as they arrive, and a slider that moves between them."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.bias import bias_figure
from frontend.figures.runs import Checkpoint, Run, runs_of, steps_of
from frontend.figures.training import Frame, questions, training_figure, twin
from frontend.panels.chooser import model_list
from frontend.panels.follow import Answer
from frontend.panels.pages import links
from frontend.panels.training import done_in, drawn, filled, look_at, run_numbers, slider, status
from frontend.panels.wants import wants
from frontend.state import State, href
from frontend.theme import LIGHT
from tests.frontend.conftest import MODEL, FakeApi, attribute, result, table, text_of, walk

Json = dict[str, Any]
PLACE = State(page="training", model="tiny", n=8)
STEPS = {"letters": (400, 0, 2000), "random": (0, 500)}


def models() -> list[Json]:
    """A plain model and the checkpoints of two runs, in no order."""
    about = [
        {"id": f"{run}-{step:04d}", "checkpoint": {"run": run, "title": f"Labels: {run}", "step": step}}
        for run, steps in STEPS.items()
        for step in steps
    ]
    return [MODEL | {"checkpoint": None}, *(MODEL | {"title": None} | one for one in about)]


def measured(accuracy: float, **parts: Any) -> Json:
    """What a checkpoint can do; without correct-letter heads there is nothing to recover."""
    tables = {
        "accuracy": table(["mutation"], [accuracy, 0.25], [accuracy - 0.1, 0.2], [accuracy + 0.1, 0.3]),
        "categories": table(["category"], [2, 6]),
        "position_score": table([], 0.75, 0.7, 0.8),
        "letter_score": table([], 0.3),
        "recovery": table([], None),
    }
    names = [{"label": "none"}, {"label": "roman"}]
    coordinates = {"mutation": names, "category": ["correct_letter", "other"]}
    return result(coordinates=coordinates, tables=tables, **parts)


@pytest.fixture
def runs() -> list[Run]:
    """Two runs, of which one checkpoint is measured."""
    answers = {
        one["id"]: Answer({}, "k", None, {"state": "running"}) for one in models() if one["checkpoint"]
    }
    found = measured(0.9, details={"heads": ["L2H1", "L0H0"]}, warnings=["Few prompts."])
    answers["letters-0400"] = Answer({}, "k", found)
    return [filled(run, answers) for run in runs_of(models())]


def test_checkpoints_are_found_by_run_and_in_order() -> None:
    found = runs_of(models())
    assert [run.name for run in found] == ["letters", "random"]
    assert [one.step for one in found[0].checkpoints] == [0, 400, 2000] == sorted(STEPS["letters"])
    assert steps_of(found) == [0, 400, 500, 2000]
    assert [run.at(450).model for run in found] == ["letters-0400", "random-0000"]
    assert found[0].at(-1).step == 0


def test_every_checkpoint_is_asked_for_on_the_same_prompts(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (200, measured(0.5))
    answers = asyncio.run(look_at(client, PLACE, runs_of(models()), {}))
    specs = [one.spec for one in answers.values() if one.spec]
    assert [spec["model"] for spec in specs] == list(answers) and len(answers) == 5
    assert len({json.dumps(spec["prompts"]) for spec in specs}) == 1 and specs[0]["prompts"]["n"] == 8
    assert {spec["analysis"] for spec in specs} == {"checkpoint"}
    assert len(done_in(answers)) == 5


def test_only_what_is_measured_is_drawn(runs: list[Run]) -> None:
    letters, random = runs
    accuracy = questions(runs, LIGHT)[0]
    loud = next(line for line in accuracy.lines[0] if line.name == "none")
    assert list(loud.x) == [400] and [value.mean for value in loud.y if value] == [0.9]
    assert all(not line.x for line in accuracy.lines[1])
    assert (
        letters.checkpoints[1].value("recovery") is None
        and random.checkpoints[0].value("accuracy", "none") is None
    )
    assert letters.checkpoints[1].value("accuracy", "unheard of") is None
    assert not questions(runs, LIGHT)[3].lines[0][0].x  # no recovery without heads: no point, not a zero


def test_runs_share_their_frame_and_the_step_is_marked(runs: list[Run]) -> None:
    frame = Frame((0, 400, 2000), 400, LIGHT)
    question = questions(runs, LIGHT)[0]
    figures = [training_figure(lines, question, frame) for lines in question.lines]
    assert figures[0]["layout"]["yaxis"]["range"] == figures[1]["layout"]["yaxis"]["range"]
    assert figures[0]["layout"]["xaxis"]["ticktext"] == ["0", "400", "2,000"]
    mark = figures[0]["layout"]["shapes"][0]["x0"]
    trace = figures[0]["data"][-1]
    assert list(trace["x"]) == [mark] == [frame.at(400)] and "step 400: 0.90" in trace["text"][0]
    places = [frame.at(step) for step in frame.steps]
    assert places == sorted(set(places)) and places[0] == 0


def test_a_run_that_begins_late_has_its_own_axis_and_says_where_it_begins() -> None:
    frame = Frame((1000, 1025, 1050, 1100, 1700), 1000, LIGHT)
    assert [frame.at(step) for step in frame.steps[:2]] == [0, 1] and frame.ticks[0] == 1000
    assert Frame((300,), 300, LIGHT).ticks == [300]
    late = Run("late", "Late", (Checkpoint(1000, "late-1000"),))
    told = text_of(run_numbers(PLACE, late, 400))
    assert "step 1,000, where this run begins" in told


def test_the_slider_moves_from_checkpoint_to_checkpoint(runs: list[Run]) -> None:
    last = json.loads(slider(steps_of(runs), 2000))
    assert last["values"] == [0, 400, 500, 2000] and (last["low"], last["high"], last["value"]) == (0, 3, 3)
    assert last["send"] == "step" and last["texts"][-1] == "step 2,000"
    told = drawn(State(page="training", model="tiny", step=450), runs, "light")
    assert json.loads(told["slider"])["value"] == 1
    assert "90 %" in text_of(told["numbers"]) and "key" in text_of(told["audit"])
    assert (
        json.loads(drawn(PLACE, runs, "dark")["slider"])["value"] == 3
    )  # the last one, unless said otherwise


def test_a_checkpoint_is_one_press_from_its_map(runs: list[Run]) -> None:
    told = drawn(State(page="training", model="tiny", step=400), runs, "light")
    changes = [json.loads(one) for one in attribute(told["numbers"], "data-go")]
    there = {"model": "letters-0400", "set": "stated-facts"}
    assert {"page": "map", "node": "", **there} in changes
    assert "/heads?model=random-0000" in attribute(told["numbers"], "href")


def test_the_best_heads_of_a_checkpoint_are_one_press_away(runs: list[Run]) -> None:
    told = drawn(State(page="training", model="tiny", step=400), runs, "light")
    assert "Best heads: L2H1 L0H0" in text_of(told["numbers"]) and "Few prompts." in text_of(told["numbers"])
    assert "/m/letters-0400/L2H1" in attribute(told["numbers"], "href")


def test_numbers_that_were_not_computed_are_dashes(runs: list[Run]) -> None:
    told = drawn(State(page="training", model="tiny", step=400), runs, "light")
    texts = [
        text_of(part) for part in walk(told["numbers"]) if getattr(part, "className", "") == "big-number"
    ]
    assert texts[3].startswith("–") and all(text.startswith("–") for text in texts[4:])
    assert "400" in text_of(twin(runs)) and "2,000" not in text_of(twin(runs))


def test_what_fails_is_said_and_the_rest_goes_on() -> None:
    refused = BackendError("unknown_word", "mcq-tiny does not know “yak”.", "r3", status=422)
    answers = {
        "letters-0000": Answer({}, "a", measured(0.25)),
        "letters-0400": Answer({}, None, error=refused),
        "letters-2000": Answer({}, "c", None, {"state": "running"}),
        "random-0000": Answer({}, "d", None, {"state": "cancelled"}),
        "random-0500": Answer({}, "e", measured(0.25)),
    }
    told = status(answers, {})
    assert told["progress"] == "2 of 5 checkpoints measured, 1 cancelled"
    assert "yak" in text_of(told["notice"]) and told["poll_off"] is False and told["cancel_hidden"] is False
    run = filled(runs_of(models())[0], answers)
    assert [one.trouble for one in run.checkpoints] == ["", "mcq-tiny does not know “yak”.", ""]
    everything = {name: Answer({}, "k", measured(0.5)) for name in answers}
    assert status(everything, {})["progress"] == "" and status(everything, {})["poll_off"] is True


def test_a_server_without_a_run_says_so() -> None:
    assert "no training run" in text_of(drawn(PLACE, runs_of([MODEL]), "light")["numbers"])


def test_the_step_is_the_only_thing_of_its_own_in_the_link() -> None:
    place = State(page="training", step=400, by="head", find="L1", verdicts=(("L1H0", "other"),))
    want = wants(place, "tiny")[ids.WANT_TRAINING]
    assert want and want["address"]["path"] == "/training"
    assert want["address"]["search"] == "?set=tiny-facts&step=400"  # the words that the checkpoints know
    chosen = wants(replace(place, set="mine"), "tiny")[ids.WANT_TRAINING]
    assert chosen and chosen["address"]["search"] == "?set=mine&step=400"
    asked = [name for name, found in wants(place, "tiny").items() if found is not None]
    assert sorted(asked) == sorted(
        [ids.WANT_MODEL, ids.WANT_PAGES, ids.WANT_HISTORY, ids.WANT_MARKS, ids.WANT_TRAINING]
    )


def test_the_list_of_models_does_not_drown_in_checkpoints() -> None:
    told = model_list(models(), "letters-0400")
    folded = [part for part in walk(told) if type(part).__name__ == "Details"]
    assert [text_of(one) for one in folded] == [
        "Labels: letters: 3 steps04002,000",
        "Labels: random: 2 steps0500",
    ]
    buttons = [part for part in walk(told) if type(part).__name__ == "Button"]
    changes = [json.loads(getattr(one, "data-go")) for one in buttons]
    assert changes[1] == {"model": "letters-0000", "set": "tiny-facts", "node": "", "page": "map"}
    assert len(buttons) == 6 and [text_of(one) for one in buttons if one.disabled] == ["400"]


def test_links_between_the_pages_keep_model_and_prompts() -> None:
    found = links(State(page="heads", model="letters-0400", n=8))
    assert [one.href for one in found] == [
        "/?model=letters-0400&n=8",
        "/heads?model=letters-0400&n=8",
        "/prompts?model=letters-0400&n=8",
        "/training?model=letters-0400&n=8",
        "/compare?model=letters-0400&n=8",
    ]
    assert [getattr(one, "aria-current", None) for one in found] == [None, "page", None, None, None]
    assert href(State(page="training")) == "/training"


def test_an_unused_checkpoint_has_no_value() -> None:
    assert Checkpoint(0, "m").value("accuracy", "none") is None


def test_bias_shows_priors_against_even_and_both_parts_of_every_node() -> None:
    body = result(
        coordinates={"answer": ["A", "B"], "node": [{"label": "L0H0"}, {"label": "MLP0"}]},
        tables={
            "prior": table(["answer"], [0.6, 0.4]),
            "recall": table(["answer"], [1.0, None]),
            "prior_attribution": table(["node"], [0.1, -0.4]),
            "content_attribution": table(["node"], [2.0, 0.0]),
            "accuracy": table([], 0.9),
            "debiased_accuracy": table([], 0.95),
            "permutation_accuracy": table([], 0.8),
        },
        details={"rstd": 0.04, "debiased_rstd": 0.01},
    )
    text = text_of(bias_figure(body, State(model="tiny")))
    assert "A60 %+10 points100 %" in text and "B40 %−10 points–" in text
    assert "MLP0−0.400.00L0H0+0.10+2.00" in text  # the strongest prior first
    assert "90 %accuracy" in text and "4 %spread" in text and "1 %the same, debiased" in text
