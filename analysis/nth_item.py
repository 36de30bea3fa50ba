"""Does a head go by the place in the list or by the letter?

Labels in order tell nothing: the second line is always the one labelled B. So the places and letters are
learnt from such prompts, as mean vectors, and judged on prompts whose labels are shuffled, where the two come
apart. By geometry: is a key nearest to the mean of its place, or of its letter? By cause: with the query of a
prompt whose correct option stands in line n′ and is labelled l′, does the head look at line n′, or at the
line labelled l′? (Lieberum et al. 2023, section 4.)

Vectors are those before rotary embedding, which would tell every place by its angle alone. Keys are taken
less their mean over the options of the prompt, a shift that the softmax over the options ignores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analysis.geometry import Centroids, ScoreRule, final_scores, label_codes
from analysis.interventions import Patch
from analysis.metrics import chosen
from analysis.model import LanguageModel
from analysis.nodes import Head, Query
from analysis.pair_runs import PairRuns, run_pairs
from analysis.prompts import Prompt, PromptPair
from analysis.rotary import rotations
from analysis.run import record
from analysis.vectors import by_length, collect_heads, stack_positions, unrotated

SCORES = ("position", "letter")
TARGETS = ("nth_line", "letter_line", "stays")
Fitted = Mapping[str, Centroids]  # of queries and keys, by position and by letter: "keys by letter"


@dataclass(frozen=True)
class Points:
    """Queries and centred keys of some heads, before rotary embedding, and what they can be classed by."""

    queries: Float[Tensor, "batch head d_head"]
    keys: Float[Tensor, "batch answer head d_head"]
    correct: Int[Tensor, " batch"]
    labels: Int[Tensor, "batch answer"]

    @classmethod
    def of(cls, model: LanguageModel, prompts: Sequence[Prompt], heads: Sequence[Head]) -> "Points":
        """Run prompts with equally many options."""
        found = collect_heads(model, prompts, heads)
        queries = torch.stack([found[head].query for head in heads], dim=1)
        keys = torch.stack([found[head].keys for head in heads], dim=2)
        _take_rotation_off(model, prompts, heads, queries, keys)
        return cls(
            queries=queries,
            keys=keys - keys.mean(1, keepdim=True),
            correct=torch.tensor([prompt.correct for prompt in prompts]),
            labels=torch.stack([label_codes(prompt.question.labels) for prompt in prompts]),
        )

    def classed(self) -> dict[str, tuple[Float[Tensor, "_ head d_head"], Int[Tensor, " _"]]]:
        """Points and their classes, by vector and by score."""
        keys, places = self.keys.flatten(0, 1), torch.arange(self.labels.shape[1])
        letters = self.labels.gather(1, self.correct[:, None])[:, 0]
        return {
            "queries by position": (self.queries, self.correct),
            "queries by letter": (self.queries, letters),
            "keys by position": (keys, places.repeat(len(self.labels))),
            "keys by letter": (keys, self.labels.flatten()),
        }


def _take_rotation_off(
    model: LanguageModel, prompts: Sequence[Prompt], heads: Sequence[Head], queries: Tensor, keys: Tensor
) -> None:
    """In place; all heads of a layer at once, as in a large model there are a thousand."""
    of_layer: dict[int, list[int]] = {}
    for index, head in enumerate(heads):
        of_layer.setdefault(head.layer, []).append(index)
    for together in by_length(prompts):
        n_positions, places = len(prompts[together[0]].token_ids), torch.tensor(together)[:, None]
        final = torch.tensor(n_positions - 1)
        positions = stack_positions([prompts[index] for index in together])[..., None]
        for layer, indices in of_layer.items():
            query, key = queries[places, indices], keys[together][:, :, indices]
            queries[places, indices] = unrotated(model, layer, query, final, n_positions)
            keys[places, :, indices] = unrotated(model, layer, key, positions, n_positions).transpose(1, 2)


def fit_places(model: LanguageModel, prompts: Sequence[Prompt], heads: Sequence[Head]) -> Fitted:
    """The centroids of each place and each letter, for every one of these heads."""
    return {name: Centroids.of(*each) for name, each in Points.of(model, prompts, heads).classed().items()}


def geometric_scores(points: Points, fitted: Fitted) -> dict[str, Float[Tensor, "batch head score"]]:
    """Share of each prompt's queries and keys whose nearest centroid is the right place, or letter.

    On shuffled labels chance is one over the number of options for both. NaN where no letter is known.
    """
    hits = {name: fitted[name].hits(*each) for name, each in points.classed().items()}
    by_prompt = {name: hit.unflatten(0, (len(points.queries), -1)).nanmean(1) for name, hit in hits.items()}
    return {
        vector: torch.stack([by_prompt[f"{vector} by {score}"] for score in SCORES], dim=-1)
        for vector in ("keys", "queries")
    }


@dataclass(frozen=True)
class Swap:
    """What is told apart when a head of the base prompt gets the query of another one: lines of the base."""

    nth_line: int  # where the other prompt's correct option stands
    letter_line: int  # the one that has the label of the other prompt's correct option
    stays: int  # the base prompt's own correct option

    @classmethod
    def between(cls, base: Prompt, other: Prompt) -> "Swap | None":
        """None where two of the lines are the same, or there is no such line."""
        labels, letter = base.question.labels, other.question.labels[other.correct]
        if letter not in labels or other.correct >= len(labels):
            return None
        lines = cls(other.correct, labels.index(letter), base.correct)
        return lines if len({lines.nth_line, lines.letter_line, lines.stays}) == len(TARGETS) else None

    def found(self, line: int) -> Float[Tensor, " target"]:
        """1 at the target that this line is, if any."""
        return torch.tensor([float(line == getattr(self, target)) for target in TARGETS])


@torch.inference_mode()
def swap_queries(
    model: LanguageModel, base: Prompt, other: Prompt, heads: Sequence[Head], rules: Mapping[int, ScoreRule]
) -> tuple[Float[Tensor, "head answer"], int]:
    """Give heads the queries of another prompt, at the final position.

    Each head's attention to the options when it alone has the other query, and the option that the model
    chooses when all of these heads have theirs. `rules`: how each of their layers makes scores.
    """
    runs = run_pairs(model, [PromptPair(base, other)])
    patch = Patch(tuple(Query(head.layer, head.head) for head in heads), runs.final)
    if runs.base_ids.shape != runs.source_ids.shape:
        runs = _turned_to_base(runs, heads)
    choice = chosen(runs.logits_in([patch])[0])
    return torch.stack([_attention(runs, base, head, rules[head.layer]) for head in heads]), int(choice)


def _attention(runs: PairRuns, base: Prompt, head: Head, rule: ScoreRule) -> Float[Tensor, " answer"]:
    """The head's weight on every option with the source's query, all other weight left out."""
    run = runs.activations or record(runs.model, runs.base_ids)
    query = runs.source_suffix.query[head.layer][:, head.head, -1]
    return final_scores(run, head, rule, query)[0].softmax(-1)[list(base.label_positions)]


def _turned_to_base(runs: PairRuns, heads: Sequence[Head]) -> PairRuns:
    """The source's final queries as if they stood at the base prompts' final position.

    Where the two have different lengths, a query would else look as many tokens too far, or too near.
    """
    source, (n_source, n_base) = runs.source_suffix, (runs.source_ids.shape[1], runs.base_ids.shape[1])
    n_positions, query = max(n_source, n_base), source.query.clone()
    for layer in {head.layer for head in heads}:
        there, here = torch.tensor(n_source - 1), torch.tensor(n_base - 1)
        final = unrotated(runs.model, layer, query[layer][:, :, -1].float().cpu(), there, n_positions)
        turn = rotations(runs.model, layer, here, n_positions)
        query[layer][:, :, -1] = (final @ turn.T).to(query)
    return runs.with_source(replace(source, query=query))
