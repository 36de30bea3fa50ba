"""Sections measured on demand: nothing runs before it is asked for, and what was shown comes back."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from frontend import ids
from frontend.client import BackendClient
from frontend.nodes import Node
from frontend.options import SECTIONS
from frontend.panels import sections
from frontend.panels.causes import CURVES, EDGES, PATHS
from frontend.panels.follow import Answer
from frontend.panels.router import changed
from frontend.panels.section import AGAIN, CANCEL, drawn, measured, told, waiting
from frontend.panels.seen import Seen
from frontend.panels.wants import wants
from frontend.state import State
from frontend.theme import LIGHT
from tests.frontend.conftest import FakeApi, result, text_of

Json = dict[str, Any]
SPEC: Json = {"analysis": "paths"}
RUNNING = {
    "id": "abc",
    "analysis": "paths",
    "state": "running",
    "done": 3,
    "total": 8,
    "queue_position": 0,
    "seconds_left": None,
    "message": None,
    "error": None,
    "partial": None,
}


def run(awaitable: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(awaitable)


def asked(place: State) -> set[str]:
    found = wants(place, "tiny")
    return {name for name in SECTIONS if (want := found[ids.WANT_SECTION[name]]) and want["asked"]}


def test_nothing_is_measured_before_it_is_asked_for() -> None:
    head = State(page="head", model="tiny", node=Node(1, 0))
    assert asked(head) == set() and asked(State(model="tiny")) == set()
    assert asked(changed(head, {"measure": "paths"})[0]) == {"paths"}
    more = changed(changed(head, {"measure": "paths"})[0], {"measure": "where"})[0]
    assert more.measure == ("where", "paths") and asked(more) == {"where", "paths"}


def test_another_node_is_not_measured_by_itself() -> None:
    place = State(page="head", model="tiny", node=Node(1, 0), measure=("where", "paths"))
    assert changed(place, {"page": "head", "node": "L1H1"})[0].measure == ("where",)  # the same layer's heads
    assert changed(place, {"page": "head", "node": "L0H1"})[0].measure == ()
    assert changed(place, {"weighting": "signed"})[0].measure == place.measure
    assert changed(place, {"index": "3"})[0].measure == ("paths",)


def test_a_link_to_another_node_measures_nothing() -> None:
    place = State(page="head", model="tiny", node=Node(1, 0), measure=("where", "paths"))
    found = wants(place, "tiny")
    found.pop(ids.WANT_HISTORY)  # where the reader is, not where he can go
    addresses = [want["address"]["search"] for want in found.values() if want and "address" in want]
    assert len(addresses) > 4 and not any("measure" in search for search in addresses)


def test_curves_do_not_depend_on_what_the_map_shows() -> None:
    place = State(model="tiny", measure=("curves",))
    assert changed(place, {"metric": "loss", "node": "L1H0"})[0].measure == ("curves",)
    assert changed(place, {"n": "8"})[0].measure == ()


def test_an_mlp_has_no_attention_to_cut() -> None:
    found = wants(State(page="head", model="tiny", node=Node(1)), "tiny")
    assert found[ids.WANT_SECTION["knock"]] is None and found[ids.WANT_SECTION["repair"]] is not None


def test_a_result_that_was_shown_is_shown_again() -> None:
    done = Answer(SPEC, "key", result(key="key"))
    seen = Seen.read(Seen().after(SPEC, done).written)
    assert seen.shows(SPEC) and seen.followed(SPEC) == {"spec": SPEC, "key": "key"}
    assert not seen.shows({"analysis": "paths", "parameters": {}})
    running = Seen().after(SPEC, Answer(SPEC, "key", result(complete=False), RUNNING))
    assert not running.shows(SPEC) and running.followed(SPEC) is not None


def test_curves_start_from_the_ranking_of_the_effects(api: FakeApi, client: BackendClient) -> None:
    effects = result(key="effects", details={"ranking": {"order": ["L1H0", "MLP0"]}})
    api.answers["POST", "/api/results"] = (200, effects)
    prompts = {"n": 8, "index": None}
    asked = {"analysis": "effects", "model": "tiny", "prompts": prompts}
    answer = run(measured(client, CURVES, asked, Seen()))
    assert answer.spec == {
        "analysis": "curves",
        "model": "tiny",
        "prompts": prompts,
        "parameters": {"nodes": ["L1H0", "MLP0"]},
    }
    assert [path for _, path in api.asked] == ["/api/results", "/api/results"]


def test_curves_wait_for_a_ranking_and_say_if_there_is_none(api: FakeApi, client: BackendClient) -> None:
    spec = {"analysis": "effects"}
    api.answers["POST", "/api/results"] = (202, {"key": "abc", "job": RUNNING | {"analysis": "effects"}})
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"analysis": "effects"})
    waits = run(measured(client, CURVES, spec, Seen()))
    assert waits.body is None and waits.pending
    assert told(CURVES, waits)["progress"] == "First the ranking: 3 of 8 pairs"
    api.answers["POST", "/api/results"] = (200, result(key="effects"))
    missing = run(measured(client, CURVES, spec, Seen()))
    assert missing.state == "failed" and "ranking" in str(missing.error)


@pytest.mark.parametrize(
    ("answer", "cancel", "again"),
    [
        (Answer(SPEC, "k", None, RUNNING), True, False),
        (Answer(SPEC, "k", result()), False, False),
        (Answer(SPEC, "k", None, RUNNING | {"state": "cancelled"}), False, True),
    ],
)
def test_buttons_follow_the_job(answer: Answer, cancel: bool, again: bool) -> None:
    buttons = text_of(told(PATHS, answer)["buttons"])
    assert ("Cancel" in buttons, "Measure again" in buttons) == (cancel, again)
    assert text_of(waiting(PATHS)["buttons"]) == "Measure"


def news(client: BackendClient, want: Json | None, kept: sections.Kept) -> sections.News:
    return run(sections.news(client, PATHS, want, kept, LIGHT))


def want_of_paths(**more: Any) -> Json:
    found = wants(State(page="head", model="tiny", node=Node(1, 0)), "tiny")[ids.WANT_SECTION["paths"]]
    assert found
    return {**found, **more}


def test_a_section_is_sent_again_only_when_something_of_it_has_changed(
    api: FakeApi, client: BackendClient
) -> None:
    want = want_of_paths()
    first = news(client, want, sections.Kept())
    assert first.parts["hidden"] is False and text_of(first.parts["buttons"]) == "Measure"
    assert "body" not in first.parts, "it is empty already"
    assert news(client, want, first.kept) == sections.News({}, first.kept) and not api.asked
    gone = news(client, None, first.kept)
    assert gone.parts == {"hidden": True} and news(client, None, gone.kept).parts == {}
    assert news(client, want, gone.kept).parts == {"hidden": False}


def test_a_running_section_is_followed_until_it_is_complete_or_stopped(
    api: FakeApi, client: BackendClient
) -> None:
    api.answers["POST", "/api/results"] = (202, {"key": "abc", "job": RUNNING})
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING)
    want = want_of_paths(asked=True)
    running = news(client, want, sections.Kept())
    assert running.kept.pending and running.parts["progress"] == "3 of 8 pairs"
    same = news(client, want, running.kept)
    assert same.parts["progress"] == "3 of 8 pairs" and "body" not in same.parts, "nothing new to draw"
    api.answers["DELETE", "/api/jobs/abc"] = (200, RUNNING | {"state": "cancelled"})
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING | {"state": "cancelled"})
    stopped = news(client, want, run(sections.after_press(client, running.kept, CANCEL)))
    assert ("DELETE", "/api/jobs/abc") in api.asked and not stopped.kept.pending
    asked = len(api.asked)
    assert news(client, want, stopped.kept).parts == {} and len(api.asked) == asked
    again = news(client, want, run(sections.after_press(client, stopped.kept, AGAIN)))
    assert "body" in again.parts and api.asked[asked] == ("POST", "/api/results")


def test_what_was_drawn_for_another_node_goes(api: FakeApi, client: BackendClient) -> None:
    api.answers["POST", "/api/results"] = (202, {"key": "abc", "job": RUNNING})
    api.answers["GET", "/api/jobs/abc"] = (200, RUNNING)
    drawn_before = news(client, want_of_paths(asked=True), sections.Kept()).kept
    other = news(client, want_of_paths(spec={"analysis": "paths", "parameters": {}}), drawn_before)
    assert other.parts["body"] == [] and not other.kept.pending


def test_a_figure_has_its_warnings_and_its_audit_strip() -> None:
    body = result(
        coordinates={"edge": []},
        tables={"estimate": {"axes": ["edge"], "unit": "logit", "mean": []}},
        details={"n_measured": 0},
        warnings=["Mind the gap."],
    )
    want = wants(State(model="tiny"), "tiny")[ids.WANT_SECTION["edges"]]
    assert want is not None
    text = text_of(drawn(EDGES, Answer(SPEC, "k", body), want, LIGHT))
    assert text.startswith("Mind the gap.") and "key\N{NO-BREAK SPACE}kkkkkkkkkkkk" in text


def test_every_section_says_what_it_is_for() -> None:
    every = sections.ALL
    assert sorted(section.name for section in every) == sorted(SECTIONS)
    assert all(section.aim.endswith((".", "?")) for section in every)
