"""Where one head looks from every token of one prompt: the strongest keys of each query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from analysis.analyses.attention import HeadParameters
from analysis.analyses.base import Analysis, Summary, Table, Values, prompt_warnings
from analysis.errors import BadQuestion
from analysis.model import LanguageModel
from analysis.nodes import Head, check_nodes
from analysis.patterns import head_pattern, strongest_keys
from analysis.prompts import Prompt, PromptPair

SMALLEST = 0.005  # weaker keys are not listed but counted in what is left over
DIGITS = 4
MOST = 64


@dataclass(frozen=True)
class PatternParameters(HeadParameters):
    """Which head, and how many keys of each query are listed at most."""

    top: int = 8


class HeadPattern(Analysis):
    """A head's pattern on one clean prompt, sparse, so that it stays small however long the prompt is.

    `details` holds three flat lists, `query`, `key` and `value`, one entry per listed key; the table
    `not_listed` is what each query gives to all other keys. Together they are 1 for every query, up to the
    rounding to four decimals.
    """

    name: ClassVar[str] = "pattern"
    title: ClassVar[str] = "Attention of one head from every token of one prompt"
    Parameters: ClassVar[type] = PatternParameters
    one_pair: ClassVar[bool] = True

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: PatternParameters) -> None:
        """One head that exists, and one prompt: tokens of different prompts cannot share an axis."""
        check_nodes([Head(parameters.layer, parameters.head)], model.n_layers, model.n_heads)
        if len(pairs) != 1:
            raise BadQuestion("Tokens belong to one prompt: choose it with prompts.index.")
        if not 1 <= parameters.top <= MOST:
            raise BadQuestion(f"top is {parameters.top}; from 1 to {MOST} keys of each query can be listed.")

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: PatternParameters) -> Values:
        """The strongest keys of every query; those below the smallest share count as the rest."""
        pattern = head_pattern(model, pair.clean, Head(parameters.layer, parameters.head))
        keys, values, rest = strongest_keys(pattern, parameters.top)
        weak = values < SMALLEST
        return {
            "key": keys.to(torch.int32),
            "value": values.masked_fill(weak, 0.0),
            "rest": rest + (values * weak).sum(1),
        }

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: PatternParameters
    ) -> Summary:
        """The one prompt's values as they are, query by query."""
        keys, shares = values["key"][0], values["value"][0]
        query, place = (shares > 0).nonzero(as_tuple=True)
        return Summary(
            coordinates={"pos": token_coordinates(pairs[0].clean)},
            tables={"not_listed": Table(("pos",), "fraction", values["rest"][0].round(decimals=DIGITS))},
            details={
                "query": query.tolist(),
                "key": keys[query, place].tolist(),
                "value": [round(share, DIGITS) for share in shares[query, place].tolist()],
                "smallest": SMALLEST,
            },
            warnings=prompt_warnings(pairs),
        )


def token_coordinates(prompt: Prompt) -> list[dict[str, Any]]:
    """The tokens of a prompt with their positions and roles."""
    return [
        {"pos": pos, "text": text, "roles": list(roles)}
        for pos, (text, roles) in enumerate(zip(prompt.token_texts, prompt.roles, strict=True))
    ]
