"""The page of all heads and the verdict on one: asked for, found, sorted, judged by a person, exported."""

import asyncio
import json
from typing import Any

import pytest

from frontend import heads, ids
from frontend.client import BackendClient
from frontend.figures.heads import arranged, rows_of
from frontend.figures.heads_table import counts_list, next_order, table_data, thresholds_list
from frontend.figures.qk import qk_table
from frontend.figures.verdict import exported, verdict_card, verdict_chip
from frontend.nodes import Node
from frontend.panels.follow import Answer
from frontend.panels.heads import qk_body, shown
from frontend.panels.router import changed
from frontend.panels.wants import wants
from frontend.state import State, href, parse
from tests.frontend.conftest import FakeApi, attribute, result, table, text_of, walk

Json = dict[str, Any]
PLACE = State(page="heads", model="tiny")
LABELS = ("L0H0", "L0H1", "L1H0", "L1H1")
TITLES = {"correct_letter": "Correct letter", "suppressor": "Suppressor", "other": "Other"}
VERDICTS = (("correct_letter", 0.9), ("other", 0.7), ("suppressor", 0.6), ("correct_letter", 0.55))


@pytest.fixture
def body() -> Json:
    """Four heads; one effect could not be measured."""
    evidence = [
        {"measure": "label_mass", "value": 0.9, "threshold": 0.25, "relation": "at least", "met": True},
        {"measure": "net_attribution", "value": None, "threshold": 0.1, "relation": "above", "met": False},
    ]
    verdicts = [
        {"head": head, "category": category, "confidence": sure, "kind": None, "evidence": evidence}
        for head, (category, sure) in zip(LABELS, VERDICTS, strict=True)
    ]
    verdicts[1]["closest"] = "suppressor"
    verdicts[3]["kind"] = "only B"
    return result(
        coordinates={
            "head": [{"label": head, "layer": int(head[1]), "head": int(head[3])} for head in LABELS]
        },
        tables={
            "total_effect": table(
                ["head"], [-2.0, 0.5, None, 1.0], [-2.2, 0.4, None, 0.9], [-1.8, 0.6, None, 1.1]
            ),
            "net_attribution": table(["head"], [1.5, 0.0, -0.5, 0.2]),
            "label_mass": table(["head"], [0.9, 0.1, 0.3, 0.8]),
            "diagonal_share": table(["head"], [0.95, 0.25, 0.3, 0.9]),
        },
        details={
            "verdicts": verdicts,
            "categories": [
                {"name": name, "title": title, "meaning": f"{title}."} for name, title in TITLES.items()
            ],
            "thresholds": [
                {"name": "diagonal", "value": 0.6, "low": 0.0, "high": 1.0, "meaning": "Least share."}
            ],
        },
    )


def order(body: Json, **choice: Any) -> list[str]:
    place = State(page="heads", model="tiny", **choice)
    return [str(row.node) for row in arranged(rows_of(body, place), place)]


def test_the_names_are_those_of_the_analysis() -> None:
    from dataclasses import fields

    from analysis.categories import CATEGORIES
    from analysis.rules import Thresholds

    assert tuple(category.name for category in CATEGORIES) == heads.CATEGORIES
    assert tuple(field.name for field in fields(Thresholds)) == heads.THRESHOLDS


@pytest.mark.parametrize(
    ("change", "search"),
    [
        ({"threshold": "diagonal:0.70"}, "?thresholds=label_mass:0.3,diagonal:0.7"),
        ({"threshold": "label_mass:"}, ""),
        ({"verdict": "L1H10:other"}, "?verdicts=L1H2:uniform,L1H10:other&thresholds=label_mass:0.3"),
        ({"verdict": "L1H2:"}, "?thresholds=label_mass:0.3"),
        ({"thresholds": ""}, ""),
        ({"heads": "L1H10,L1H2,L1H2"}, "?heads=L1H2,L1H10&thresholds=label_mass:0.3"),
    ],
)
def test_a_control_changes_one_entry_of_the_address(change: Json, search: str) -> None:
    verdicts = (("L1H2", "uniform"),) if "verdict" in change else ()
    before = State(page="heads", verdicts=verdicts, thresholds=(("label_mass", "0.3"),))
    after, problems = changed(before, change)
    if "threshold" in change and change["threshold"].startswith("diagonal"):
        search = "?thresholds=diagonal:0.7,label_mass:0.3"  # in the order of the alphabet
    assert not problems and href(after) == f"/heads{search}"
    assert parse("/heads", search)[0] == after


@pytest.mark.parametrize(
    "search",
    [
        "?heads=MLP3",
        "?verdicts=L1H1",
        "?verdicts=L1H1:wise",
        "?thresholds=diagonal:11",
        "?thresholds=luck:1",
        "?by=age",
    ],
)
def test_what_cannot_be_meant_is_said(search: str) -> None:
    place, problems = parse("/heads", search)
    assert place == State(page="heads") and len(problems) == 1 and "allowed" in problems[0]


