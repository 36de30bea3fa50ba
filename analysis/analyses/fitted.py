"""What analyses of subspaces share: they are fitted on prompts of the other split, and judged on ours."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from analysis.analyses.base import Analysis, Values
from analysis.clouds import classes_of
from analysis.compress import HeadSubspaces
from analysis.errors import BadQuestion, UnknownNode
from analysis.model import LanguageModel
from analysis.nodes import Head, nodes_named
from analysis.prompts import Prompt
from analysis.subspaces import Centring
from analysis.vectors import At, HeadVectors, Rope, collect_heads

VECTORS = ("query", "keys", "values", "z")


@dataclass(frozen=True)
class FitParameters:
    """What is fitted: which vectors, around which mean, on how many prompts."""

    at: At = "label"
    rope: Rope = "post"
    centring: Centring = "prompt"
    n_fit: int = 64


@dataclass(frozen=True)
class FittedAnalysis(Analysis):
    """An analysis that knows the vectors of some heads in prompts of the other split."""

    needs_labels: ClassVar[bool] = True
    others: Values = field(default_factory=dict, repr=False)

    def labels(self, parameters: Any) -> tuple[str, ...]:
        """The heads that it is about, by name: several, or the one of a layer."""
        several = getattr(parameters, "heads", None)
        return (str(Head(parameters.layer, parameters.head)),) if several is None else tuple(several)

    def heads(self, model: LanguageModel, parameters: Any) -> tuple[Head, ...]:
        """The same heads; `UnknownNode` where this model has no such head."""
        return heads_named(model, self.labels(parameters))

    def check_fit(self, model: LanguageModel, parameters: FitParameters) -> None:
        """Unknown heads and too few prompts are refused before anything runs."""
        self.heads(model, parameters)
        if parameters.n_fit < 2:
            raise BadQuestion("n_fit must be at least 2: one prompt has no dimensions.")

    def n_others(self, parameters: FitParameters) -> int:
        """The prompts that the dimensions are fitted on."""
        return parameters.n_fit

    @property
    def fit(self) -> str:
        """The vectors of some heads, and what they are classed by: one run serves every figure of a head."""
        return "classed vectors 1"

    def fitted_with(self, parameters: Any) -> dict[str, Any]:
        """The parameters that the stored vectors depend on."""
        return {"heads": self.labels(parameters), "at": parameters.at, "rope": parameters.rope}

    def from_others(self, model: LanguageModel, prompts: Sequence[Prompt], parameters: Any) -> Values:
        """Every head's vectors, what they are classed by, and which questions they come from."""
        heads = self.heads(model, parameters)
        found = collect_heads(model, prompts, heads, at=parameters.at, rope=parameters.rope)
        named = {
            f"{head}.{name}": getattr(found[head], name).contiguous() for head in heads for name in VECTORS
        }
        return named | classes_of(prompts) | {"asked": _fingerprints(prompts)}

    def knowing(self, others: Values) -> "FittedAnalysis":
        """The same, with these vectors to fit to."""
        return replace(self, others=others)

    def vectors_of(self, head: Head) -> HeadVectors:
        """The head's vectors in the other prompts."""
        return HeadVectors(*(self.others[f"{head}.{name}"] for name in VECTORS))

    def subspaces_of(self, head: Head, parameters: FitParameters) -> HeadSubspaces:
        """What was fitted to them."""
        return HeadSubspaces.of(
            self.vectors_of(head), parameters.centring, at=parameters.at, rope=parameters.rope
        )

    def was_fitted(self, prompt: Prompt) -> Bool[Tensor, ""]:
        """Whether this question is one of those that the dimensions were fitted on."""
        return torch.isin(_fingerprints([prompt]), self.others["asked"]).any()


def heads_named(model: LanguageModel, labels: Sequence[str]) -> tuple[Head, ...]:
    """At least one head; `UnknownNode` for anything else."""
    nodes = nodes_named(labels, model.n_layers, model.n_heads)
    heads = tuple(node for node in nodes if isinstance(node, Head))
    if not heads or len(heads) < len(nodes):
        raise UnknownNode("Give at least one head, and only heads: others have no queries and keys.")
    return heads


def fit_warnings(seen: Bool[Tensor, " pair"]) -> tuple[str, ...]:
    """A sentence where the dimensions were judged on what they were fitted on."""
    if not seen.any():
        return ()
    return (
        f"{int(seen.sum())} of {len(seen)} questions are among those that the dimensions were fitted on, so "
        "they fit better here than elsewhere. The built-in question sets keep the two apart.",
    )


def _fingerprints(prompts: Sequence[Prompt]) -> Int[Tensor, " batch"]:
    """A number for each question and its answer."""
    asked = [f"{prompt.question.text}\n{prompt.question.answer}".encode() for prompt in prompts]
    digests = [hashlib.sha256(text).digest()[:8] for text in asked]
    return torch.tensor([int.from_bytes(digest, signed=True) for digest in digests])
