"""headscope from Python: ask a running server for a result, get its numbers as arrays.

    from headscope import Client

    client = Client()  # http://127.0.0.1:8050
    result = client.result({"analysis": "effects", "prompts": {"n": 8}}, progress=True)
    effects = result.table("total_effect")
    for node, mean, low, high in zip(effects.labels("node"), effects.values, effects.low, effects.high):
        print(f"{node:>6} {mean:+.3f} [{low:+.3f}, {high:+.3f}] {effects.unit}")

A spec says what is computed; `GET /api/analyses` lists what can be asked, each with an example. The same spec
gives the same key and, from the store, the same bytes. `client.stored(key)` reads what a figure's link shows.
A value that was not computed is NaN; `result.body["failures"]` says why.
"""

import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import numpy as np

__all__ = ["Client", "HeadscopeError", "Result", "Table"]

LOOK_AGAIN_S = 0.3
OVER = ("done", "failed", "cancelled")


class HeadscopeError(RuntimeError):
    """The server refused, a computation failed, or nobody answers; the message says what to do."""


@dataclass(frozen=True)
class Table:
    """Numbers with named axes. `low` and `high` are the 95 % interval, None where there is none."""

    axes: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    unit: str
    coordinates: Mapping[str, list[Any]]

    def labels(self, axis: str) -> list[str]:
        """The names of the places along an axis, for people."""
        places = self.coordinates.get(axis)
        if places is None:
            return [str(place) for place in range(self.values.shape[self.axes.index(axis)])]
        return [_name(place) for place in places]


@dataclass(frozen=True)
class Result:
    """A finished result: its key, and the body as the server sent it."""

    key: str
    body: Mapping[str, Any]

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables."""
        return tuple(self.body["tables"])

    def table(self, name: str) -> Table:
        """One table as float64 arrays. Raises `KeyError` with the names that there are."""
        if name not in self.body["tables"]:
            raise KeyError(f"{name!r} is not a table of this result; it has {', '.join(self.tables)}.")
        table = self.body["tables"][name]
        low, high = (None if table[end] is None else _array(table[end]) for end in ("low", "high"))
        coordinates = {axis: self.body["coordinates"].get(axis) for axis in table["axes"]}
        known = {axis: places for axis, places in coordinates.items() if places is not None}
        return Table(tuple(table["axes"]), _array(table["mean"]), low, high, table["unit"], known)


class Client:
    """A headscope server. Computing happens there; this only asks and waits."""

    def __init__(self, url: str = "http://127.0.0.1:8050") -> None:
        turns = {"x-headscope-user": uuid.uuid4().hex}  # users take turns; this is one of them
        timeout = httpx2.Timeout(60.0, connect=5.0)
        self._http = httpx2.Client(base_url=url, headers=turns, timeout=timeout)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def result(self, spec: Mapping[str, Any], *, progress: bool = False) -> Result:
        """The result of a spec: from the store, or computed now and waited for.

        Ctrl-C cancels the computation unless somebody else waits for it; pairs that are done stay stored.
        """
        body = self._json("POST", "/api/results", params={"priority": "sweep"}, json=dict(spec))
        if "job" not in body:
            return Result(body["key"], body)
        try:
            self._wait(body["key"], progress)
        except KeyboardInterrupt:
            self._json("DELETE", f"/api/jobs/{body['key']}")
            raise
        return self.stored(body["key"])

    def stored(self, key: str) -> Result:
        """The result behind a figure's link `/f/<key>`."""
        return Result(key, self._json("GET", f"/api/results/{key}"))

    def analyses(self) -> dict[str, Any]:
        """What can be asked, by name, each with a spec that works as it is."""
        listed = self._json("GET", "/api/analyses")["analyses"]
        return {analysis["name"]: analysis["example"] for analysis in listed}

    def _wait(self, key: str, progress: bool) -> None:
        while (job := self._json("GET", f"/api/jobs/{key}"))["state"] not in OVER:
            if progress:
                _say(job)
            time.sleep(LOOK_AGAIN_S)
        if progress:
            print(file=sys.stderr)  # noqa: T201
        if job["state"] == "failed":
            raise HeadscopeError(job["error"]["message"])
        if job["state"] == "cancelled":
            raise HeadscopeError("The computation was cancelled.")

    def _json(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._http.request(method, path, **options)
            body = response.json()
        except httpx2.TransportError as error:
            raise HeadscopeError(
                f"Nobody answers at {self._http.base_url} ({error}). Start it: headscope serve."
            ) from error
        except ValueError as error:
            raise HeadscopeError(f"{self._http.base_url} is not a headscope server.") from error
        if response.is_error:
            raise HeadscopeError(body["error"]["message"])
        return body


def _say(job: Mapping[str, Any]) -> None:
    left = job["seconds_left"]
    about = "" if left is None else f", about {left:.0f} s left"
    what = job["message"] or f"{job['done']} of {job['total']}{about}"
    print(f"\r{job['analysis']}: {job['state']}, {what}\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def _name(place: Any) -> str:
    if isinstance(place, Mapping):
        return str(place.get("label") or next(iter(place.values())))
    return str(place)
