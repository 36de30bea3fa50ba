"""Get or compute: a spec becomes the stored bytes of its result, or the job that makes them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from backend.engines.base import Engine
from backend.engines.work import Expected
from backend.jobs import Job
from backend.models import Models
from backend.schemas.names import Priority
from backend.schemas.spec import Spec
from backend.services.again import AgainWork, now
from backend.services.estimates import Estimate, Estimates
from backend.services.prompt_sets import PromptSets
from backend.services.records import Records
from backend.services.specs import resolve
from backend.services.work import AnalysisWork
from cache.store import Store


class Results:
    """Finished results by key, and the way to get one that is missing."""

    def __init__(
        self, models: Models, prompt_sets: PromptSets, store: Store, engine: Engine, *, estimates: Estimates
    ) -> None:
        self._models, self._prompt_sets, self._store, self._engine = models, prompt_sets, store, engine
        self.records = Records(store)
        self.estimates = estimates

    def stored(self, key: str) -> bytes | None:
        """The bytes of a finished result, None where it is not stored or the store does not answer."""
        return self._store.find(key)

    def make_work(self, spec: Mapping[str, Any]) -> AnalysisWork:
        """The work that a posted spec asks for; also what a job record is rebuilt from after a restart."""
        plain = {name: value for name, value in spec.items() if name != "again"}
        posted = Spec.model_validate(plain)
        return self._again(posted, **spec["again"]) if "again" in spec else self._work_of(posted)

    def _work_of(self, posted: Spec) -> AnalysisWork:
        resolved = resolve(posted, self._models, self._prompt_sets)
        return AnalysisWork(resolved, self._prompt_sets, self._store)

    async def get_or_start(
        self, posted: Spec, priority: Priority, within_s: float, user: str = ""
    ) -> tuple[str, bytes | Job]:
        """The key, and the result if it is stored or comes within `within_s`, otherwise the job."""
        work = await asyncio.to_thread(self._work_of, posted)
        stored = await asyncio.to_thread(self.stored, work.key)
        if stored is not None:
            await asyncio.to_thread(self.records.noted, work.key, stored)
            return work.key, stored
        job = await asyncio.to_thread(self._submit, work, priority, user)
        finished = await self._engine.wait(work.key, within_s)
        return work.key, job if finished is None else finished

    def _submit(self, work: AnalysisWork, priority: Priority, user: str) -> Job:
        """Raises `ApiError` where it would not fit into memory."""
        estimate = self.estimates.check(work)
        work.expected = Expected(estimate.seconds, estimate.bytes, work.resolved.host.device)
        return self._engine.submit(work, priority, user)

    def estimate(self, posted: Spec) -> Estimate:
        """How long a result will take and how much memory; computes nothing."""
        return self.estimates.of(self._work_of(posted))

    def again(self, key: str, user: str = "") -> Job:
        """Compute a known result anew, without anything stored. Raises `ApiError` for an unknown key."""
        record = self.records.of(key)
        of = record["again_of"] or key  # always compared with the first
        work = self._again(Spec.model_validate(record["spec"]), of, now())
        return self._submit(work, "sweep", user)

    def _again(self, posted: Spec, of: str, at: str) -> AgainWork:
        resolved = resolve(posted, self._models, self._prompt_sets)
        return AgainWork(of, at, resolved, prompt_sets=self._prompt_sets, store=self._store)

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
