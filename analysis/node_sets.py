"""Which sets of nodes the curves need, each patched once, and what was measured in them.

A set is the first k nodes of a ranking, or all other nodes of the model. Random rankings are permutations of
the ranked nodes, the same ones for every prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int
from torch import Tensor

from analysis.curves import CURVES, CurveName, Measured
from analysis.interventions import Patch
from analysis.metrics import MetricName
from analysis.model import LanguageModel
from analysis.nodes import Writer, all_nodes
from analysis.pair_runs import Direction, PairRuns
from analysis.worlds import BASE, FIRST, SOURCE, Worlds, worlds_of

DIRECTIONS: dict[CurveName, Direction] = {
    "sufficiency": "denoising",
    "necessity": "noising",
    "faithfulness": "noising",
}
NodeSet = frozenset[Writer]


@dataclass(frozen=True)
class CurvePlan:
    """The distinct sets to patch in each direction, and which world belongs to which point of a curve."""

    noising: tuple[NodeSet, ...]
    denoising: tuple[NodeSet, ...]
    rows: Int[Tensor, "ranking curve k"]

    def sets(self, direction: Direction) -> tuple[NodeSet, ...]:
        return self.noising if direction == "noising" else self.denoising


def plan_curves(
    model: LanguageModel, ranked: Sequence[Writer], sizes: Sequence[int], *, n_random: int, seed: int
) -> CurvePlan:
    """The sets of the ranking and of `n_random` random ones. A set without nodes is the base run itself."""
    every_node = frozenset(all_nodes(model.n_layers, model.n_heads))
    sets: dict[Direction, dict[NodeSet, int]] = {"noising": {}, "denoising": {}}
    rows = []
    for ranking in (list(ranked), *random_rankings(ranked, n_random, seed)):
        for curve in CURVES:
            known = sets[DIRECTIONS[curve]]
            for k in sizes:
                first = frozenset(ranking[:k])
                patched = every_node - first if curve == "faithfulness" else first
                rows.append(known.setdefault(patched, FIRST + len(known)) if patched else BASE)
    return CurvePlan(
        noising=tuple(sets["noising"]),
        denoising=tuple(sets["denoising"]),
        rows=torch.tensor(rows).view(1 + n_random, len(CURVES), len(sizes)),
    )


def random_rankings(nodes: Sequence[Writer], n_random: int, seed: int) -> list[list[Writer]]:
    """Permutations of the nodes."""
    draw = torch.Generator().manual_seed(seed)
    return [
        [nodes[index] for index in torch.randperm(len(nodes), generator=draw).tolist()]
        for _ in range(n_random)
    ]


def patch_sets(
    model: LanguageModel, runs: PairRuns, sets: Sequence[NodeSet], *, over_vocabulary: bool = False
) -> Worlds:
    """Each set of nodes with the source's values at the final position, in a world of its own."""
    patches = [Patch(tuple(sorted(nodes, key=str)), runs.final) for nodes in sets]
    return worlds_of(model, runs, patches, over_vocabulary=over_vocabulary)


def measured_in(plan: CurvePlan, noising: Worlds, denoising: Worlds, metric: MetricName) -> Measured:
    """A metric at every point of the curves, and in the runs that they lead from and to.

    Necessity leads away from the clean run, the others towards it. Both directions share one distractor.
    """
    denoising = replace(denoising, distractor=noising.distractor)
    worlds = {"noising": noising.metric(metric), "denoising": denoising.metric(metric)}
    values, start, end = [], [], []
    for index, curve in enumerate(CURVES):
        measured = worlds[DIRECTIONS[curve]]
        values.append(measured[:, plan.rows[:, index]])
        first, last = (SOURCE, BASE) if curve == "faithfulness" else (BASE, SOURCE)
        start.append(measured[:, first])
        end.append(measured[:, last])
    return Measured(torch.stack(values, dim=2), torch.stack(start, dim=1), torch.stack(end, dim=1))
