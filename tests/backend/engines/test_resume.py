"""Jobs outlive the process: it is killed in the middle, and the next one goes on.

Run as a script, this file is the process that is killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from backend.engines.local import LocalEngine
from backend.engines.work import Expected
from backend.job_records import JobRecord, read_records, write_record
from cache import Store, open_store
from cache.keys import key_for

N_CHUNKS = 12
PATIENCE_S = 20.0


class Squares:
    """The squares of 0 to 11, one per chunk; computing one takes 30 ms and is noted in a journal.

    With `deadly`, computing that chunk kills the process.
    """

    model = "model"
    expected = Expected()

    def __init__(self, spec: Mapping[str, Any], store: Store, journal: Path) -> None:
        self.spec, self.key = spec, key_for(spec)
        self._store, self._journal = store, journal
        self._squares: list[int] = []

    def prepare(self) -> int:
        return N_CHUNKS

    def run_chunk(self, index: int) -> bool:
        key = key_for([self.spec, index])
        stored = self._store.find(key)
        if stored is None:
            stored = self._compute(index)
            self._store.keep(key, stored)
        self._squares.append(int(stored))
        return True

    def partial(self) -> dict[str, Any]:
        return {"squares": list(self._squares)}

    def finish(self) -> bytes:
        return repr(self._squares).encode()

    def _compute(self, index: int) -> bytes:
        with self._journal.open("a") as journal:
            journal.write(f"{self.spec['name']}{index}\n")
        if index == self.spec.get("deadly"):
            assert __name__ == "__main__", "it must not be tried a fourth time"
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.03)
        return str(index**2).encode()


RESULT = repr([index**2 for index in range(N_CHUNKS)]).encode()
SWEEP = {"analysis": "effects", "name": "sweep"}
POISON = {"analysis": "effects", "name": "poison", "deadly": 5}


def open_engine(folder: Path) -> tuple[Store, LocalEngine, Callable[[Mapping[str, Any]], Squares]]:
    store = open_store(folder / "store")
    journal = folder / "journal"
    return store, LocalEngine(store, load_model=lambda _: None), lambda spec: Squares(spec, store, journal)


def main(folder: Path, names: list[str]) -> None:
    """Go on with what is open, submit new jobs by name, and run until all are closed or the end comes."""
    _, engine, make_work = open_engine(folder)
    jobs = engine.resume(make_work)
    jobs += [engine.submit(make_work({"sweep": SWEEP, "poison": POISON}[name])) for name in names]
    while not all(job.closed for job in jobs):
        time.sleep(0.005)


def start(folder: Path, *names: str) -> subprocess.Popen:
    root = str(Path(__file__).parents[3])
    return subprocess.Popen(
        [sys.executable, __file__, str(folder), *names], env={**os.environ, "PYTHONPATH": root}
    )


def journal_lines(folder: Path) -> list[str]:
    journal = folder / "journal"
    return journal.read_text().split() if journal.exists() else []


def kill_after(process: subprocess.Popen, folder: Path, n_lines: int) -> None:
    """Kill the process as soon as the journal has so many lines."""
    deadline = time.monotonic() + PATIENCE_S
    while len(journal_lines(folder)) < n_lines:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.003)
    process.kill()
    process.wait(PATIENCE_S)


def resume_here(folder: Path) -> dict[str, dict[str, Any]]:
    """Go on in this process; the closed jobs by name, with their stored results."""
    store, engine, make_work = open_engine(folder)
    with closing(store):
        jobs = engine.resume(make_work)
        deadline = time.monotonic() + PATIENCE_S
        while not all(job.closed for job in jobs):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert engine.shutdown(PATIENCE_S)
        left = {record.spec["name"]: record.state for record in read_records(store)}
        return {
            job.spec["name"]: job.snapshot()
            | {"result": store.get(job.key), "record": left.get(job.spec["name"])}
            for job in jobs
        }


def test_a_job_killed_four_times_on_its_way_is_finished_with_one_chunk_lost_each_time(tmp_path: Path) -> None:
    """Four kills are more than three attempts, but each process got further, so they do not count."""
    for n_lines, names in ((2, ["sweep"]), (5, []), (8, []), (11, [])):
        kill_after(start(tmp_path, *names), tmp_path, n_lines)
    ended = resume_here(tmp_path)["sweep"]
    assert (ended["state"], ended["result"], ended["record"]) == ("done", RESULT, None)
    computed = journal_lines(tmp_path)
    assert set(computed) == {f"sweep{index}" for index in range(N_CHUNKS)}
    assert len(computed) <= N_CHUNKS + 4


def test_a_job_that_kills_the_process_three_times_fails_and_the_others_finish(tmp_path: Path) -> None:
    names = ["sweep", "poison"]
    for _ in range(3):
        assert start(tmp_path, *names).wait(PATIENCE_S) == -signal.SIGKILL
        names = []
    ended = resume_here(tmp_path)
    assert ended["sweep"]["result"] == RESULT
    poison = ended["poison"]
    assert (poison["state"], poison["result"], poison["record"]) == ("failed", None, "failed")
    assert poison["error"]["code"] == "worker_died"
    assert "died 3 times at this analysis, after 5 of its parts" in poison["error"]["message"]
    assert journal_lines(tmp_path).count("poison5") == 3


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])


def test_a_record_that_is_not_understood_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    store, engine, make_work = open_engine(tmp_path)
    store.put_record("job/" + "0" * 64, {"from": "a later version"})
    assert engine.resume(make_work) == []
    engine.shutdown(1)
    store.close()


def test_a_job_whose_spec_has_another_key_by_now_is_let_go(tmp_path: Path) -> None:
    store, engine, make_work = open_engine(tmp_path)
    write_record(store, JobRecord("f" * 64, "model", SWEEP, "sweep"))
    (job,) = engine.resume(make_work)
    assert job.state == "cancelled"
    assert read_records(store) == []
    engine.shutdown(1)
    store.close()
