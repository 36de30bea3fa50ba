"""The default engine: one thread per model inside the server."""

import gc
import logging
import threading
import time
from collections.abc import Callable

from analysis.heap import give_back_gaps
from analysis.interrupt import Interrupted, stopping_when
from backend.engines.base import Engine, explain, out_of_memory
from backend.engines.turns import Task, Turns
from backend.engines.work import Work
from backend.jobs import Job
from backend.memory import ran_out_of_memory
from cache.store import Store

log = logging.getLogger(__name__)

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
        lane.add(Task(job, work))

    def _changed(self, job: Job) -> None:
        lane = self._lanes.get(job.model)
        if lane is not None:
            lane.tell()

    def _stop(self, grace_s: float) -> bool:
        deadline = time.monotonic() + grace_s
        for lane in self._lanes.values():
            lane.stop()
        for lane in self._lanes.values():
            lane.join(max(0.0, deadline - time.monotonic()))
        return not any(lane.is_alive() for lane in self._lanes.values())


class _Lane(threading.Thread):
    """The thread of one model. It takes the task whose turn it is, does one chunk of it, and looks again."""

    def __init__(self, model: str, store: Store, load_model: Callable[[str], object]) -> None:
        super().__init__(name=f"engine {model}", daemon=True)
        self._model, self._store, self._load_model = model, store, load_model
        self._changed = threading.Condition()
        self._turns = Turns()
        self._in_hand: Task | None = None
        self._message: str | None = LOADING
        self._stopping = False

    def add(self, task: Task) -> None:
        with self._changed:
            self._turns.add(task)
            task.job.update(message=self._message)
            self.tell()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def tell(self) -> None:
        """Every job learns where it stands now."""
        with self._changed:
            self._turns.drop_closed()
            self._turns.tell(self._in_hand, known=self._message is None)

    def run(self) -> None:
        while (task := self._next()) is not None:
            self._take(task)
            self.tell()
            self._serve(task)
        self._take(None)

    def _next(self) -> Task | None:
        """The task whose turn it is, waiting for one if need be; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                self._turns.drop_closed()
                line = self._turns.line()
                if line:
                    return line[0]
                self._changed.wait()
        return None

    def _take(self, task: Task | None) -> None:
        """Hold the job that is worked on, and no other: only that one is to blame if the process dies."""
        if task is self._in_hand:
            return
        if self._in_hand is not None:
            self._in_hand.job.release()
        if task is not None:
            task.job.hold()
        self._in_hand = task

    def _serve(self, task: Task) -> None:
        """One step of a task, left in its middle once nobody waits. What it raises ends its job only."""
        try:
            with stopping_when(lambda: task.job.closed):
                self._step(task)
        except Interrupted:
            return
        except Exception as failure:
            if not ran_out_of_memory(failure):
                task.job.close("failed", error=explain(failure))
                return
            log.exception("An analysis ran out of memory.")
        else:
            return
        gc.collect()  # here, where the exception is gone whose frames held what was computed
        give_back_gaps()
        task.job.close("failed", error=out_of_memory(task.work))

    def _step(self, task: Task) -> None:
        if task.job.state == "queued":
            self._begin(task)
        elif task.job.done < task.job.total:
            self._run_chunk(task)
        if task.job.state == "running" and task.job.done == task.job.total:
            self._finish(task)

    def _begin(self, task: Task) -> None:
        stored = self._store.find(task.job.key)
        if stored is not None:
            task.job.close("done", result=stored)
            return
        self._load_model(self._model)
        self._say(None)
        task.job.start(task.work.prepare())

    def _say(self, message: str | None) -> None:
        """Show a message with every job that waits here, now and from now on."""
        with self._changed:
            self._message = message
            for task in self._turns.tasks:
                task.job.update(message=message)

    def _run_chunk(self, task: Task) -> None:
        job, began = task.job, time.monotonic()
        computed = task.work.run_chunk(job.done)
        now = time.monotonic()
        with self._changed:
            if computed:
                task.chunk_s.append(now - began)
            self._turns.served(task)
        job.advance()
        self.tell()
        if job.done < job.total and now >= task.next_partial_at:
            job.update(partial=task.work.partial())
            task.next_partial_at = now + (time.monotonic() - now) / _PARTIAL_SHARE

    def _finish(self, task: Task) -> None:
        if not task.job.begin_finish():
            return
        payload = task.work.finish()
        self._store.keep(task.job.key, payload)
        task.job.close("done", result=payload)
