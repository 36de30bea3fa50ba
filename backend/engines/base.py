"""What every engine promises, and the bookkeeping that all share: equal jobs, the full queue, resuming."""

import asyncio
import logging
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from analysis.errors import AnalysisError
from backend.engines.work import Work
from backend.job_records import PRIORITIES, JobError, JobRecord, Priority, read_records
from backend.jobs import Job
from backend.memory import LESS, available_bytes, in_words
from cache.store import Store, StoreUnavailable

__all__ = ["Engine", "EngineError", "EngineStopped", "Job", "QueueFull", "Work", "code_of", "explain"]

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
_REMEMBERED = 64


class EngineError(Exception):
    """The engine takes no work now; asking again later helps."""


class QueueFull(EngineError):
    """As many jobs wait as are allowed to."""


class EngineStopped(EngineError):
    """The engine is shutting down."""


class Engine(ABC):
    """Runs jobs and remembers them by key: the open ones, and the last of the closed ones."""

    def __init__(self, store: Store, *, max_waiting: int = 64) -> None:
        self._store = store
        self._max_waiting = max_waiting
        self._jobs: dict[str, Job] = {}
        self._stopping = False
        self._lock = threading.Lock()

    def submit(self, work: Work, priority: Priority = "sweep", user: str = "") -> Job:
        """The job of this work: the one of the same key if it is open or done, otherwise a new one.

        Blocks while the job's record is written. Raises `QueueFull` or `EngineStopped`. Somebody for whom
        nothing waits finds a place in a full queue, so that nobody can fill it alone.
        """
        with self._lock:
            job = self._jobs.get(work.key)
            if job is not None and job.state not in ("failed", "cancelled"):
                job.update(priority=min(job.priority, priority, key=PRIORITIES.index))
                job.join(user)
                self._changed(job)
                return job
            waiting = [job for job in self._jobs.values() if job.state == "queued"]
            own = any(user in job.users for job in waiting)
            if len(waiting) >= self._max_waiting * (1 if own else 2):
                raise QueueFull(f"{len(waiting)} analyses are waiting already. Try again in a minute.")
            job = self._remember(JobRecord(work.key, work.model, work.spec, priority, users=(user,)))
            job.save()
            self._start(job, work)
        return job

    def job(self, key: str) -> Job | None:
        """The job of this key, if it is open or was closed lately."""
        return self._jobs.get(key)

    def cancel(self, key: str, user: str = "") -> None:
        """This user waits no longer for a known job; for whom nobody waits, it stops at once."""
        job = self._jobs[key]
        job.cancel(user)
        self._changed(job)

    async def wait(self, key: str, timeout_s: float) -> bytes | None:
        """The result of a known job if it is done within this time, else None."""
        job = self._jobs[key]
        with suppress(TimeoutError):
            await asyncio.wait_for(job.ended(), timeout_s)
        return job.result

    def resume(self, make_work: Callable[[Mapping[str, Any]], Work]) -> list[Job]:
        """Go on with the jobs that an earlier process left open, making each one's work from its spec.

        A job at whose next chunk three processes have died fails with `worker_died`. Failures of the last
        week are remembered as such.
        """
        try:
            records = read_records(self._store)
        except StoreUnavailable as failure:
            log.warning("Unfinished jobs cannot be read and are not resumed: %s", failure)
            return []
        return [self._resume(record, make_work) for record in records]

    def shutdown(self, grace_s: float) -> bool:
        """Stop after the chunks in hand; whether that came about in time. Open jobs can be resumed."""
        with self._lock:
            self._stopping = True
            jobs = list(self._jobs.values())
        stopped = self._stop(grace_s)
        for job in jobs:
            job.abandon()
        return stopped

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether everything that should run jobs does."""

    @abstractmethod
    def _start(self, job: Job, work: Work) -> None:
        """Take the job into the queue; returns at once."""

    @abstractmethod
    def _changed(self, job: Job) -> None:
        """Who waits for an open or just closed job has changed, and so may have the order."""

    @abstractmethod
    def _stop(self, grace_s: float) -> bool:
        """Stop running jobs; whether all stopped within the grace."""

    def _resume(self, record: JobRecord, make_work: Callable[[Mapping[str, Any]], Work]) -> Job:
        with self._lock:
            known = self._jobs.get(record.key)
            job = known or self._remember(record)
        if known or job.closed:
            return job
        if record.attempts >= MAX_ATTEMPTS:
            job.close("failed", error=_worker_died(record))
            return job
        try:
            work = make_work(record.spec)
        except Exception as failure:  # a spec that was good once: its model or prompt set may be gone
            job.close("failed", error=explain(failure))
            return job
        if work.key == record.key:
            self._start(job, work)
        else:  # this version computes it differently, so the old key will never have a result
            job.close("cancelled")
        return job

    def _remember(self, record: JobRecord) -> Job:
        """A new job in the place of a closed one of the same key; the oldest closed ones are forgotten."""
        if self._stopping:
            raise EngineStopped("The server is shutting down.")
        self._jobs.pop(record.key, None)
        closed = [key for key, job in self._jobs.items() if job.closed]
        for key in closed[:-_REMEMBERED]:
            del self._jobs[key]
        job = self._jobs[record.key] = Job(record, self._store)
        return job


def explain(failure: Exception) -> JobError:
    """What the person who asked may read of a failure; the details of unexpected ones go to the log only.

    Errors written for people are analysis errors, a store that does not work, and those that carry a `code`
    and a `message` themselves.
    """
    code, message = getattr(failure, "code", None), getattr(failure, "message", None)
    if isinstance(code, str) and isinstance(message, str):
        return JobError(code, message)
    if isinstance(failure, AnalysisError | StoreUnavailable):
        return JobError(code_of(failure), str(failure))
    log.error("An analysis failed unexpectedly.", exc_info=failure)
    return JobError("internal", "The server failed at this analysis. Its log says why.")


def out_of_memory(work: Work) -> JobError:
    """What the person who asked may read where the memory did not suffice."""
    needed, free = work.expected.bytes, in_words(available_bytes(work.expected.device))
    about = f"; it needs about {in_words(needed)}" if needed else ""
    said = f"The server ran out of memory at this analysis{about}, and {free} are free now: {LESS}."
    return JobError("out_of_memory", said)


def code_of(failure: Exception) -> str:
    """The code of an error is its name: `UnresolvedLabel` -> `unresolved_label`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(failure).__name__).lower()


def _worker_died(record: JobRecord) -> JobError:
    return JobError(
        "worker_died",
        f"The server died {record.attempts} times at this analysis, after {record.reached} of its parts, "
        "so it was not tried again. Fewer or shorter prompts may help.",
    )
