"""A spec: the frozen, versioned description of one result, as a client posts it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.schemas.names import AnalysisName, Format, LabelStyle, MutationName, Sampler, Split


class Strict(BaseModel):
    """Unknown fields and non-finite numbers are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Label = Annotated[str, Field(min_length=1, max_length=20)]


class OwnMutation(Strict):
    """A change of form of one's own. What is null stays as it is."""

    labels: tuple[Label, ...] | None = Field(
        default=None, min_length=2, max_length=10, description="Of the options in order; one token each."
    )
    opening: str | None = Field(default=None, max_length=20, description="Before a label.")
    closing: str | None = Field(default=None, max_length=20, description="After it.")
    separator: str | None = Field(default=None, min_length=1, max_length=20, description="After an option.")
    suffix: str | None = Field(default=None, min_length=1, max_length=200, description="The prompt's end.")
    lead: str | None = Field(default=None, max_length=200, description="Before the question.")
    prelude: str | None = Field(default=None, max_length=2000, description="Before everything else.")


class PromptChoice(Strict):
    """Which prompt pairs: a set, a balanced draw from it, how a question is laid out, what corrupts it."""

    set: str = Field(
        default="stated-facts",
        max_length=80,
        description="Id of a prompt set. Sets of finished pairs ignore seed, layout and sampler.",
    )
    split: Split = Field(default="held_out", description="Uploaded sets have no split and ignore it.")
    n: int = Field(default=32, ge=1, le=1000, description="Number of pairs drawn.")
    seed: int = Field(default=0, ge=0, lt=2**31)
    index: int | None = Field(default=None, ge=0, description="Only this pair of the n drawn.")
    n_options: int = Field(default=4, ge=2, le=10, description="Options; uploaded questions may have fewer.")
    label_style: LabelStyle = "letters"
    format: Format = "(A)"
    prelude: bool = False
    shots: int = Field(default=0, ge=0, le=5, description="Answered questions before this one.")
    sampler: Sampler = Field(default="swap_options", description="What the corrupt prompt is.")
    mutation: MutationName = Field(default="none", description="Change of form of the drawn questions.")
    own_mutation: OwnMutation | None = Field(default=None, description="Another one, after `mutation`.")


class Spec(Strict):
    """Everything that decides the numbers. Every field but `analysis` has a default."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    analysis: AnalysisName
    model: str | None = Field(
        default=None, max_length=200, description="Model id; null is the default model."
    )
    prompts: PromptChoice = PromptChoice()
    parameters: dict[str, Any] = Field(default={}, description="See GET /api/analyses.")
