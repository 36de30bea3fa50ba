"""Equal requests compute once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Of several threads that want the same key at the same time one computes; the others get what it got.

    A failure goes to all who waited for it, and is forgotten: the next call computes again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, Future[T]] = {}

    def run(self, key: str, compute: Callable[[], T]) -> T:
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if leads:
            self._compute(key, flight, compute)
        return flight.result()

    def _compute(self, key: str, flight: Future[T], compute: Callable[[], T]) -> None:
        try:
            outcome = compute()
        except BaseException as failure:
            self._land(key)
            flight.set_exception(failure)
        else:
            self._land(key)
            flight.set_result(outcome)

    def _land(self, key: str) -> None:
        with self._lock:
            del self._flights[key]
