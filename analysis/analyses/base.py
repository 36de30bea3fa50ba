"""What an analysis is: values of one prompt pair, and a way to sum them up over pairs.

Progress, partial figures, cancel, resume and spreading over machines all happen between pairs; an analysis
knows of none of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from analysis.bootstrap import Interval, mean_interval
from analysis.model import LanguageModel
from analysis.nodes import Node
from analysis.prompts import Prompt, PromptPair
from analysis.questions import Question
from analysis.roles import roles_of

Values = dict[str, Tensor]
"""Named tensors of one pair; stacked, they carry a leading `pair` axis."""


@dataclass(frozen=True)
class Table:
    """Numbers with named axes; `low` and `high` bound the 95 % interval over prompts."""

    axes: tuple[str, ...]
    unit: str
    mean: Float[Tensor, "..."]
    low: Float[Tensor, "..."] | None = None
    high: Float[Tensor, "..."] | None = None


@dataclass(frozen=True)
class Summary:
    """What an analysis says: tables, the coordinates of their axes, and what else belongs to the figure."""

    coordinates: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoParameters:
    """An analysis that has nothing to choose."""


class Analysis(ABC):
    """A list of pairs and a way to combine them. `version` goes up when the numbers change."""

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    Parameters: ClassVar[type] = NoParameters
    example: ClassVar[Any] = None
    """Parameters to try it with, where the defaults are not enough."""
    one_pair: ClassVar[bool] = False
    """It is about the tokens of one prompt, so exactly one pair must be chosen."""
    needs_labels: ClassVar[bool] = False
    """It reads the labels of the options in the prompt, which plain texts do not have."""

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: Any) -> None:  # noqa: B027, most have nothing to refuse
        """Raise an `AnalysisError` for what cannot be computed on this model and these pairs."""

    def computed_with(self, parameters: Any) -> dict[str, Any]:
        """The parameters that `compute` depends on; those that only `summarise` reads are left out."""
        return asdict(parameters)

    def split(self, model: LanguageModel, pair: PromptPair, parameters: Any) -> tuple[Any, ...]:
        """The parts of one pair that are computed, stored and shown one by one.

        Each part is a parameters value of its own, so whoever asks for just that part shares it.
        """
        return (parameters,)

    def variants(self, question: Question, parameters: Any) -> tuple[Question, ...]:
        """Further questions made from a clean one; they arrive, tokenised, as the pair's `variants`."""
        return ()

    def n_others(self, parameters: Any) -> int:
        """How many prompts of the other split are needed beforehand, for example for a mean over them."""
        return 0

    @property
    def fit(self) -> str:
        """Names what `from_others` finds; analyses that need the same share it."""
        return f"{self.name} {self.version}"

    def fitted_with(self, parameters: Any) -> dict[str, Any]:
        """The parameters that `from_others` depends on; fewer of them are shared by more results."""
        return asdict(parameters)

    def from_others(self, model: LanguageModel, prompts: Sequence[Prompt], parameters: Any) -> Values:
        """What is needed from them."""
        raise NotImplementedError

    def knowing(self, others: Values) -> "Analysis":
        """The same analysis, with what was found in the other prompts."""
        raise NotImplementedError

    @abstractmethod
    def compute(self, model: LanguageModel, pair: PromptPair, parameters: Any) -> Values:
        """The values of one pair, or of one part of it, without knowledge of the others."""

    def combine(self, parts: Sequence[Values]) -> Values:
        """The values of one pair from its parts, as many as are done; in the order of `split`."""
        return parts[0]

    @abstractmethod
    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: Any
    ) -> Summary:
        """Sum up the stacked values of the pairs computed so far."""


def table(unit: str, interval: Interval, *axes: str) -> Table:
    """An interval as a table; the ends are left out where there is nothing to say about them."""
    if interval.low.isnan().all():
        return Table(axes, unit, interval.mean)
    return Table(axes, unit, interval.mean, interval.low, interval.high)


def averaged(unit: str, values: Shaped[Tensor, "pair ..."], *axes: str) -> Table:
    """Mean over pairs with its 95 % bootstrap interval."""
    return table(unit, mean_interval(values.float()), *axes)


def correct_options(pairs: Sequence[PromptPair]) -> Int[Tensor, " pair"]:
    """Index of every clean prompt's correct option."""
    return torch.tensor([pair.clean.correct for pair in pairs])


def n_options(pairs: Sequence[PromptPair]) -> int:
    """Number of options of every question, the same in one result."""
    return len(pairs[0].clean.label_ids)


def answer_coordinates(pairs: Sequence[PromptPair]) -> list[str]:
    """Names of the answers: the labels where all questions share them, else the number of the option."""
    labels, n = {pair.clean.question.labels for pair in pairs}, n_options(pairs)
    if len(labels) == 1:
        return list(labels.pop())
    if lists_options(pairs):
        return [f"option {i + 1}" for i in range(n)]
    return ["answer", "distractor"] if n == 2 else ["answer", *(f"distractor {i}" for i in range(1, n))]


def lists_options(pairs: Sequence[PromptPair]) -> bool:
    """Whether the prompts show their options with labels, the same in one result."""
    return pairs[0].clean.question.lists_options


def roles_in(pairs: Sequence[PromptPair]) -> dict[str, str]:
    """The roles that tokens of these prompts can have, with their meaning."""
    return roles_of(lists_options=lists_options(pairs))


def node_coordinate(node: Node) -> dict[str, Any]:
    """A node as the coordinates of a table name it."""
    return {"label": str(node), "layer": node.layer, "head": getattr(node, "head", None)}


def prompt_warnings(pairs: Sequence[PromptPair]) -> tuple[str, ...]:
    """Every different warning of the tokenizer, once."""
    prompts: list[Prompt] = [prompt for pair in pairs for prompt in (pair.clean, pair.corrupt)]
    return tuple(dict.fromkeys(warning for prompt in prompts for warning in prompt.warnings))
