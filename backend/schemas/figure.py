"""A plotly figure that is to be drawn, as a client posts it."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from backend.schemas.spec import Strict

MAX_PIXELS = 50_000_000


class Figure(Strict):
    """Traces and layout, nothing else: no frames, no configuration."""

    data: list[dict[str, Any]] = Field(max_length=2000)
    layout: dict[str, Any] = Field(default={})


class RenderingSpec(Strict):
    """A figure, and how large it becomes; `scale` multiplies the pixels of a PNG."""

    figure: Figure
    format: Literal["png", "svg", "pdf"]
    width: int = Field(default=900, ge=50, le=4000)
    height: int = Field(default=600, ge=50, le=4000)
    scale: float = Field(default=2.0, ge=0.5, le=8)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        pixels = self.width * self.height * self.scale**2
        if self.format == "png" and pixels > MAX_PIXELS:
            raise ValueError(f"{pixels / 1e6:.0f} million pixels are more than {MAX_PIXELS // 10**6} million")
        return self
