"""The operator's list of models, `models.json` in the data folder, written by `headscope models add`."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict


class ListedModel(BaseModel):
    """A folder of safetensors that the operator allowed, with the SHA-256 of every file in it."""

    model_config = ConfigDict(extra="forbid")

    folder: Path
    title: str = ""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    adapter: Path | None = None
    files: dict[str, str]


class Catalogue(BaseModel):
    """Model id -> listed model."""

    model_config = ConfigDict(extra="forbid")

    models: dict[str, ListedModel] = {}
