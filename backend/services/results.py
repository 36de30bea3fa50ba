"""Get or compute: a spec becomes the stored bytes of its result, or the job that makes them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from backend.engines.base import Engine
from backend.jobs import Job
from backend.models import Models
from backend.schemas.names import Priority
from backend.schemas.spec import Spec
from backend.services.prompt_sets import PromptSets
from backend.services.specs import resolve
from backend.services.work import AnalysisWork
from cache.store import Store


class Results:
    """Finished results by key, and the way to get one that is missing."""

    def __init__(self, models: Models, prompt_sets: PromptSets, store: Store, engine: Engine) -> None:
        self._models, self._prompt_sets, self._store, self._engine = models, prompt_sets, store, engine

    def stored(self, key: str) -> bytes | None:
        """The bytes of a finished result, None where it is not stored or the store does not answer."""
        return self._store.find(key)

    def make_work(self, spec: Mapping[str, Any]) -> AnalysisWork:
        """The work that a posted spec asks for; also what a job record is rebuilt from after a restart."""
        return self._work_of(Spec.model_validate(spec))

    def _work_of(self, posted: Spec) -> AnalysisWork:
        resolved = resolve(posted, self._models, self._prompt_sets)
        return AnalysisWork(resolved, self._prompt_sets, self._store)

    async def get_or_start(
        self, posted: Spec, priority: Priority, within_s: float
    ) -> tuple[str, bytes | Job]:
        """The key, and the result if it is stored or comes within `within_s`, otherwise the job."""
        work = await asyncio.to_thread(self._work_of, posted)
        stored = await asyncio.to_thread(self.stored, work.key)
        if stored is not None:
            return work.key, stored
        job = await asyncio.to_thread(self._engine.submit, work, priority)
        finished = await self._engine.wait(work.key, within_s)
        return work.key, job if finished is None else finished

    def has(self, key: str) -> bool:
        """Whether this result is stored."""
        return self.stored(key) is not None

    def compute(self, spec: Mapping[str, Any], say: Callable[[str], None]) -> bytes:
        """The result of a spec in this thread, without a server; from the store where it is there."""
        work = self.make_work(spec)
        stored = self.stored(work.key)
        if stored is not None:
            return stored
        total = work.prepare()
        for index in range(total):
            work.run_chunk(index)
            say(f"{index + 1} of {total}")
        finished = work.finish()
        self._store.keep(work.key, finished)
        return finished
