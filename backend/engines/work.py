"""What an engine runs."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Expected(NamedTuple):
    """About how long a work takes and how much memory, None where nothing is known of that."""

    seconds: float | None = None
    bytes: int | None = None
    device: str = "cpu"


class Work(Protocol):
    """What an engine runs: a list of chunks and a way to combine them.

    All methods are called in the one thread of the work's model, after the model has been loaded. Chunks run
    in order, with other jobs in between. A chunk stores its own result or finds it stored, and leaves it in
    the work.
    """

    @property
    def key(self) -> str:
        """The key of the result, which is the job's id too."""
        ...

    @property
    def model(self) -> str:
        """The id of the model whose thread runs this."""
        ...

    @property
    def spec(self) -> Mapping[str, Any]:
        """JSON from which the same work can be made again after a restart."""
        ...

    @property
    def expected(self) -> Expected:
        """What it takes."""
        ...

    def prepare(self) -> int:
        """Find out what there is to do; returns the number of chunks."""
        ...

    def run_chunk(self, index: int) -> bool:
        """Compute one chunk or find it stored; whether it had to be computed.

        Seconds at most, because others wait for it; a cancel waits for its next `stop_point()` only.
        """
        ...

    def partial(self) -> dict[str, Any] | None:
        """The result of the chunks so far, JSON-ready; a new object each time."""
        ...

    def finish(self) -> bytes:
        """The result of all chunks. The engine stores these bytes under the key."""
        ...
