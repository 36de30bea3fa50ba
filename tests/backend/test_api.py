"""The public surface, asked as a client asks it."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from analysis.analyses import ANALYSES
from tests.conftest import until

ROOT = Path(__file__).parents[2]


def spec(
    analysis: str = "effects", *, parameters: dict[str, Any] | None = None, **prompts: Any
) -> dict[str, Any]:
    return {"analysis": analysis, "prompts": {"n": 4, **prompts}, "parameters": parameters or {}}


def answer(client: TestClient, posted: dict[str, Any]) -> dict[str, Any]:
    """The finished result, waited for if need be."""
    response = client.post("/api/results", json=posted)
    assert response.status_code in (200, 202), response.text
    if response.status_code == 200:
        return response.json()
    key = response.json()["key"]
    until(lambda: client.get(f"/api/results/{key}").status_code == 200)
    return client.get(f"/api/results/{key}").json()


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()["error"]
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def test_every_example_can_be_posted_as_it_is(client: TestClient) -> None:
    analyses = client.get("/api/analyses").json()["analyses"]
    assert {analysis["name"] for analysis in analyses} == set(ANALYSES)
    for analysis in analyses:
        result = answer(client, analysis["example"])
        assert result["complete"] and result["n_done"] == result["n"]
        assert result["spec"]["analysis"]["name"] == analysis["name"]
        assert set(result["provenance"]) >= {"model", "revision", "dtype", "device", "prompts", "n", "seed"}


def test_asked_again_it_is_the_same_bytes_without_a_forward_pass(api: FastAPI, client: TestClient) -> None:
    first = answer(client, spec(seed=3))
    model = api.state.headscope.models.host(None).load()
    before = model.forward_passes
    again = client.post("/api/results", json=spec(seed=3))
    stored = client.get(f"/api/results/{first['key']}")
    assert again.status_code == 200
    assert again.content == stored.content
    assert model.forward_passes == before > 0
    assert stored.headers["etag"] == f'"{first["key"]}"'
    assert "immutable" in stored.headers["cache-control"]
    fresh = client.get(f"/api/results/{first['key']}", headers={"if-none-match": stored.headers["etag"]})
    assert fresh.status_code == 304


def test_a_pair_computed_once_serves_other_results(api: FastAPI, client: TestClient) -> None:
    """The metric is chosen after the patches: another metric runs nothing."""
    answer(client, spec(seed=5))
    model = api.state.headscope.models.host(None).load()
    before = model.forward_passes
    answer(client, spec(seed=5, parameters={"metric": "logit_difference"}))
    assert model.forward_passes == before


def test_an_estimate_is_replaced_by_what_is_measured(client: TestClient) -> None:
    """The parts of a pair: first the estimate, then the columns, each stored for whoever asks for it."""
    posted = spec("position_effects", seed=8, index=1)
    result = answer(client, posted)
    measured, estimate = (result["tables"][name]["mean"] for name in ("total_effect", "estimate"))
    cells = [cell for row in measured for cell in row]
    assert None not in cells and len(cells) == len([cell for row in estimate for cell in row])
    assert result["details"]["n_measured"] == len(cells)
    few = answer(client, posted | {"parameters": {"verify": 3}})
    kept = [cell for row in few["tables"]["total_effect"]["mean"] for cell in row]
    assert len([cell for cell in kept if cell is not None]) == 3


def test_positions_and_sources_of_effects(api: FastAPI, client: TestClient) -> None:
    """Every choice gives its own numbers; a mean runs the prompts of the other split once, and keeps them."""
    choices = [
        {"nodes": ["L1H0", "L1H0.q", "ATTN0", "RESID1"]},
        {"nodes": ["L1H0"], "positions": "label_correct"},
        {"nodes": ["L1H0"], "positions": 3, "source": "zero"},
        {"nodes": ["L1H0"], "source": "mean"},
        {"nodes": "residual", "positions": "differing", "metric": "loss"},
    ]
    found = [answer(client, spec(seed=9, index=0, parameters=choice)) for choice in choices]
    assert [len(one["tables"]["total_effect"]["mean"]) for one in found] == [4, 1, 1, 1, 2]
    assert "direct_effect" not in found[0]["tables"] and "direct_effect" in found[3]["tables"]
    assert found[4]["details"]["metric"] == "loss"
    before = api.state.headscope.models.host(None).load().forward_passes
    answer(client, spec(seed=10, index=0, parameters=choices[3]))
    assert api.state.headscope.models.host(None).load().forward_passes <= before + 2


def test_effects_agree_with_attributions(client: TestClient) -> None:
    """The attribution of the map is the attribution of the analysis of that name."""
    effects, attribution = answer(client, spec(seed=6)), answer(client, spec("attribution", seed=6))
    net = {
        component["label"]: value
        for component, value in zip(
            attribution["coordinates"]["component"], attribution["tables"]["net"]["mean"], strict=True
        )
    }
    for node, value in zip(
        effects["coordinates"]["node"], effects["tables"]["attribution"]["mean"], strict=True
    ):
        assert value == pytest.approx(net[node["label"]], abs=1e-5)
    assert attribution["details"]["residual"] < 1e-4


def test_one_node_of_one_pair_is_the_same_number_as_in_the_map(client: TestClient) -> None:
    every = answer(client, spec(seed=7, index=2))
    label = every["coordinates"]["node"][1]["label"]
    one = answer(client, spec(seed=7, index=2, parameters={"nodes": [label]}))
    for name in ("total_effect", "direct_effect", "indirect_effect", "attribution"):
        assert one["tables"][name]["mean"][0] == pytest.approx(every["tables"][name]["mean"][1], abs=1e-5)
        assert one["tables"][name]["low"] is None


def test_a_model_at_chance_is_said_to_be(client: TestClient) -> None:
    gate = answer(client, spec("gate", n=12))
    assert gate["details"]["at_chance"] is True
    assert "chance" in gate["details"]["verdict"]
    assert any("chance" in warning for warning in answer(client, spec(n=12))["warnings"])


def test_token_attention_sums_to_the_attribution_of_the_head(client: TestClient) -> None:
    tokens = answer(client, spec("token_attention", index=0, parameters={"layer": 1, "head": 2}))
    effects = answer(client, spec(index=0))
    index = [node["label"] for node in effects["coordinates"]["node"]].index("L1H2")
    assert sum(tokens["tables"]["signed"]["mean"]) == pytest.approx(
        effects["tables"]["attribution"]["mean"][index], abs=1e-4
    )
    raw = tokens["tables"]["attention"]["mean"][tokens["coordinates"]["weighting"].index("raw")]
    assert sum(raw) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("posted", "status", "words"),
    [
        ({"analysis": "effects", "model": "gpt-9"}, 404, "gpt-9"),
        ({"analysis": "effects", "prompts": {"set": "nothing"}}, 404, "nothing"),
        ({"analysis": "effects", "prompts": {"n": 0}}, 422, "prompts.n"),
        ({"analysis": "effects", "prompts": {"set": "ordering", "n": 1000, "n_options": 10}}, 422, "1000"),
        ({"analysis": "effects", "prompts": {"n": 4, "index": 4}}, 422, "index"),
        ({"analysis": "effects", "parameters": {"nodes": ["L7H0"]}}, 422, "L7H0"),
        ({"analysis": "effects", "parameters": {"node": "all"}}, 422, "node"),
        ({"analysis": "token_attention", "parameters": {"layer": 0, "head": 0}}, 422, "index"),
        ({"analysis": "attention", "parameters": {"layer": 0, "head": 40}}, 422, "L0H40"),
        (
            {"analysis": "prompts", "prompts": {"set": "sums", "n_options": 10, "label_style": "numbers"}},
            422,
            "single token",
        ),
        ({"analysis": "divination"}, 422, "analysis"),
        ({"analysis": "effects", "surprise": 1}, 422, "surprise"),
        ({}, 422, "analysis"),
    ],
)
def test_bad_specs_get_a_sentence(
    client: TestClient, posted: dict[str, Any], status: int, words: str
) -> None:
    response = client.post("/api/results", json=posted)
    if response.status_code == 202:
        job = until(lambda: settled(client, response.json()["key"]))
        assert status == 422 and words in job["error"]["message"]
        return
    assert response.status_code == status, response.text
    assert words in error_of(response)["message"]


def settled(client: TestClient, key: str) -> dict[str, Any] | None:
    job = client.get(f"/api/jobs/{key}").json()
    return job if job["state"] in ("failed", "done", "cancelled") else None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"analysis": NaN}',
        b'{"analysis": "effects", "parameters": {"layer": NaN}}',
        b'{"analysis": "effects", "prompts": {"n": 1e999}}',
        b'{"analysis": "effects", "model": "\\ud800"}',
        b'{"analysis": "effects", "model": "\xff"}',
        b"[" * 100_000,
        b'{"analysis": "effects", "prompts": {"n": ' + b"9" * 5000 + b"}}",
        '{"analysis": "effects"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_malformed_bodies_are_the_clients_fault(client: TestClient, body: bytes) -> None:
    response = client.post("/api/results", content=body, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
    assert error_of(response)["message"]


def test_too_large_a_body_is_refused(client: TestClient) -> None:
    response = client.post(
        "/api/results", content=b" " * 300_000, headers={"content-type": "application/json"}
    )
    assert response.status_code == 413


def test_unknown_addresses_are_json(client: TestClient) -> None:
    for path in ("/api/nothing", "/api/results/../..", "/api/models/none/at/all"):
        response = client.get(path)
        assert response.status_code == 404
        assert error_of(response)["code"]
    assert client.get("/api/results/" + "0" * 64).status_code == 404
    assert client.get("/api/results/not-a-key").status_code == 422
    assert client.get("/api/jobs/" + "0" * 64).status_code == 404
    assert client.get("/api/models/none").status_code == 404


def test_other_sites_and_other_names_are_refused(client: TestClient) -> None:
    assert (
        client.post("/api/results", json=spec(), headers={"sec-fetch-site": "cross-site"}).status_code == 403
    )
    assert client.get("/api/models", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/api/models").headers["content-security-policy"].startswith("default-src 'self'")


def test_uploaded_questions_are_a_set_like_any_other(client: TestClient) -> None:
    rows = "\n".join(
        f'"What is {i}, plus one?",{i + 1},{i + 2},{i + 3},{i + 4},{"ABCD"[i % 4]}' for i in range(8)
    )
    made = client.post("/api/prompt-sets", content=rows, headers={"content-type": "text/csv"})
    assert made.status_code == 201 and made.json()["n_questions"] == 8
    again = client.post("/api/prompt-sets", content=rows, headers={"content-type": "text/csv"})
    assert again.json()["id"] == made.json()["id"]
    listed = [one["id"] for one in client.get("/api/prompt-sets").json()["prompt_sets"]]
    assert made.json()["id"] in listed
    result = answer(client, spec(set=made.json()["id"], sampler="diff_letter"))
    assert result["n_done"] == 4


def test_bad_question_files_name_their_lines(client: TestClient) -> None:
    rows = 'What is 1?,1,2,3,4,A\n,1,2,3,4,B\n"What\nis 2?",1,2,3,4,E\n'
    response = client.post("/api/prompt-sets", content=rows, headers={"content-type": "text/csv"})
    assert response.status_code == 422
    assert [detail["line"] for detail in error_of(response)["details"]] == [2, 3]
    assert (
        client.post("/api/prompt-sets", content="x", headers={"content-type": "text/html"}).status_code == 415
    )
    empty = client.post("/api/prompt-sets", content="", headers={"content-type": "text/csv"})
    assert empty.status_code == 422


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"question": "", "options": ["1", "2"], "answer": 0}, "no text"),
        ({"question": "What?", "options": [], "answer": 0}, "there are 0"),
        ({"question": "What?", "options": ["1"], "answer": 0}, "at least 2 options"),
        ({"question": "What?", "options": ["1", "2"], "answer": 7}, "7"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(
    client: TestClient, record: dict[str, Any], words: str
) -> None:
    upload = {"content": json.dumps(record), "headers": {"content-type": "application/x-ndjson"}}
    response = client.post("/api/prompt-sets", **upload)
    assert response.status_code == 422
    assert words in error_of(response)["message"]


def test_the_ranking_covers_what_it_says(client: TestClient) -> None:
    result = answer(client, spec(n=4, seed=9))
    ranking, labels = result["details"]["ranking"], [n["label"] for n in result["coordinates"]["node"]]
    mean = dict(zip(labels, result["tables"]["attribution"]["mean"], strict=True))
    positive = sorted((value for value in mean.values() if value > 0), reverse=True)
    held = sum(mean[label] for label in ranking["nodes"])
    assert held >= 0.8 * sum(positive) > held - mean[ranking["nodes"][-1]]
    assert set(ranking["negative"]) == {label for label, value in mean.items() if value < 0}


def test_a_question_of_two_thousand_tokens_is_refused_with_both_numbers(client: TestClient) -> None:
    line = json.dumps({"question": "word " * 400, "options": ["1", "2"], "answer": 0})
    made = client.post("/api/prompt-sets", content=line, headers={"content-type": "application/x-ndjson"})
    response = client.post("/api/results", json=spec("prompts", set=made.json()["id"], n=1))
    assert response.status_code == 422
    assert error_of(response)["code"] == "prompt_too_long"
    assert "1,024" in error_of(response)["message"]


def test_the_description_of_the_api_is_the_committed_one() -> None:
    from backend.cli import openapi

    committed = json.loads((ROOT / "backend" / "openapi.json").read_text())
    assert committed == json.loads(json.dumps(openapi())), "run `make openapi`"


def test_a_store_that_does_not_answer_is_said_as_such(
    api: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cache import StoreUnavailable

    def silent(*_: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(api.state.headscope.store, "_read", silent)
    monkeypatch.setattr(api.state.headscope.store, "_write", silent)
    rows = {"content": "What is 1?,1,2,3,4,A\n", "headers": {"content-type": "text/csv"}}
    for response in (client.post("/api/prompt-sets", **rows), client.get("/api/readyz")):
        assert response.status_code == 503
        assert error_of(response)["code"] == "store_unavailable"
        assert response.headers["retry-after"] == "5"
    assert answer(client, spec("gate", seed=77))["complete"]  # what can be computed is, without the store
