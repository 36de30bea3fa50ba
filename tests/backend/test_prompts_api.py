"""Prompts over the API: pairs of text through every analysis, checks while typing, previews of files."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import until

Json = dict[str, Any]
LINES = [
    {
        "clean": f"the {answer} and {distractor} met; {distractor} saw",
        "corrupt": f"the {answer} and {distractor} met; {answer} saw",
        "answer": answer,
        "distractor": distractor,
    }
    for answer, distractor in ("xy", "ab", "qr", "yx")
]
NDJSON = {"content-type": "application/x-ndjson"}
LABELS = {  # these look at the labels of options
    *("categories", "qk_scores", "subspace", "low_rank", "steer", "mutations", "nth_item", "bias", "probes"),
    *("pseudocode", "checkpoint"),
}
FROZEN = {  # keys of the questions themselves, as they were before texts could be asked about
    "stated-facts": "0f0d6adf5ed75eeaa5c6ae9679f60a23683e4a3c91c2c79a9fee1568582fe389",
    "memorised-facts": "c2e6fd366d88c41cda1ec813920271994ce7a16007d3fbf515bb21eaf70f3863",
    "categories": "adc7a29c87c5f7f1c78e57984df4e97118fafe46fe97d2ddd41ec8d6eedefb59",
    "sums": "2a1c42097bfcd12a97bec1f3f91ca9bbd8e837b9f7ac5a2d6a20c33b12219cf9",
    "ordering": "2b46e3797d6304d63931cc96319636a2d77a4a75c07825924d3bb08fe5e5a667",
    "tiny-facts": "5b894f581e9d4705886e7690b367096c9df341eb9913eb23b8ace55178f8b90c",
}


def lines(*records: Json) -> str:
    return "\n".join(json.dumps(record) for record in records)


@pytest.fixture(scope="module")
def texts(client: TestClient) -> str:
    made = client.post("/api/prompt-sets", content=lines(*LINES), headers=NDJSON).json()
    assert (made["kind"], made["n_questions"]) == ("text", 4) and made["id"].startswith("text-")
    return made["id"]


def ask(
    client: TestClient, set_id: str, analysis: str, parameters: Json | None = None, **prompts: Any
) -> Json:
    chosen = {"set": set_id, "n": 4} | prompts
    posted = {"analysis": analysis, "prompts": chosen, "parameters": parameters or {}}
    response = client.post("/api/results", json=posted)
    if response.status_code != 202:
        return response.json()
    key = response.json()["key"]

    def ended() -> Json | None:
        job = client.get(f"/api/jobs/{key}").json()
        return job if job["state"] in ("done", "failed") else None

    job = until(ended)
    assert isinstance(job, dict)
    return client.get(f"/api/results/{key}").json() if job["state"] == "done" else job


def test_no_key_of_a_question_has_changed() -> None:
    from backend.schemas.spec import PromptChoice
    from backend.services.prompt_sets import PromptSets
    from backend.services.specs import _plain
    from cache.keys import key_for

    sets = PromptSets(None)  # type: ignore[arg-type]  built-in sets need no store
    found = {name: key_for(_plain(sets.pairs(PromptChoice(set=name, n=8)))) for name in FROZEN}
    assert found == FROZEN
    laid_out = PromptChoice(
        n=8, shots=2, mutation="random_letters", sampler="diff_letter", prelude=True, format="A."
    )
    mutated = "c85faec4a6809d0977f3e00da1e3b97a59ff680987b72c9be66a9f87c1be5961"
    assert key_for(_plain(sets.pairs(laid_out))) == mutated


def test_every_analysis_takes_texts_or_says_why_not(client: TestClient, texts: str) -> None:
    from analysis.analyses import ANALYSES
    from backend.services.specs import example_spec

    assert {name for name, analysis in ANALYSES.items() if analysis.needs_labels} == LABELS
    for name, analysis in ANALYSES.items():
        index = {"index": 1} if analysis.one_pair else {}
        result = ask(client, texts, name, example_spec(analysis)["parameters"], **index)
        if name in LABELS:
            needs = f"The analysis {name} needs the options’ labels in the prompt"
            sentence = f"{needs}; the set {texts} has none."
            assert result["error"]["message"] == sentence
        else:
            assert result["complete"], (name, result)


@pytest.mark.parametrize(
    "parameters",
    [
        {"positions": "differing"},
        {"positions": "changed"},
        {"positions": "says_answer", "direction": "denoising"},
        {"source": "zero"},
        {"source": "mean", "positions": "all"},
    ],
)
def test_effects_of_texts_at_any_positions_from_any_source(
    client: TestClient, texts: str, parameters: Json
) -> None:
    result = ask(client, texts, "effects", parameters)
    assert result["coordinates"]["answer"] == ["answer", "distractor"]
    assert any(abs(value) > 0 for value in result["tables"]["total_effect"]["mean"])


def test_positions_that_texts_do_not_have_are_refused(client: TestClient, texts: str) -> None:
    said = ask(client, texts, "effects", {"positions": "label"})["error"]["message"]
    assert said == "A prompt of these pairs has no token with the role 'label'."


def test_patching_the_changed_token_alone_is_patching_all(client: TestClient, texts: str) -> None:
    """Before the first layer the two runs differ at the changed token only."""
    parameters: Json = {"nodes": "residual", "positions": "changed"}
    changed = ask(client, texts, "effects", parameters)["tables"]["total_effect"]["mean"][0]
    everywhere = ask(client, texts, "effects", parameters | {"positions": "all"})["tables"]["total_effect"]
    assert changed == pytest.approx(everywhere["mean"][0], abs=1e-5) and changed != 0


def test_roles_of_texts_are_their_own(client: TestClient, texts: str) -> None:
    seen = ask(client, texts, "attention")
    roles = [role["label"] for role in seen["coordinates"]["role"]]
    assert roles == ["final", "says_answer", "says_distractor", "text", "changed"]
    assert seen["tables"]["by_role"]["mean"][0][3] == pytest.approx(1, abs=1e-5)
    assert "correct_by_label" not in seen["tables"]
    gate = ask(client, texts, "gate")
    assert "accuracy_by_content" not in gate["tables"] and "by letter" not in gate["details"]["verdict"]


def test_finished_pairs_take_no_mutation(client: TestClient, texts: str) -> None:
    for change in ({"mutation": "roman"}, {"own_mutation": {"opening": "<"}}):
        assert "no mutation applies" in ask(client, texts, "prompts", **change)["error"]["message"]
    assert "has 4 pairs" in ask(client, texts, "prompts", n=5)["error"]["message"]


def test_indirect_objects_are_listed_and_drawn(client: TestClient) -> None:
    listed = {one["id"]: one for one in client.get("/api/prompt-sets").json()["prompt_sets"]}
    assert listed["indirect-object"]["kind"] == "text" and listed["stated-facts"]["kind"] == "questions"
    drawn = client.post(
        "/api/prompts/draw", json={"prompts": {"set": "indirect-object", "n": 9}, "first": 6}
    ).json()
    assert (drawn["n"], drawn["kind"], [one["index"] for one in drawn["pairs"]]) == (9, "text", [6, 7, 8])
    first = drawn["pairs"][0]
    assert not first["check"]["usable"]  # this model reads single bytes, so a name is several tokens
    assert "must be one" in first["check"]["remarks"][0]["message"]


def test_a_draw_can_be_edited_and_kept(client: TestClient) -> None:
    drawn = client.post("/api/prompts/draw", json={"prompts": {"n": 3, "shots": 1}, "check": False}).json()
    pairs = [one["pair"] for one in drawn["pairs"]]
    assert drawn["pairs"][0]["check"] is None
    before = ask(client, "stated-facts", "prompts", n=3, shots=1)["details"]["pairs"]
    pairs[1]["clean"]["question"] = "Where is the moon?"
    made = client.post("/api/prompt-sets", content=lines(*pairs), headers=NDJSON).json()
    assert made["kind"] == "pairs" and made["id"].startswith("pairs-")
    after = ask(client, made["id"], "prompts", n=3, label_style="numbers")["details"]["pairs"]
    assert [after[0]["clean"]["text"], after[2]["corrupt"]["text"]] == [
        before[0]["clean"]["text"],
        before[2]["corrupt"]["text"],
    ]
    assert "Where is the moon?" in after[1]["clean"]["text"] != before[1]["clean"]["text"]
    assert ask(client, made["id"], "bias", n=3)["complete"]  # edited questions still list their options


def test_a_check_answers_while_a_pair_is_incomplete(client: TestClient) -> None:
    check = client.post("/api/prompts/check", json=LINES[0]).json()
    assert check["usable"] and [said["token"] for said in check["clean"]["answers"]] == ["x", "y"]
    assert [token["text"] for token in check["clean"]["tokens"]][:3] == ["t", "h", "e"]
    apart = [
        left
        for left, right in check["aligned"]
        if check["clean"]["tokens"][left]["id"] != check["corrupt"]["tokens"][right]["id"]
    ]
    assert apart == [LINES[0]["clean"].index(";") + 2]
    for pair in (LINES[0] | {"clean": ""}, {"clean": "a", "corrupt": "b"}, {"clean": {}, "corrupt": {}}):
        said = client.post("/api/prompts/check", json=pair)
        assert said.status_code == 200 and not said.json()["usable"] and said.json()["remarks"]


def test_a_file_is_previewed_before_anything_is_kept(client: TestClient) -> None:
    known = len(client.get("/api/prompt-sets").json()["prompt_sets"])
    unusable = LINES[0] | {"answer": "two tokens"}
    found = client.post("/api/prompt-sets/preview", content=lines(*LINES, unusable), headers=NDJSON).json()
    assert (found["kind"], found["n"], found["n_unusable"]) == ("text", 5, 1)
    assert found["remarks"][0]["line"] == 5 and found["remarks"][0]["stops"]
    rows = "What is 1?,one,two,three,four,A\n,a,b,c,d,B\n"
    bad = client.post("/api/prompt-sets/preview", content=rows, headers={"content-type": "text/csv"}).json()
    assert [problem["line"] for problem in bad["problems"]] == [2] and bad["n"] == 0
    assert "letter of the correct one" in bad["problems"][0]["expected"]
    good = client.post("/api/prompt-sets/preview", content=rows[:31], headers={"content-type": "text/csv"})
    assert (
        good.json()["kind"] == "questions" and "(A) one" in good.json()["pairs"][0]["check"]["clean"]["text"]
    )
    assert len(client.get("/api/prompt-sets").json()["prompt_sets"]) == known
