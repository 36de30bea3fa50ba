"""What the store knows of a job: enough to go on with it after a crash.

Chunk results are stored under their own keys, so doing a job again is cheap. Done and cancelled jobs have no
record; those of failed jobs are kept for a week.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from cache.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

State = Literal["queued", "running", "done", "failed", "cancelled"]
Priority = Literal["click", "sweep", "background"]
PRIORITIES: tuple[Priority, ...] = ("click", "sweep", "background")
"""The most urgent first."""

_PREFIX = "job/"
_FAILED_LIFETIME_S = 7 * 24 * 3600


class JobError(NamedTuple):
    """Why a job failed: a code for programs and a sentence for people."""

    code: str
    message: str


class JobRecord(NamedTuple):
    """A job as the store keeps it.

    `reached` is the largest number of chunks ever done. `attempts` counts how often a process has begun to go
    on from there without getting further; found at a start, it is the number of processes that died of it.
    `users` are those who wait for it, by what they call themselves.
    """

    key: str
    model: str
    spec: Mapping[str, Any]
    priority: Priority
    state: State = "queued"
    reached: int = 0
    attempts: int = 0
    error: JobError | None = None
    users: Sequence[str] = ()


def write_record(store: Store, record: JobRecord) -> None:
    """Write or overwrite the record; a job goes on without it where the store does not work."""
    fields = record._asdict() | {"error": record.error and record.error._asdict(), "written": time.time()}
    with _failure_logged():
        store.put_record(_PREFIX + record.key, fields)


def forget_record(store: Store, key: str) -> None:
    """Delete the record of a job that needs none any more."""
    with _failure_logged():
        store.delete_record(_PREFIX + key)


def read_records(store: Store) -> list[JobRecord]:
    """All records, the longest unchanged first; old failures are deleted. Raises `StoreUnavailable`.

    One that this version does not understand is passed over: it must not keep a server from starting.
    """
    found: list[tuple[float, JobRecord]] = []
    for name, fields in store.records(_PREFIX).items():
        try:
            written, record = _record_of(fields)
        except (KeyError, TypeError):
            log.warning("%s is not a job record that this version knows; it is passed over.", name)
            continue
        if record.state == "failed" and time.time() - written > _FAILED_LIFETIME_S:
            forget_record(store, record.key)
        else:
            found.append((written, record))
    return [record for _, record in sorted(found, key=lambda pair: pair[0])]


def _record_of(fields: dict[str, Any]) -> tuple[float, JobRecord]:
    """When a record was written, and the record."""
    written, error = float(fields.pop("written")), fields.pop("error")
    return written, JobRecord(**fields, error=JobError(**error) if error else None)


@contextmanager
def _failure_logged() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as failure:
        log.warning("The record of a job could not be changed: %s", failure)
