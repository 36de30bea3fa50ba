"""Several users at one model: turns, places in the queue, who may stop what, and how long it will take."""

import time
from contextlib import closing

import pytest

from analysis.interrupt import Interrupted, stop_point
from backend.engines.base import QueueFull
from backend.engines.local import LocalEngine
from backend.engines.turns import Task, Turns, shared
from backend.engines.work import Expected
from backend.job_records import JobRecord, Priority
from backend.jobs import Job
from cache import Store, open_store
from cache.keys import key_for
from tests.backend.engines.conftest import PATIENCE_S, Letters, Steps, finished, until


def task(
    store: Store, name: str, user: str, seconds: float | None = 1.0, priority: Priority = "sweep"
) -> Task:
    work = Letters(name, 4, Steps())
    work.expected = Expected(seconds)
    return Task(Job(JobRecord(work.key, "model", work.spec, priority, users=(user,)), store), work)


def line_of(*tasks: Task) -> tuple[Turns, dict[str, Task]]:
    turns = Turns()
    for one in tasks:
        turns.add(one)
    return turns, {one.job.spec["name"]: one for one in tasks}


def names(turns: Turns) -> str:
    return "".join(one.job.spec["name"] for one in turns.line())


def served(turns: Turns, n: int) -> str:
    """Who gets the next turns, if every job lasts."""
    found = ""
    for _ in range(n):
        one = turns.line()[0]
        turns.served(one)
        found += one.job.spec["name"]
    return found


def test_one_sweep_does_not_wait_for_ten_of_somebody_else(store: Store) -> None:
    turns, _ = line_of(*(task(store, name, "ann") for name in "abcdefghij"), task(store, "X", "bob"))
    assert names(turns).index("X") == 1, "bob is next, whatever ann has asked for before him"
    assert served(turns, 20).count("X") == 10, "half of the time is his"


def test_three_users_take_turns_and_each_ones_jobs_within_theirs(store: Store) -> None:
    turns, _ = line_of(
        task(store, "a", "ann"),
        task(store, "b", "ann"),
        task(store, "c", "ann"),
        task(store, "X", "bob"),
        task(store, "Y", "bob"),
        task(store, "1", "eve"),
    )
    assert names(turns) == "aX1bYc"
    assert served(turns, 12) == "aX1bY1cX1aY1"


def test_a_click_comes_before_any_sweep_whoever_clicked(store: Store) -> None:
    turns, by_name = line_of(
        task(store, "a", "ann"), task(store, "X", "bob"), task(store, "c", "ann", priority="click")
    )
    turns.tell()
    assert names(turns) == "caX"
    assert [by_name[name].job.queue_position for name in "caX"] == [0, 1, 2]
    turns.served(by_name["a"])
    turns.tell(by_name["a"])
    assert by_name["X"].job.queue_position == 2, "the one in hand and the click"


def test_a_job_that_two_wait_for_is_served_when_either_is_due(store: Store) -> None:
    both = task(store, "X", "bob")
    turns, _ = line_of(*(task(store, name, "ann") for name in "abc"), both)
    both.job.join("ann")
    assert served(turns, 4) == "aXbX", "it is bob's only one, and counts as a turn of ann's too"


def test_who_comes_back_does_not_jump_the_line(store: Store) -> None:
    first, ann = task(store, "X", "bob"), task(store, "a", "ann")
    turns, _ = line_of(first, ann)
    turns.served(first)
    first.job.close("done", result=b"")
    turns.drop_closed()
    turns.add(task(store, "Y", "bob"))
    assert names(turns) == "aY"


def test_everybody_moves_up_when_one_goes(store: Store) -> None:
    turns, by_name = line_of(*(task(store, name, name) for name in "abc"))
    turns.tell()
    assert [by_name[name].job.queue_position for name in "abc"] == [0, 1, 2]
    by_name["a"].job.cancel("a")
    turns.drop_closed()
    turns.tell()
    assert [by_name[name].job.queue_position for name in "bc"] == [0, 1]


def test_time_is_shared_by_users_and_then_by_jobs(store: Store) -> None:
    ann, bob = [task(store, "a", "ann", 10.0), task(store, "b", "ann", 10.0)], [task(store, "X", "bob", 10.0)]
    ends = {one.job.spec["name"]: end for one, end in shared([ann, bob]).items()}
    assert ends == {"X": pytest.approx(20.0), "a": pytest.approx(30.0), "b": pytest.approx(30.0)}


def test_what_is_not_known_takes_its_share_and_says_nothing(store: Store) -> None:
    known, unknown = task(store, "a", "ann", 4.0), task(store, "X", "bob", None)
    assert shared([[known], [unknown]]) == {known: pytest.approx(8.0)}


def test_time_left_includes_what_is_more_urgent(store: Store) -> None:
    turns, by_name = line_of(
        task(store, "s", "ann", 10.0),
        task(store, "c", "bob", 3.0, priority="click"),
        task(store, "u", "eve", None, priority="background"),
    )
    turns.tell()
    left = {name: one.job.seconds_left for name, one in by_name.items()}
    assert left["c"] == pytest.approx(3.0, abs=0.3) and left["s"] == pytest.approx(13.0, abs=0.3)
    assert left["u"] is None
    turns.tell(known=False)
    assert by_name["s"].job.seconds_left is None, "while a model loads nobody knows"


