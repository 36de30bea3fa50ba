"""The few dimensions that hold most of a head's queries, keys or values: singular vectors around a mean.

    x − μ = Σᵢ cᵢ wᵢ        wᵢ the orthonormal rows of a basis, strongest first; all d_head of them
    rank r:  μ + Σᵢ<r cᵢ wᵢ

At rank 0 only the mean is left, at rank d_head everything is. (Lieberum et al. 2023, section 4.)
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Centring = Literal["none", "global", "prompt"]
"""μ: zero, the mean of all fitted vectors, or each prompt's own mean over its options.

The softmax over the options ignores a shift that all their keys share: "prompt" shows what tells them apart.
"""


@dataclass(frozen=True)
class Subspace:
    """A basis of the whole space, ordered, and where it is centred."""

    mean: Float[Tensor, " d_head"]  # where each prompt has its own: their mean
    basis: Float[Tensor, "dimension d_head"]  # orthonormal rows, strongest first
    singular_values: Float[Tensor, " dimension"]  # root of the sum of squares along each row
    centring: Centring = "global"

    @property
    def explained(self) -> Float[Tensor, " dimension"]:
        """Share of the squares (the variance, where centred) in the first 1, 2, ... dimensions; ends at 1."""
        squares = self.singular_values.double().square().cumsum(0)
        return (squares / squares[-1]).float()

    def centre(self, x: Float[Tensor, "*batch d_head"]) -> Float[Tensor, "*batch d_head"]:
        """μ of these vectors; each prompt's own is the mean over the axis before the last."""
        if self.centring == "prompt":
            return x.mean(-2, keepdim=True).expand_as(x)
        return self.mean.expand_as(x)

    def coordinates(
        self, x: Float[Tensor, "*batch d_head"], rank: int = 3
    ) -> Float[Tensor, "*batch dimension"]:
        """The first coordinates of x − μ."""
        return (x - self.centre(x)) @ self.basis[:rank].T

    def project(self, x: Float[Tensor, "*batch d_head"], rank: int) -> Float[Tensor, "*batch d_head"]:
        """μ + P_r (x − μ)."""
        centre = self.centre(x)
        return centre + (x - centre) @ self.projector(rank)

    def projector(self, rank: int) -> Float[Tensor, "d_head d_head"]:
        """P_r, symmetric: the identity on the first dimensions, 0 on the others."""
        return self.basis[:rank].T @ self.basis[:rank]

    def random(self, generator: torch.Generator) -> "Subspace":
        """A basis drawn evenly from all rotations, around the same mean; singular values do not apply."""
        normal = torch.randn(self.basis.shape, generator=generator)
        basis, triangle = torch.linalg.qr(normal)
        basis = (basis * triangle.diagonal().sign()).T.contiguous()  # else some would be likelier than others
        return replace(self, basis=basis, singular_values=torch.full_like(self.singular_values, torch.nan))

    def bottom(self) -> "Subspace":
        """The same basis, weakest dimension first."""
        return replace(self, basis=self.basis.flip(0), singular_values=self.singular_values.flip(0))


def fit(vectors: Float[Tensor, "... d_head"], centring: Centring = "global") -> Subspace:
    """The subspaces that keep most of these vectors, for every rank at once.

    A prompt's own mean needs its options on the axis before the last; single vectors (queries) have none, and
    are centred on the mean of all.
    """
    if centring == "prompt" and vectors.ndim < 3:
        centring = "global"
    flat = vectors.flatten(0, -2).double()
    mean = torch.zeros_like(flat[0]) if centring == "none" else flat.mean(0)
    centre = vectors.double().mean(-2, keepdim=True) if centring == "prompt" else mean
    centred = (vectors.double() - centre).flatten(0, -2)
    _, strengths, rows = torch.linalg.svd(centred, full_matrices=True)
    singular_values = strengths.new_zeros(len(rows))  # fewer vectors than dimensions: the others hold nothing
    singular_values[: len(strengths)] = strengths
    return Subspace(mean.float(), rows.float(), singular_values.float(), centring)
