"""One training step in a few numbers: each is what its own analysis says."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.analysis.summaries import values_of

N_FIT, N = 6, 4


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> Any:
    from analysis.model import LanguageModel

    return LanguageModel.load(tiny_folder)


@pytest.fixture(scope="module")
def parameters() -> Any:
    from analysis.analyses.checkpoint import CheckpointParameters

    return CheckpointParameters(n_fit=N_FIT)


@pytest.fixture(scope="module")
def others(model: Any) -> Any:
    from analysis.question_sets import Layout, draw
    from analysis.tokenise import tokenise

    questions = draw("ordering", split="train", n=N_FIT, seed=0, layout=Layout())
    return [tokenise(question, model.tokenizer) for question in questions]


@pytest.fixture(scope="module")
def pairs(model: Any, parameters: Any) -> Any:
    """Pairs with everything that the analysis asks for."""
    from analysis.analyses.checkpoint import Checkpoint
    from analysis.counterfactuals import make_pairs
    from analysis.prompts import PromptPair
    from analysis.question_sets import Layout, draw
    from analysis.tokenise import tokenise, tokenised_or_none

    questions = draw("ordering", split="held_out", n=N, seed=0, layout=Layout())
    return [
        PromptPair(
            tokenise(clean, model.tokenizer),
            tokenise(corrupt, model.tokenizer),
            tuple(
                tokenised_or_none(variant, model.tokenizer)
                for variant in Checkpoint().variants(clean, parameters)
            ),
        )
        for clean, corrupt in make_pairs(questions, "swap_options", 0)
    ]


@pytest.fixture(scope="module")
def analysis(model: Any, others: Any, parameters: Any) -> Any:
    from analysis.analyses.checkpoint import Checkpoint

    return Checkpoint().knowing(Checkpoint().from_others(model, others, parameters))


@pytest.fixture(scope="module")
def summary(analysis: Any, model: Any, pairs: Any, parameters: Any) -> Any:
    analysis.check(model, pairs, parameters)
    return analysis.summarise(model, pairs, values_of(analysis, model, pairs, parameters), parameters)


def test_the_best_heads_write_most_on_the_other_prompts(analysis: Any, model: Any, others: Any) -> None:
    from analysis.attribution import logit_attribution

    each = [logit_attribution(model, [prompt]) for prompt in others]
    net = torch.stack([parts.net[0] for parts in each]).mean(0)
    labels = {
        component.label: value
        for component, value in zip(each[0].components, net.tolist(), strict=True)
        if component.kind == "head"
    }
    assert list(analysis.heads) == sorted(labels, key=lambda label: -labels[label])[:3]


def test_accuracy_is_what_the_gate_says(summary: Any, model: Any, pairs: Any) -> None:
    from analysis.gate import gate_prompt
    from analysis.mutations import MUTATIONS

    forms = list(MUTATIONS)
    for name in ("none", "shuffled", "numbers", "two_options"):
        gates = [gate_prompt(model, pair.variants[forms.index(name)]) for pair in pairs]
        right = sum(gate.chosen == gate.correct for gate in gates) / N
        assert float(summary.tables["accuracy"].mean[forms.index(name)]) == pytest.approx(right)
    assert [mutation["label"] for mutation in summary.coordinates["mutation"]] == forms


def test_a_form_that_cannot_be_written_has_no_accuracy(summary: Any, pairs: Any) -> None:
    """Bytes write `II` as two tokens."""
    from analysis.mutations import MUTATIONS

    place = list(MUTATIONS).index("roman")
    assert all(pair.variants[place] is None for pair in pairs)
    assert summary.tables["accuracy"].mean[place].isnan()


def test_every_head_is_in_one_category(summary: Any, model: Any) -> None:
    assert int(summary.tables["categories"].mean.sum()) == model.n_layers * model.n_heads
    assert len(summary.coordinates["category"]) == len(summary.tables["categories"].mean)


def test_recovery_is_that_of_the_low_rank_analysis(
    summary: Any, analysis: Any, model: Any, pairs: Any, others: Any
) -> None:
    from analysis.analyses.low_rank import LowRank, LowRankParameters

    chosen = LowRankParameters(heads=analysis.heads, at="content_last", kinds=("q", "qk"), ranks=(0, 3))
    alone = LowRank().knowing(LowRank().from_others(model, others, chosen))
    found = alone.summarise(model, pairs, values_of(alone, model, pairs, chosen), chosen)
    assert float(summary.tables["recovery"].mean) == pytest.approx(
        float(found.tables["recovery"].mean[1, 0, 1]), abs=1e-4, nan_ok=True
    )


def test_place_and_letter_are_those_of_the_best_heads(
    summary: Any, analysis: Any, model: Any, pairs: Any, others: Any
) -> None:
    from dataclasses import replace

    from analysis.analyses.nth_item import NthItem, NthItemParameters
    from analysis.mutations import MUTATIONS

    chosen = NthItemParameters(analysis.heads, causal=False)
    alone = NthItem().knowing(NthItem().from_others(model, others, chosen))
    shuffled = [replace(pair, variants=pair.variants[len(MUTATIONS) :]) for pair in pairs]
    keys = values_of(alone, model, shuffled, chosen)["keys"].mean((0, 1))
    for place, name in enumerate(("position", "letter")):
        assert float(summary.tables[f"{name}_score"].mean) == pytest.approx(float(keys[place]), abs=1e-6)


def test_the_step_is_told_where_the_model_knows_it(
    analysis: Any, model: Any, pairs: Any, parameters: Any, summary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert summary.details["step"] is None
    monkeypatch.setattr(model.network.config, "training_step", 40, raising=False)
    values = values_of(analysis, model, pairs[:2], parameters)
    assert analysis.summarise(model, pairs[:2], values, parameters).details["step"] == 40


def test_one_prompt_is_not_enough_to_fit_on(analysis: Any, model: Any, pairs: Any) -> None:
    from analysis.analyses.checkpoint import CheckpointParameters
    from analysis.errors import BadQuestion

    with pytest.raises(BadQuestion, match="at least 2"):
        analysis.check(model, pairs, CheckpointParameters(n_fit=1))