def test_time_left_falls_and_comes_from_the_jobs_own_chunks(engine: LocalEngine) -> None:
    """It was expected to take a hundred times as long; chunks found in the store say nothing about others."""

    class Timed(Letters):
        def run_chunk(self, index: int) -> bool:
            if index >= 3:
                time.sleep(0.03)
            return super().run_chunk(index) and index >= 3

    work = Timed("a", 23, Steps())
    work.expected = Expected(60.0)
    job = engine.submit(work)
    seen: list[tuple[int, float]] = []
    while not job.closed:
        told = job.snapshot()
        if told["seconds_left"] is not None and told["state"] == "running":
            seen.append((told["done"], told["seconds_left"]))
        time.sleep(0.005)
    before = [left for done, left in seen if done <= 3]
    after = [left for done, left in seen if done >= 5]
    assert before and min(before) > 40, "what it found stored is not taken for its speed"
    assert after and max(after) < 5.0
    assert after[-1] < after[0] / 2, "it falls as the work is done"


def test_who_joins_keeps_a_job_that_the_other_cancels(engine: LocalEngine, steps: Steps) -> None:
    job = engine.submit(Letters("a", 2, steps), user="ann")
    assert engine.submit(Letters("a", 2, steps), user="bob") is job
    engine.cancel(job.key, "eve")
    assert job.state in ("queued", "running"), "eve does not wait for it, so it is not hers to stop"
    engine.cancel(job.key, "ann")
    assert (job.snapshot("ann")["mine"], job.snapshot("bob")["mine"]) == (False, True)
    steps.let(2)
    assert finished(job) == ["done"]


def test_the_last_who_waits_stops_it(engine: LocalEngine, steps: Steps) -> None:
    job = engine.submit(Letters("a", 2, steps), user="ann")
    other = engine.submit(Letters("b", 1, steps), user="bob")
    engine.submit(Letters("a", 2, steps), user="bob")
    until(lambda: steps.begun == ["a0"])
    assert other.queue_position == 1
    engine.cancel(job.key, "ann")
    engine.cancel(job.key, "bob")
    assert job.state == "cancelled"
    assert other.queue_position == 0, "whoever waits moves up at once"
    steps.let(2)
    assert finished(other) == ["done"]


class Endless(Letters):
    """One chunk that ends only at a stop point."""

    def run_chunk(self, index: int) -> bool:
        self.steps.begun.append(self.name)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            stop_point()
            time.sleep(0.005)
        raise AssertionError("nobody stopped it")


def test_a_cancel_frees_the_thread_in_the_middle_of_a_chunk(engine: LocalEngine, store: Store) -> None:
    steps = Steps()
    job = engine.submit(Endless("a", 1, steps))
    until(lambda: steps.begun == ["a"])
    began = time.monotonic()
    engine.cancel(job.key)
    assert job.state == "cancelled"
    assert finished(engine.submit(Letters("b", 1, Steps()))) == ["done"]
    assert time.monotonic() - began < 1.0
    assert store.get(job.key) is None and engine.alive


def test_a_cancel_frees_the_thread_while_a_work_is_prepared(engine: LocalEngine) -> None:
    class Preparing(Endless):
        def prepare(self) -> int:
            return int(self.run_chunk(0))

    steps = Steps()
    job = engine.submit(Preparing("a", 1, steps))
    until(lambda: steps.begun == ["a"])
    engine.cancel(job.key)
    assert finished(engine.submit(Letters("b", 1, Steps()))) == ["done"]
    assert (job.state, job.error) == ("cancelled", None)


def test_stop_points_stop_nobody_else() -> None:
    stop_point()  # nobody listens
    with pytest.raises(Interrupted):
        _run_unwanted()
    stop_point()


def _run_unwanted() -> None:
    from analysis.interrupt import stopping_when

    with stopping_when(lambda: True):
        stop_point()


def test_one_user_cannot_fill_the_queue_alone(engine: LocalEngine, steps: Steps) -> None:
    engine.submit(Letters("running", 1, steps), user="ann")
    until(lambda: steps.begun == ["running0"])
    for name in "abcd":
        engine.submit(Letters(name, 1, steps), user="ann")
    with pytest.raises(QueueFull, match="4 analyses are waiting"):
        engine.submit(Letters("e", 1, steps), user="ann")
    job = engine.submit(Letters("x", 1, steps), user="bob")
    assert job.queue_position == 1, "after the one in hand; it is his turn then"
    steps.let(6)
    assert finished(job) == ["done"]


def test_who_waits_is_known_after_a_restart(engine: LocalEngine, store: Store, steps: Steps) -> None:
    job = engine.submit(Letters("a", 2, steps), user="ann")
    engine.submit(Letters("a", 2, steps), user="bob")
    until(lambda: steps.begun == ["a0"])
    following = LocalEngine(store, load_model=lambda _: None)
    still = Steps(stepwise=True)
    (again,) = following.resume(lambda spec: Letters(spec["name"], 2, still))
    assert again.users == {"ann", "bob"}
    still.let(2)
    assert finished(again) == ["done"]
    assert following.shutdown(PATIENCE_S)
    steps.let(2)
    assert finished(job) == ["done"]


def test_a_record_of_an_earlier_version_belongs_to_everybody(tmp_path) -> None:
    with closing(open_store(tmp_path)) as store:
        job = Job(JobRecord(key_for("a"), "model", {}, "sweep"), store)
        assert job.snapshot("anybody")["mine"]
        assert job.cancel("anybody")
