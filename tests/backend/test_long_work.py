"""Estimates before a sweep, memory that does not suffice, and several users at one server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient

from analysis.analyses.effects import Effects
from backend import memory
from tests.conftest import until as patiently

ANN, BOB = {"x-headscope-user": "ann"}, {"x-headscope-user": "bob"}


def sweep(seed: int, n: int = 4, **parameters: Any) -> dict[str, Any]:
    return {"analysis": "effects", "prompts": {"n": n, "seed": seed}, "parameters": parameters}


def until(condition: Callable[[], Any], **patience: float) -> Any:
    """What comes in the end; see `tests.conftest.until`."""
    return patiently(condition, every=0.02, **patience)


def estimate(client: TestClient, spec: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/estimates", json=spec)
    assert answer.status_code == 200, answer.text
    return answer.json()


def result(client: TestClient, spec: dict[str, Any]) -> dict[str, Any]:
    key = client.post("/api/results", json=spec).json()["key"]
    return until(lambda: (got := client.get(f"/api/results/{key}")).status_code == 200 and got.json())


def test_an_estimate_comes_from_the_models_speed_and_then_from_results(client: TestClient) -> None:
    first = estimate(client, sweep(1))
    assert (first["stored"], first["fits"], first["basis"]) == (False, True, "scaled")
    assert first["seconds"] > 0 and first["message"].startswith("About ")
    assert 0 < first["bytes"] < first["available_bytes"]
    assert client.get(f"/api/jobs/{first['key']}").status_code == 404, "it starts nothing"

    body = result(client, sweep(1))
    assert body["key"] == first["key"]
    done = estimate(client, sweep(1))
    assert (done["stored"], done["seconds"], done["message"]) == (True, 0.0, "Stored already.")

    other, larger = estimate(client, sweep(2)), estimate(client, sweep(2, n=400))
    assert other["basis"] == larger["basis"] == "measured"
    assert larger["seconds"] > 20 * other["seconds"]
    assert larger["forwards"] == pytest.approx(400 * body["provenance"]["forward_passes"] / 4, rel=0.2)
    assert estimate(client, sweep(2, nodes=["L0H0"]))["basis"] == "scaled", "another number of nodes"
    assert estimate(client, sweep(2, nodes=["L0H0"]))["seconds"] < other["seconds"]


def test_an_estimate_is_right_within_a_factor(client: TestClient) -> None:
    result(client, sweep(11, n=8))
    told = estimate(client, sweep(12, n=8))["seconds"]
    spent = result(client, sweep(12, n=8))["provenance"]["seconds"]
    assert told / 4 < spent < told * 4, "generous, for a busy machine"


def test_what_does_not_fit_is_refused_with_both_numbers(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = result(client, sweep(21))
    monkeypatch.setattr("backend.services.estimates.available_bytes", lambda _: 1_200_000)
    told = estimate(client, sweep(22))
    refused = client.post("/api/results", json=sweep(22))
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (422, "will_not_fit")
    assert not told["fits"] and error["message"] == told["message"]
    assert error["details"] == [{"bytes": told["bytes"], "available_bytes": 1_200_000}]
    needed = memory.in_words(told["bytes"])
    assert error["message"].startswith(f"This needs about {needed} of memory, and 1 MB are free: ")
    assert "shorter prompts" in error["message"]
    assert client.get(f"/api/jobs/{told['key']}").status_code == 404
    again = client.post("/api/results", json=sweep(21))
    assert (again.status_code, again.json()["key"]) == (200, stored["key"]), "what is stored needs no memory"


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_is_a_sentence_and_the_server_lives(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def compute(*_: Any) -> None:
        raise failure

    spec = sweep(31)
    with monkeypatch.context() as broken:
        broken.setattr(Effects, "compute", compute)
        error = failed(client, spec)
    assert error["code"] == "out_of_memory"
    needed = memory.in_words(estimate(client, spec)["bytes"])
    assert f"it needs about {needed}, and " in error["message"] and " are free now: " in error["message"]
    assert client.get("/api/readyz").status_code == 200
    seed = 300 + len(str(failure))
    assert result(client, sweep(seed))["complete"], "the next one is computed as if nothing had been"


def failed(client: TestClient, spec: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/results", json=spec).json()
    if "error" in answer:
        return answer["error"]
    job = until(lambda: (job := client.get(f"/api/jobs/{answer['key']}").json())["state"] == "failed" and job)
    return job["error"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Effects that wait at every pair until they are let go."""
    import threading

    from analysis.interrupt import stop_point

    go, compute = threading.Event(), Effects.compute

    def wait(*given: Any) -> Any:
        while not go.wait(0.01):
            stop_point()
        return compute(*given)

    monkeypatch.setattr(Effects, "compute", wait)
    yield go.set
    go.set()


def test_a_job_of_two_users_goes_on_for_one(client: TestClient, slow: Callable[[], None]) -> None:
    params = {"priority": "sweep"}
    key = client.post("/api/results", json=sweep(41), params=params, headers=ANN).json()["key"]
    joined = client.post("/api/results", json=sweep(41), params=params, headers=BOB)
    assert (joined.status_code, joined.json()["key"]) == (202, key)
    left = client.delete(f"/api/jobs/{key}", headers=ANN).json()
    assert (left["state"], left["mine"]) == ("running", False)
    assert client.get(f"/api/jobs/{key}", headers=BOB).json()["mine"]
    slow()
    assert until(lambda: client.get(f"/api/results/{key}").status_code == 200)


def test_a_cancel_in_the_middle_of_a_pair_lets_the_next_one_begin(
    client: TestClient, slow: Callable[[], None]
) -> None:
    waiting = client.post("/api/results", json=sweep(51), headers=ANN).json()
    until(lambda: client.get(f"/api/jobs/{waiting['key']}").json()["state"] == "running")
    other = client.post("/api/results", json={**sweep(52), "analysis": "gate"}, headers=BOB).json()
    assert other["job"]["queue_position"] == 1
    cancelled = client.delete(f"/api/jobs/{waiting['key']}", headers=ANN).json()
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", 0)
    until(lambda: client.get(f"/api/results/{other['key']}").status_code == 200, seconds=5)


def test_a_user_is_a_plain_name(client: TestClient) -> None:
    answer = client.post("/api/results", json=sweep(61), headers={"x-headscope-user": "a b;c"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")


def test_free_memory_is_the_tightest_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo, group = tmp_path / "meminfo", tmp_path / "cgroup"
    group.mkdir()
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    2000000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUP", group)
    assert memory.available_bytes("cpu") == 2_048_000_000
    (group / "memory.max").write_text("1000000000\n")
    (group / "memory.current").write_text("900000000\n")
    (group / "memory.stat").write_text("anon 5\ninactive_file 300000000\n")
    assert memory.available_bytes("cpu") == 400_000_000, "pages of files are given back where need be"
    (group / "memory.max").write_text("max\n")
    assert memory.available_bytes("cpu") == 2_048_000_000


@pytest.mark.parametrize(
    ("n_bytes", "words"), [(3_100_000_000, "3.1 GB"), (420_000_000, "420 MB"), (951_000_000, "1.0 GB")]
)
def test_memory_in_words(n_bytes: int, words: str) -> None:
    assert memory.in_words(n_bytes) == words
