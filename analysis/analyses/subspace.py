"""A head's queries, keys and values in the few dimensions that hold most of them.

The axes are fitted on prompts of the other split, so what they show of the drawn prompts, mutated or not, is
no artefact of the fit; and a mutation is seen in the same axes as the prompts that it changes.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.activations import stack_tokens
from analysis.analyses.base import (
    Summary,
    Table,
    Values,
    answer_coordinates,
    correct_options,
    n_options,
    prompt_warnings,
)
from analysis.analyses.fitted import FitParameters, FittedAnalysis, fit_warnings
from analysis.bootstrap import mean_by_correct
from analysis.clouds import (
    RANK,
    VECTORS,
    Axes,
    Coordinates,
    centroids_of,
    classes_of,
    nearest_centroid,
    spectra,
)
from analysis.errors import BadQuestion
from analysis.geometry import (
    ScoreRule,
    explained_share,
    final_scores,
    option_pattern,
    options_and_rest,
    products,
    rotated,
    score_rule,
)
from analysis.model import LanguageModel
from analysis.mutations import MUTATIONS
from analysis.nodes import Head
from analysis.prompts import PromptPair
from analysis.questions import Question
from analysis.run import record
from analysis.subspaces import Centring
from analysis.vectors import HeadVectors, collect, option_positions, stack_positions, vectors_in

_MASKED = -1e30  # scores below it are those of tokens that the head cannot see


@dataclass(frozen=True)
class SubspaceParameters(FitParameters):
    """Which head, which of its vectors, how they are centred, and what is laid over them."""

    layer: int = 0
    head: int = 0
    mutation: str = ""


@dataclass(frozen=True)
class Subspaces(FittedAnalysis):
    """Spectra, three-dimensional coordinates, and the pattern that three dimensions rebuild."""

    name: ClassVar[str] = "subspace"
    title: ClassVar[str] = "Queries, keys and values of one head in their strongest dimensions"
    Parameters: ClassVar[type] = SubspaceParameters

    def check(
        self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: SubspaceParameters
    ) -> None:
        """An unknown head or mutation is refused before anything runs."""
        self.check_fit(model, parameters)
        if parameters.mutation and parameters.mutation not in MUTATIONS:
            known = ", ".join(MUTATIONS)
            raise BadQuestion(f"There is no mutation {parameters.mutation!r}; known: {known}.")
        for pair in pairs:
            option_positions(pair.clean, parameters.at)

    def variants(self, question: Question, parameters: SubspaceParameters) -> tuple[Question, ...]:
        """The mutated question, where one is asked for."""
        return (MUTATIONS[parameters.mutation].mutate(question),) if parameters.mutation else ()

    def computed_with(self, parameters: SubspaceParameters) -> dict[str, Any]:
        """Vectors are computed; they are centred and projected afterwards."""
        return {name: value for name, value in asdict(parameters).items() if name != "centring"}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: SubspaceParameters) -> Values:
        """The head's vectors and scores on the clean prompt, and its vectors on the mutated one."""
        head, positions = head_of(parameters), stack_positions([pair.clean], parameters.at)
        run, rule = record(model, stack_tokens([pair.clean])), score_rule(model, parameters.layer)
        found = vectors_in(model, run, [pair.clean], head, at=parameters.at, rope=parameters.rope)
        scores, rest = options_and_rest(final_scores(run, head, rule), positions)
        softcap = torch.nan if rule.softcap is None else rule.softcap
        values = {name: getattr(found, name)[0] for name in VECTORS} | {
            "scores": scores[0],
            "rest": rest[0],
            "rule": torch.tensor([rule.scaling, softcap]),
            "seen": self.was_fitted(pair.clean),
        }
        return values | (self._mutated(model, pair, parameters) if parameters.mutation else {})

    def _mutated(self, model: LanguageModel, pair: PromptPair, parameters: SubspaceParameters) -> Values:
        """Queries and keys on the mutated prompt; NaN where this tokenizer cannot write it."""
        prompt, head = pair.variants[0], head_of(parameters)
        if prompt is None:
            (question,) = self.variants(pair.clean.question, parameters)
            shapes = {"query": (model.d_head,), "keys": (len(question.options), model.d_head)}
            return {f"{name}_mutated": torch.full(shape, torch.nan) for name, shape in shapes.items()}
        found = collect(model, [prompt], head, at=parameters.at, rope=parameters.rope)
        return {"query_mutated": found.query[0], "keys_mutated": found.keys[0]}

    def _clusters(
        self, fitted: Coordinates, shown: Coordinates, pairs: Sequence[PromptPair]
    ) -> dict[str, Any]:
        """How well the other prompts' centroids in these three dimensions tell the points apart."""
        centroids = centroids_of(fitted, self.others)
        classes, n = classes_of([pair.clean for pair in pairs]), n_options(pairs)
        return {
            "nearest_centroid": nearest_centroid(centroids, shown, classes),
            "chance": {"query_by_correct": 1 / n, "keys_by_label": 1 / n, "keys_by_correctness": 1 / 2},
            "centroids": {name: one.means.tolist() for name, one in centroids.items()},
        }

    def summarise(
        self,
        model: LanguageModel,
        pairs: Sequence[PromptPair],
        values: Values,
        parameters: SubspaceParameters,
    ) -> Summary:
        """Everything in axes that were fitted on the other prompts."""
        others = self.vectors_of(head_of(parameters))
        axes = Axes.fitted(others, parameters.centring)
        shown = axes.coordinates(vectors_of(values))
        real, rebuilt = values["scores"], rebuilt_scores(model, pairs, values, axes, parameters)
        visible = ~rebuilt.isinf().any(-1)
        overlay = mutated_summary(pairs, values, axes, parameters) if parameters.mutation else Summary()
        answers, by_option = answer_coordinates(pairs), ("pair", "answer", "dimension")
        by_correct = mean_by_correct(
            real.masked_fill(rebuilt.isinf(), torch.nan), correct_options(pairs), n_options(pairs)
        )
        return Summary(
            coordinates={
                "pair": described([pair.clean.question for pair in pairs]),
                "answer": answers,
                "correct": answers,
                "vector": VECTORS,
                "centring": get_args(Centring),
                "rank": list(range(1, model.d_head + 1)),
                "dimension": [str(number + 1) for number in range(RANK)],
                **overlay.coordinates,
            },
            tables={
                "spectrum": Table(("vector", "centring", "rank"), "fraction", spectra(others)),
                "query": Table(("pair", "dimension"), "", shown["query"]),
                "keys": Table(by_option, "", shown["keys"]),
                "values": Table(by_option, "", shown["values"]),
                "scores": Table(("correct", "answer"), "", by_correct),
                "pattern": Table(("pair", "answer"), "fraction", option_pattern(real, values["rest"])),
                "rebuilt": Table(("pair", "answer"), "fraction", option_pattern(rebuilt, values["rest"])),
                **overlay.tables,
            },
            details={
                "score_variance_share": float(explained_share(real[visible], rebuilt[visible])),
                **self._clusters(axes.coordinates(others), shown, pairs),
            },
            warnings=(*prompt_warnings(pairs), *fit_warnings(values["seen"]), *overlay.warnings),
        )


