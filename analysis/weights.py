"""Weights from a local folder: one network at a time, and none of its tensors made up."""

from pathlib import Path
from threading import Lock

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from analysis.errors import UnsupportedModel

# While transformers reads one network it puts empty functions in place of its own for the whole process
# (`tie_weights`, `torch.nn.init`). Two readers undo each other's: tied weights then never arrive, in this and
# in every later network.
ONE_AT_A_TIME = Lock()


def read_network(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The network of a folder with safetensors weights, on the CPU.

    Raises `UnsupportedModel` where there are no such weights or some of the network's are not among them:
    transformers would draw those at random.
    """
    try:
        with ONE_AT_A_TIME:
            network, report = AutoModelForCausalLM.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
                folder,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except OSError as error:
        raise UnsupportedModel(
            f"{folder} holds no safetensors weights that transformers can load: {error}"
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise UnsupportedModel(
            f"{folder} lacks {len(missing)} of this model's weights, {missing[0]} among them; "
            "they would be random numbers. Save the whole model again with save_pretrained."
        )
    return network
