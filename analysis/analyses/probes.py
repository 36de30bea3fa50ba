"""From which layer on a token's line and symbol can be read off the residual stream with one matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from analysis.activations import stack_tokens
from analysis.analyses.base import Analysis, Summary, Values, averaged, n_options, prompt_warnings
from analysis.geometry import label_codes
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS
from analysis.probes import N_FOLDS, cross_validated
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.run import record
from analysis.vectors import option_positions

TARGETS = ("position", "symbol")


@dataclass(frozen=True)
class ProbeParameters:
    """Where the residual stream is read: at one token of every option, or at the final position."""

    role: Literal["content_last", "newline", "label", "final"] = "label"


class Probes(Analysis):
    """Probes on shuffled labels, where line and symbol of an option say nothing about each other.

    At the final position they are asked for the line and the symbol of the correct option.
    """

    name: ClassVar[str] = "probes"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = "What linear probes read of an option's line and symbol, layer by layer"
    Parameters: ClassVar[type] = ProbeParameters

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: ProbeParameters) -> None:
        """A prompt without such a token is refused before anything runs."""
        for pair in pairs:
            positions_of(pair.clean, parameters.role)

    def variants(self, question: Question, parameters: ProbeParameters) -> tuple[Question, ...]:
        """The question under shuffled labels."""
        return (MUTATIONS["shuffled"].mutate(question),)

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: ProbeParameters) -> Values:
        """The residual stream before each layer, each vector divided by its root mean square.

        As the next norm does; so half precision holds it. NaN where the prompt cannot be written.
        """
        prompt = pair.variants[0]
        if prompt is None:
            n_places = len(positions_of(pair.clean, parameters.role))
            shape = (model.n_layers, n_places, model.d_model)
            return {"resid": torch.full(shape, torch.nan, dtype=torch.float16)}
        positions = positions_of(prompt, parameters.role)
        start = min(positions)
        suffix = record(model, stack_tokens([prompt]), start).suffix
        found = suffix.resid_pre[:, 0, [position - start for position in positions]].float().cpu()
        return {"resid": (found / found.square().mean(-1, keepdim=True).sqrt()).half()}

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: ProbeParameters
    ) -> Summary:
        """Accuracy of probes that were fitted to the other prompts."""
        resid, n = values["resid"], n_options(pairs)
        written = [index for index, pair in enumerate(pairs) if pair.variants[0] is not None]
        hits = torch.full((len(pairs), model.n_layers, len(TARGETS)), torch.nan)
        if written:
            prompts = [prompt for pair in pairs if (prompt := pair.variants[0]) is not None]
            hits[written] = accuracies(resid[written].float(), prompts, parameters)
        missing = len(pairs) - len(written)
        unwritten = f"This tokenizer has no single tokens for the shuffled labels of {missing} prompts."
        return Summary(
            coordinates={"layer": list(range(model.n_layers)), "target": TARGETS},
            tables={"accuracy": averaged("fraction", hits, "layer", "target")},
            details={"chance": 1 / n, "n_folds": N_FOLDS, "role": parameters.role},
            warnings=(*prompt_warnings(pairs), *((unwritten,) if missing else ())),
        )


def positions_of(prompt: Prompt, role: Any) -> tuple[int, ...]:
    """Where the residual stream is read."""
    return (len(prompt.token_ids) - 1,) if role == "final" else option_positions(prompt, role)


def accuracies(
    resid: Float[Tensor, "pair layer answer d_model"], prompts: Sequence[Prompt], parameters: ProbeParameters
) -> Float[Tensor, "pair layer score"]:
    """Share of each prompt's tokens that are read rightly, by probes that have not seen the prompt."""
    n_places = resid.shape[2]
    vectors = rearrange(resid, "pair layer answer d_model -> layer (pair answer) d_model")
    folds = (torch.arange(len(prompts)) % N_FOLDS).repeat_interleave(n_places)
    hits = cross_validated(vectors, classes_of(prompts, parameters), folds)
    return hits.unflatten(1, (-1, n_places)).mean(2).transpose(0, 1)


def classes_of(prompts: Sequence[Prompt], parameters: ProbeParameters) -> Int[Tensor, "score batch"]:
    """Line and symbol: of every option, or of the correct one where the final position is read."""
    symbols = torch.stack([label_codes(prompt.question.labels) for prompt in prompts])
    if parameters.role == "final":
        correct = torch.tensor([prompt.correct for prompt in prompts])
        return torch.stack([correct, symbols.gather(1, correct[:, None])[:, 0]])
    places = torch.arange(symbols.shape[1]).expand_as(symbols)
    return torch.stack([places.flatten(), symbols.flatten()])
