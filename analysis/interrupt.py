"""A long computation that nobody wants any more is left in its middle.

Whoever runs one says how to find out: `with stopping_when(...)`. The computation asks at its `stop_point()`s,
of which every layer of a loaded model is one, so it ends within a layer's time and everything is undone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("unwanted", default=None)


class Interrupted(Exception):
    """Nobody wants the result; no fault."""


@contextmanager
def stopping_when(unwanted: Callable[[], bool]) -> Iterator[None]:
    """Inside the block, in this thread, the next stop point raises `Interrupted` once `unwanted()`."""
    token = _unwanted.set(unwanted)
    try:
        yield
    finally:
        _unwanted.reset(token)


def stop_point() -> None:
    """Go on, unless nobody wants the result. Costs next to nothing; worth calling every tenth of a second."""
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted():
        raise Interrupted
