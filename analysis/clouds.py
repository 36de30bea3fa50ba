"""A head's vectors in three dimensions, as clouds of points in axes that were fitted on other prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from analysis.geometry import Centroids, label_codes
from analysis.prompts import Prompt
from analysis.subspaces import Centring, Subspace, fit
from analysis.vectors import HeadVectors

Coordinates = Mapping[str, Float[Tensor, "... dimension"]]
Classes = Mapping[str, Shaped[Tensor, "..."]]
RANK = 3
VECTORS = ("query", "keys", "values")
Classing = Literal["query_by_correct", "keys_by_label", "keys_by_correctness"]
_VECTOR_OF: dict[Classing, str] = {
    "query_by_correct": "query",
    "keys_by_label": "keys",
    "keys_by_correctness": "keys",
}


@dataclass(frozen=True)
class Axes:
    """What was fitted on other prompts: a subspace for each kind of vector."""

    query: Subspace
    keys: Subspace
    values: Subspace

    @classmethod
    def fitted(cls, vectors: HeadVectors, centring: Centring) -> "Axes":
        """With one centring for all; queries have no own mean per prompt and take that of all."""
        return cls(*(fit(getattr(vectors, name), centring) for name in VECTORS))

    def coordinates(self, vectors: HeadVectors) -> Coordinates:
        """The first three of each vector."""
        return {name: getattr(self, name).coordinates(getattr(vectors, name), RANK) for name in VECTORS}

    def rebuilt(self, vectors: HeadVectors, rank: int = RANK) -> HeadVectors:
        """Queries and keys with nothing but these dimensions left."""
        query, keys = self.query.project(vectors.query, rank), self.keys.project(vectors.keys, rank)
        return replace(vectors, query=query, keys=keys)


def spectra(vectors: HeadVectors) -> Float[Tensor, "kind centring rank"]:
    """Cumulative share of the squares (the variance, where centred) by rank; 1 at full rank."""
    return torch.stack(
        [
            torch.stack([fit(getattr(vectors, name), way).explained for way in get_args(Centring)])
            for name in VECTORS
        ]
    )


def classes_of(prompts: Sequence[Prompt]) -> dict[str, Int[Tensor, "..."]]:
    """What each prompt's vectors are classed by, as numbers that can be stored."""
    correct = torch.tensor([prompt.correct for prompt in prompts])
    labels = torch.stack([label_codes(prompt.question.labels) for prompt in prompts])
    is_correct = torch.arange(labels.shape[1]) == correct[:, None]
    return {"query_by_correct": correct, "keys_by_label": labels, "keys_by_correctness": is_correct.long()}


def centroids_of(coordinates: Coordinates, classes: Classes) -> dict[Classing, Centroids]:
    """The centroids of every way to class the points."""
    return {
        classing: Centroids.of(coordinates[vector].flatten(0, -2), classes[classing].flatten())
        for classing, vector in _VECTOR_OF.items()
    }


def nearest_centroid(
    centroids: Mapping[Classing, Centroids],
    coordinates: Coordinates,
    classes: Classes,
) -> dict[Classing, float]:
    """How often the nearest centroid is that of the point's own class, averaged over the classes.

    So chance is one over their number. Centroids of other prompts make it an accuracy: no point that is
    judged has a part in them. NaN where no class is known.
    """
    found = {}
    for classing, vector in _VECTOR_OF.items():
        right = classes[classing].flatten()
        hits = centroids[classing].hits(coordinates[vector].flatten(0, -2), right)
        found[classing] = float(torch.stack([hits[right == one].mean() for one in right.unique()]).nanmean())
    return found
