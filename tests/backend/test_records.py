"""What was asked for stays known, can be asked for again, and is readable without any model."""

from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from analysis.analyses import ANALYSES
from backend.encoding import encode_result
from backend.schemas.spec import Spec
from backend.services.again import compare
from backend.services.records import Wanted, posted_spec
from backend.services.specs import example_spec, resolve
from tests.backend.test_api import answer, error_of, spec
from tests.conftest import until

Json = dict[str, Any]
TEN: list[Json] = [
    spec("effects"),
    spec("attribution"),
    spec("gate"),
    spec("prompts"),
    spec("bias"),
    spec("qk_scores"),
    spec("categories"),
    spec("attention", parameters={"layer": 1, "head": 2}),
    spec("token_attention", index=1, parameters={"layer": 1, "head": 2}),
    spec("effects", index=1, parameters={"nodes": ["L1H2"]}),
]


def recomputed(client: TestClient, key: str) -> Json:
    """The result of asking again."""
    response = client.post(f"/api/results/{key}/again")
    assert response.status_code == 202, response.text
    again = response.json()["key"]
    assert again != key
    assert response.headers["location"] == f"/api/jobs/{again}"
    until(lambda: client.get(f"/api/results/{again}").status_code == 200)
    return client.get(f"/api/results/{again}").json()


def test_a_finished_result_leaves_a_record_that_can_be_posted(client: TestClient) -> None:
    body = answer(client, spec("effects", seed=31, parameters={"nodes": ["L0H1", "MLP1"]}))
    record = client.get(f"/api/results/{body['key']}/record").json()
    assert (record["key"], record["analysis"], record["model"], record["n"]) == (
        body["key"],
        "effects",
        "tiny",
        4,
    )
    assert record["prompts"] == body["provenance"]["prompts"]
    assert record["date"] == body["provenance"]["date"]
    assert record["stored"] and record["again_of"] is None
    assert record["spec"]["prompts"]["seed"] == 31 and "pairs" not in record["spec"]["prompts"]
    assert client.post("/api/results", json=record["spec"]).json()["key"] == body["key"]


def test_the_spec_of_a_record_has_the_key_that_it_was_made_from(api: FastAPI) -> None:
    """For every analysis: what is filled in and written as JSON reads back as the same."""
    state = api.state.headscope
    for analysis in ANALYSES.values():
        first = resolve(_posted(example_spec(analysis)), state.models, state.prompt_sets)
        written = posted_spec(orjson.loads(orjson.dumps(first.spec)))
        again = resolve(_posted(written), state.models, state.prompt_sets)
        assert again.key == first.key, analysis.name


def test_the_record_outlives_the_bytes(api: FastAPI, client: TestClient) -> None:
    key = answer(client, spec("gate", seed=32))["key"]
    api.state.headscope.store.delete(key)
    assert client.get(f"/api/results/{key}").status_code == 404
    record = client.get(f"/api/results/{key}/record").json()
    assert record["stored"] is False
    assert answer(client, record["spec"])["key"] == key


def test_a_result_of_an_earlier_version_gets_its_record_when_it_is_met(
    api: FastAPI, client: TestClient
) -> None:
    store, records = api.state.headscope.store, api.state.headscope.results.records
    for seed, meet in ((33, "post"), (34, "record")):
        posted = spec("gate", seed=seed)
        key = answer(client, posted)["key"]
        store.delete_record(f"result/{key}")
        records._known.clear()
        if meet == "post":
            client.post("/api/results", json=posted)
            assert store.get_record(f"result/{key}")["key"] == key
        assert client.get(f"/api/results/{key}/record").json()["key"] == key


def test_nobody_asked_for_it(api: FastAPI, client: TestClient) -> None:
    chunk = "c" * 64
    api.state.headscope.store.put(chunk, b"\x00 not a result")
    for key in ("0" * 64, chunk):
        response = client.get(f"/api/results/{key}/record")
        assert response.status_code == 404
        assert error_of(response)["code"] == "unknown_key"
        assert client.post(f"/api/results/{key}/again").status_code == 404


