"""The same entries in Redis, for several servers that share results: same keys, same bytes.

Only GET, SET, DEL, EXISTS and SCAN are used (no Lua), so that the user may be limited to `headscope:*`.
Results expire, records do not: with `maxmemory-policy volatile-lru` only results are ever evicted.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import ConnectionError as RedisConnectionError
from redis import Redis, RedisError
from redis import TimeoutError as RedisTimeoutError
from redis.backoff import NoBackoff
from redis.retry import Retry

from cache.store import Address, Store, StoreUnavailable

_PREFIX = "headscope:"
_RESULT_LIFETIME_S = 7 * 24 * 3600
_TIMEOUT_S = 0.25
_PAUSE_S = 1.0


class RedisStore(Store):
    """Entries of the Redis at `url`. A call fails after 0.25 s without an answer and is not tried again;
    for a second after that, calls fail at once."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._paused_until = 0.0

    def close(self) -> None:
        self._redis.close()

    def _read(self, address: Address) -> bytes | None:
        with self._errors():
            return self._redis.get(f"{_PREFIX}{address}")  # pyright: ignore[reportReturnType]

    def _has(self, address: Address) -> bool:
        with self._errors():
            return bool(self._redis.exists(f"{_PREFIX}{address}"))

    def _write(self, address: Address, frame: bytes) -> None:
        lifetime_s = _RESULT_LIFETIME_S if address.kind == "result" else None
        with self._errors():
            self._redis.set(f"{_PREFIX}{address}", frame, ex=lifetime_s)

    def _remove(self, address: Address) -> None:
        with self._errors():
            self._redis.delete(f"{_PREFIX}{address}")

    def _quarantine(self, address: Address, frame: bytes) -> None:
        with self._errors():
            self._redis.set(f"{_PREFIX}quarantine:{address}", frame, ex=_RESULT_LIFETIME_S)
            self._redis.delete(f"{_PREFIX}{address}")

    def _record_names(self, prefix: str) -> set[str]:
        start = f"{_PREFIX}{Address('record', '')}"
        with self._errors():
            names = {key.decode()[len(start) :] for key in self._redis.scan_iter(f"{start}*", count=500)}
        return {name for name in names if name.startswith(prefix)}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        if time.monotonic() < self._paused_until:
            raise StoreUnavailable("Redis did not answer a moment ago.")
        try:
            yield
        except (RedisConnectionError, RedisTimeoutError) as failure:
            self._paused_until = time.monotonic() + _PAUSE_S
            raise StoreUnavailable(f"Redis does not answer: {failure}") from failure
        except RedisError as failure:
            raise StoreUnavailable(f"Redis refused: {failure}") from failure
