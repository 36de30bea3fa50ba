"""Linear probes: what can be read off vectors with one matrix, judged on prompts that it was not fitted to.

    ŷ(x) = xᵀX/d · (XᵀX/d + λ)⁻¹ Y       Y one column per class, X the fitted vectors, standardised

Ridge regression on the classes, in its closed form: there are more dimensions than vectors, so it is solved
between vectors. Every dimension has variance 1 and λ = 1, so the penalty is as strong as one vector's own
square; nothing is tuned, and no optimiser has to converge. (Class means alone would miss a direction of small
variance that another of large variance hides.)
"""

import torch
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor

PENALTY = 1.0
N_FOLDS = 4


def standardised(
    vectors: Float[Tensor, "layer batch d_model"], known: Bool[Tensor, " batch"]
) -> Float[Tensor, "layer batch d_model"]:
    """Mean 0 and variance 1 in every dimension over the known vectors; a constant dimension becomes 0."""
    fitted = vectors[:, known]
    spread = fitted.std(1, keepdim=True, correction=0)
    return (vectors - fitted.mean(1, keepdim=True)) / spread.where(spread > 0, torch.inf)


def smoother(
    vectors: Float[Tensor, "layer batch d_model"], known: Bool[Tensor, " batch"]
) -> Float[Tensor, "layer batch _"]:
    """What a probe says of every vector, as weights on what the known ones are: xᵀX/d · (XᵀX/d + λ)⁻¹."""
    x = standardised(vectors, known)
    fitted = x[:, known]
    likeness = einsum(x, fitted, "layer batch d_model, layer one d_model -> layer batch one") / x.shape[-1]
    gram = likeness[:, known] + PENALTY * torch.eye(fitted.shape[1])
    return torch.linalg.solve(gram, likeness, left=False)


def cross_validated(
    vectors: Float[Tensor, "layer batch d_model"],
    classes: Int[Tensor, "score batch"],
    folds: Int[Tensor, " batch"],
) -> Float[Tensor, "layer batch score"]:
    """1 where a probe fitted to all other folds names the vector's class, else 0; for several ways to class.

    Vectors of one prompt belong into one fold. NaN where there is no other fold to fit to.
    """
    hits = vectors.new_full((*vectors.shape[:2], len(classes)), torch.nan)
    for fold in folds.unique():
        judged = folds == fold
        if judged.all():
            continue
        weights = smoother(vectors, ~judged)[:, judged]
        for target, right in enumerate(classes):
            present = right[~judged].unique()
            columns = (right[~judged][:, None] == present).float()
            said = weights @ (columns - columns.mean(0)) + columns.mean(0)
            hits[:, judged, target] = (present[said.argmax(-1)] == right[judged]).float()
    return hits
