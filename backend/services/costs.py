"""What results cost: measured ones as the store keeps them, and a count for those that nobody has measured.

The unit of work is one token going through one layer. On one model it takes about the same time in every
analysis, so what one result has cost says something about another.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from analysis.analyses import Analysis
from cache.keys import key_for
from cache.store import Store, StoreUnavailable

PLACES = {"layer", "head", "node", "sender", "seed"}
"""Parameters that say where or which, not how much."""
_SHAPES = 12


@dataclass(frozen=True)
class Cost:
    """What one pair has cost on average, and what came once: summing up, and fitting on other prompts.

    `counted` is the work that was expected of a pair: what another spec is expected to take is set against
    it.
    """

    seconds: float
    counted: float
    forwards: float
    once_s: float = 0.0
    fit_s: float = 0.0


@dataclass
class Spent:
    """What the chunks computed so far have cost."""

    chunks: int = 0
    seconds: float = 0.0
    forwards: int = 0

    def add(self, seconds: float, forwards: int) -> None:
        """One more."""
        self.chunks += 1
        self.seconds += seconds
        self.forwards += forwards


@dataclass(frozen=True)
class Size:
    """What a count is made from: a model's layers and heads, and the tokens of a prompt."""

    n_layers: int
    n_heads: int
    n_tokens: float


class Costs:
    """Measured costs of one model on one machine, by analysis and by the shape of its parameters."""

    def __init__(self, store: Store, model: Mapping[str, Any]) -> None:
        self._store, self._model = store, key_for(dict(model))[:16]

    def of(self, analysis: str) -> dict[str, Cost]:
        """By shape, the latest last."""
        try:
            record = self._store.get_record(self._name(analysis)) or {}
            return {shape: Cost(**cost) for shape, cost in record.items()}
        except (StoreUnavailable, TypeError):  # or written by another version
            return {}

    def learn(self, analysis: str, shape: str, cost: Cost) -> None:
        """Remember the latest cost of a shape; a fit that was not made again keeps its time."""
        known = self.of(analysis)
        before = known.pop(shape, None)
        if before is not None and not cost.fit_s:
            cost = replace(cost, fit_s=before.fit_s)
        kept = dict(list(known.items())[-_SHAPES:]) | {shape: cost}
        try:
            self._store.put_record(self._name(analysis), {name: asdict(one) for name, one in kept.items()})
        except StoreUnavailable:
            return

    def _name(self, analysis: str) -> str:
        return f"cost/{self._model}/{analysis}"


def shape_of(parameters: Any) -> str:
    """Parameters that cost alike: which node it is does not matter, how many of them does."""
    plain = {name: value for name, value in asdict(parameters).items() if name not in PLACES}
    sized = {name: len(value) if isinstance(value, tuple | list) else value for name, value in plain.items()}
    return key_for(sized)[:16]


RUNS = {
    "prompts": 0,
    "gate": 4,
    "edge_estimates": 9,
    "self_repair": 1.7,
    "knock_out": 1.8,
    "subspace": 1.1,
    "low_rank": 5,
    "mutations": 38,
    "nth_item": 5,
    "bias": 4,
    "steer": 2,
    "pseudocode": 6,
    "checkpoint": 45,
}
"""Of one pair: how often its prompt goes through all layers, or as much work as that; once if not named."""


def token_layers(analysis: Analysis, parameters: Any, size: Size) -> float:
    """About how many tokens go through how many layers for one pair; a fit on other prompts not counted."""
    run = size.n_layers * size.n_tokens
    count = _COUNTS.get(analysis.name)
    return RUNS.get(analysis.name, 1) * run if count is None else 1.8 * run + count(parameters, size)


def fit_token_layers(analysis: Analysis, parameters: Any, size: Size) -> float:
    """What the prompts of the other split take, once for all pairs; run many at a time, each takes less."""
    return 0.6 * analysis.n_others(parameters) * size.n_layers * size.n_tokens


def _above(size: Size, layer: int | None = None) -> float:
    """Layers that a row goes through on average: those from its node's on."""
    return size.n_layers / 2 if layer is None else size.n_layers - layer


def _effects(parameters: Any, size: Size) -> float:
    nodes = getattr(parameters, "nodes", "heads")
    per_layer = {"all": size.n_heads + 1, "mlps": 1, "attention": 1, "residual": 1}
    n_nodes = per_layer.get(nodes, size.n_heads) * size.n_layers if isinstance(nodes, str) else len(nodes)
    width = 1.0 if getattr(parameters, "positions", "final") == "final" else 0.8 * size.n_tokens
    return n_nodes * _above(size) * width


def _positions(parameters: Any, size: Size) -> float:
    per_layer = 1 if parameters.kind == "mlps" else size.n_heads
    n_layers = size.n_layers if parameters.layer is None else 1
    columns = 0.8 * size.n_tokens
    rows = per_layer * n_layers * columns**2 / 2 * _above(size, parameters.layer)
    return rows + (4 + columns / 8) * 1.8 * size.n_layers * size.n_tokens


def _curves(parameters: Any, size: Size) -> float:
    points = min(parameters.points, len(parameters.nodes))
    rows = 2 * points * (1 + parameters.n_random)
    return rows * size.n_layers + 1.8 * size.n_layers * size.n_tokens


def _paths(parameters: Any, size: Size) -> float:
    digits = parameters.sender.lstrip("LMP").split("H")[0]
    above = size.n_layers - int(digits) if digits.isdigit() else size.n_layers
    width = 1.0 if parameters.positions == "final" else 0.8 * size.n_tokens
    return 2 * above * 3 * size.n_heads * above * width


_COUNTS = {
    "effects": _effects,
    "categories": _effects,
    "position_effects": _positions,
    "curves": _curves,
    "paths": _paths,
}
