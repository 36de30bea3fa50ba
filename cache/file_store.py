"""The default store: one file per entry, written aside and renamed into place.

results/ab/cd/abcd...   one file per result, found by its key
records/job%2Fabcd...   one file per record, its name escaped
incoming/               files being written; what is left here after a crash is removed at the next start
quarantine/             damaged entries, moved aside
index.sqlite3           size and last use of the results
in-use                  locked (shared) by every process that has the folder open
"""

import fcntl
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from cache.file_index import FileIndex
from cache.store import Address, Store, StoreUnavailable

_FOLDERS = ("results", "records", "incoming", "quarantine")


class FileStore(Store):
    """Entries in `folder`; results beyond `cap_bytes` in all are evicted, least recently used first.

    Several processes may share a folder. `incoming` lies inside it, so that no rename crosses file systems.
    """

    def __init__(self, folder: Path, *, cap_bytes: int) -> None:
        super().__init__()
        self._folder = folder
        self._cap_bytes = cap_bytes
        self._placing = threading.Lock()
        with self._errors():
            for name in _FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._in_use = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT)
            self._index = self._open()

    def close(self) -> None:
        self._index.close()
        os.close(self._in_use)

    def _read(self, address: Address) -> bytes | None:
        try:
            frame = self._path(address).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise self._unavailable(failure) from failure
        if address.kind == "result":
            self._index.touch(address.name, len(frame))
        return frame

    def _has(self, address: Address) -> bool:
        with self._errors():
            return self._path(address).exists()

    def _write(self, address: Address, frame: bytes) -> None:
        path = self._path(address)
        with self._errors():
            written = self._write_aside(frame)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._placing:
                    if address.kind == "result":
                        self._make_room(address.name, len(frame))
                    os.replace(written, path)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
            _sync(path.parent)

    def _remove(self, address: Address) -> None:
        with self._errors():
            self._path(address).unlink(missing_ok=True)
            if address.kind == "result":
                self._index.drop(address.name)

    def _quarantine(self, address: Address, frame: bytes) -> None:
        path = self._path(address)
        with self._errors(), self._placing:
            if not path.exists() or path.read_bytes() != frame:
                return  # somebody has just moved it too, or written a good one
            os.replace(path, self._folder / "quarantine" / path.name)
            if address.kind == "result":
                self._index.drop(address.name)

    def _record_names(self, prefix: str) -> set[str]:
        with self._errors():
            names = {unquote(path.name) for path in (self._folder / "records").iterdir()}
        return {name for name in names if name.startswith(prefix)}

    def _path(self, address: Address) -> Path:
        if address.kind == "result":
            return self._folder / "results" / address.name[:2] / address.name[2:4] / address.name
        return self._folder / "records" / quote(address.name, safe="").replace(".", "%2E")

    def _write_aside(self, frame: bytes) -> Path:
        """The frame in a file of its own, on the disk for certain."""
        handle, name = tempfile.mkstemp(dir=self._folder / "incoming")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(frame)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(name)
            raise
        return Path(name)

    def _make_room(self, key: str, size: int) -> None:
        """Count the entry before it is there: a crash may leave a row without file, never the reverse."""
        if size > self._cap_bytes:
            raise StoreUnavailable(f"A result of {size} bytes does not fit into {self._cap_bytes} bytes.")
        evicted = self._index.admit(key, size, self._cap_bytes)
        for old in evicted:
            self._path(Address("result", old)).unlink(missing_ok=True)
        self._count("evicted", len(evicted))

    def _open(self) -> FileIndex:
        """The index. Whoever is alone in the folder first removes leftovers and rebuilds a damaged index."""
        path = self._folder / "index.sqlite3"
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            for leftover in (self._folder / "incoming").iterdir():
                leftover.unlink()
            if not _is_sound(path):
                for file in self._folder.glob("index.sqlite3*"):
                    file.unlink()
                index = FileIndex(path)
                index.rebuild(self._entries_on_disk())
                index.close()
        fcntl.flock(self._in_use, fcntl.LOCK_SH)
        return FileIndex(path)

    def _entries_on_disk(self) -> Iterator[tuple[str, int, float]]:
        for path in (self._folder / "results").glob("*/*/*"):
            facts = path.stat()
            yield path.name, facts.st_size, facts.st_mtime

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as failure:
            raise self._unavailable(failure) from failure

    def _unavailable(self, failure: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"The store in {self._folder} failed: {failure}")


def _is_sound(index: Path) -> bool:
    """Whether the index is there and sqlite finds nothing wrong with it."""
    if not index.exists():
        return False
    try:
        db = sqlite3.connect(index)
        try:
            return db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        finally:
            db.close()
    except sqlite3.Error:
        return False


def _sync(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
