"""Work whose steps a test lets through one by one, and engines to run it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backend.engines.local import LocalEngine
from backend.engines.work import Expected
from backend.jobs import Job
from cache import Store, open_store
from cache.keys import key_for
from tests.conftest import until as patiently

PATIENCE_S = 10.0


class Steps:
    """A journal that all works of a test write to; in `stepwise` mode every step waits to be let through."""

    def __init__(self, stepwise: bool = False) -> None:
        self.done: list[str] = []
        self.begun: list[str] = []
        self._permits = threading.Semaphore(0 if stepwise else 10_000)

    def take(self, name: str) -> None:
        self.begun.append(name)
        assert self._permits.acquire(timeout=PATIENCE_S)
        self.done.append(name)

    def let(self, n: int = 1) -> None:
        """Let `n` steps through, and return when they are done."""
        target = len(self.done) + n
        self._permits.release(n)
        until(lambda: len(self.done) >= target)


class Letters:
    """Work whose result is its name once per chunk; it may fail at one of them."""

    def __init__(
        self, name: str, n: int, steps: Steps, *, model: str = "model", failure: Exception | None = None
    ):
        self.name, self.n, self.steps, self.failure = name, n, steps, failure
        self.key, self.model = key_for(name), model
        self.spec = {"analysis": "effects", "name": name}
        self.expected = Expected()
        self.text = ""

    def prepare(self) -> int:
        return self.n

    def run_chunk(self, index: int) -> bool:
        self.steps.take(f"{self.name}{index}")
        if self.failure is not None:
            raise self.failure
        self.text += self.name
        return True

    def partial(self) -> dict[str, Any]:
        return {"text": self.text}

    def finish(self) -> bytes:
        return self.text.encode()


def until(condition: Callable[[], bool]) -> None:
    patiently(condition, seconds=PATIENCE_S, every=0.002)


def finished(*jobs: Job) -> list[str]:
    """The states in which the jobs end."""
    until(lambda: all(job.closed for job in jobs))
    return [job.state for job in jobs]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as opened:
        yield opened


@pytest.fixture
def steps() -> Steps:
    return Steps(stepwise=True)


@pytest.fixture
def engine(store: Store) -> Iterator[LocalEngine]:
    made = LocalEngine(store, load_model=lambda _: None, max_waiting=4)
    yield made
    assert made.shutdown(PATIENCE_S), "a thread of the engine hangs"
