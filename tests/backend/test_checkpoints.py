"""The shipped checkpoints of `mcq-tiny`: all are listed, load, and do what their model card says."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

torch.set_num_threads(1)  # the models are small
BAR = 0.9  # accuracy by letter of the last checkpoints on held-out questions; chance is 0.25
N = 40


def all_checkpoints() -> list[Any]:
    from backend.demo.mcq_tiny import checkpoints

    return checkpoints()


def load(checkpoint: Any) -> Any:
    from analysis.model import LanguageModel

    return LanguageModel.load(checkpoint.folder)


def accuracy(model: Any, label_style: str) -> float:
    """Share of held-out questions whose correct label has the highest logit among the labels."""
    from analysis.activations import stack_answers, stack_tokens
    from analysis.question_sets import Layout, draw
    from analysis.tokenise import tokenise

    layout = Layout(label_style=label_style)  # type: ignore[arg-type]
    questions = draw("tiny-facts", split="held_out", n=N, seed=0, layout=layout)
    prompts = [tokenise(question, model.tokenizer) for question in questions]
    hits = []
    with torch.inference_mode():
        for prompt in prompts:
            logits = model.logits(model.hidden(stack_tokens([prompt]))[:, -1])
            hits.append(int(logits.gather(1, stack_answers([prompt])).argmax()) == prompt.correct)
    return sum(hits) / N


def test_one_run_begins_with_nothing_and_the_other_goes_on_from_it() -> None:
    steps = {run: [one.step for one in all_checkpoints() if one.run == run] for run in ("letters", "random")}
    assert steps["letters"][0] == 0
    assert steps["letters"][-1] == 1000 < steps["random"][0]
    for of_run in steps.values():
        assert of_run == sorted(set(of_run))
        assert len(of_run) == 10


def test_every_checkpoint_loads_and_is_finite() -> None:
    for checkpoint in all_checkpoints():
        with safe_open(checkpoint.folder / "model.safetensors", "pt") as file:
            assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        model = load(checkpoint)
        assert (model.n_layers, model.n_heads, model.d_model) == (4, 8, 128)
        assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
        assert all(parameter.isfinite().all() for parameter in model.network.parameters())
        assert model.network.config.training_step == checkpoint.step


def test_training_has_taught_the_task() -> None:
    first, *_ = all_checkpoints()
    assert accuracy(load(first), "letters") < 0.5
    for last in {checkpoint.run: checkpoint for checkpoint in all_checkpoints()}.values():
        assert accuracy(load(last), "letters") >= BAR


def test_only_the_run_with_random_labels_reads_them() -> None:
    """One has learned to say the Nth letter, the other to copy the label that stands there."""
    last = {checkpoint.run: checkpoint for checkpoint in all_checkpoints()}
    assert accuracy(load(last["letters"]), "random_letters") < 0.5
    assert accuracy(load(last["random"]), "random_letters") >= BAR


def test_they_are_listed_as_models(tmp_path: Path) -> None:
    from backend.catalogue import read_sources

    sources = read_sources(tmp_path)
    for checkpoint in all_checkpoints():
        source = sources[checkpoint.id]
        assert source.checkpoint == checkpoint
        assert source.folder(tmp_path, lambda _: None) == checkpoint.folder
    weights = [source.weights for source in sources.values() if source.checkpoint]
    assert len(set(weights)) == len(weights)


def test_the_api_tells_the_step(client: Any) -> None:
    bodies = {body["id"]: body for body in client.get("/api/models").json()["models"]}
    assert bodies["tiny"]["checkpoint"] is None
    for checkpoint in all_checkpoints():
        expected = {"run": checkpoint.run, "title": checkpoint.title, "step": checkpoint.step}
        assert bodies[checkpoint.id]["checkpoint"] == expected


def test_unknown_words_are_refused_with_a_sentence() -> None:
    from analysis.errors import AnalysisError
    from analysis.question_sets import Layout, draw
    from analysis.tokenise import tokenise

    question = draw("memorised-facts", split="held_out", n=1, seed=0, layout=Layout())[0]
    with pytest.raises(AnalysisError, match=r"is not among the \d+ words"):
        tokenise(question, load(all_checkpoints()[0]).tokenizer)


def test_together_they_are_small() -> None:
    from backend.demo.mcq_tiny import FOLDER

    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 30e6


def test_the_model_card_tells_its_measurements() -> None:
    from backend.demo.mcq_tiny import FOLDER

    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for words in ("Held out", "random letters", "shuffled", "cannot"):
        assert words in card
