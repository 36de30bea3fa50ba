"""Does what explains some heads still explain them when the form of the question changes?

For every mutation the same bars: the run as it is, the heads ablated, what they see at full rank and at a low
rank, random dimensions, and chance. The dimensions are fitted on unmutated prompts of the other split, so a
low-rank bar that falls away from the full-rank one says that the explanation ends there.
(Lieberum et al. 2023, losses under label mutations.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from analysis.analyses.base import Summary, Values, averaged, prompt_warnings
from analysis.analyses.fitted import FitParameters, FittedAnalysis, fit_warnings
from analysis.compress import Kind, compressed
from analysis.errors import BadQuestion, PromptTooLong, UnknownWord, UnresolvedLabel
from analysis.model import LanguageModel
from analysis.mutation_bars import BARS, SHOWN_METRICS, bars_of, shown, worlds_of
from analysis.mutations import MUTATIONS, Mutation, OwnMutation, mutation_of
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.tokenise import tokenise
from analysis.vectors import option_positions

SLOTS = (*MUTATIONS, "own")  # where a mutation's values are stored, whichever others were asked for
AT_ONCE = 6  # mutations of one prompt; more would be little faster, but later on the screen


@dataclass(frozen=True)
class MutationParameters(FitParameters):
    """Which heads together, what they see of which vectors, and which mutations (none named: all)."""

    heads: tuple[str, ...] = ()
    rank: int = 3
    kind: Kind = "qk"
    mutations: tuple[str, ...] = ()
    own: OwnMutation | None = None
    seed: int = 0  # of random labels and random dimensions


@dataclass(frozen=True)
class MutationBars(FittedAnalysis):
    """The bars of every mutation."""

    name: ClassVar[str] = "mutations"
    title: ClassVar[str] = "Heads at a low rank under mutations of the prompt"
    Parameters: ClassVar[type] = MutationParameters
    example: ClassVar[Any] = MutationParameters(heads=("L0H0",), mutations=("none", "shuffled"), n_fit=4)

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: MutationParameters
    ) -> None:
        """What does not exist is refused before anything runs."""
        self.check_fit(model, parameters)
        if not 0 <= parameters.rank <= model.d_head:
            raise BadQuestion(f"rank must be 0 to {model.d_head}, not {parameters.rank}.")
        for prompt in (prompt for pair in pairs for prompt in pair.variants if prompt is not None):
            option_positions(prompt, parameters.at)

    def variants(self, question: Question, parameters: MutationParameters) -> tuple[Question, ...]:
        """The question in each form."""
        chosen = mutations_of(parameters)
        return tuple(mutation.mutate(question, seed=parameters.seed) for mutation in chosen)

    def split(
        self, model: LanguageModel, pair: PromptPair, parameters: MutationParameters
    ) -> tuple[MutationParameters, ...]:
        """A few mutations at a time: those that make prompts of one length, which run together."""
        parts = [
            tuple(name for names in list(prompts.values())[first : first + AT_ONCE] for name in names)
            for prompts in by_size(pair, parameters)
            for first in range(0, len(prompts), AT_ONCE)
        ]
        named = tuple(
            replace(parameters, mutations=names, own=parameters.own if "own" in names else None)
            for names in parts
        )
        return named or (parameters,)  # none of them can be written

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: MutationParameters) -> Values:
        """Logits of these mutations' answers in every world; NaN for those that cannot be written."""
        subspaces = {head: self.subspaces_of(head, parameters) for head in self.heads(model, parameters)}
        worlds = worlds_of(parameters.kind, parameters.rank, model.d_head, parameters.seed)
        logits = torch.full((len(SLOTS), len(worlds), len(pair.clean.label_ids)), torch.nan)
        for prompts in by_size(pair, parameters):
            found = compressed(model, [*prompts], subspaces, worlds).logits
            for row, names in enumerate(prompts.values()):
                for name in names:
                    logits[SLOTS.index(name), :, : found.shape[-1]] = found[:, row]
        return {"logits": logits, "seen": self.was_fitted(pair.clean)}

    def combine(self, parts: Sequence[Values]) -> Values:
        """Each mutation from the part that has it."""
        logits = [part["logits"] for part in parts]
        combined = logits[0]
        for other in logits[1:]:
            combined = combined.where(~combined.isnan(), other)
        return {**parts[0], "logits": combined}

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: MutationParameters,
    ) -> Summary:
        """Means of every bar, and the prompts behind them."""
        chosen = mutations_of(parameters)
        prompts = [[variant_of(pair, one, parameters.seed) for pair in pairs] for one in chosen]
        logits = [values["logits"][:, SLOTS.index(one.name)] for one in chosen]
        bars = torch.stack(list(map(bars_of, prompts, logits)), dim=2)
        missing = {
            one.name: f"{one.title}: {why}"
            for one, written in zip(chosen, prompts, strict=True)
            if (why := why_missing(model, one, pairs, written, seed=parameters.seed))
        }
        return Summary(
            coordinates={
                "mutation": [mutation_coordinate(mutation) for mutation in chosen],
                "metric": SHOWN_METRICS,
                "bar": BARS,
            },
            tables={"bars": averaged("as the metric", bars, "metric", "mutation", "bar")},
            details={
                "heads": list(parameters.heads),
                "rank": parameters.rank,
                "d_head": model.d_head,
                "missing": missing,
                "prompts": {
                    one.name: shown(written, said)
                    for one, written, said in zip(chosen, prompts, logits, strict=True)
                },
            },
            warnings=(*missing.values(), *fit_warnings(values["seen"]), *prompt_warnings(pairs)),
        )


