"""Whose turn it is among the jobs of one model, how many stand before each, and when each will be done.

The most urgent priority goes first. Within it users take turns, and each user's jobs take turns within
theirs, one chunk at a time: somebody with ten sweeps gets no more than somebody with one. A user is whatever
a client calls itself; it is no account. A job that several wait for is served when the first of them is due.
"""

import itertools
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.engines.work import Work
from backend.job_records import PRIORITIES, Priority
from backend.jobs import Job

_MEASURED = 8
"""Chunks from which the time of the next ones is taken."""


@dataclass(eq=False)
class Task:
    """A job with its work. `turn` says when it was last served: among equals the oldest turn goes first."""

    job: Job
    work: Work
    turn: int = 0
    next_partial_at: float = 0.0
    chunk_s: deque[float] = field(default_factory=lambda: deque(maxlen=_MEASURED))

    @property
    def seconds_needed(self) -> float | None:
        """If it had the model for itself: from its own chunks once there are any, before that as expected."""
        job, expected = self.job, self.work.expected.seconds
        share_left = 1 - job.done / job.total if job.total else 1.0
        if self.chunk_s:
            return sum(self.chunk_s) / len(self.chunk_s) * (job.total - job.done)
        return None if expected is None else expected * share_left


class Turns:
    """The open tasks of one model, in no order but that of their turns. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._count = itertools.count()
        self._served: dict[tuple[Priority, str], int] = {}  # by user, when last

    @property
    def tasks(self) -> Sequence[Task]:
        """All that are open."""
        return self._tasks

    def add(self, task: Task) -> None:
        """One more, behind those that are there; its user keeps the turn that he has."""
        task.turn = next(self._count)
        self._tasks.append(task)

    def served(self, task: Task) -> None:
        """It has had its turn, and so has everybody who waits for it."""
        task.turn = next(self._count)
        for user in task.job.users or {""}:
            self._served[task.job.priority, user] = task.turn

    def drop_closed(self) -> None:
        """Forget tasks that are over, and users who wait for nothing."""
        self._tasks = [task for task in self._tasks if not task.job.closed]
        waiting = {(task.job.priority, user) for task in self._tasks for user in task.job.users or {""}}
        self._served = {who: turn for who, turn in self._served.items() if who in waiting}

    def line(self) -> list[Task]:
        """All tasks in the order in which their next turns come."""
        return [
            task
            for of_priority in self._by_user().values()
            for lap in itertools.zip_longest(*of_priority)
            for task in lap
            if task is not None
        ]

    def tell(self, in_hand: Task | None = None, *, known: bool = True) -> None:
        """Every job learns how many are before it, and, where that is known, when it will be done.

        The one in hand has its turn now, so it is before all others.
        """
        ends = self._ends_in() if known else {}
        now = time.monotonic()
        for place, task in enumerate(sorted(self.line(), key=lambda task: task is not in_hand)):
            queued = task.job.state == "queued"
            left = ends.get(task)
            task.job.update(
                queue_position=place if queued else 0, ends_at=None if left is None else now + left
            )

    def _by_user(self) -> Mapping[Priority, list[list[Task]]]:
        """Of each priority the tasks of each user; users, and tasks within, in the order of their turns."""
        found: dict[Priority, list[list[Task]]] = {}
        for priority in PRIORITIES:
            owned: dict[tuple[int, str], list[Task]] = {}
            for task in sorted(self._tasks, key=lambda task: task.turn):
                if task.job.priority == priority:
                    owned.setdefault(self._owner(task), []).append(task)
            found[priority] = [tasks for _, tasks in sorted(owned.items())]
        return found

    def _owner(self, task: Task) -> tuple[int, str]:
        """Of those who wait for it the one whose turn comes first, and when he was last served."""
        return min(
            (self._served.setdefault((task.job.priority, user), task.turn), user)
            for user in task.job.users or {""}
        )

    def _ends_in(self) -> dict[Task, float]:
        """Seconds until each task is done, where they can be told."""
        found: dict[Task, float] = {}
        began: float | None = 0.0
        for of_users in self._by_user().values():
            if began is None:
                break
            found |= {task: began + left for task, left in shared(of_users).items()}
            tasks = [task for tasks in of_users for task in tasks]
            whole = [found.get(task) for task in tasks]
            began = None if None in whole else max((end for end in whole if end is not None), default=began)
        return found


def shared(of_users: Sequence[Sequence[Task]]) -> dict[Task, float]:
    """When each is done if all users get equal shares of the time, and each user's tasks equal ones of his.

    A task of which nothing is known takes its share for as long as the others last.
    """
    needed = {task: task.seconds_needed for tasks in of_users for task in tasks}
    open_to = [list(tasks) for tasks in of_users]
    ends: dict[Task, float] = {}
    now = 0.0
    while True:
        open_to = [tasks for tasks in open_to if tasks]
        slowness = {task: len(open_to) * len(tasks) for tasks in open_to for task in tasks}
        lasting = {task: left * slowness[task] for task in slowness if (left := needed[task]) is not None}
        if not lasting:
            return ends
        first = min(lasting, key=lambda task: lasting[task])
        step = lasting[first]
        needed |= {task: max(0.0, (needed[task] or 0.0) - step / slowness[task]) for task in lasting}
        now += step
        ends[first] = now
        open_to = [[task for task in tasks if task is not first] for tasks in open_to]
