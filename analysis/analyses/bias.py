"""Which labels the model prefers, and how much of every node's attribution is that preference."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from analysis.analyses.base import (
    Analysis,
    NoParameters,
    Summary,
    Table,
    Values,
    answer_coordinates,
    averaged,
    correct_options,
    n_options,
    prompt_warnings,
    table,
)
from analysis.attribution import components_of
from analysis.bias import (
    ask_permuted,
    debiased,
    label_prior,
    moved_on,
    recall,
    recall_std,
    right_in_every_order,
)
from analysis.bootstrap import wilson_interval
from analysis.errors import PromptTooLong
from analysis.model import LanguageModel
from analysis.prompts import PromptPair
from analysis.questions import Question


class Bias(Analysis):
    """Selection bias, from all cyclic orders of every question's contents."""

    name: ClassVar[str] = "bias"
    needs_labels: ClassVar[bool] = True
    title: ClassVar[str] = (
        "Selection bias: label prior, and every node's attribution split into prior and content"
    )

    def variants(self, question: Question, parameters: NoParameters) -> tuple[Question, ...]:
        """The other orders."""
        return moved_on(question)

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: NoParameters) -> None:
        """Every order is needed, else contents would not stand equally often at every label."""
        if any(None in pair.variants for pair in pairs):
            raise PromptTooLong("Not every order of the options can be written within the model's limits.")

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: NoParameters) -> Values:
        """Logits in every order, attributions in the original one and their mean over all."""
        prompts = [pair.clean, *(variant for variant in pair.variants if variant is not None)]
        return dict(vars(ask_permuted(model, prompts)))

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: NoParameters
    ) -> Summary:
        """The prior is the mean over questions; the recalls say what it does to the answers."""
        log_probs, correct = values["logits"].log_softmax(-1), correct_options(pairs)
        priors = label_prior(log_probs)
        choices = {
            "accuracy": log_probs[:, 0].argmax(-1),
            "debiased_accuracy": debiased(log_probs[:, 0], priors.mean(0)).argmax(-1),
        }
        right = {name: (chosen == correct).float() for name, chosen in choices.items()}
        right["permutation_accuracy"] = right_in_every_order(values["logits"], correct)
        recalls = {name: recall(chosen, correct, n_options(pairs)) for name, chosen in choices.items()}
        components = components_of(model)
        nodes = [i for i, component in enumerate(components) if component.kind in ("head", "mlp")]
        net, prior_part = (
            values[name][torch.arange(len(pairs)), :, correct][:, nodes]
            for name in ("attribution", "prior_attribution")
        )
        return Summary(
            coordinates={
                "answer": answer_coordinates(pairs),
                "node": [asdict(components[index]) for index in nodes],
            },
            tables={
                "prior": averaged("fraction", priors, "answer"),
                "recall": table("fraction", recalls["accuracy"], "answer"),
                "debiased_recall": table("fraction", recalls["debiased_accuracy"], "answer"),
                "prior_attribution": averaged("logit", prior_part, "node"),
                "content_attribution": averaged("logit", net - prior_part, "node"),
                "net_attribution": averaged("logit", net, "node"),
                "prior_by_label": Table(
                    ("node", "answer"), "logit", values["prior_attribution"][:, nodes].mean(0)
                ),
            }
            | {name: share(each) for name, each in right.items()},
            details={
                "rstd": recall_std(recalls["accuracy"].mean),
                "debiased_rstd": recall_std(recalls["debiased_accuracy"].mean),
                "chance": 1 / n_options(pairs),
            },
            warnings=prompt_warnings(pairs),
        )


def share(right: Float[Tensor, " pair"]) -> Table:
    """A share of the questions with Wilson's interval."""
    return table("fraction", wilson_interval(right.sum(), torch.tensor(float(len(right)))))