def test_a_threshold_is_all_that_a_moved_slider_changes_in_the_spec() -> None:
    usual = wants(PLACE, "tiny")[ids.WANT_HEADS]
    moved = wants(changed(PLACE, {"threshold": "diagonal:0.7"})[0], "tiny")[ids.WANT_HEADS]
    assert usual and moved and usual["spec"]["parameters"] == {}
    assert moved["spec"] == usual["spec"] | {"parameters": {"diagonal": 0.7}}


def test_ticking_heads_draws_no_table_anew() -> None:
    ticked, _ = changed(PLACE, {"heads": "L0H0,L1H1"})
    assert wants(ticked, "tiny")[ids.WANT_HEADS] == wants(PLACE, "tiny")[ids.WANT_HEADS]
    together, _ = changed(ticked, {"page": "head", "node": "L0H0", "measure": "low_rank"})
    section = wants(together, "tiny")[ids.WANT_SECTION["low_rank"]]
    assert section and section["asked"] and section["spec"]["parameters"]["heads"] == ["L0H0", "L1H1"]


def test_how_the_table_is_looked_at_asks_for_nothing_else() -> None:
    before, after = wants(PLACE, "tiny"), wants(changed(PLACE, {"by": "head", "find": "L1"})[0], "tiny")
    looked = {name for name in after if before[name] != after[name]}
    assert looked == {ids.WANT_HEADS, ids.WANT_HISTORY}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, ["L0H0", "L1H1", "L0H1", "L1H0"]),
        ({"order": "lowest"}, ["L0H0", "L0H1", "L1H1", "L1H0"]),
        ({"order": "highest"}, ["L1H1", "L0H1", "L0H0", "L1H0"]),
        ({"by": "head", "order": "highest"}, ["L1H1", "L1H0", "L0H1", "L0H0"]),
        ({"by": "category", "order": "lowest"}, ["L0H0", "L1H1", "L0H1", "L1H0"]),
        ({"by": "confidence", "order": "lowest"}, ["L1H1", "L1H0", "L0H1", "L0H0"]),
        ({"category": "correct_letter"}, ["L0H0", "L1H1"]),
        ({"find": "only b"}, ["L1H1"]),
        ({"find": "l1 letter"}, ["L1H1"]),
        ({"find": "suppressor"}, ["L1H0"]),
    ],
)
def test_heads_are_sorted_and_filtered(body: Json, choice: Json, expected: list[str]) -> None:
    assert order(body, **choice) == expected  # what was not measured comes last


def test_another_press_on_a_heading_turns_the_order() -> None:
    assert next_order("label_mass", PLACE) == "highest" and next_order("head", PLACE) == "lowest"
    assert next_order("total_effect", PLACE) == "lowest"
    assert next_order("label_mass", State(by="label_mass", order="highest")) == "lowest"


def test_the_own_verdict_counts_and_the_measured_one_stays_beside_it(body: Json) -> None:
    place = State(page="heads", model="tiny", verdicts=(("L1H1", "suppressor"),))
    rows = rows_of(body, place)
    assert "suppressor2" in text_of(counts_list(rows, place, body))
    told = table_data(rows, place, with_qk=False)["rows"]
    own = next(row for row in told if row["head"] == "L1H1")
    assert own["category"] == ["suppressor", "yours; measured correct letter"]
    assert order(body, category="suppressor", verdicts=place.verdicts) == ["L1H1", "L1H0"]


def test_the_table_says_numbers_as_they_are(body: Json) -> None:
    place = State(page="heads", model="tiny", rows=2)
    told = table_data(rows_of(body, place), place, with_qk=False)
    first = told["rows"][0]
    assert first["href"].startswith("/m/tiny/L0H0") and first["numbers"][2][:2] == ["−2.00", "[−2.20, −1.80]"]
    assert len(told["rows"]) == 2 and told["more"] == {"text": "Show all", "go": {"rows": "202"}}
    assert [column["sort"] for column in told["columns"]].count("other") == 1
    everything = table_data(rows_of(body, PLACE), PLACE, with_qk=False)
    assert everything["rows"][-1]["numbers"][2][0] == "–" and everything["more"] is None


def test_five_thousand_heads_are_cut_to_what_a_page_can_hold() -> None:
    heads_of = [{"label": f"L{at // 70}H{at % 70}"} for at in range(5040)]
    many = result(
        coordinates={"head": heads_of},
        tables={"total_effect": table(["head"], [float(at) for at in range(5040)])},
    )
    told = table_data(rows_of(many, PLACE), PLACE, with_qk=False)
    assert len(told["rows"]) == 200 and told["rows"][0]["head"] == "L71H69"
    assert len(json.dumps(told)) < 120_000


def test_qk_scores_have_a_column_where_they_were_asked(body: Json) -> None:
    qk = result(coordinates=body["coordinates"], tables={"accuracy": table(["head"], [0.9, 0.2, 0.3, 0.4])})
    place = State(page="heads", model="tiny", by="qk_score", order="highest")
    told = table_data(rows_of(body, place, qk), place, with_qk=True)
    assert told["columns"][-1]["text"] == "QK-score"
    assert [row["numbers"][-1][0] for row in told["rows"]] == ["0.90", "0.40", "0.30", "0.20"]


