"""What every store promises. A store has entries of two kinds:

- *results*: bytes under a key of 64 hex digits. They can be computed again, so a store may evict them.
- *records*: small JSON objects under a readable name such as `job/<key>`. They are the only copy of what
  they say and are never evicted.

A miss is `None`; an entry that is damaged is a miss too, moved aside and counted. A store that does not
work raises `StoreUnavailable`; `find` and `keep` are for callers who can go on without it.
"""

import json
import logging
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from cache.frame import BadFrame, pack, unpack

logger = logging.getLogger(__name__)

_KEY = re.compile(r"[0-9a-f]{64}")
_MAX_NAME = 150


class StoreUnavailable(Exception):
    """The store cannot be read or written now: the disk is full, Redis does not answer, ..."""


class Address(NamedTuple):
    """Where an entry lies: the kind is `result` or `record`, the name a key or a record's name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Store(ABC):
    """Keys, framing, digests and counts, once for all stores; a store adds the small methods at the end.

    All methods block and may be called from any thread. `counts` has `hit`, `miss`, `corrupt`, `evicted` and
    `bypass` (the store did not work, and the caller went on).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._counting = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The result under this key, exactly as it was put, or None."""
        payload = self._load(_result(key))
        self._count("miss" if payload is None else "hit")
        return payload

    def has(self, key: str) -> bool:
        """Whether there is a result under this key, without reading it or counting that as a use."""
        return self._has(_result(key))

    def put(self, key: str, payload: bytes) -> None:
        """Store a result. Readers see the whole old or the whole new entry, never a part."""
        address = _result(key)
        self._write(address, pack(str(address), payload))

    def delete(self, key: str) -> None:
        """Forget a result; one that is not there is fine."""
        self._remove(_result(key))

    def find(self, key: str) -> bytes | None:
        """`get` for callers who can compute the result themselves: a store that does not work is a miss."""
        try:
            return self.get(key)
        except StoreUnavailable as failure:
            self._bypass(failure)
            return None

    def keep(self, key: str, payload: bytes) -> bool:
        """`put` for callers who have the result in hand anyway; says whether it is stored."""
        try:
            self.put(key, payload)
        except StoreUnavailable as failure:
            self._bypass(failure)
            return False
        return True

    def get_record(self, name: str) -> dict[str, Any] | None:
        """The record of this name, or None."""
        payload = self._load(_record(name))
        return None if payload is None else json.loads(payload)

    def put_record(self, name: str, value: Mapping[str, Any]) -> None:
        """Store a record durably, in place of an older one of the same name."""
        address = _record(name)
        self._write(address, pack(str(address), json.dumps(dict(value), allow_nan=False).encode()))

    def delete_record(self, name: str) -> None:
        """Forget a record; one that is not there is fine."""
        self._remove(_record(name))

    def records(self, prefix: str = "") -> dict[str, dict[str, Any]]:
        """All readable records whose name starts with `prefix`, in the order of their names."""
        found = {name: self.get_record(name) for name in self.record_names(prefix)}
        return {name: value for name, value in found.items() if value is not None}

    def record_names(self, prefix: str = "") -> list[str]:
        """The names of all records that start with `prefix`, in order."""
        return sorted(self._record_names(prefix))

    def check(self) -> None:
        """Write, read and delete a record; raises `StoreUnavailable` when that does not work."""
        self.put_record("check", {"works": True})
        if self.get_record("check") is None:
            raise StoreUnavailable("The store does not give back what was written to it.")
        self.delete_record("check")

    def _load(self, address: Address) -> bytes | None:
        frame = self._read(address)
        if frame is None:
            return None
        try:
            return unpack(str(address), frame)
        except BadFrame as damage:
            logger.warning("%s It counts as missing and was moved aside.", damage)
            self._count("corrupt")
            self._quarantine(address, frame)
            return None

    def _bypass(self, failure: StoreUnavailable) -> None:
        logger.warning("Going on without the store: %s", failure)
        self._count("bypass")

    def _count(self, what: str, times: int = 1) -> None:
        with self._counting:
            self.counts[what] += times

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. The store must not be used afterwards."""

    @abstractmethod
    def _read(self, address: Address) -> bytes | None:
        """The bytes written under this address, or None."""

    @abstractmethod
    def _has(self, address: Address) -> bool:
        """Whether anything is written under this address."""

    @abstractmethod
    def _write(self, address: Address, frame: bytes) -> None:
        """Write these bytes so that nobody ever reads a part of them."""

    @abstractmethod
    def _remove(self, address: Address) -> None:
        """Remove the entry if there is one."""

    @abstractmethod
    def _quarantine(self, address: Address, frame: bytes) -> None:
        """Move a damaged entry to where it is never read again."""

    @abstractmethod
    def _record_names(self, prefix: str) -> set[str]:
        """The names of all records that start with `prefix`."""


def _result(key: str) -> Address:
    if not _KEY.fullmatch(key):
        raise ValueError(f"A result's key is 64 lower-case hex digits, not {key!r}.")
    return Address("result", key)


def _record(name: str) -> Address:
    if not 0 < len(name.encode()) <= _MAX_NAME:
        raise ValueError(f"A record's name has 1 to {_MAX_NAME} bytes, not {name!r}.")
    return Address("record", name)
