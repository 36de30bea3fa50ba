"""Panels: what they ask for, how they follow a job, and what they show when there is nothing yet."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from dash import no_update

from frontend import ids
from frontend.client import BackendClient
from frontend.errors import BackendError
from frontend.figures.notices import broken, loading_line, progress
from frontend.nodes import Node
from frontend.panels.chooser import chosen, set_options
from frontend.panels.evidence import effects_shown, trouble
from frontend.panels.follow import Answer, look
from frontend.panels.header import missing
from frontend.panels.map import Drawing, drawn
from frontend.panels.router import changed, routed
from frontend.panels.wants import wants
from frontend.state import FIELDS, State
from tests.frontend.conftest import MODEL, FakeApi, result, text_of

Json = dict[str, Any]
SPEC = {"analysis": "effects"}
RUNNING = {
    "id": "abc",
    "state": "running",
    "done": 12,
    "total": 32,
    "queue_position": 0,
    "seconds_left": 8.2,
    "message": None,
    "error": None,
    "partial": None,
}
ERROR = BackendError("internal", "Something broke.", "r9", status=500)
NOTHING: list[Json | None] = [None] * len(ids.WANTS)


def run(awaitable: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(awaitable)


def test_a_job_is_followed_by_its_key(api: FakeApi, client: BackendClient) -> None:
    partial = result(key="abc", complete=False, n_done=1)
    api.answers["POST", "/api/results"] = (202, {"key": "abc", "job": RUNNING})
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"partial": partial})
    first = run(look(client, SPEC, None))
    assert first.pending and first.body == partial
    api.asked.clear()
    second = run(look(client, SPEC, first.memory))
    assert second.memory == first.memory
    assert api.asked == [("GET", "/api/jobs/abc")]


def test_a_finished_job_gives_its_result(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"state": "done"})
    api.answers["GET", "/api/results/abc"] = (200, result(key="abc"))
    answer = run(look(client, SPEC, {"spec": SPEC, "key": "abc"}))
    assert answer.state == "done" and not answer.pending and answer.body["complete"]


def test_a_cancelled_job_is_not_started_again_by_looking(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"state": "cancelled"})
    answer = run(look(client, SPEC, {"spec": SPEC, "key": "abc"}))
    assert answer.state == "cancelled" and not answer.pending and answer.may_restart
    assert ("POST", "/api/results") not in api.asked


def test_a_failed_job_says_why(api: FakeApi, client: BackendClient) -> None:
    error = {"code": "non_finite", "message": "Layer 3 gave a NaN."}
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"state": "failed", "error": error})
    answer = run(look(client, SPEC, {"spec": SPEC, "key": "abc"}))
    assert answer.state == "failed" and "NaN" in str(answer.error)


def test_a_forgotten_job_is_asked_for_anew(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (200, result(key="abc"))
    assert run(look(client, SPEC, {"spec": SPEC, "key": "abc"})).state == "done"


def test_another_spec_is_another_job(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (200, result(key="new"))
    assert run(look(client, SPEC, {"spec": {"analysis": "gate"}, "key": "abc"})).key == "new"


def test_the_address_decides_what_is_asked(client: BackendClient) -> None:
    place = State(n=8, index=3, node=Node(1, 0))
    told = run(routed(client, place, [], NOTHING, None))
    assert (told["path"], told["search"]) == ("/", "?n=8&index=3&node=L1H0")
    by_name = dict(zip(ids.WANTS, told["wants"], strict=True))
    assert by_name[ids.WANT_MAP]["spec"]["model"] == "tiny"
    assert by_name[ids.WANT_MAP]["spec"]["prompts"]["index"] is None
    pair = by_name[ids.WANT_PAIR]["effects"]
    assert pair["prompts"]["index"] == 3
    assert pair["parameters"] == {"nodes": ["L1H0"]}
    assert by_name[ids.WANT_PAIR]["tokens"]["parameters"] == {"layer": 1, "head": 0}
    assert by_name[ids.WANT_HEAD] is no_update  # it wanted nothing before


def test_what_has_not_changed_is_not_asked_again(client: BackendClient) -> None:
    before = run(routed(client, State(), [], NOTHING, "light"))["wants"]
    before = [None if want is no_update else want for want in before]
    told = run(routed(client, State(node=Node(1, 0)), [], before, "light"))
    by_name = dict(zip(ids.WANTS, told["wants"], strict=True))
    assert by_name[ids.WANT_MAP] is no_update and by_name[ids.WANT_GATE] is no_update
    assert by_name[ids.WANT_PAIR] is not no_update


def test_a_new_theme_is_a_new_want_of_what_is_painted(client: BackendClient) -> None:
    before = run(routed(client, State(), [], NOTHING, "light"))["wants"]
    before = [None if want is no_update else want for want in before]
    told = run(routed(client, State(), [], before, "dark"))["wants"]
    rewritten = {name for name, want in zip(ids.WANTS, told, strict=True) if want is not no_update}
    assert ids.WANT_MAP in rewritten <= set(ids.PAINTED)


def test_an_mlp_has_no_attention_to_ask_for() -> None:
    asked = wants(State(page="head", model="tiny", node=Node(1)), "tiny")
    assert asked[ids.WANT_PATTERN] is None
    tokens = asked[ids.WANT_TOKENS]
    assert tokens is not None and tokens["tokens"] is None


def test_a_control_changes_the_state() -> None:
    place, problems = changed(State(index=4), {"index": "5", "at": "1"})
    assert place.index == 5 and not problems
    assert changed(State(index=4), {"set": "memorised-facts"})[0].index == 0
    assert changed(State(node=Node(1, 0)), {"page": "head", "node": "L1H0"})[0].page == "head"
    assert changed(State(page="head", node=Node(1, 0)), {"page": "map", "node": ""})[0].node is None


def test_a_server_that_is_away_is_asked_again(api: FakeApi, client: BackendClient) -> None:
    api.answers["GET", "/api/models"] = (
        503,
        {"error": {"code": "busy", "message": "Busy.", "request_id": "r"}},
    )
    told = run(routed(client, State(), [], NOTHING, None))
    assert told["retry_off"] is False and "Busy." in text_of(told["problems"])


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("L2H1", None), ("mlp2", None), ("L2H2", "heads 0–1"), ("L3H0", "layers 0–2"), ("what", "L23H2")],
)
def test_finding_a_head(client: BackendClient, typed: str, problem: str | None) -> None:
    said = run(missing(client, "tiny", typed))
    assert said is None if problem is None else problem in said


def drawing(answer: Answer, model: Json) -> Drawing:
    want = wants(State(model="tiny"), "tiny")[ids.WANT_MAP]
    assert want is not None
    return Drawing(answer, model, want, "light")


def test_the_map_before_there_are_values() -> None:
    loading = MODEL | {"state": "loading", "message": "Reading the weights", "seconds_loading": 3.0}
    told = drawn(drawing(Answer(SPEC, "abc", None, RUNNING), loading), None)
    assert told["progress"] == "tiny: Reading the weights, 3 s so far, 4 s last time."
    assert len(told["figure"]["data"][1]["x"]) == 9 and told["poll_off"] is False
    assert told["box"] == drawn(drawing(Answer(SPEC, "abc", None, RUNNING), MODEL), None)["box"]


def test_the_map_while_it_is_measured(effects: Json) -> None:
    told = drawn(drawing(Answer(SPEC, "abc", effects | {"complete": False}, RUNNING), {}), None)
    assert told["progress"] == "12 of 32 pairs, about 8 s left"
    assert told["cancel_hidden"] is False and told["again_hidden"] is True
    assert "key\N{NO-BREAK SPACE}kkkkkkkkkkkk" in text_of(told["audit"])


def test_the_last_good_figure_stays() -> None:
    seen = {"spec": SPEC, "key": "abc", "state": "running", "n_done": 4}
    told = drawn(drawing(Answer(SPEC, "abc", error=ERROR), {}), seen)
    assert told["figure"] is no_update and told["table"] is no_update
    assert "r9" in text_of(told["notice"]) and told["again_hidden"] is False
    fresh = drawn(drawing(Answer(SPEC, "abc", error=ERROR), MODEL), None)
    assert fresh["figure"] is not no_update


def test_evidence_shows_what_has_come(effects: Json) -> None:
    answers = {"effects": Answer(SPEC, "a", effects), "prompts": Answer(SPEC, "b", job=RUNNING)}
    *values, letters, memory, poll_off = effects_shown({"index": 0}, answers)
    assert values[0] == "−2.00" and "A3.001.00−2.00" in text_of(letters)
    assert memory["prompts"]["key"] == "b" and poll_off is False


def test_evidence_says_why_there_is_none() -> None:
    answers = {
        "effects": Answer(SPEC, "a", error=ERROR),
        "prompts": Answer(SPEC, "b", result(details={"pairs": []})),
    }
    *values, letters, _memory, poll_off = effects_shown({"index": 0}, answers)
    assert values == ["–"] * 4 and "r9" in text_of(letters) and poll_off is True
    assert text_of(trouble([Answer(SPEC, "a", job=RUNNING)])) == "12 of 32 pairs, about 8 s left"


def test_the_form_has_a_field_for_everything_that_the_address_says_of_prompts() -> None:
    told = chosen(State(n=7, prelude=True, labels="numbers"), {"stated-facts": "Stated facts"})
    fields = {one["attributes"]["name"]: one for one in told}
    assert set(fields) <= set(FIELDS) and len(fields) == 11
    assert fields["n"]["value"] == "7" and fields["n"]["attributes"]["data-usual"] == State().n
    assert "checked" in fields["prelude"]["attributes"] and fields["labels"]["value"] == "numbers"
    assert all(one["value"] in dict(one["options"]) for one in told if one["tag"] == "select")


def test_an_unknown_set_stays_visible_in_the_form() -> None:
    assert set_options([], "mine") == {"mine": "mine"}


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (RUNNING, "12 of 32 pairs, about 8 s left"),
        (
            RUNNING | {"state": "queued", "queue_position": 2},
            "Waiting: 2 jobs before this one, about 8 s left.",
        ),
        (RUNNING | {"state": "cancelled"}, "Cancelled after 12 of 32 pairs."),
        (RUNNING | {"seconds_left": None, "message": "loading"}, "12 of 32 pairs, loading"),
    ],
)
def test_progress_in_words(job: Json, words: str) -> None:
    assert progress(job) == words


def test_a_ready_model_needs_no_line() -> None:
    assert loading_line(MODEL) == ""


def test_errors_say_whether_trying_again_helps() -> None:
    assert "Trying again may help. Request r9." in text_of(broken(ERROR))
