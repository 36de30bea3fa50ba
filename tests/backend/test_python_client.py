"""`headscope.py` against a server: the same numbers as the API, as arrays."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI

import headscope
from backend.serve import listen
from tests.conftest import until


@pytest.fixture(scope="module")
def client(api: FastAPI) -> Iterator[headscope.Client]:
    """A client of a server that runs in a thread of this process, and answers every new spec with a job."""
    state = api.state.headscope
    patient = state.settings.model_copy(update={"answer_within_s": 0.0})
    api.state.headscope = replace(state, settings=patient)
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(api, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started)
    with headscope.Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        yield client
    server.should_exit = True
    thread.join()
    listener.close()


SPEC: dict[str, Any] = {"analysis": "effects", "prompts": {"n": 12, "seed": 3}}


def test_a_result_comes_with_its_tables(client: headscope.Client, capsys: pytest.CaptureFixture[str]) -> None:
    result = client.result(SPEC, progress=True)
    assert capsys.readouterr().err.startswith("\reffects: ")
    again = client.result(SPEC)
    assert (again.key, again.body) == (result.key, result.body)
    assert client.stored(result.key).body == result.body
    effects = result.table("total_effect")
    table = result.body["tables"]["total_effect"]
    assert effects.axes == ("node",) and effects.unit == table["unit"]
    assert effects.values.dtype == np.float64 and effects.values.tolist() == table["mean"]
    assert effects.low is not None and effects.low.tolist() == table["low"]
    assert effects.labels("node")[:2] == ["L0H0", "L0H1"]
    assert effects.labels("node") == [node["label"] for node in effects.coordinates["node"]]


def test_what_was_not_computed_is_nan() -> None:
    table = {"axes": ["row", "x"], "unit": "logit", "mean": [[1.0, None]], "low": None, "high": None}
    result = headscope.Result("k", {"tables": {"a": table}, "coordinates": {"x": ["p", "q"]}})
    read = result.table("a")
    assert read.values[0, 0] == 1.0 and np.isnan(read.values[0, 1])
    assert read.low is None
    assert read.labels("x") == ["p", "q"] and read.labels("row") == ["0"]
    with pytest.raises(KeyError, match="it has a"):
        result.table("b")


def test_every_analysis_is_listed_with_an_example(client: headscope.Client) -> None:
    examples = client.analyses()
    assert examples["gate"]["analysis"] == "gate"


def test_errors_are_sentences(client: headscope.Client) -> None:
    with pytest.raises(headscope.HeadscopeError, match="gpt-9"):
        client.result({"analysis": "gate", "model": "gpt-9"})
    with pytest.raises(headscope.HeadscopeError, match="single token"):
        client.result(
            {"analysis": "prompts", "prompts": {"set": "sums", "n_options": 10, "label_style": "numbers"}}
        )
    with pytest.raises(headscope.HeadscopeError, match="Start it: headscope serve"):
        headscope.Client("http://127.0.0.1:9").stored("0" * 64)
