"""Bytes under keys. It knows no models, no tensors and no web, and nothing in it is ever unpickled."""

from pathlib import Path

from cache.file_store import FileStore
from cache.redis_store import RedisStore
from cache.store import Store, StoreUnavailable

__all__ = ["DEFAULT_CAP_BYTES", "Store", "StoreUnavailable", "open_store"]

DEFAULT_CAP_BYTES = 10 * 2**30


def open_store(location: str | Path, *, cap_bytes: int = DEFAULT_CAP_BYTES) -> Store:
    """The Redis store for a `redis://`, `rediss://` or `unix://` address, else the file store in that folder.

    `cap_bytes` bounds the results of a file store; in Redis the bound is the server's own `maxmemory`.
    A Redis that does not answer yet is no error here: its first call says so.
    """
    if str(location).startswith(("redis://", "rediss://", "unix://")):
        return RedisStore(str(location))
    return FileStore(Path(location), cap_bytes=cap_bytes)
