"""What was asked for, remembered: a record per finished result, which outlives the result's bytes."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from analysis.analyses import ANALYSES
from backend.errors import ApiError
from cache.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

_PREFIX = "result/"
Record = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which records are asked for; None is any."""

    model: str | None = None
    analysis: str | None = None
    prompts_of: str | None = None


class Records:
    """The records of one store. None of them ever changes, so each is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Record] = {}

    def write(self, body: Mapping[str, Any]) -> None:
        """Remember a finished result; one that is remembered already stays as it is."""
        with _failure_logged():
            if self._read(body["key"]) is None:
                self._write(record_of(body))

    def noted(self, key: str, stored: bytes) -> None:
        """Remember a result that was found in the store, where an earlier version kept no record of it."""
        with _failure_logged():
            if self._read(key) is None:
                self._write_stored(stored)

    def of(self, key: str) -> Record:
        """The record, with whether the bytes are still stored. Raises a 404 where nobody ever asked."""
        record = self._read(key)
        if record is None:
            stored = self._store.get(key)
            record = self._write_stored(stored) if stored is not None else None
        if record is None:
            raise ApiError(404, "unknown_key", "Nobody has asked for a result of this key here.")
        return record | {"stored": self._store.has(key)}

    def listed(self, wanted: Wanted, limit: int) -> list[Record]:
        """The newest records that are wanted, newest first; results computed again are not listed twice."""
        prompts = None if wanted.prompts_of is None else prompts_of(self.of(wanted.prompts_of))
        found = [
            record
            for record in self._all()
            if wanted.model in (None, record["model"])
            and wanted.analysis in (None, record["analysis"])
            and prompts in (None, prompts_of(record))
            and record["again_of"] is None
        ]
        found.sort(key=lambda record: (record["date"], record["key"]), reverse=True)
        return [record | {"stored": self._store.has(record["key"])} for record in found[:limit]]

    def _all(self) -> Iterator[Record]:
        for name in self._store.record_names(_PREFIX):
            record = self._read(name.removeprefix(_PREFIX))
            if record is not None:
                yield record

    def _read(self, key: str) -> Record | None:
        if key not in self._known:
            record = self._store.get_record(_PREFIX + key)
            if record is None:
                return None
            self._known[key] = record
        return self._known[key]

    def _write_stored(self, stored: bytes) -> Record | None:
        try:
            record = record_of(orjson.loads(stored))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return None  # the key of something else that the store keeps
        self._write(record)
        return record

    def _write(self, record: Record) -> None:
        self._store.put_record(_PREFIX + record["key"], record)


def record_of(body: Mapping[str, Any]) -> Record:
    """The record of a result body."""
    spec, provenance = body["spec"], body["provenance"]
    analysis = spec["analysis"]["name"]
    again = body["details"].get("again")
    return {
        "key": body["key"],
        "analysis": analysis,
        "title": ANALYSES[analysis].title if analysis in ANALYSES else analysis,
        "model": spec["model"]["id"],
        "spec": posted_spec(spec),
        "prompts": provenance["prompts"],
        "date": provenance["date"],
        "n": body["n"],
        "again_of": again["of"] if again else None,
    }


def posted_spec(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """The spec to post for a resolved one: model and prompts by name, every parameter as it was."""
    prompts = {name: value for name, value in resolved["prompts"].items() if name != "pairs"}
    return {
        "schema": resolved["schema"],
        "analysis": resolved["analysis"]["name"],
        "model": resolved["model"]["id"],
        "prompts": prompts,
        "parameters": resolved["parameters"],
    }


def prompts_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the prompts of two results must have in common to be the same draw, whichever pair is shown."""
    return record["spec"]["prompts"] | {"index": None}


@contextmanager
def _failure_logged() -> Iterator[None]:
    """A result is worth more than its record: a store that does not work is no reason to fail."""
    try:
        yield
    except StoreUnavailable as failure:
        log.warning("A result has no record: %s", failure)