def mutations_of(parameters: MutationParameters) -> tuple[Mutation, ...]:
    """The named mutations, or all, and the user's own."""
    names = dict.fromkeys(parameters.mutations or MUTATIONS)
    unknown = [name for name in names if name not in (SLOTS if parameters.own else MUTATIONS)]
    if unknown:
        raise BadQuestion(f"There is no mutation {unknown[0]!r}; known: {', '.join(MUTATIONS)}.")
    own = () if parameters.own is None else (mutation_of(parameters.own),)
    return (*(MUTATIONS[name] for name in names if name != "own"), *own)


def by_size(pair: PromptPair, parameters: MutationParameters) -> list[dict[Prompt, list[str]]]:
    """Prompts that can run together, each with the mutations that make it: some change nothing."""
    alike: dict[Any, dict[Prompt, list[str]]] = {}
    for mutation in mutations_of(parameters):
        prompt = variant_of(pair, mutation, parameters.seed)
        if prompt is not None:
            size = len(prompt.token_ids), len(prompt.label_ids)
            alike.setdefault(size, {}).setdefault(prompt, []).append(mutation.name)
    return list(alike.values())


def variant_of(pair: PromptPair, mutation: Mutation, seed: int) -> Prompt | None:
    """The pair's clean prompt in this form; None where the tokenizer cannot write it."""
    question = mutation.mutate(pair.clean.question, seed=seed)
    return next((one for one in pair.variants if one is not None and one.question == question), None)


def mutation_coordinate(mutation: Mutation) -> dict[str, str]:
    """A mutation as the coordinates of a table name it."""
    return {
        "label": mutation.name,
        "title": mutation.title,
        "example": mutation.example,
        "isolates": mutation.isolates,
    }


def why_missing(
    model: LanguageModel,
    mutation: Mutation,
    pairs: Sequence[PromptPair],
    written: Sequence[Prompt | None],
    *,
    seed: int,
) -> str:
    """A sentence about the prompts that have no bars; empty where all have."""
    left_out = [pair for pair, prompt in zip(pairs, written, strict=True) if prompt is None]
    if not left_out:
        return ""
    reason = "A label is not a single token there, or the prompt is too long."
    if model.tokenizer is not None:
        try:
            tokenise(mutation.mutate(left_out[0].clean.question, seed=seed), model.tokenizer)
        except (PromptTooLong, UnknownWord, UnresolvedLabel) as error:
            reason = str(error)
    return f"{len(left_out)} of {len(pairs)} prompts are left out. {reason}"
