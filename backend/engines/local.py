"""The default engine: one thread per model inside the server."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from backend.engines.base import Engine, Work, explain
from backend.job_records import PRIORITIES
from backend.jobs import Job
from cache.store import Store

LOADING = "loading the model"
_PARTIAL_SHARE = 0.1
"""At most this part of a job's time goes into partial results."""


class LocalEngine(Engine):
    """Threads start with the first job of a model. `load_model(id)` blocks until the model can be used."""

    def __init__(self, store: Store, load_model: Callable[[str], object], *, max_waiting: int = 64) -> None:
        super().__init__(store, max_waiting=max_waiting)
        self._load_model = load_model
        self._lanes: dict[str, _Lane] = {}

    @property
    def alive(self) -> bool:
        return all(lane.is_alive() for lane in list(self._lanes.values()))

    def _start(self, job: Job, work: Work) -> None:
        lane = self._lanes.get(job.model)
        if lane is None:
            lane = self._lanes[job.model] = _Lane(job.model, self._store, self._load_model)
            lane.start()
        lane.add(_Task(job, work))

    def _stop(self, grace_s: float) -> bool:
        deadline = time.monotonic() + grace_s
        for lane in self._lanes.values():
            lane.stop()
        for lane in self._lanes.values():
            lane.join(max(0.0, deadline - time.monotonic()))
        return not any(lane.is_alive() for lane in self._lanes.values())


@dataclass(eq=False)
class _Task:
    """A job in its lane. `turn` says when it was last served: among equals the oldest turn goes first."""

    job: Job
    work: Work
    turn: int = 0
    next_partial_at: float = 0.0

    @property
    def order(self) -> tuple[int, int]:
        return PRIORITIES.index(self.job.priority), self.turn


class _Lane(threading.Thread):
    """The thread of one model. It takes the first job in order, does one chunk of it, and looks again."""

    def __init__(self, model: str, store: Store, load_model: Callable[[str], object]) -> None:
        super().__init__(name=f"engine {model}", daemon=True)
        self._model, self._store, self._load_model = model, store, load_model
        self._changed = threading.Condition()
        self._tasks: list[_Task] = []
        self._turns = itertools.count()
        self._in_hand: _Task | None = None
        self._message: str | None = LOADING
        self._stopping = False

    def add(self, task: _Task) -> None:
        with self._changed:
            task.turn = next(self._turns)
            self._tasks.append(task)
            task.job.update(message=self._message)
            self._number()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        while (task := self._next()) is not None:
            self._take(task)
            try:
                self._step(task)
            except Exception as failure:  # whatever a work raises ends its job, not this thread
                task.job.close("failed", error=explain(failure))
        self._take(None)

    def _next(self) -> _Task | None:
        """The task whose turn it is, waiting for one if need be; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                self._tasks = [task for task in self._tasks if not task.job.closed]
                if self._tasks:
                    task = min(self._tasks, key=lambda task: task.order)
                    self._number()
                    return task
                self._changed.wait()
        return None

    def _number(self) -> None:
        queued = sorted(
            (task for task in self._tasks if task.job.state == "queued"), key=lambda task: task.order
        )
        for position, task in enumerate(queued, start=1):
            task.job.update(queue_position=position)

    def _take(self, task: _Task | None) -> None:
        """Hold the job that is worked on, and no other: only that one is to blame if the process dies."""
        if task is self._in_hand:
            return
        if self._in_hand is not None:
            self._in_hand.job.release()
        if task is not None:
            task.job.hold()
        self._in_hand = task

    def _step(self, task: _Task) -> None:
        if task.job.state == "queued":
            self._begin(task)
        elif task.job.done < task.job.total:
            self._run_chunk(task)
        if task.job.state == "running" and task.job.done == task.job.total:
            self._finish(task)

    def _begin(self, task: _Task) -> None:
        stored = self._store.find(task.job.key)
        if stored is not None:
            task.job.close("done", result=stored)
            return
        self._load_model(self._model)
        self._tell(None)
        task.job.start(task.work.prepare())

    def _tell(self, message: str | None) -> None:
        """Show a message with every job that waits here, now and from now on."""
        with self._changed:
            self._message = message
            for task in self._tasks:
                task.job.update(message=message)

    def _run_chunk(self, task: _Task) -> None:
        job = task.job
        task.work.run_chunk(job.done)
        task.turn = next(self._turns)
        job.advance()
        began = time.monotonic()
        if job.done < job.total and began >= task.next_partial_at:
            job.update(partial=task.work.partial())
            spent_s = time.monotonic() - began
            task.next_partial_at = began + spent_s / _PARTIAL_SHARE

    def _finish(self, task: _Task) -> None:
        if not task.job.begin_finish():
            return
        payload = task.work.finish()
        self._store.keep(task.job.key, payload)
        task.job.close("done", result=payload)