def test_the_listing_is_newest_first_and_can_be_narrowed(client: TestClient) -> None:
    wide = answer(client, spec("effects", seed=35))["key"]
    one = answer(client, spec("effects", seed=35, index=1))["key"]
    other = answer(client, spec("gate", seed=35))["key"]
    listed = client.get("/api/results", params={"limit": 1000}).json()["results"]
    dates = [record["date"] for record in listed]
    assert dates == sorted(dates, reverse=True)
    assert {wide, one, other} <= {record["key"] for record in listed}
    same = client.get("/api/results", params={"prompts_of": one, "analysis": "effects"}).json()["results"]
    assert {record["key"] for record in same} == {wide, one}
    assert client.get("/api/results", params={"model": "another"}).json() == {"results": []}
    assert len(client.get("/api/results", params={"limit": 2}).json()["results"]) == 2
    assert client.get("/api/results", params={"prompts_of": "0" * 64}).status_code == 404
    assert client.get("/api/results", params={"prompts_of": "x"}).status_code == 422


def test_computed_again_the_numbers_are_the_same_and_nothing_stored_was_read(
    api: FastAPI, client: TestClient
) -> None:
    first = answer(client, spec("effects", seed=36))
    loaded = api.state.headscope.models.host(None).load()
    before = loaded.forward_passes
    second = recomputed(client, first["key"])
    assert loaded.forward_passes - before >= first["provenance"]["forward_passes"] > 0
    assert second["details"]["again"] == {
        "of": first["key"],
        "same_key": True,
        "largest_difference": 0.0,
        "unit": "",
        "n_values": second["details"]["again"]["n_values"],
        "differs": [],
    }
    assert second["details"]["again"]["n_values"] > 100
    assert second["tables"] == first["tables"]
    record = client.get(f"/api/results/{second['key']}/record").json()
    assert record["again_of"] == first["key"]
    listed = client.get("/api/results", params={"limit": 1000}).json()["results"]
    assert second["key"] not in {one["key"] for one in listed}


def test_a_changed_number_is_found(api: FastAPI, client: TestClient) -> None:
    first = answer(client, spec("gate", seed=37))
    tables = first["tables"]
    name = next(name for name, table in tables.items() if isinstance(table["mean"], float))
    tables[name]["mean"] += 0.25
    api.state.headscope.store.put(first["key"], encode_result(first))
    found = recomputed(client, first["key"])["details"]["again"]
    assert found["largest_difference"] == pytest.approx(0.25)
    assert found["unit"] == tables[name]["unit"]


def test_what_cannot_be_compared_is_said() -> None:
    def table(mean: Any) -> Json:
        return {"unit": "logit", "mean": mean, "low": None, "high": None}

    old = {"tables": {"a": table([1.0, None]), "b": table([1.0]), "c": table(1.0)}}
    new = {"tables": {"a": table([1.5, 2.0]), "b": table([1.0, 2.0]), "d": table(1.0)}}
    found = compare(old, new)
    assert (found["largest_difference"], found["n_values"], found["unit"]) == (0.5, 1, "logit")
    assert found["differs"] == [
        "c is in one of the two results only.",
        "d is in one of the two results only.",
        "a.mean differs in which values are missing.",
        "b.mean has another number of values.",
    ]


def test_after_a_restart_without_a_model_ten_results_are_the_same_bytes(
    api: FastAPI, client: TestClient
) -> None:
    from backend.app import create_api, create_state
    from backend.guard import Guard

    keys = [answer(client, posted)["key"] for posted in TEN]
    assert len(set(keys)) == 10
    before = [client.get(f"/api/results/{key}").content for key in keys]
    settings = api.state.headscope.settings.model_copy(update={"warm": False})
    restarted = create_api(create_state(settings))
    with TestClient(Guard(restarted, ["127.0.0.1"], list), base_url="http://127.0.0.1") as fresh:
        assert [fresh.get(f"/api/results/{key}").content for key in keys] == before
        assert all(fresh.get(f"/api/results/{key}/record").json()["stored"] for key in keys)
        for posted, bytes_before in zip(TEN, before, strict=True):
            assert fresh.post("/api/results", json=posted).content == bytes_before
        assert fresh.get("/api/readyz").status_code == 200
        assert {model["state"] for model in fresh.get("/api/models").json()["models"]} == {"absent"}


def test_a_recomputation_that_a_restart_interrupted_is_taken_up(api: FastAPI, client: TestClient) -> None:
    results = api.state.headscope.results
    key = results.records.listed(Wanted(), 1)[0]["key"]
    work = results._again(_posted(results.records.of(key)["spec"]), key, "2026-01-01T00:00:00+00:00")
    assert results.make_work(work.spec).key == work.key


def _posted(spec: Json) -> Spec:
    return Spec.model_validate(spec)
