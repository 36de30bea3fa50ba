"""The file store: cap, eviction, crashes, and folders that are not as they should be."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cache import StoreUnavailable
from cache.file_store import FileStore
from cache.frame import pack
from cache.keys import key_for

FRAME_BYTES = len(pack("result:" + key_for(0), b""))


@contextmanager
def opened(folder: Path, cap_bytes: int = 10**9) -> Iterator[FileStore]:
    with closing(FileStore(folder, cap_bytes=cap_bytes)) as store:
        yield store


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "results").rglob("*") if path.is_file())


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_results_lie_in_two_levels_of_folders(tmp_path: Path) -> None:
    key = key_for("a")
    with opened(tmp_path) as store:
        store.put(key, b"payload")
    assert (tmp_path / "results" / key[:2] / key[2:4] / key).is_file()
    assert files_in(tmp_path / "incoming") == []


def test_the_cap_holds_and_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = 1000 + FRAME_BYTES
    with opened(tmp_path, cap_bytes=10 * size) as store:
        for number in range(30):
            store.put(key_for(number), bytes(1000))
            assert store.get(key_for(0)) is not None, "the one that is used all the time stays"
            assert bytes_on_disk(tmp_path) <= 10 * size
        kept = [number for number in range(30) if store.get(key_for(number)) is not None]
        assert kept == [0, *range(21, 30)]
        assert store.counts["evicted"] == 20


def test_records_are_never_evicted(tmp_path: Path) -> None:
    with opened(tmp_path, cap_bytes=2000) as store:
        for number in range(20):
            store.put_record(f"job/{number}", {"text": "x" * 500})
            store.put(key_for(number), bytes(800))
        assert len(store.records()) == 20


def test_a_result_beyond_the_cap_is_refused_and_nothing_is_evicted_for_it(tmp_path: Path) -> None:
    with opened(tmp_path, cap_bytes=1000) as store:
        store.put(key_for("small"), bytes(100))
        with pytest.raises(StoreUnavailable, match="does not fit"):
            store.put(key_for("large"), bytes(1000))
        assert store.get(key_for("small")) is not None
        assert files_in(tmp_path / "incoming") == []


def test_use_size_and_content_survive_a_restart(tmp_path: Path) -> None:
    size = 100 + FRAME_BYTES
    with opened(tmp_path, cap_bytes=3 * size) as store:
        for number in range(3):
            store.put(key_for(number), bytes(100))
        store.put(key_for(1), bytes(100))
        store.get(key_for(0))
    with opened(tmp_path, cap_bytes=3 * size) as store:
        store.put(key_for(3), bytes(100))
        assert [store.get(key_for(number)) is not None for number in range(4)] == [True, True, False, True]


@pytest.mark.parametrize("damage", ["lost", "garbage"])
def test_a_damaged_index_is_rebuilt_from_the_files(tmp_path: Path, damage: str) -> None:
    with opened(tmp_path) as store:
        for number in range(5):
            store.put(key_for(number), bytes(100))
    index = tmp_path / "index.sqlite3"
    index.unlink() if damage == "lost" else index.write_bytes(b"garbage " * 1000)
    with opened(tmp_path, cap_bytes=3 * (100 + FRAME_BYTES)) as store:
        assert all(store.get(key_for(number)) is not None for number in range(5))
        store.put(key_for("new"), bytes(100))
        assert bytes_on_disk(tmp_path) <= 3 * (100 + FRAME_BYTES)


def test_two_stores_may_share_a_folder_and_only_the_first_clears_it(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        (tmp_path / "incoming" / "being-written").touch()
        with opened(tmp_path) as second:
            first.put(key_for("a"), b"from the first")
            assert second.get(key_for("a")) == b"from the first"
        assert files_in(tmp_path / "incoming") == ["being-written"]
    with opened(tmp_path):
        assert files_in(tmp_path / "incoming") == []


def test_a_store_that_cannot_write_says_so_and_reads_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put(key_for("a"), b"payload")
        shutil.rmtree(tmp_path / "incoming")
        with pytest.raises(StoreUnavailable):
            store.put(key_for("b"), b"payload")
        assert not store.keep(key_for("b"), b"payload")
        assert store.get(key_for("a")) == b"payload"
        (tmp_path / "incoming").mkdir()
        assert store.keep(key_for("b"), b"payload")
        assert store.counts["bypass"] == 1


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        FileStore(tmp_path / "file" / "store", cap_bytes=1000)


WRITER = """
import sys
from pathlib import Path
from cache.file_store import FileStore
from cache.keys import key_for

store = FileStore(Path(sys.argv[1]), cap_bytes=10**9)
print("ready", flush=True)
for number in range(10**9):
    store.put(key_for(number % 3), bytes([number % 256]) * 300_000)
    store.put_record("job/a", {"number": number, "padding": "x" * 50_000})
    print(number, flush=True)
"""


def test_twenty_kills_while_writing_leave_no_torn_entry(tmp_path: Path) -> None:
    """After each kill every entry is whole, the last acknowledged record is there, and leftovers are gone."""
    for trial in range(20):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.01 + 0.01 * trial)
        writer.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in writer.stdout.read().splitlines()]
        writer.stdout.close()
        writer.wait()
        with opened(tmp_path) as store:
            assert files_in(tmp_path / "incoming") == []
            for number in range(3):
                payload = store.get(key_for(number))
                assert payload is None or payload == payload[:1] * 300_000
            record = store.get_record("job/a")
            assert not acknowledged or (record is not None and record["number"] >= acknowledged[-1])
            assert store.counts["corrupt"] == 0
        with closing(sqlite3.connect(tmp_path / "index.sqlite3")) as index:
            assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counted = index.execute("SELECT bytes FROM total").fetchone()[0]
        assert counted >= bytes_on_disk(tmp_path)
        assert os.listdir(tmp_path / "quarantine") == []
