"""What the geometry of a head's queries and keys says: classes by their centroids, and scores.

    s_j = cap(scale · q·k_j)        pattern_j = e^{s_j} / (Σ_options e^{s} + e^{rest})

q is the query at the final position, k_j the key of option j; `rest` is the logarithm of what all other
tokens add to the sum. So the pattern can be rebuilt from changed scores of the options alone, all other
scores held fixed. (Lieberum et al. 2023, section 4.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from einops import einsum
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from analysis.activations import Activations
from analysis.adapter import AttentionCall, attending, bypassed
from analysis.model import LanguageModel
from analysis.nodes import Head
from analysis.prompts import Prompt
from analysis.rotary import rotations
from analysis.vectors import At, HeadVectors, option_positions


@dataclass(frozen=True)
class Centroids:
    """The mean vector of each class of points; of several heads at once, each for itself."""

    means: Float[Tensor, "cluster ... d_head"]
    classes: Int[Tensor, " cluster"]

    @classmethod
    def of(cls, points: Float[Tensor, "batch ... d_head"], classes: Int[Tensor, " batch"]) -> "Centroids":
        """One class for every point; the classes that occur, in order."""
        known = classes.unique()
        return cls(torch.stack([points[classes == one].mean(0) for one in known]), known)

    def nearest(self, points: Float[Tensor, "batch ... d_head"]) -> Int[Tensor, "batch ..."]:
        """The class of the nearest centroid (Euclidean distance)."""
        distances = [(points - mean).norm(dim=-1) for mean in self.means]
        return self.classes[torch.stack(distances).argmin(0)]

    def hits(
        self, points: Float[Tensor, "batch ... d_head"], classes: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch ..."]:
        """1 where the nearest centroid is that of the point's own class, else 0.

        NaN for points of a class that has no centroid.
        """
        classes = classes.view(-1, *[1] * (points.ndim - 2))
        found = (self.nearest(points) == classes).float()
        return found.masked_fill(~torch.isin(classes, self.classes), torch.nan)

    def of_heads(self, heads: Sequence[int]) -> "Centroids":
        """Those of some heads, where there is an axis of heads before the last."""
        return replace(self, means=self.means[..., list(heads), :])


def label_codes(labels: Sequence[str]) -> Int[Tensor, " answer"]:
    """A number for each label, the same for the same text wherever it stands."""
    return torch.tensor([int.from_bytes(label.encode()[:7], "big") for label in labels])


def label_of(code: int) -> str:
    """The label that has this number; of a long one its first bytes."""
    return code.to_bytes(7, "big").lstrip(b"\0").decode(errors="replace")


@dataclass(frozen=True)
class ScoreRule:
    """How one layer turns products of queries and keys into scores."""

    scaling: float
    softcap: float | None

    def __call__(self, products: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Scaled, and squashed where the layer does that (Gemma 2)."""
        scores = products * self.scaling
        return scores if self.softcap is None else self.softcap * torch.tanh(scores / self.softcap)


@torch.inference_mode()
def score_rule(model: LanguageModel, layer: int) -> ScoreRule:
    """As the network itself calls its attention: asked with one token, in this layer only."""
    asked: list[ScoreRule] = []

    def attend(call: AttentionCall) -> Tensor:
        asked.append(ScoreRule(call.scaling, call.softcap))
        return call.query.transpose(1, 2)

    others = [module for index, module in enumerate(model.parts.layers) if index != layer]
    with bypassed(others), attending(model.network, attend):
        model.hidden(torch.zeros(1, 1, dtype=torch.long))
    return asked[0]


def final_scores(
    run: Activations, head: Head, rule: ScoreRule, query: Float[Tensor, "batch d_head"] | None = None
) -> Float[Tensor, "batch key_pos"]:
    """Scores from the final position on every token, masked; their softmax is the pattern.

    With another `query` (as attention sees it, after rotary embedding): what the head would look at then.
    """
    n_heads, n_kv_heads = run.query.shape[2], run.keys.shape[2]
    if query is None:
        query = run.query[head.layer][:, head.head]
    keys = run.keys[head.layer][:, head.head * n_kv_heads // n_heads].float()
    scores = rule(einsum(query.float().to(keys), keys, "batch d_head, batch key d_head -> batch key"))
    mask = run.masks[head.layer]
    return (scores if mask is None else scores + mask[:, 0, -1]).cpu()


def products(vectors: HeadVectors) -> Float[Tensor, "batch answer"]:
    """q·k of every option, before the scale."""
    return einsum(vectors.query, vectors.keys, "batch d_head, batch answer d_head -> batch answer")


def rotated(
    model: LanguageModel, layer: int, prompts: Sequence[Prompt], vectors: HeadVectors, at: At
) -> HeadVectors:
    """Queries and keys from before rotary embedding, turned as attention sees them; the inverse of "pre"."""
    turned = [_turned(model, layer, prompt, at) for prompt in prompts]
    queries = [turn[-1] @ query for turn, query in zip(turned, vectors.query, strict=True)]
    keys = [
        einsum(turn[:-1], key, "answer turned d_head, answer d_head -> answer turned")
        for turn, key in zip(turned, vectors.keys, strict=True)
    ]
    return replace(vectors, query=torch.stack(queries), keys=torch.stack(keys))


def _turned(model: LanguageModel, layer: int, prompt: Prompt, at: At) -> Tensor:
    """R_p of each option's position, then of the final one."""
    n_positions = len(prompt.token_ids)
    places = torch.tensor([*option_positions(prompt, at), n_positions - 1])
    return rotations(model, layer, places, n_positions)


def options_and_rest(
    scores: Float[Tensor, "batch key_pos"], positions: Int[Tensor, "batch answer"]
) -> tuple[Float[Tensor, "batch answer"], Float[Tensor, " batch"]]:
    """Scores of the options, and log Σ e^score over all other tokens."""
    at_options = scores.gather(1, positions)
    return at_options, scores.scatter(1, positions, -torch.inf).logsumexp(-1)


def option_pattern(
    scores: Float[Tensor, "batch answer"], rest: Float[Tensor, " batch"]
) -> Float[Tensor, "batch answer"]:
    """The weight on every option when all other tokens keep their scores."""
    return torch.cat([scores, rest[:, None]], dim=1).softmax(-1)[:, :-1]


def explained_share(
    scores: Float[Tensor, "batch answer"], rebuilt: Float[Tensor, "batch answer"]
) -> Float[Tensor, ""]:
    """1 − Σ (s − s̃)² / Σ s², each prompt's scores centred over its options.

    The share of the scores' variance over the options that rebuilt scores carry: 1 when they are the same but
    for a shift per prompt, which the softmax over the options ignores; 0 when they tell no options apart;
    negative when they are further off than that.
    """
    centred, other = (s - s.mean(-1, keepdim=True) for s in (scores, rebuilt))
    return 1 - (centred - other).square().sum() / centred.square().sum()


def as_values(centroids: Mapping[str, Centroids]) -> dict[str, Shaped[Tensor, "..."]]:
    """Named centroids as tensors that can be stored; `from_values` reads them back."""
    return {f"{name}.{field}": value for name, one in centroids.items() for field, value in vars(one).items()}


def from_values(values: Mapping[str, Shaped[Tensor, "..."]]) -> dict[str, Centroids]:
    """The inverse of `as_values`."""
    names = {name.rpartition(".")[0] for name in values}
    return {name: Centroids(values[f"{name}.means"], values[f"{name}.classes"]) for name in sorted(names)}
