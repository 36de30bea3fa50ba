"""Every setting of the server, read once from `HEADSCOPE_*` variables and passed on."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 2**30
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?$")]


class Settings(BaseSettings):
    """One field, one variable: `data` is `HEADSCOPE_DATA`."""

    model_config = SettingsConfigDict(env_prefix="HEADSCOPE_", frozen=True)

    data: Path = Field(
        default=Path.home() / ".local" / "share" / "headscope",
        description="Folder for converted weights, stored results, jobs and uploaded question sets.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; loopback by default.")
    port: int = Field(default=8050, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    redis_url: str | None = Field(
        default=None, description="Keep results and job records in this Redis instead of files."
    )
    store_cap_bytes: int = Field(
        default=10 * GIB, ge=2**20, description="Size of stored results at which the oldest unused go."
    )
    default_model: str = Field(default="smollm2-mcq", description="The model that the page opens on.")
    device: str = Field(default="cpu", description="Where models are loaded: cpu, cuda, cuda:1, mps.")
    threads: int = Field(default=0, ge=0, description="CPU threads for torch; 0 leaves torch's choice.")
    pass_memory_mb: int = Field(
        default=32,
        ge=1,
        description="MiB that the patched rows of one pass may take; more is faster on an accelerator only.",
    )
    answer_within_s: float = Field(
        default=1.0, ge=0, description="How long a request waits for its result before it gets a job instead."
    )
    backend_url: str = Field(
        default="http://127.0.0.1:8051", description="Where a page served on its own finds the API."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Further Host names under which the server may be called (JSON list)."
    )
    embedders: tuple[Origin, ...] = Field(
        default=(), description="Sites that may show a figure in a frame, by origin (JSON list)."
    )
    warm: bool = Field(
        default=True,
        description="Load the default model at start; otherwise at the first analysis that needs it.",
    )
    trusted_network: bool = Field(
        default=False,
        description="Allow listening beyond loopback: everybody who reaches the port can use the server.",
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """All Host names that are answered."""
        return (*LOOPBACK, "[::1]", *self.allowed_hosts)