def head_of(parameters: SubspaceParameters) -> Head:
    """The head that was asked for."""
    return Head(parameters.layer, parameters.head)


def vectors_of(values: Values) -> HeadVectors:
    """The vectors among stored values."""
    return HeadVectors(*(values[name] for name in VECTORS))


def rebuilt_scores(
    model: LanguageModel,
    pairs: Sequence[PromptPair],
    values: Values,
    axes: Axes,
    parameters: SubspaceParameters,
) -> Float[Tensor, "pair answer"]:
    """The options' scores from three dimensions of query and key; −∞ where the head cannot see an option."""
    rebuilt = axes.rebuilt(vectors_of(values))
    if parameters.rope == "pre":
        clean = [pair.clean for pair in pairs]
        rebuilt = rotated(model, parameters.layer, clean, rebuilt, parameters.at)
    scaling, softcap = values["rule"][0].tolist()
    rule = ScoreRule(scaling, None if math.isnan(softcap) else softcap)
    return rule(products(rebuilt)).masked_fill(values["scores"] < _MASKED, -torch.inf)


def described(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Which prompt each point belongs to."""
    return [
        {
            "index": index,
            "correct": question.correct,
            "label": question.labels[question.correct],
            "labels": list(question.labels),
            "question": question.text,
        }
        for index, question in enumerate(questions)
    ]


def mutated_summary(
    pairs: Sequence[PromptPair], values: Values, axes: Axes, parameters: SubspaceParameters
) -> Summary:
    """The mutated prompts in the same axes; NaN for those that the tokenizer cannot write."""
    query, keys = values["query_mutated"], values["keys_mutated"]
    mutation = MUTATIONS[parameters.mutation]
    questions = [mutation.mutate(pair.clean.question) for pair in pairs]
    missing = sum(pair.variants[0] is None for pair in pairs)
    unwritten = f"{mutation.title}: this tokenizer has no single tokens for the labels of {missing} prompts."
    return Summary(
        coordinates={
            "pair_mutated": described(questions),
            "answer_mutated": [f"option {place + 1}" for place in range(keys.shape[1])],
        },
        tables={
            "query_mutated": Table(("pair_mutated", "dimension"), "", axes.query.coordinates(query, RANK)),
            "keys_mutated": Table(
                ("pair_mutated", "answer_mutated", "dimension"), "", axes.keys.coordinates(keys, RANK)
            ),
        },
        warnings=(unwritten,) if missing else (),
    )
