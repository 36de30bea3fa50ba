"""A job: one result being computed, seen by everybody who waits for it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from backend.job_records import JobError, JobRecord, Priority, State, forget_record, write_record
from cache.store import Store


class Event(NamedTuple):
    """News of a job: `progress`, `partial`, `done`, `failed` or `cancelled`, with JSON-ready data."""

    name: str
    data: dict[str, Any]


class Job:
    """One result in the making. Anybody may read it, from any thread; the engine alone moves it on.

    States go forward only: queued, running, then one of done, failed and cancelled.
    """

    def __init__(self, record: JobRecord, store: Store) -> None:
        self.key = record.key
        self.model = record.model
        self.spec: Mapping[str, Any] = record.spec
        self.priority: Priority = record.priority
        self.state: State = "failed" if record.state == "failed" else "queued"
        self.error = record.error
        self.done, self.total = 0, 0
        self.queue_position = 0
        self.ends_at: float | None = None  # on the monotonic clock, as it looks now
        self.users = frozenset(record.users)  # who waits for it; for all of them it runs once
        self.message: str | None = None
        self.partial: dict[str, Any] | None = None
        self.result: bytes | None = None
        self._store = store
        self._reached, self._attempts = record.reached, record.attempts
        self._finishing = self._abandoned = False
        self._listeners: list[Callable[[], None]] = []
        self._fields = threading.RLock()  # held briefly, to see fields that belong together
        self._moving = threading.RLock()  # held while the state changes and the record with it

    @property
    def closed(self) -> bool:
        """Whether nothing can happen to this job any more."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def seconds_left(self) -> float | None:
        """Until the job is done, waits for others included; None where nothing is known of that."""
        ends_at = self.ends_at
        if self.closed or ends_at is None:
            return None
        return round(max(0.0, ends_at - time.monotonic()), 1)

    def snapshot(self, user: str = "") -> dict[str, Any]:
        """The job as `GET /api/jobs/{key}` shows it to a user."""
        with self._fields:
            return {
                "id": self.key,
                "analysis": self.spec.get("analysis"),
                **self._progress(),
                "mine": not self.users or user in self.users,
                "error": self.error and self.error._asdict(),
                "partial": self.partial,
            }

    async def subscribe(self) -> AsyncIterator[Event]:
        """Where the job stands, then every change, up to and including its end.

        A slow reader misses steps in between, never the end. When the engine shuts down, the events stop.
        """
        progress: dict[str, Any] | None = None
        partial: dict[str, Any] | None = None
        with self._waking() as wake:
            while True:
                wake.clear()
                over = self.closed or self._abandoned
                if self._progress() != progress:
                    progress = self._progress()
                    yield Event("progress", progress)
                if self.partial is not None and self.partial is not partial:
                    partial = self.partial
                    yield Event("partial", partial)
                if over:
                    break
                await wake.wait()
        if self.closed:
            yield self._end()

    async def ended(self) -> None:
        """Return when the job is closed, or when the engine shuts down."""
        async for _ in self.subscribe():
            pass

    def update(self, **changes: Any) -> None:
        """Set fields of a job that is not closed, and wake its subscribers if that changes anything."""
        with self._fields:
            if self.closed or all(getattr(self, name) == value for name, value in changes.items()):
                return
            for name, value in changes.items():
                setattr(self, name, value)
        self._notify()

    def start(self, total: int) -> None:
        """The work is known to be `total` chunks."""
        self.update(state="running", total=total, queue_position=0, message=None)

    def advance(self) -> None:
        """One more chunk is done. If no process ever got so far, the count of attempts begins anew."""
        self.update(done=self.done + 1)
        if self._reached < self.done < self.total:
            self._reached, self._attempts = self.done, 1
            self.save()

    def hold(self) -> None:
        """Note durably that this process is about to work on the job, before that can kill it."""
        self._attempts += 1
        self.save()

    def release(self) -> None:
        """Note that the process has stopped working on it and is alive."""
        self._attempts -= 1
        self.save()

    def save(self) -> None:
        """Write the record, unless the job is closed."""
        with self._moving:
            if not self.closed:
                write_record(self._store, self._record(self.state, None))

    def begin_finish(self) -> bool:
        """From here on the job cannot be cancelled; False if it has been."""
        with self._moving:
            self._finishing = not self.closed
            return self._finishing

    def join(self, user: str) -> None:
        """One more waits for it."""
        with self._moving:
            if user not in self.users:
                self.update(users=self.users | {user})
                self.save()

    def cancel(self, user: str = "") -> bool:
        """This user waits no longer; whether the job is cancelled, because nobody does.

        One that is being finished, or is closed otherwise, is not.
        """
        with self._moving:
            self.update(users=self.users - {user})
            if not self.users and not self._finishing:
                self.close("cancelled")
            return self.state == "cancelled"

    def close(self, state: State, *, result: bytes | None = None, error: JobError | None = None) -> None:
        """The end. Only of a failed job a record remains."""
        with self._moving:
            if self.closed:
                return
            if state == "failed":
                write_record(self._store, self._record(state, error))
            else:
                forget_record(self._store, self.key)
            with self._fields:
                self.state, self.result, self.error = state, result, error
                self.queue_position, self.ends_at, self.message = 0, None, None
                self.partial = None if state == "done" else self.partial
        self._notify()

    def abandon(self) -> None:
        """Let the subscribers go, because the engine has shut down."""
        self._abandoned = True
        self._notify()

    def _record(self, state: State, error: JobError | None) -> JobRecord:
        return JobRecord(
            self.key,
            self.model,
            self.spec,
            self.priority,
            state,
            self._reached,
            self._attempts,
            error,
            tuple(sorted(self.users)),
        )

    def _progress(self) -> dict[str, Any]:
        with self._fields:
            names = ("state", "done", "total", "queue_position", "seconds_left", "message")
            return {name: getattr(self, name) for name in names}

    def _end(self) -> Event:
        if self.error is not None:
            return Event("failed", self.error._asdict())
        return Event("cancelled", {}) if self.state == "cancelled" else Event("done", {"key": self.key})

    @contextmanager
    def _waking(self) -> Iterator[asyncio.Event]:
        """An event of the running loop, set at every change of this job in whatever thread that happens."""
        wake, loop = asyncio.Event(), asyncio.get_running_loop()

        def listener() -> None:
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(wake.set)

        with self._fields:
            self._listeners.append(listener)
        try:
            yield wake
        finally:
            with self._fields:
                self._listeners.remove(listener)

    def _notify(self) -> None:
        with self._fields:
            for listener in self._listeners:
                listener()
