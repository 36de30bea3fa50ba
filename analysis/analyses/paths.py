"""What one sender does to the answer through each later head's query, key or value, each MLP, the logits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from analysis.analyses.base import Analysis, Summary, Values, averaged, prompt_warnings
from analysis.errors import UnknownNode
from analysis.interventions import every_receiver
from analysis.metrics import METRICS, MetricName
from analysis.model import LanguageModel
from analysis.nodes import Receiver, Writer, receivers_named, writers_named
from analysis.pair_runs import Direction, engine_of, run_pairs
from analysis.paths import INPUTS, PathEffects, path_interventions
from analysis.prompts import PromptPair
from analysis.worlds import Worlds, worlds_of


@dataclass(frozen=True)
class PathsParameters:
    """Whose write is replaced, who reads the replacement, and where."""

    sender: str = "L0H0"
    receivers: Literal["all"] | tuple[str, ...] = "all"
    positions: Literal["final", "all"] = "final"
    metric: MetricName = "centred_logit"
    direction: Direction = "noising"


class Paths(Analysis):
    """The effect of a node along each path that leaves it."""

    name: ClassVar[str] = "paths"
    title: ClassVar[str] = "Effect of one node along each path to a later head, MLP or the logits"
    Parameters: ClassVar[type] = PathsParameters

    def check(self, model: LanguageModel, pairs: Sequence[PromptPair], parameters: PathsParameters) -> None:
        """Receivers must come after the sender."""
        sender, receivers = sender_of(model, parameters), receivers_of(model, parameters)
        later = set(every_receiver(sender, model.n_layers, model.n_heads))
        for receiver in receivers:
            if receiver not in later:
                raise UnknownNode(f"No path leads from {sender} to {receiver}: it does not come later.")
        if not receivers:
            raise UnknownNode("Give at least one receiver, or all.")

    def computed_with(self, parameters: PathsParameters) -> dict[str, Any]:
        """Logits are computed; the metric is applied to them afterwards."""
        return asdict(parameters) | {"metric": METRICS[parameters.metric].over_vocabulary}

    def compute(self, model: LanguageModel, pair: PromptPair, parameters: PathsParameters) -> Values:
        """Logits of the answers with each path patched."""
        window = "final" if parameters.positions == "final" else "all"
        runs = run_pairs(model, [pair], direction=parameters.direction, window=window)
        positions = runs.final if parameters.positions == "final" else runs.everywhere
        receivers = receivers_of(model, parameters)
        changes = path_interventions(sender_of(model, parameters), receivers, positions)
        over_vocabulary = METRICS[parameters.metric].over_vocabulary
        return worlds_of(model, runs, changes, over_vocabulary=over_vocabulary).of_pair(0)

    def summarise(
        self, model: LanguageModel, pairs: Sequence[PromptPair], values: Values, parameters: PathsParameters
    ) -> Summary:
        """Mean effect of every path, of all together, and of the sender."""
        effects, metric = PathEffects(Worlds(**values)), parameters.metric
        receivers, unit = receivers_of(model, parameters), METRICS[metric].unit
        return Summary(
            coordinates={"receiver": [receiver_coordinate(receiver) for receiver in receivers]},
            tables={
                "path_effect": averaged(unit, effects.path_effect(metric), "receiver"),
                "all_paths": averaged(unit, effects.all_paths(metric)),
                "total_effect": averaged(unit, effects.total_effect(metric)),
            },
            details={"engine": engine_of(model), **asdict(parameters)},
            warnings=prompt_warnings(pairs),
        )


def sender_of(model: LanguageModel, parameters: PathsParameters) -> Writer:
    """The node whose write is replaced."""
    return writers_named([parameters.sender], model.n_layers, model.n_heads)[0]


def receivers_of(model: LanguageModel, parameters: PathsParameters) -> tuple[Receiver, ...]:
    """Who reads the replacement, in the order given; all: in the order of the computation."""
    if parameters.receivers == "all":
        sender = sender_of(model, parameters)
        return every_receiver(sender, model.n_layers, model.n_heads)
    return receivers_named(parameters.receivers, model.n_layers, model.n_heads)


def receiver_coordinate(receiver: Receiver) -> dict[str, Any]:
    """A receiver as the coordinates of a table name it."""
    return {
        "label": str(receiver),
        "layer": getattr(receiver, "layer", None),
        "head": getattr(receiver, "head", None),
        "input": INPUTS[type(receiver)],
    }
