"""The local engine when something goes wrong: works, models, the store, threads; and a restart."""

import threading
import time
from contextlib import closing

import pytest

from analysis.errors import UnknownNode
from backend.engines.base import EngineStopped
from backend.engines.local import LocalEngine
from backend.errors import ApiError
from backend.job_records import JobRecord, read_records, write_record
from cache import Store, open_store
from cache.keys import key_for
from tests.backend.engines.conftest import PATIENCE_S, Letters, Steps, finished, until


def test_after_a_failure_the_same_work_is_tried_again(
    engine: LocalEngine, store: Store, steps: Steps
) -> None:
    failed = engine.submit(Letters("a", 1, steps, failure=UnknownNode("L9H9 does not exist.")))
    steps.let(1)
    assert finished(failed) == ["failed"]
    again = engine.submit(Letters("a", 1, steps))
    assert again is not failed
    steps.let(1)
    assert finished(again) == ["done"]
    assert engine.job(again.key) is again
    assert read_records(store) == []


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (UnknownNode("L9H9 does not exist."), "unknown_node", "L9H9 does not exist."),
        (
            ApiError(404, "unknown_model", "There is no such model."),
            "unknown_model",
            "There is no such model.",
        ),
        (KeyError("/secret/path"), "internal", "The server failed at this analysis. Its log says why."),
    ],
)
def test_a_failure_ends_its_own_job_only(
    engine: LocalEngine, store: Store, failure: Exception, code: str, sentence: str
) -> None:
    steps = Steps()
    bad = engine.submit(Letters("bad", 3, steps, failure=failure))
    good = engine.submit(Letters("good", 3, steps))
    assert finished(bad, good) == ["failed", "done"]
    assert bad.snapshot()["error"] == {"code": code, "message": sentence}
    assert store.get(bad.key) is None
    assert engine.alive


def test_while_a_model_loads_all_its_jobs_say_so(store: Store) -> None:
    loading = threading.Event()
    engine = LocalEngine(store, load_model=lambda _: loading.wait(PATIENCE_S))
    steps = Steps()
    jobs = [engine.submit(Letters(name, 1, steps)) for name in "ab"]
    assert [job.snapshot()["message"] for job in jobs] == ["loading the model"] * 2
    assert [job.state for job in jobs] == ["queued", "queued"]
    loading.set()
    assert finished(*jobs) == ["done", "done"]
    assert engine.shutdown(PATIENCE_S)


def test_a_model_that_cannot_be_loaded_fails_its_jobs(store: Store) -> None:
    answers: list[Exception | None] = [UnknownNode("The model is broken."), None]

    def load_model(_: str) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    engine = LocalEngine(store, load_model)
    steps = Steps()
    first = engine.submit(Letters("a", 1, steps))
    assert finished(first) == ["failed"]
    assert first.error is not None and first.error.message == "The model is broken."
    assert finished(engine.submit(Letters("a", 1, steps))) == ["done"], "the next job tries again"
    assert engine.shutdown(PATIENCE_S)


def test_shutdown_keeps_open_jobs_for_the_next_engine(
    engine: LocalEngine, store: Store, steps: Steps
) -> None:
    running = engine.submit(Letters("a", 3, steps))
    until(lambda: steps.begun == ["a0"])
    engine.submit(Letters("b", 1, steps), "click")
    stopping = threading.Thread(target=engine.shutdown, args=(PATIENCE_S,))
    stopping.start()
    until(lambda: engine._stopping)
    with pytest.raises(EngineStopped):
        engine.submit(Letters("c", 1, steps))
    steps.let(1)
    stopping.join(PATIENCE_S)
    assert steps.begun == ["a0"], "it stops after the chunk in hand"
    records = {record.spec["name"]: record for record in read_records(store)}
    assert {name: record.attempts for name, record in records.items()} == {"a": 0, "b": 0}
    assert records["a"].reached == 1

    following = LocalEngine(store, load_model=lambda _: None)
    jobs = following.resume(lambda spec: Letters(spec["name"], 3, Steps()))
    assert sorted(finished(*jobs)) == ["done", "done"]
    assert store.get(running.key) == b"aaa"
    assert {job.priority for job in jobs} == {"sweep", "click"}
    assert following.shutdown(PATIENCE_S)


def test_a_thread_that_does_not_stop_is_reported(store: Store, steps: Steps) -> None:
    engine = LocalEngine(store, load_model=lambda _: None)
    engine.submit(Letters("a", 1, steps))
    until(lambda: steps.begun == ["a0"])
    assert not engine.shutdown(0.05)
    steps.let(1)
    until(lambda: not engine.alive)


def test_what_cannot_be_made_again_fails_with_the_reason(engine: LocalEngine, store: Store) -> None:
    write_record(store, JobRecord(key_for("a"), "model", {"analysis": "effects"}, "sweep"))

    def make_work(_: object) -> Letters:
        raise ApiError(404, "unknown_prompt_set", "The prompt set is gone.")

    (job,) = engine.resume(make_work)
    assert job.error == ("unknown_prompt_set", "The prompt set is gone.")
    assert [record.state for record in read_records(store)] == ["failed"]


def test_a_failure_is_remembered_over_a_restart_for_a_week(
    engine: LocalEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = engine.submit(Letters("a", 1, Steps(), failure=UnknownNode("L9H9 does not exist.")))
    assert finished(job) == ["failed"]
    following = LocalEngine(store, load_model=lambda _: None)
    (remembered,) = following.resume(lambda _: pytest.fail("a failed job is not done again"))
    assert remembered.snapshot()["error"] == job.snapshot()["error"]
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr("backend.job_records.time.time", lambda: later)
    assert LocalEngine(store, load_model=lambda _: None).resume(lambda _: pytest.fail("expired")) == []
    assert store.records() == {}


def test_without_its_store_the_engine_still_gives_results() -> None:
    with closing(open_store("redis://127.0.0.1:1/0")) as dead:
        engine = LocalEngine(dead, load_model=lambda _: None)
        assert engine.resume(lambda _: pytest.fail("nothing can be read")) == []
        job = engine.submit(Letters("a", 3, Steps()))
        assert finished(job) == ["done"]
        assert job.result == b"aaa"
        assert engine.submit(Letters("a", 3, Steps())).result == b"aaa"
        assert engine.shutdown(PATIENCE_S)
