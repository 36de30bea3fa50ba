"""What the API answers."""

from typing import Any, Literal

from pydantic import BaseModel

from backend.schemas.names import AnalysisName, JobState, ModelState


class Problem(BaseModel):
    """What went wrong, what was expected, what to do."""

    code: str
    message: str
    request_id: str
    retry_after: int | None = None
    details: list[dict[str, Any]] | None = None


class ErrorBody(BaseModel):
    """The envelope of every error."""

    error: Problem


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    message: str


class JobBody(BaseModel):
    """An analysis in progress. `partial` is the result over the pairs done so far.

    While it waits, `queue_position` jobs have their turns before it; `seconds_left` is until it is done, with
    all waits. `mine`: whether the user who asks is among those who wait for it.
    """

    id: str
    analysis: str
    state: JobState
    done: int
    total: int
    queue_position: int
    seconds_left: float | None
    message: str | None
    mine: bool
    error: JobError | None
    partial: dict[str, Any] | None = None


class EstimateBody(BaseModel):
    """What a result will take: null is not known. `basis` says where the time comes from."""

    key: str
    stored: bool
    seconds: float | None
    bytes: int | None
    forwards: int | None
    fits: bool
    available_bytes: int
    basis: Literal["measured", "scaled", "unknown"]
    message: str


class Accepted(BaseModel):
    """The result is not there yet: the job that computes it. The job's id is the result's key."""

    key: str
    job: JobBody


class Table(BaseModel):
    """Numbers with named axes; nested lists follow `axes`. Null is a value that was not computed.

    `low` and `high` are the 95 % bootstrap interval over prompts, null where there are fewer than two.
    """

    axes: list[str]
    unit: str
    mean: Any
    low: Any = None
    high: Any = None


class Failure(BaseModel):
    """A value that could not be computed, and why: the table, and the names of its place on the axes."""

    table: str
    where: str
    reason: str


class ResultBody(BaseModel):
    """A finished result, or the partial one of a job."""

    key: str
    spec: dict[str, Any]
    complete: bool
    n: int
    n_done: int
    coordinates: dict[str, list[Any]]
    tables: dict[str, Table]
    details: dict[str, Any]
    failures: list[Failure]
    warnings: list[str]
    provenance: dict[str, Any]


class RecordBody(BaseModel):
    """What was asked for once: `spec` can be posted as it is. `stored` says whether the numbers are there."""

    key: str
    analysis: str
    title: str
    model: str
    spec: dict[str, Any]
    prompts: str
    date: str
    n: int
    again_of: str | None
    stored: bool


class RecordList(BaseModel):
    """Results that were asked for, newest first."""

    results: list[RecordBody]


class RenderingBody(BaseModel):
    """A picture of a figure: `done`, or `running` for a moment more."""

    id: str
    state: Literal["done", "running"]


class Dimensions(BaseModel):
    """Sizes of a model."""

    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    n_parameters: int
    vocab_size: int
    max_tokens: int


class PrecisionBody(BaseModel):
    """Rounding error of effects in a half-precision type, against float32, in logits."""

    rms: float
    largest: float
    rms_effect: float
    n_patches: int


class CertificateBody(BaseModel):
    """Largest differences measured at load, in logits; see analysis/certificate.py."""

    logits: float
    attributions: float
    patches: float
    n_patches: int
    tolerance: float
    precision: PrecisionBody | None = None
    passed: bool


class CheckpointBody(BaseModel):
    """Which step of which training a model is; `title` is the training's."""

    run: str
    title: str
    step: int


class ModelBody(BaseModel):
    """One model of the operator's list."""

    id: str
    title: str
    default: bool
    state: ModelState
    message: str | None
    seconds_loading: float | None
    seconds_last_time: float | None
    revision: str
    dtype: str
    device: str
    family: str | None
    dimensions: Dimensions | None
    certificate: CertificateBody | None
    checkpoint: CheckpointBody | None = None


class ModelList(BaseModel):
    """All models of the operator's list."""

    models: list[ModelBody]


class AnalysisBody(BaseModel):
    """An analysis: the JSON schema of its parameters and a spec that can be posted as it is."""

    name: AnalysisName
    title: str
    version: int
    parameters_schema: dict[str, Any]
    example: dict[str, Any]


class AnalysisList(BaseModel):
    """All analyses."""

    analyses: list[AnalysisBody]


class PromptSetBody(BaseModel):
    """A built-in or uploaded set of prompts.

    `questions` are laid out when they are drawn; `pairs` of questions and of `text` are taken as they are.
    """

    id: str
    title: str
    description: str
    n_questions: int
    builtin: bool
    options: list[int]
    kind: Literal["questions", "pairs", "text"] = "questions"


class PromptSetList(BaseModel):
    """All sets of questions."""

    prompt_sets: list[PromptSetBody]


class Health(BaseModel):
    """`status` is `ok`, or what is missing."""

    status: str
