"""The local engine: results, order, equal jobs, cancel, the bound of the queue."""

import threading
import time
from typing import Any

import pytest

from backend.engines.base import QueueFull
from backend.engines.local import LocalEngine
from backend.job_records import read_records
from cache import Store
from cache.keys import key_for
from tests.backend.engines.conftest import PATIENCE_S, Letters, Steps, finished, until


def test_a_job_from_submit_to_result(engine: LocalEngine, store: Store, steps: Steps) -> None:
    job = engine.submit(Letters("a", 3, steps), "sweep")
    assert [record.key for record in read_records(store)] == [job.key]
    steps.let(1)
    until(lambda: job.done == 1 and job.partial is not None)
    told = job.snapshot()
    seconds_left = told["seconds_left"]
    assert seconds_left is not None and 0 <= seconds_left < PATIENCE_S
    assert told == {
        "id": key_for("a"),
        "analysis": "effects",
        "state": "running",
        "done": 1,
        "total": 3,
        "queue_position": 0,
        "seconds_left": seconds_left,
        "message": None,
        "mine": True,
        "error": None,
        "partial": {"text": "a"},
    }
    steps.let(2)
    assert finished(job) == ["done"]
    assert job.result == store.get(job.key) == b"aaa"
    assert read_records(store) == []
    assert engine.job(job.key) is job
    assert job.snapshot()["partial"] is None


def test_work_without_chunks_is_finished_at_once(engine: LocalEngine, steps: Steps) -> None:
    job = engine.submit(Letters("a", 0, steps))
    assert finished(job) == ["done"]
    assert job.result == b""


def test_a_result_that_is_stored_already_is_not_computed(
    engine: LocalEngine, store: Store, steps: Steps
) -> None:
    store.put(key_for("a"), b"stored")
    job = engine.submit(Letters("a", 3, steps))
    assert finished(job) == ["done"]
    assert (job.result, steps.begun) == (b"stored", [])


def test_a_click_overtakes_a_sweep_between_chunks(engine: LocalEngine, steps: Steps) -> None:
    sweep = engine.submit(Letters("s", 3, steps), "sweep")
    until(lambda: steps.begun == ["s0"])
    background = engine.submit(Letters("b", 1, steps), "background")
    click = engine.submit(Letters("c", 1, steps), "click")
    assert (click.queue_position, background.queue_position) == (1, 2)
    steps.let(5)
    assert finished(sweep, background, click) == ["done"] * 3
    assert steps.done == ["s0", "c0", "s1", "s2", "b0"]


def test_two_sweeps_progress_together(engine: LocalEngine, steps: Steps) -> None:
    one = engine.submit(Letters("a", 3, steps))
    until(lambda: steps.begun == ["a0"])
    other = engine.submit(Letters("b", 3, steps))
    steps.let(6)
    assert finished(one, other) == ["done"] * 2
    assert steps.done == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_equal_work_is_one_job(engine: LocalEngine, steps: Steps) -> None:
    blocking = engine.submit(Letters("a", 1, steps))
    job = engine.submit(Letters("b", 1, steps), "background")
    assert engine.submit(Letters("b", 1, steps), "click") is job
    assert job.priority == "click"
    assert engine.submit(Letters("b", 1, steps), "sweep").priority == "click"
    steps.let(2)
    assert finished(blocking, job) == ["done"] * 2
    assert engine.submit(Letters("b", 1, steps)) is job, "a done job has its result still"
    assert sorted(steps.begun) == ["a0", "b0"]


def test_a_cancelled_job_stops_after_its_chunk(engine: LocalEngine, store: Store, steps: Steps) -> None:
    job = engine.submit(Letters("a", 3, steps))
    other = engine.submit(Letters("b", 1, steps))
    steps.let(1)
    until(lambda: len(steps.begun) == 2)
    assert other.cancel() and job.cancel()
    assert (job.state, other.state) == ("cancelled", "cancelled")
    assert read_records(store) == []
    steps.let(1)
    assert engine.shutdown(PATIENCE_S)
    assert len(steps.begun) == 2
    assert store.get(job.key) is None and store.get(other.key) is None
    assert read_records(store) == [], "what the thread does afterwards must not bring a record back"
    assert engine.job(key_for("nothing")) is None


def test_what_was_cancelled_can_be_asked_for_again(engine: LocalEngine, store: Store, steps: Steps) -> None:
    cancelled = engine.submit(Letters("a", 2, steps))
    until(lambda: steps.begun == ["a0"])
    cancelled.cancel()
    again = engine.submit(Letters("a", 2, steps))
    steps.let(3)
    assert finished(again) == ["done"]
    assert (cancelled.state, again.result) == ("cancelled", b"aa")


def test_a_cancel_while_the_result_is_being_finished_comes_too_late(
    engine: LocalEngine, store: Store, steps: Steps
) -> None:
    class SlowToFinish(Letters):
        def finish(self) -> bytes:
            self.steps.take("finish")
            return super().finish()

    job = engine.submit(SlowToFinish("a", 1, steps))
    steps.let(1)
    until(lambda: steps.begun == ["a0", "finish"])
    assert not job.cancel()
    steps.let(1)
    assert finished(job) == ["done"]
    assert not job.cancel()
    assert store.get(job.key) == b"a"


def test_a_full_queue_refuses_new_work_but_not_known_work(engine: LocalEngine, steps: Steps) -> None:
    jobs = [engine.submit(Letters(name, 1, steps)) for name in "a"]
    until(lambda: steps.begun == ["a0"])
    jobs += [engine.submit(Letters(name, 1, steps)) for name in "bcde"]
    with pytest.raises(QueueFull, match="4 analyses are waiting"):
        engine.submit(Letters("f", 1, steps), "click")
    assert engine.submit(Letters("e", 1, steps)) is jobs[-1]
    steps.let(5)
    assert finished(*jobs) == ["done"] * 5
    job = engine.submit(Letters("f", 1, steps))
    steps.let(1)
    assert finished(job) == ["done"]


def test_every_model_has_its_own_thread(engine: LocalEngine) -> None:
    meeting = threading.Barrier(2)

    class Meeting(Letters):
        def run_chunk(self, index: int) -> bool:
            meeting.wait(PATIENCE_S)  # passes only while both run
            return True

    jobs = [engine.submit(Meeting(name, 1, Steps(), model=name)) for name in "ab"]
    assert finished(*jobs) == ["done", "done"]


def test_partial_results_take_a_tenth_of_the_time_at_most(engine: LocalEngine) -> None:
    calls = []

    class SlowPartial(Letters):
        def partial(self) -> dict[str, Any]:
            calls.append(len(self.text))
            time.sleep(0.02)
            return super().partial()

    job = engine.submit(SlowPartial("a", 200, Steps()))
    assert finished(job) == ["done"]
    assert calls[0] == 1
    assert len(calls) < 20


def test_closed_jobs_are_forgotten_in_time(engine: LocalEngine) -> None:
    for number in range(80):
        assert finished(engine.submit(Letters(str(number), 0, Steps()))) == ["done"]
    assert len(engine._jobs) <= 65
    assert engine.job(key_for("0")) is None
    assert engine.job(key_for("79")) is not None
