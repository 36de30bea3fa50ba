"""Only what the operator listed is loaded, and only as long as it is what was listed."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def model(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def test_a_listed_model_is_found_with_one_digest_for_all_files(model: Path, tmp_path: Path) -> None:
    from backend.catalogue import add_model, read_sources

    add_model(tmp_path / "data", "mine", model)
    before = read_sources(tmp_path / "data")["mine"].weights
    (model / "config.json").write_text((model / "config.json").read_text() + " ")
    add_model(tmp_path / "data", "mine", model)
    assert read_sources(tmp_path / "data")["mine"].weights != before


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "modeling_mine.py", "tokenizer.pkl"])
def test_what_can_run_code_is_refused(model: Path, tmp_path: Path, name: str) -> None:
    from backend.catalogue import add_model
    from backend.errors import ApiError

    (model / name).write_bytes(b"x")
    with pytest.raises(ApiError, match="can run code"):
        add_model(tmp_path / "data", "mine", model)


def test_a_configuration_that_names_code_is_refused(model: Path, tmp_path: Path) -> None:
    from backend.catalogue import add_model
    from backend.errors import ApiError

    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Mine"}}))
    with pytest.raises(ApiError, match="auto_map"):
        add_model(tmp_path / "data", "mine", model)


@pytest.mark.parametrize("model_id", ["../up", "/etc", "a b", "", "x" * 81, ".hidden"])
def test_an_id_is_a_name_and_no_path(model: Path, tmp_path: Path, model_id: str) -> None:
    from backend.catalogue import add_model
    from backend.errors import ApiError

    with pytest.raises(ApiError, match="letters"):
        add_model(tmp_path / "data", model_id, model)


def test_a_flipped_bit_is_noticed_before_the_weights_are_read(model: Path, tmp_path: Path) -> None:
    from backend.app import create_state
    from backend.catalogue import add_model
    from backend.models import ModelFailed
    from backend.settings import Settings

    add_model(tmp_path / "data", "mine", model)
    weights = bytearray((model / "model.safetensors").read_bytes())
    weights[-5] ^= 1
    (model / "model.safetensors").write_bytes(weights)
    state = create_state(Settings(data=tmp_path / "data", default_model="mine"))
    with pytest.raises(ModelFailed, match=r"model\.safetensors"):
        state.models.host(None).load()
    assert state.models.host(None).body()["state"] == "failed"
    state.store.close()