def test_qk_scores_of_other_prompts_are_not_shown(api: FakeApi, client: BackendClient) -> None:
    want = wants(PLACE, "tiny")[ids.WANT_HEADS]
    assert want is not None
    api.answers["GET", "/api/jobs/k"] = (200, {"state": "done"})
    api.answers["GET", "/api/results/k"] = (200, result(key="k"))
    spec = want["spec"] | {"analysis": "qk_scores"}
    seen = {"spec": spec, "key": "k", "state": "done", "n_done": 2, "done": None}
    assert asyncio.run(qk_body(client, want, seen)) == result(key="k")
    other = want | {"spec": want["spec"] | {"prompts": {"n": 1}}}
    assert asyncio.run(qk_body(client, other, seen)) is None
    assert asyncio.run(qk_body(client, want, None)) is None


def test_the_qk_section_names_the_head_chosen_elsewhere(body: Json) -> None:
    qk = result(
        coordinates=body["coordinates"],
        tables={
            "accuracy": table(["head"], [0.9, 0.2, 0.3, 0.4]),
            "validation": table(["head"], [0.8, 0.2, 0.3, 0.4]),
        },
        details={
            "best": {"head": "L0H0", "validation": 0.8, "test": 0.9},
            "model_accuracy": 0.5,
            "chance": 0.25,
        },
    )
    text = text_of(qk_table(qk, PLACE))
    assert "90 %L0H0, chosen by 80 % on the other split" in text and "50 %the whole model" in text


def test_sliders_carry_name_range_and_meaning(body: Json) -> None:
    moved = State(page="heads", thresholds=(("diagonal", "0.6"),))
    (told,) = attribute(thresholds_list(body, moved), "data-range")
    slider = json.loads(told)
    assert slider["of"] == "diagonal" and (slider["low"], slider["high"], slider["value"]) == (0.0, 1.0, 0.6)
    assert "Defaults" in text_of(thresholds_list(body, moved)) and "Defaults" not in text_of(
        thresholds_list(body, PLACE)
    )


def head_place(label: str, **more: Any) -> State:
    return State(page="head", model="tiny", node=Node.read(label), **more)


def test_the_verdict_stands_beside_its_evidence(body: Json) -> None:
    card = verdict_card(body, head_place("L0H0"))
    text = text_of(card)
    assert "Correct letter, confidence 0.90. Correct letter." in text
    assert "label mass0.90at least 0.25met" in text and "net attribution–above 0.10not met" in text
    assert text_of(verdict_chip(body, head_place("L0H0"))) == "correct letter 0.90"
    assert "comes closest is that of a suppressor head" in text_of(verdict_card(body, head_place("L0H1")))
    assert "There is no verdict on L9H9" in text_of(verdict_card(body, head_place("L9H9")))
    assert verdict_chip(None, head_place("L0H0")) == []


def test_the_own_verdict_is_chosen_on_the_head_page(body: Json) -> None:
    place = head_place("L0H0", verdicts=(("L0H0", "suppressor"),))
    options = [part for part in walk(verdict_card(body, place)) if hasattr(part, "selected")]
    assert {one.value for one in options} == {f"L0H0:{name}" for name in ("", *heads.CATEGORIES)}
    assert [one.value for one in options if getattr(one, "selected", None)] == ["L0H0:suppressor"]
    assert text_of(verdict_chip(body, place)) == "suppressor yours; measured correct letter"


def test_an_mlp_has_no_category() -> None:
    assert wants(State(page="head", model="tiny", node=Node(1)), "tiny")[ids.WANT_VERDICT] is None
    assert wants(head_place("L1H0"), "tiny")[ids.WANT_VERDICT] is not None


def test_the_export_has_measured_and_own_verdicts(body: Json) -> None:
    told = exported(body, State(page="heads", verdicts=(("L1H0", "other"),)))
    assert [one["own"] for one in told["verdicts"]] == [None, None, "other", None]
    assert told["key"] == body["key"] and told["provenance"]["n"] == 2 and told["thresholds"]
    assert json.loads(json.dumps(told)) == told


def test_the_page_keeps_what_it_showed_when_nothing_came_back(body: Json) -> None:
    want = wants(PLACE, "tiny")[ids.WANT_HEADS]
    assert want is not None
    running = {"state": "running", "done": 1, "total": 2}
    waits = shown(want, Answer(want["spec"], "k", None, running), "1 of 2 pairs", None)
    assert (
        waits["progress"] == "1 of 2 pairs"
        and waits["cancel_hidden"] is False
        and not isinstance(waits["table"], str)
    )
    done = shown(want, Answer(want["spec"], "k", body), "", None)
    assert json.loads(done["table"])["rows"] and done["poll_off"] is True
