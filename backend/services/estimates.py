"""How long a result will take and how much memory, told before it is begun; and no where it would not fit."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from analysis.patching import bytes_per_position
from analysis.questions import render
from backend.errors import ApiError
from backend.memory import available_bytes, too_little
from backend.models import ModelHost
from backend.services.costs import Size, fit_token_layers, shape_of, token_layers
from backend.services.work import AnalysisWork
from backend.settings import Settings
from cache.store import Store

Basis = Literal["measured", "scaled", "unknown"]
BACKWARD = ("position_effects", "edge_estimates")  # analyses that keep a whole pass to go back through
WRITTEN = {
    "measured": "measured on an earlier result of this kind",
    "scaled": "reckoned from the speed of this model",
}
CHARACTERS_PER_TOKEN = 3.5  # while no tokenizer is loaded
SAMPLED = 4  # prompts whose tokens are counted
_REMEMBERED = 128


@dataclass(frozen=True)
class Estimate:
    """`seconds`, `bytes` and `forwards` are null where nothing is known. `available_bytes` is free now."""

    key: str
    stored: bool
    seconds: float | None
    bytes: int | None
    forwards: int | None
    fits: bool
    available_bytes: int
    basis: Basis
    message: str


class Estimates:
    """Estimates for one server."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._tokens: OrderedDict[tuple[str, str, bool], float] = OrderedDict()

    def of(self, work: AnalysisWork) -> Estimate:
        """What this work will take; nothing is computed and no model is loaded for it."""
        host = work.resolved.host
        stored = self._store.has(work.key)
        seconds, forwards, basis = (0.0, 0, "measured") if stored else self._time(work)
        needed = 0 if stored else self._bytes(work)
        free = available_bytes(host.device)
        fits = needed is None or needed <= free
        said = _sentence(seconds, basis, stored) if fits else too_little(needed or 0, free)
        return Estimate(work.key, stored, seconds, needed, forwards, fits, free, basis, said)

    def check(self, work: AnalysisWork) -> Estimate:
        """The same; raises a 422 with both numbers where it will not fit."""
        estimate = self.of(work)
        if not estimate.fits:
            numbers = {"bytes": estimate.bytes, "available_bytes": estimate.available_bytes}
            raise ApiError(422, "will_not_fit", estimate.message, details=[numbers])
        return estimate

    def _time(self, work: AnalysisWork) -> tuple[float | None, int | None, Basis]:
        """From a result of the same shape, from another of the same analysis, or from the model's speed."""
        resolved, n = work.resolved, len(work.resolved.pairs)
        size = self._size(work)
        if size is None:
            return None, None, "unknown"
        known = work.costs.of(resolved.analysis.name)
        same = known.get(shape_of(resolved.parameters))
        cost = same or next(reversed(known.values()), None)
        counted = token_layers(resolved.analysis, resolved.parameters, size)
        to_fit = 0.0 if work.is_fitted else fit_token_layers(resolved.analysis, resolved.parameters, size)
        speed = resolved.host.facts().get("speed")
        if cost is not None and cost.counted:
            more = counted / cost.counted * n
            fit_s = cost.fit_s or to_fit * (speed or 0.0)
            seconds = cost.seconds * more + cost.once_s + (fit_s if to_fit else 0.0)
            return seconds, round(cost.forwards * more), "measured" if same else "scaled"
        if speed is None:
            return None, None, "unknown"
        return (counted * n + to_fit) * speed, None, "scaled"

    def _size(self, work: AnalysisWork) -> Size | None:
        """The model's layers and heads, and the tokens of a prompt; None for a model never loaded here."""
        known = dimensions_of(work.resolved.host)
        if known is None:
            return None
        return Size(known["n_layers"], known["n_heads"], self._n_tokens(work))

    def _n_tokens(self, work: AnalysisWork) -> float:
        """The mean over a few of the prompts."""
        resolved = work.resolved
        ready = resolved.host.ready
        key = resolved.host.source.id, resolved.spec["prompts"]["pairs"], ready is not None
        if key not in self._tokens:
            clean = [render(question) for question, _ in resolved.pairs[:SAMPLED]]
            lengths = [
                len(ready.tokenizer(text).input_ids) if ready else len(text) / CHARACTERS_PER_TOKEN
                for text in clean
            ]
            self._tokens[key] = sum(lengths) / max(1, len(lengths))
            while len(self._tokens) > _REMEMBERED:
                self._tokens.popitem(last=False)
        return self._tokens[key]

    def _bytes(self, work: AnalysisWork) -> int | None:
        """What it takes beside what is taken: both runs of a pair, one layer's attention, the rows."""
        host = work.resolved.host
        known, size = dimensions_of(host), self._size(work)
        if known is None or size is None:
            return None
        item = torch.empty(0, dtype=getattr(torch, host.dtype)).element_size()
        n, layers = size.n_tokens, known["n_layers"]
        kept = 2 * known["d_model"] + (known["n_heads"] + 2 * known["n_kv_heads"]) * known["d_head"]
        runs = 2 * layers * n * kept * item
        attention = 6 * known["n_heads"] * n * n * item
        rows = self._settings.pass_memory_mb * 2**20
        if host.ready is not None:
            row = bytes_per_position(host.ready.language_model, round(n)) * n
            rows = max(rows, row)
            back = layers * row if work.resolved.analysis.name in BACKWARD else 0
            return round(runs + attention + rows + back)
        weights = 2 * known["n_parameters"] * item  # as they are read, each is there twice for a moment
        return round(runs + attention + rows + weights)


def dimensions_of(host: ModelHost) -> Mapping[str, Any] | None:
    """The sizes of a model that is loaded or once was."""
    return host.facts().get("dimensions")


def _sentence(seconds: float | None, basis: Basis, stored: bool) -> str:
    if stored:
        return "Stored already."
    if seconds is None:
        return "How long this takes is not known: nothing was measured on this model yet."
    return f"About {in_time(seconds)}, {WRITTEN[basis]}."


def in_time(seconds: float) -> str:
    """`14 s`, `3 min`, `2 h`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"
