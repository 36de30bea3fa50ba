"""A posted spec becomes a resolved one: every default filled in, every thing the numbers depend on named."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from analysis.analyses import ANALYSES, Analysis
from analysis.text_pairs import QuestionPair
from backend.errors import ApiError, sentence
from backend.models import ModelHost, Models
from backend.schemas.spec import Spec
from backend.services.prompt_sets import PromptSets
from cache.keys import key_for


@dataclass(frozen=True)
class ResolvedSpec:
    """What will be computed, and the key that names its result everywhere."""

    posted: Spec
    analysis: Analysis
    parameters: Any
    host: ModelHost
    pairs: list[QuestionPair]
    spec: Mapping[str, Any]
    key: str


def resolve(posted: Spec, models: Models, prompt_sets: PromptSets) -> ResolvedSpec:
    """Raises `ApiError` for an unknown model, prompt set or parameter."""
    analysis = ANALYSES[posted.analysis]
    parameters = read_parameters(analysis, posted.parameters)
    host = models.host(posted.model)
    prompts = posted.prompts
    if prompts.index is not None and prompts.index >= prompts.n:
        raise ApiError(422, "bad_index", f"prompts.index is {prompts.index}, but n is {prompts.n}.")
    pairs = prompt_sets.pairs(prompts)
    refuse_without_labels(analysis, posted, pairs)
    spec = {
        "schema": posted.schema_version,
        "analysis": {"name": analysis.name, "version": analysis.version},
        "model": host.identity(),
        "prompts": prompts.model_dump() | {"pairs": key_for(_plain(pairs))},
        "parameters": asdict(parameters),
    }
    return ResolvedSpec(posted, analysis, parameters, host, pairs, spec, key_for(spec))


def _plain(pairs: list[QuestionPair]) -> list[list[dict[str, Any]]]:
    """The questions themselves decide the key: it stays the same however they were drawn or uploaded."""
    return [[asdict(clean), asdict(corrupt)] for clean, corrupt in pairs]


def refuse_without_labels(analysis: Analysis, posted: Spec, pairs: list[QuestionPair]) -> None:
    """Plain texts list no options, so there is nothing that an analysis of their labels could look at."""
    if analysis.needs_labels and not pairs[0][0].lists_options:
        raise ApiError(
            422,
            "no_labels",
            f"The analysis {analysis.name} needs the options’ labels in the prompt; the set "
            f"{posted.prompts.set} has none.",
        )


def read_parameters(analysis: Analysis, given: Mapping[str, Any]) -> Any:
    """The parameters of an analysis as its frozen value; unknown and ill-typed ones are refused by name."""
    known = [field.name for field in fields(analysis.Parameters)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        takes = ", ".join(known) or "nothing"
        raise ApiError(
            422, "unknown_parameter", f"{analysis.name} has no parameter {unknown[0]!r}; it takes {takes}."
        )
    try:
        return TypeAdapter(analysis.Parameters).validate_python(given)
    except ValidationError as error:
        problems = "; ".join(f"parameters.{sentence(problem)}" for problem in error.errors())
        raise ApiError(422, "bad_parameter", problems) from None


def example_spec(analysis: Analysis) -> dict[str, Any]:
    """A complete spec that can be posted as it is."""
    parameters = asdict(analysis.example or analysis.Parameters())
    prompts = {"n": 8} if not analysis.one_pair else {"n": 8, "index": 0}
    return Spec.model_validate(
        {"schema": 1, "analysis": analysis.name, "prompts": prompts, "parameters": parameters}
    ).model_dump(by_alias=True)


def describe_analyses() -> list[dict[str, Any]]:
    """Every analysis as the API tells it."""
    return [
        {
            "name": analysis.name,
            "title": analysis.title,
            "version": analysis.version,
            "parameters_schema": TypeAdapter(analysis.Parameters).json_schema(),
            "example": example_spec(analysis),
        }
        for analysis in ANALYSES.values()
    ]
