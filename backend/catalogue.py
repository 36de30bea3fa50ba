"""Which models there are: the demos and the operator's list. No request ever names a path or an address."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from backend.demo import mcq_tiny, smollm2
from backend.demo.mcq_tiny import Checkpoint
from backend.demo.smollm2 import digest_of
from backend.errors import ApiError
from backend.schemas.catalogue import Catalogue, ListedModel

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
REFUSED_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".py", ".h5", ".msgpack"}
Say = Callable[[str], None]


class DamagedWeights(RuntimeError):
    """A file of a model is not the one that was listed."""


@dataclass(frozen=True)
class ModelSource:
    """Where the files of one model are, and the digest that stands for all of them in every key."""

    id: str
    title: str
    dtype: str  # as listed; on a CPU every model computes in float32
    base: Path | None  # None: the demo, whose base weights are converted at first use
    adapter: Path | None
    files: Mapping[str, str] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None  # which step of which training it is, where it is one of several

    @cached_property
    def weights(self) -> str:
        """SHA-256 over the digests of every file that the numbers depend on."""
        parts = dict(self.files) if self.base else {"base.gguf": digest_of(smollm2.find_base())}
        if self.adapter:
            parts |= {f"adapter/{path.name}": digest_of(path) for path in adapter_files(self.adapter)}
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(parts.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def folder(self, data: Path, say: Say) -> Path:
        """The folder of safetensors to load, converted and verified against its digests."""
        base, files = self.base, self.files
        if base is None:
            base = smollm2.ensure_base(data / "models" / "smollm2-135m-instruct", say)
            files = smollm2.recorded_digests(base)
        say("Checking the weights")
        verify(base, files)
        return base


def demo_source() -> ModelSource:
    """SmolLM2-135M-Instruct with our multiple-choice adapter."""
    return ModelSource("smollm2-mcq", "SmolLM2-135M, answers by letter", "float32", None, smollm2.ADAPTER)


def checkpoint_source(checkpoint: Checkpoint) -> ModelSource:
    """One step of a small model's training."""
    title, folder = f"mcq-tiny, {checkpoint.title}, step {checkpoint.step:,}", checkpoint.folder
    files = smollm2.recorded_digests(folder)
    return ModelSource(checkpoint.id, title, "float32", folder, None, files, checkpoint)


def read_sources(data: Path) -> dict[str, ModelSource]:
    """The demos and everything in `models.json`."""
    shipped = [demo_source(), *map(checkpoint_source, mcq_tiny.checkpoints())]
    sources = {source.id: source for source in shipped}
    for model_id, listed in read_catalogue(data).models.items():
        title = listed.title or model_id
        sources[model_id] = ModelSource(
            model_id, title, listed.dtype, listed.folder, listed.adapter, listed.files
        )
    return sources


def catalogue_file(data: Path) -> Path:
    """Where the operator's list lives."""
    return data / "models.json"


def read_catalogue(data: Path) -> Catalogue:
    """The operator's list, empty where there is none."""
    path = catalogue_file(data)
    return Catalogue.model_validate_json(path.read_bytes()) if path.exists() else Catalogue()


def add_model(data: Path, model_id: str, folder: Path, *, dtype: str = "float32") -> ListedModel:
    """Allow a local folder: refuse what could run code, pin the SHA-256 of every file."""
    if not ID_PATTERN.fullmatch(model_id):
        raise ApiError(422, "bad_model_id", f"{model_id!r}: use letters, digits, dots, dashes, underscores.")
    folder = folder.resolve(strict=True)
    refuse_code(folder)
    files = {path.name: digest_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    if not any(name.endswith(".safetensors") for name in files):
        raise ApiError(
            422, "no_safetensors", f"{folder} holds no .safetensors file; convert the model first."
        )
    listed = ListedModel.model_validate({"folder": folder, "dtype": dtype, "files": files})
    catalogue = read_catalogue(data)
    data.mkdir(parents=True, exist_ok=True)
    merged = Catalogue(models={**catalogue.models, model_id: listed})
    catalogue_file(data).write_text(merged.model_dump_json(indent=2))
    return listed


def refuse_code(folder: Path) -> None:
    """Weights only: no pickles, no Python, no configuration that names code."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in REFUSED_SUFFIXES:
            raise ApiError(422, "unsafe_model", f"{path.name} can run code when read; keep only safetensors.")
        if path.suffix == ".json" and b'"auto_map"' in path.read_bytes():
            raise ApiError(422, "unsafe_model", f"{path.name} names code of its own (auto_map); remove it.")


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Compare every listed file with its digest."""
    for name, digest in files.items():
        path = folder / name
        if not path.is_file() or digest_of(path) != digest:
            raise DamagedWeights(
                f"{name} is missing or has changed since its digest was recorded. "
                f"Remove {folder.name} and add or convert the model again."
            )


def adapter_files(folder: Path) -> list[Path]:
    """The two files of a LoRA adapter in PEFT's layout."""
    return [folder / "adapter_config.json", folder / "adapter_model.safetensors"]
