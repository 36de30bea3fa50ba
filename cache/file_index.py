"""Size and last use of every stored result, in sqlite: what is needed to keep a folder below its cap.

The index is not the truth. A row without a file is evicted in its turn; a lost index is rebuilt from
the files.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS entries
    (key TEXT PRIMARY KEY, size INTEGER NOT NULL, used REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT * FROM total);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON entries
    BEGIN UPDATE total SET bytes = bytes + new.size; END;
CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON entries
    BEGIN UPDATE total SET bytes = bytes - old.size; END;
CREATE TRIGGER IF NOT EXISTS resized AFTER UPDATE OF size ON entries
    BEGIN UPDATE total SET bytes = bytes - old.size + new.size; END;
"""

_USE = """
INSERT INTO entries VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET size = excluded.size, used = excluded.used
"""


class FileIndex:
    """Rows (key, size in bytes, time of last use) with their running total; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def admit(self, key: str, size: int, cap_bytes: int) -> list[str]:
        """Count an entry as just used and drop the least recently used ones beyond the cap; returns those."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(_USE, (key, size, time.time()))
            evicted: list[str] = []
            while self._total() > cap_bytes:
                oldest = self._db.execute("SELECT key FROM entries ORDER BY used LIMIT 1").fetchone()
                self._db.execute("DELETE FROM entries WHERE key = ?", oldest)
                evicted.extend(oldest)
        return evicted

    def touch(self, key: str, size: int) -> None:
        """Count an entry as just used. This is never worth failing a read."""
        with self._lock, suppress(sqlite3.Error):
            self._db.execute(_USE, (key, size, time.time()))

    def drop(self, key: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM entries WHERE key = ?", (key,))

    def rebuild(self, entries: Iterable[tuple[str, int, float]]) -> None:
        """Replace all rows by these (key, size, time of last use)."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM entries")
            self._db.executemany(_USE, entries)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _total(self) -> int:
        return self._db.execute("SELECT bytes FROM total").fetchone()[0]
