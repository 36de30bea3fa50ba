"""Prompts as they are typed: what is asked about them, and what a tokenizer says."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from backend.schemas.spec import PromptChoice, Strict

Text = Annotated[str, Field(max_length=4000)]
PromptSetKind = Literal["questions", "pairs", "text"]
Model = Annotated[str | None, Field(max_length=200, description="Model id; null is the default model.")]


class CheckRequest(Strict):
    """A pair: two texts with answer and distractor (or answers, the right one first), or two questions."""

    model: Model = None
    clean: Text | dict[str, Any]
    corrupt: Text | dict[str, Any]
    answer: Text | None = None
    distractor: Text | None = None
    answers: tuple[Text, ...] | None = Field(default=None, max_length=10)


class DrawRequest(Strict):
    """Some pairs of a draw, to be looked at and edited."""

    model: Model = None
    prompts: PromptChoice = PromptChoice()
    first: int = Field(default=0, ge=0, le=1000)
    limit: int = Field(default=20, ge=1, le=1000)
    check: bool = Field(default=True, description="Whether the tokenizer is to read them.")


class TokenBody(BaseModel):
    """One token and the characters from `start` to `end` that it stands for; special ones stand for none."""

    id: int
    text: str
    start: int
    end: int
    special: bool


class AnswerBody(BaseModel):
    """An answer as the model must say it; `id` is null where it is not one token."""

    text: str
    id: int | None
    token: str


class ReadPromptBody(BaseModel):
    """One prompt as the model reads it."""

    text: str
    tokens: list[TokenBody]
    answers: list[AnswerBody]


class RemarkBody(BaseModel):
    """A sentence about the clean prompt, the corrupt one or both; where it `stops`, nothing can run."""

    where: Literal["clean", "corrupt", "both"]
    message: str
    stops: bool


class CheckBody(BaseModel):
    """Both prompts; `aligned` says which position of one stands for which of the other, null for none."""

    clean: ReadPromptBody | None
    corrupt: ReadPromptBody | None
    aligned: list[tuple[int | None, int | None]]
    remarks: list[RemarkBody]
    usable: bool


class DrawnPair(BaseModel):
    """One pair of a draw: as it can be edited and sent back, and as the tokenizer reads it if asked."""

    index: int
    pair: dict[str, Any]
    check: CheckBody | None


class DrawBody(BaseModel):
    """Some of the n pairs of a draw."""

    n: int
    kind: PromptSetKind
    pairs: list[DrawnPair]


class LineRemark(BaseModel):
    """A remark about what stands on a line of a file."""

    line: int
    message: str
    stops: bool


class LineProblem(BaseModel):
    """Why a line cannot be read, and what it should look like; `line` is null for a problem of the file."""

    line: int | None
    message: str
    expected: str


class PreviewBody(BaseModel):
    """What a file would become: its first pairs, and what this model's tokenizer says of its lines.

    `problems` are mistakes that keep it from being used at all; then there is nothing else.
    """

    kind: PromptSetKind | None
    problems: list[LineProblem]
    n: int
    n_checked: int
    n_unusable: int
    pairs: list[DrawnPair]
    remarks: list[LineRemark]
