"""Equal requests compute once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cache.single_flight import SingleFlight


def together(n: int, call: Callable[[int], object]) -> list[object]:
    """What `n` threads get that call at the same time; failures are returned, not raised."""

    def one(index: int) -> object:
        try:
            return call(index)
        except Exception as failure:
            return failure

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


class Crowd:
    """`n` callers of one key; the computation goes on until all have come and had time to begin their own."""

    def __init__(self, n: int, flight: SingleFlight[str], *, failure: Exception | None = None) -> None:
        self.runs = 0
        self._flight, self._failure = flight, failure
        self._missing, self._come = n, threading.Condition()

    def call(self, _: int) -> str:
        with self._come:
            self._missing -= 1
            self._come.notify_all()
        return self._flight.run("key", self._compute)

    def _compute(self) -> str:
        self.runs += 1
        with self._come:
            assert self._come.wait_for(lambda: self._missing == 0, timeout=10)
        time.sleep(0.2)
        if self._failure is not None:
            raise self._failure
        return "result"


@pytest.fixture
def flight() -> SingleFlight[str]:
    return SingleFlight()


def test_a_hundred_threads_one_computation(flight: SingleFlight[str]) -> None:
    crowd = Crowd(100, flight)
    assert together(100, crowd.call) == ["result"] * 100
    assert crowd.runs == 1


def test_all_get_the_leaders_failure_and_the_next_call_tries_again(flight: SingleFlight[str]) -> None:
    crowd = Crowd(20, flight, failure=LookupError("no such thing"))
    assert {repr(failure) for failure in together(20, crowd.call)} == {"LookupError('no such thing')"}
    assert crowd.runs == 1
    assert flight.run("key", lambda: "result") == "result"


def test_different_keys_do_not_wait_for_each_other(flight: SingleFlight[str]) -> None:
    barrier = threading.Barrier(8)

    def compute() -> str:
        barrier.wait(10)  # passes only while all eight are computing
        return "result"

    assert together(8, lambda index: flight.run(str(index), compute)) == ["result"] * 8
