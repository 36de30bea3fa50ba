"""The same spec computed anew, without anything that is stored, and how far its numbers are from the old."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from backend.encoding import encode_result
from backend.services.prompt_sets import PromptSets
from backend.services.records import Records
from backend.services.specs import ResolvedSpec
from backend.services.work import AnalysisWork
from cache.keys import key_for
from cache.nowhere import Nowhere
from cache.store import Store

Body = Mapping[str, Any]
NOTHING_LEFT = {
    "largest_difference": None,
    "unit": "",
    "n_values": 0,
    "differs": ["The stored numbers are gone, so there is nothing to compare with."],
}


def now() -> str:
    """The time that names a recomputation: who asks twice within a second gets one."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class AgainWork(AnalysisWork):
    """An analysis that reads nothing stored. Its result has a key of its own and says how far it is off."""

    def __init__(
        self, of: str, at: str, resolved: ResolvedSpec, *, prompt_sets: PromptSets, store: Store
    ) -> None:
        super().__init__(resolved, prompt_sets, Nowhere())
        self._of, self._same_key, self._kept = of, resolved.key == of, store
        self.key = key_for({"again": of, "at": at})
        self.spec = self.spec | {"again": {"of": of, "at": at}}

    def finish(self) -> bytes:
        """The result, compared with the stored one."""
        body = self._body()
        stored = self._kept.find(self._of)
        found = compare(orjson.loads(stored), body) if stored else NOTHING_LEFT
        body["details"]["again"] = {"of": self._of, "same_key": self._same_key, **found}
        Records(self._kept).write(body)
        return encode_result(body)


def compare(old: Body, new: Body) -> dict[str, Any]:
    """The largest difference of any value of two results, how many there are, and what cannot be compared."""
    largest, unit, n_values = None, "", 0
    differs: list[str] = []
    for name, before, after in _parts(old["tables"], new["tables"], differs):
        if before.shape != after.shape:
            differs.append(f"{name} has another number of values.")
            continue
        missing, missing_now = np.isnan(before), np.isnan(after)
        if not np.array_equal(missing, missing_now):
            differs.append(f"{name} differs in which values are missing.")
        both = ~(missing | missing_now)
        n_values += int(both.sum())
        off = float(np.abs(before[both] - after[both]).max(initial=0.0)) if both.any() else None
        if off is not None and (largest is None or off > largest):
            largest, unit = off, new["tables"][name.split(".")[0]]["unit"] if off else ""
    return {"largest_difference": largest, "unit": unit, "n_values": n_values, "differs": differs}


def _parts(old: Body, new: Body, differs: list[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Means and interval ends of every table of both, by name; null is NaN."""
    differs += [f"{name} is in one of the two results only." for name in sorted(set(old) ^ set(new))]
    for name in sorted(set(old) & set(new)):
        for part in ("mean", "low", "high"):
            before, after = old[name].get(part), new[name].get(part)
            if before is not None or after is not None:
                yield f"{name}.{part}", _array(before), _array(after)


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)
