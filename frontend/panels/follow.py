"""Asking for a result and following its job: the one way in which panels wait."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import dcc

from frontend import ids
from frontend.client import BackendClient, Pending
from frontend.errors import BackendError

Json = dict[str, Any]
POLL_MS = 400
LONG_S = 600


@dataclass(frozen=True)
class Answer:
    """What there is for a spec right now. `body` may be partial; `job` is None once it is complete."""

    spec: Mapping[str, Any] | None
    key: str | None = None
    body: Json | None = None
    job: Json | None = None
    error: BackendError | None = None
    offer: Json | None = None  # what it would take, where that is too much to begin unasked

    @property
    def state(self) -> str:
        """done, queued, running, failed, cancelled, offered; `left` is one that goes on for others."""
        if self.offer:
            return "offered"
        if self.error:
            return "waiting" if self.error.code == "unreachable" else "failed"
        if self.job is None:
            return "done"
        return self.job["state"] if self.job.get("mine", True) else "left"

    @property
    def pending(self) -> bool:
        """Whether to look again by itself."""
        return self.state in ("queued", "running", "waiting")

    @property
    def may_restart(self) -> bool:
        """Whether measuring again, unchanged, could give more."""
        stopped = self.state in ("cancelled", "left", "offered")
        return stopped or bool(self.error and (self.key or self.error.may_pass))

    @property
    def memory(self) -> Json:
        """What the panel keeps in the browser to follow this job."""
        n_done = self.body["n_done"] if self.body else 0
        done = self.job["done"] if self.job else None
        return {"spec": self.spec, "key": self.key, "state": self.state, "n_done": n_done, "done": done}


async def look(
    client: BackendClient,
    spec: Mapping[str, Any],
    memory: Mapping[str, Any] | None,
    *,
    priority: str = "sweep",
) -> Answer:
    """Ask for a spec; if the panel follows its job already, see how far that is."""
    followed = memory.get("key") if memory and memory["spec"] == spec else None
    try:
        return await (_follow(client, spec, followed) if followed else _ask(client, spec, priority))
    except BackendError as error:
        if followed and error.status == 404:  # the server has forgotten the job: ask anew
            return await look(client, spec, None, priority=priority)
        return Answer(spec, followed, error=error)


async def look_unless_long(
    client: BackendClient, spec: Mapping[str, Any], memory: Mapping[str, Any] | None
) -> Answer:
    """The same, but what nobody has pressed for and would take very long is offered instead of begun."""
    followed = bool(memory and memory["spec"] == spec and memory.get("key"))
    try:
        estimate = {} if followed else await client.estimate(spec)
        long = (estimate.get("seconds") or 0.0) > LONG_S and estimate["fits"]
        if long and not await _is_open(client, estimate["key"]):
            return Answer(spec, offer=estimate)
    except BackendError:
        pass  # an estimate is a courtesy: whatever is wrong, asking for the result says it better
    return await look(client, spec, memory)


async def _is_open(client: BackendClient, key: str) -> bool:
    """Whether the job is on its way, and for this user."""
    try:
        job = await client.job(key)
    except BackendError:
        return False
    return job["state"] in ("queued", "running") and job.get("mine", True)


async def look_at_all(
    client: BackendClient, specs: Mapping[str, Mapping[str, Any]], memory: Mapping[str, Any]
) -> dict[str, Answer]:
    """Several specs at once, as somebody who has clicked waits for them; `memory` holds one for each name."""
    answers = await asyncio.gather(
        *(look(client, spec, memory.get(name), priority="click") for name, spec in specs.items())
    )
    return dict(zip(specs, answers, strict=True))


async def body_now(client: BackendClient, memory: Mapping[str, Any] | None) -> Json | None:
    """The complete or partial body that a panel has, for another panel beside it."""
    if not memory or not memory.get("key"):
        return None
    answer = await look(client, memory["spec"], memory)
    return answer.body


async def _ask(client: BackendClient, spec: Mapping[str, Any], priority: str) -> Answer:
    got = await client.request(spec, priority)
    if isinstance(got, Pending):
        return await _follow(client, spec, got.key)
    return Answer(spec, got.key, got.body)


async def _follow(client: BackendClient, spec: Mapping[str, Any], key: str) -> Answer:
    if client.remembers(key):
        return Answer(spec, key, (await client.stored(key)).body)
    job = await client.job(key)
    if job["state"] == "done":
        return Answer(spec, key, (await client.stored(key)).body)
    if job["state"] == "failed":
        told = job["error"] or {"code": "failed", "message": "The job failed without saying why."}
        raise BackendError(told["code"], told["message"], status=422)
    return Answer(spec, key, job.get("partial"), job)


def machinery(panel: str) -> list[Any]:
    """The timer and the memory that a panel needs to follow a job."""
    return [
        dcc.Interval(id=ids.poll(panel), interval=POLL_MS, disabled=True),
        dcc.Store(id=ids.memory(panel)),
    ]
