"""What the asyncio side sees of a job: events, waiting, shutdown."""

import asyncio
import threading

import pytest

from backend.engines.local import LocalEngine
from backend.engines.work import Expected
from backend.job_records import JobError, JobRecord
from backend.jobs import Event, Job
from cache import Store
from cache.keys import key_for

PATIENCE_S = 10.0
KEY = key_for("a")


@pytest.fixture
def job(store: Store) -> Job:
    return Job(JobRecord(KEY, "model", {"analysis": "effects"}, "sweep"), store)


class Reader:
    """Collects a job's events; `events` may be looked at while it does."""

    def __init__(self, job: Job) -> None:
        self.events: list[Event] = []
        self._task = asyncio.create_task(self._read(job))

    async def _read(self, job: Job) -> None:
        async for event in job.subscribe():
            self.events.append(event)

    async def until(self, n: int) -> list[Event]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.events) < n:
                await asyncio.sleep(0.002)
        return self.events

    async def end(self) -> list[Event]:
        async with asyncio.timeout(PATIENCE_S):
            await self._task
        return self.events


def in_another_thread(call) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(PATIENCE_S)


def test_events_of_a_job_in_order(job: Job) -> None:
    async def scene() -> list[Event]:
        reader = Reader(job)
        for n, move in enumerate(
            [
                lambda: job.update(queue_position=1),
                lambda: job.start(2),
                job.advance,
                lambda: job.update(partial={"n_done": 1}),
                job.advance,
            ],
            start=1,
        ):
            await reader.until(n)
            in_another_thread(move)
        await reader.until(6)
        in_another_thread(lambda: job.close("done", result=b"payload"))
        return await reader.end()

    events = asyncio.run(scene())
    told = [(name, data.get("state"), data.get("done"), data.get("total")) for name, data in events]
    assert told == [
        ("progress", "queued", 0, 0),
        ("progress", "queued", 0, 0),
        ("progress", "running", 0, 2),
        ("progress", "running", 1, 2),
        ("partial", None, None, None),
        ("progress", "running", 2, 2),
        ("progress", "done", 2, 2),
        ("done", None, None, None),
    ]
    assert set(events[0].data) == {"state", "done", "total", "queue_position", "seconds_left", "message"}
    assert events[4].data == {"n_done": 1}
    assert events[-1].data == {"key": KEY}


def test_a_late_subscriber_gets_the_state_and_the_end(job: Job) -> None:
    job.start(2)
    job.advance()
    job.update(partial={"n_done": 1})

    async def scene() -> list[Event]:
        reader = Reader(job)
        assert [event.name for event in await reader.until(2)] == ["progress", "partial"]
        job.close("failed", error=JobError("internal", "A sentence."))
        late = Reader(job)
        assert [event.name for event in await late.end()] == ["progress", "partial", "failed"]
        return await reader.end()

    assert asyncio.run(scene())[-1] == Event("failed", {"code": "internal", "message": "A sentence."})


def test_a_slow_reader_misses_steps_but_not_the_end(job: Job) -> None:
    async def scene() -> list[Event]:
        reader = Reader(job)
        await reader.until(1)
        job.start(50)  # from here the loop does not get a turn until all is over
        for _ in range(50):
            job.advance()
        job.close("done", result=b"")
        return await reader.end()

    events = asyncio.run(scene())
    assert [event.name for event in events] == ["progress", "progress", "done"]
    assert events[1].data["done"] == 50


def test_a_cancel_is_told(job: Job) -> None:
    async def scene() -> list[Event]:
        reader = Reader(job)
        await reader.until(1)
        assert job.cancel()
        assert job.cancel(), "asking again gives the same answer"
        return await reader.end()

    assert asyncio.run(scene())[-1] == Event("cancelled", {})


def test_a_reader_that_leaves_is_forgotten(job: Job) -> None:
    async def scene() -> None:
        task = asyncio.create_task(job.ended())
        await asyncio.sleep(0.01)
        assert len(job._listeners) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    assert job._listeners == []


class OneWord:
    """Work of one chunk that waits until it may go on."""

    key, model, spec, expected = KEY, "model", {"analysis": "effects"}, Expected()

    def __init__(self) -> None:
        self.may_go_on = threading.Event()

    def prepare(self) -> int:
        return 1

    def run_chunk(self, index: int) -> bool:
        return self.may_go_on.wait(PATIENCE_S)

    def partial(self) -> None:
        return None

    def finish(self) -> bytes:
        return b"word"


def test_waiting_gives_the_result_or_none_in_time(store: Store) -> None:
    engine = LocalEngine(store, load_model=lambda _: None)
    work = OneWord()

    async def scene() -> None:
        job = engine.submit(work)
        assert await engine.wait(KEY, 0.05) is None
        work.may_go_on.set()
        assert await engine.wait(KEY, PATIENCE_S) == b"word"
        assert await engine.wait(KEY, 0.0) == b"word"
        assert [event.name async for event in job.subscribe()] == ["progress", "done"]

    asyncio.run(scene())
    assert engine.shutdown(PATIENCE_S)


def test_a_shutdown_lets_subscribers_go(store: Store) -> None:
    engine = LocalEngine(store, load_model=lambda _: None)
    work = OneWord()

    async def scene() -> list[Event]:
        reader = Reader(engine.submit(work))
        await reader.until(1)
        threading.Timer(0.05, work.may_go_on.set).start()
        assert await asyncio.to_thread(engine.shutdown, PATIENCE_S)
        return await reader.end()

    assert {event.name for event in asyncio.run(scene())} <= {"progress", "done"}
