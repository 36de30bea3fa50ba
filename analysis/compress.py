"""How few dimensions of queries, keys and values a head needs: worlds in which it sees only those.

In each world heads see, at the final position, μ + P_r (x − μ) instead of x: of their query, of their keys or
of their values at the options, or of several of these. Everything above is computed again; other positions
and the heads that share the keys keep what they have. Rank d_head is the clean run, at rank 0 only means are
left. (Lieberum et al. 2023, section 4: three dimensions of q and k keep what a correct-letter head does.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from analysis import naive
from analysis.activations import Activations, Suffix, stack_answers, stack_tokens
from analysis.head_in_run import HeadInRun, HeadSubspaces
from analysis.interventions import Affine, Patch, Rewrite, Sight
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.pair_runs import engine_of
from analysis.patching import patched_hidden
from analysis.prompts import Prompt
from analysis.run import record
from analysis.subspaces import Subspace
from analysis.watch import Watch

Kind = Literal["q", "k", "v", "qk", "qkv"]
Basis = Literal["top", "random", "bottom"]


@dataclass(frozen=True)
class World:
    """What the heads see: `rank` dimensions of a kind, and everything of the rest.

    "clean" is the run as it is; "ablated": the heads' z at the final position is the mean over other prompts.
    """

    kind: Kind | Literal["clean", "ablated"]
    rank: int = 0
    basis: Basis = "top"
    draw: int = 0  # names a random basis


class Compressed(NamedTuple):
    """What comes out in each world. Float32 on the CPU."""

    logits: Float[Tensor, "row batch answer"]  # of the option labels
    attention: Float[Tensor, "row batch head answer"]  # from the final position, heads in the order given


@torch.inference_mode()
def compressed(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    subspaces: Mapping[Head, HeadSubspaces],
    worlds: Sequence[World],
    *,
    run: Activations | None = None,
) -> Compressed:
    """All heads of `subspaces` are changed together in each world; prompts of equal length.

    `run`: these prompts' own, where there is one already.
    """
    run = record(model, stack_tokens(prompts)) if run is None else run
    heads = [HeadInRun.of(model, run, prompts, head, found) for head, found in subspaces.items()]
    narrowed = [_Narrowed(head) for head in heads]
    changed = [index for index, world in enumerate(worlds) if world.kind != "clean"]
    made = [_intervention(worlds[index], narrowed, run.token_ids.shape[1]) for index in changed]
    positions = {one.head: one.positions for one in heads}
    every, watch = Watch.of(run, positions, len(worlds)), Watch.of(run, positions, len(made))
    hidden = run.final.hidden.expand(len(worlds), -1, -1).clone()
    if made:
        hidden[changed] = _made(model, run, _with_means(run, heads), made, watch)
        every.attention[changed] = watch.attention
    logits = model.answer_logits(hidden, stack_answers(prompts))
    return Compressed(logits.cpu(), every.attention.float().cpu())


@dataclass(frozen=True)
class _Narrowed:
    """What is left of one head's vectors in its subspaces; worlds share what is alike in them."""

    head: HeadInRun
    _found: dict[Any, Affine | Tensor] = field(default_factory=dict, repr=False)

    def sight(self, world: World) -> Sight:
        """What the head sees in this world."""
        parts = [{"q": "query", "k": "keys", "v": "values"}[letter] for letter in world.kind]
        return self.head.sight(**{part: self._once(part, world) for part in parts})

    def _once(self, part: str, world: World) -> Affine | Tensor:
        key = part, world.rank, world.basis, world.draw
        if key not in self._found:
            narrow = {"query": self._query, "keys": self._keys, "values": self._values}[part]
            self._found[key] = narrow(_basis(getattr(self.head.subspaces, part), part, world), world.rank)
        return self._found[key]

    def _query(self, subspace: Subspace, rank: int) -> Affine:
        """P q + (1 − P) μ, of whatever the query is after heads below have been changed."""
        projector = subspace.projector(rank)
        return self.head.mapped_query(projector, subspace.mean - projector @ subspace.mean)

    def _keys(self, subspace: Subspace, rank: int) -> Float[Tensor, "batch answer d_head"]:
        return self.head.turned_keys(subspace.project(self.head.own.keys, rank))

    def _values(self, subspace: Subspace, rank: int) -> Float[Tensor, "batch answer d_head"]:
        return subspace.project(self.head.own.values, rank).to(self.head.like)


def _basis(subspace: Subspace, part: str, world: World) -> Subspace:
    match world.basis:
        case "top":
            return subspace
        case "bottom":
            return subspace.bottom()
        case "random":
            seed = 3 * world.draw + ("query", "keys", "values").index(part)
            return subspace.random(torch.Generator().manual_seed(seed))


def _intervention(world: World, narrowed: Sequence[_Narrowed], n_positions: int) -> Patch | Rewrite:
    if world.kind == "ablated":
        heads = [one.head for one in narrowed]
        final = torch.zeros(len(heads[0].positions), n_positions, dtype=torch.bool)
        final[:, -1] = True
        return Patch(tuple(one.head for one in heads), final)
    return Rewrite(tuple(one.sight(world) for one in narrowed), n_positions)


def _with_means(run: Activations, heads: Sequence[HeadInRun]) -> Suffix:
    """The run's own values, but the heads' z at the final position is their mean over other prompts."""
    z = run.suffix.z.clone()
    for one in heads:
        if one.subspaces.z is not None:
            z[one.head.layer, :, -1, one.head.head] = one.subspaces.z.to(z)
    return replace(run.suffix, z=z)


def _made(
    model: LanguageModel,
    run: Activations,
    source: Suffix,
    interventions: Sequence[Patch | Rewrite],
    watch: Watch,
) -> Float[Tensor, "row batch d_model"]:
    """The final position after the final norm in every changed world; `watch` sees its attention."""
    if engine_of(model) == "exact":
        return patched_hidden(model, run, source, interventions, watch=watch)
    hidden = []
    for world, (final, pattern) in enumerate(naive.watched(model, run.token_ids, source, interventions)):
        hidden.append(final)
        watch.keep(world, pattern)
    return torch.stack(hidden)
