"""Mutated prompts as a client asks for them: every form for every analysis, the other split unmutated."""

from dataclasses import asdict
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from tests.backend.test_api import answer, error_of, settled, spec
from tests.conftest import until


def choice_of(**fields: Any) -> Any:
    from backend.schemas.spec import PromptChoice

    return PromptChoice(**{"n": 6, **fields})


@pytest.fixture(scope="module")
def prompt_sets(api: Any) -> Any:
    return api.state.headscope.prompt_sets


def test_the_wire_knows_the_same_mutations() -> None:
    from analysis.mutations import MUTATIONS
    from backend.schemas.spec import MutationName

    assert get_args(MutationName) == tuple(MUTATIONS)


def test_an_own_mutation_on_the_wire_has_the_same_parts() -> None:
    from analysis import mutations
    from backend.schemas.spec import OwnMutation

    assert OwnMutation().model_dump() == asdict(mutations.OwnMutation())


def test_without_a_mutation_the_questions_are_what_they_were(prompt_sets: Any) -> None:
    from analysis.counterfactuals import make_pairs
    from analysis.layout import Layout
    from analysis.question_sets import draw

    drawn = draw("stated-facts", split="held_out", n=6, seed=0, layout=Layout())
    assert prompt_sets.pairs(choice_of()) == make_pairs(drawn, "swap_options", 0)
    assert prompt_sets.pairs(choice_of(own_mutation={})) == prompt_sets.pairs(choice_of())


def test_the_corrupt_question_is_made_from_the_mutated_clean_one(prompt_sets: Any) -> None:
    from analysis.mutations import MUTATIONS

    plain = prompt_sets.pairs(choice_of(shots=1))
    for name, mutation in MUTATIONS.items():
        for sampler in ("swap_options", "diff_letter"):
            pairs = prompt_sets.pairs(choice_of(shots=1, mutation=name, sampler=sampler))
            for (clean, corrupt), (unmutated, _) in zip(pairs, plain, strict=True):
                assert clean == mutation.mutate(unmutated)
                assert (corrupt.labels, corrupt.format) == (clean.labels, clean.format)
                assert corrupt.correct != clean.correct


def test_prompts_of_the_other_split_are_never_mutated(prompt_sets: Any) -> None:
    mutated = choice_of(mutation="random_letters", own_mutation={"opening": "<", "closing": "> "})
    others = prompt_sets.others(mutated, 5)
    assert others == prompt_sets.others(choice_of(), 5)
    assert others != [clean for clean, _ in prompt_sets.pairs(mutated)][:5]


@pytest.mark.parametrize(
    "mutation", ["shuffled", "random_letters", "bracket", "options_first", "two_options"]
)
def test_a_mutated_result(client: TestClient, mutation: str) -> None:
    from analysis.mutations import MUTATIONS

    result = answer(client, spec("gate", mutation=mutation))
    assert result["complete"] and result["spec"]["prompts"]["mutation"] == mutation
    assert result["provenance"]["prompts"].endswith(MUTATIONS[mutation].title.lower())
    assert result["key"] != answer(client, spec("gate"))["key"]
    shown = answer(client, spec("prompts", mutation=mutation))["details"]["pairs"][0]
    labels = [option["label"] for option in shown["clean"]["options"]]
    assert labels == [option["label"] for option in shown["corrupt"]["options"]]
    assert len(labels) == (2 if mutation == "two_options" else 4)


def test_an_own_mutation_comes_after_a_built_in_one(client: TestClient) -> None:
    own = {"labels": ["W", "X", "Y", "Z"], "opening": "[", "closing": "] ", "lead": "Q: "}
    shown = answer(client, spec("prompts", mutation="options_first", own_mutation=own))["details"]["pairs"][0]
    assert shown["clean"]["text"].startswith("[W] ")
    assert shown["clean"]["text"].endswith("\nAnswer: [")
    assert "\nQ: " in shown["clean"]["text"]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ({"mutation": "upside_down"}, "prompts.mutation"),
        ({"own_mutation": {"labels": ["A", "B", "C"]}}, "3 labels"),
        ({"own_mutation": {"labels": ["A", "B", "C", "A"]}}, "same label"),
        ({"own_mutation": {"labels": ["A", "B", "C", ""]}}, "labels"),
        ({"own_mutation": {"separator": ""}}, "separator"),
        ({"own_mutation": {"prelude": "x" * 2001}}, "prelude"),
        ({"own_mutation": {"colour": "red"}}, "colour"),
        ({"own_mutation": {"labels": ["one", "two or three", "four", "five"]}}, "single token"),
    ],
)
def test_what_cannot_be_asked_is_refused(client: TestClient, prompts: dict[str, Any], words: str) -> None:
    response = client.post("/api/results", json=spec("prompts", **prompts))
    if response.status_code == 202:
        job = until(lambda: settled(client, response.json()["key"]))
        assert words in job["error"]["message"]
        return
    assert response.status_code == 422, response.text
    assert words in error_of(response)["message"]


def test_bars_of_mutations(client: TestClient) -> None:
    """Full rank is clean, a user's own mutation stands last, and a part that is there is not run again."""
    chosen = {"heads": ["L1H0", "L1H2"], "mutations": ["none", "roman", "two_options"], "n_fit": 4}
    own = {"opening": "[", "closing": "] "}
    result = answer(client, spec("mutations", n=2, parameters={**chosen, "own": own}))
    names = [entry["label"] for entry in result["coordinates"]["mutation"]]
    assert names == [*chosen["mutations"], "own"]
    assert result["coordinates"]["bar"] == ["clean", "ablated", "full_rank", "low_rank", "random", "chance"]
    for metric in result["tables"]["bars"]["mean"]:
        for name, (clean, ablated, full_rank, *_) in zip(names, metric, strict=True):
            if name in result["details"]["missing"]:
                assert clean is None
            else:
                assert full_rank == pytest.approx(clean, abs=1e-4) and ablated is not None
    assert result["details"]["prompts"]["own"][0]["text"].endswith("Answer: [")
    assert len(result["details"]["prompts"]["two_options"][0]["labels"]) == 2


def test_bias(client: TestClient) -> None:
    """Prior and content part sum to the attribution that the map shows."""
    bias, effects = answer(client, spec("bias", seed=4)), answer(client, spec(seed=4))
    assert sum(bias["tables"]["prior"]["mean"]) == pytest.approx(1, abs=1e-5)
    assert 0 <= bias["details"]["rstd"] <= 1
    net = dict(zip(labels(effects), effects["tables"]["attribution"]["mean"], strict=True))
    parts = (bias["tables"][name]["mean"] for name in ("prior_attribution", "content_attribution"))
    for label, prior, content in zip(labels(bias), *parts, strict=True):
        assert prior + content == pytest.approx(net[label], abs=1e-4)


def labels(result: dict[str, Any]) -> list[str]:
    return [node["label"] for node in result["coordinates"]["node"]]
