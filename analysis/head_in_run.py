"""One head in a run: its vectors as its subspaces have them, and the way back to what the attention sees."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import Activations
from analysis.interventions import Affine, Sight
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.prompts import Prompt
from analysis.rotary import rotations
from analysis.subspaces import Centring, Subspace, fit
from analysis.vectors import At, HeadVectors, Rope, stack_positions, vectors_in


@dataclass(frozen=True)
class HeadSubspaces:
    """What was fitted on other prompts for one head, and what it was fitted on."""

    query: Subspace
    keys: Subspace
    values: Subspace
    z: Float[Tensor, " d_head"] | None = None  # its mean over these prompts
    at: At = "label"
    rope: Rope = "post"

    @classmethod
    def of(
        cls, found: HeadVectors, centring: Centring = "prompt", *, at: At = "label", rope: Rope = "post"
    ) -> "HeadSubspaces":
        """Fitted on these vectors, which were collected with the same `at` and `rope`."""
        z = None if found.z is None else found.z.mean(0)
        query, keys, values = (fit(vectors, centring) for vectors in (found.query, found.keys, found.values))
        return cls(query, keys, values, z, at, rope)


@dataclass(frozen=True)
class HeadInRun:
    """One head in a run of prompts of equal length. R: rotary embedding, where subspaces are without it."""

    head: Head
    subspaces: HeadSubspaces
    own: HeadVectors  # with or without rotary embedding, as the subspaces
    positions: Int[Tensor, "batch answer"]
    turn_keys: Float[Tensor, "batch answer d_head d_head"]  # R of each option's position, else the identity
    turn_query: Float[Tensor, "d_head d_head"]  # R of the final position, else the identity
    like: Tensor  # has the model's precision and device

    @classmethod
    def of(
        cls,
        model: LanguageModel,
        run: Activations,
        prompts: Sequence[Prompt],
        head: Head,
        subspaces: HeadSubspaces,
    ) -> "HeadInRun":
        """The head in a run of these prompts."""
        positions, n_positions = stack_positions(prompts, subspaces.at), run.token_ids.shape[1]
        own = vectors_in(model, run, prompts, head, at=subspaces.at, rope=subspaces.rope)
        turn_keys, turn_query = (
            rotations(model, head.layer, places, n_positions)
            if subspaces.rope == "pre"
            else torch.eye(model.d_head).expand(*places.shape, -1, -1)
            for places in (positions, torch.tensor(n_positions - 1))
        )
        return cls(head, subspaces, own, positions, turn_keys, turn_query, run.query)

    def mapped_query(
        self, matrix: Float[Tensor, "d_head d_head"], shift: Float[Tensor, "*batch d_head"]
    ) -> Affine:
        """R (A R⁻¹ q + b): a map in the space of the subspaces, as a map of what the attention sees."""
        matrix = self.turn_query @ torch.linalg.solve(self.turn_query, matrix, left=False)
        shift = (shift @ self.turn_query.T).expand(len(self.positions), -1)
        return Affine(matrix.to(self.like), shift.to(self.like))

    def turned_keys(self, keys: Float[Tensor, "batch answer d_head"]) -> Float[Tensor, "batch answer d_head"]:
        """R k."""
        return (self.turn_keys @ keys[..., None]).squeeze(-1).to(self.like)

    def sight(self, **seen: Affine | Tensor) -> Sight:
        """This query, these keys or values at the options, as the attention sees them."""
        return Sight(self.head, self.positions.to(self.like.device), **seen)  # pyright: ignore[reportArgumentType]
