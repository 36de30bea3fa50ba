"""Every metric equals the same thing written out in numpy (F17), and says its unit and what is better."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from analysis.activations import stack_tokens
from analysis.metrics import METRICS, Answers, chosen, log_normaliser
from analysis.naive import plain_logits

N_PAIRS, N_NODES, N_ANSWERS, N_TOKENS = 5, 7, 4, 50


@pytest.fixture
def vocabulary_logits() -> torch.Tensor:
    """Logits of all tokens in every world; the answers are the first four tokens."""
    draw = torch.Generator().manual_seed(0)
    return 3 * torch.randn(N_PAIRS, N_NODES, N_TOKENS, generator=draw, dtype=torch.double)


@pytest.fixture
def answers(vocabulary_logits: torch.Tensor) -> Answers:
    draw = torch.Generator().manual_seed(1)
    return Answers(
        logits=vocabulary_logits[..., :N_ANSWERS],
        correct=torch.tensor([0, 3, 1, 2, 2]),
        distractor=torch.tensor([1, 0, 2, 3, 0]),
        base_logits=3 * torch.randn(N_PAIRS, N_ANSWERS, generator=draw, dtype=torch.double),
        log_normaliser=vocabulary_logits.logsumexp(-1),
    )


def in_numpy(name: str, logits: Any, base: Any, right: int, wrong: int) -> float:
    """One metric of one world; `logits` holds the whole vocabulary, the answers come first."""
    letters = logits[:N_ANSWERS]
    among_letters = np.exp(letters) / np.exp(letters).sum()
    among_tokens = np.exp(logits) / np.exp(logits).sum()
    before = np.exp(base) / np.exp(base).sum()
    return {
        "centred_logit": letters[right] - letters.sum() / N_ANSWERS,
        "logit_difference": letters[right] - letters[wrong],
        "letter_loss": -np.log(among_letters[right]),
        "letter_probability": among_letters[right],
        "letter_kl": sum(p * np.log(p / q) for p, q in zip(before, among_letters, strict=True)),
        "accuracy": float(max(range(N_ANSWERS), key=letters.__getitem__) == right),
        "loss": -np.log(among_tokens[right]),
        "probability": among_tokens[right],
    }[name]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_what_numpy_says(name, answers, vocabulary_logits):
    expected = [
        [
            in_numpy(name, world.numpy(), base.numpy(), int(right), int(wrong))
            for world in vocabulary_logits[pair]
        ]
        for pair, (base, right, wrong) in enumerate(
            zip(answers.base_logits, answers.correct, answers.distractor, strict=True)
        )
    ]
    measured = METRICS[name](answers)
    assert measured.shape == (N_PAIRS, N_NODES)
    assert np.abs(measured.numpy() - np.array(expected)).max() <= 1e-6


@pytest.mark.parametrize("name", METRICS)
def test_one_world_per_pair_or_many(name, answers):
    one = replace(answers, logits=answers.logits[:, 2], log_normaliser=answers.log_normaliser[:, 2])
    assert torch.allclose(METRICS[name](one), METRICS[name](answers)[:, 2])


@pytest.mark.parametrize("name", METRICS)
def test_better_means_what_it_says(name, answers):
    """The correct answer's logit goes up, and the metric moves the way it calls better.

    From the base run itself: there the KL is 0, the lowest that it can be, and any move makes it larger.
    """
    low = replace(answers, logits=answers.base_logits, log_normaliser=answers.base_logits.logsumexp(-1))
    raised = low.logits.scatter_add(1, low.correct[:, None], torch.full((N_PAIRS, 1), 30.0).double())
    high = replace(low, logits=raised, log_normaliser=raised.logsumexp(-1))
    change = METRICS[name](high) - METRICS[name](low)
    if name == "letter_kl":
        assert METRICS[name](low).abs().max() <= 1e-12
        assert (change > 0).all()
    elif METRICS[name].better == "higher":
        assert (change >= 0).all() and (change > 0).any()
    else:
        assert (change < 0).all()


def test_units():
    units = {name: metric.unit for name, metric in METRICS.items()}
    assert units == {
        "centred_logit": "logit",
        "logit_difference": "logit",
        "letter_loss": "nat",
        "letter_probability": "fraction",
        "letter_kl": "nat",
        "accuracy": "fraction",
        "loss": "nat",
        "probability": "fraction",
    }


def test_by_hand():
    """Logits ln 3 and 0 are probabilities 3/4 and 1/4 among letters; a token with logit ln 4 halves both."""
    logits = torch.tensor([[math.log(3.0), 0.0]])
    by_hand = Answers(
        logits=logits,
        correct=torch.tensor([0]),
        distractor=torch.tensor([1]),
        base_logits=torch.zeros(1, 2),
        log_normaliser=torch.tensor([math.log(8.0)]),
    )
    expected = {
        "centred_logit": math.log(3) / 2,
        "logit_difference": math.log(3),
        "letter_loss": -math.log(3 / 4),
        "letter_probability": 3 / 4,
        "letter_kl": 0.5 * math.log((1 / 2) / (3 / 4)) + 0.5 * math.log((1 / 2) / (1 / 4)),
        "accuracy": 1.0,
        "loss": -math.log(3 / 8),
        "probability": 3 / 8,
    }
    assert {name: float(METRICS[name](by_hand)) for name in METRICS} == pytest.approx(expected, abs=1e-6)
    assert chosen(logits).tolist() == [0]


@pytest.mark.parametrize("name", ["loss", "probability"])
def test_the_vocabulary_is_not_made_up(name, answers):
    """Without its normaliser there is no number, rather than one over the letters."""
    assert METRICS[name].over_vocabulary
    with pytest.raises(ValueError, match="whole vocabulary"):
        METRICS[name](replace(answers, log_normaliser=None))


@pytest.mark.parametrize("family", ["llama", "gemma2", "phi"])
def test_normaliser_of_a_model(family, tiny_model, pairs):
    """log Σ exp of transformers' own logits, soft-cap and bias included; more rows than one piece holds."""
    model = tiny_model(family)
    token_ids = stack_tokens([pair.clean for pair in pairs])
    hidden = model.hidden(token_ids)[:, -1]
    expected = torch.from_numpy(np.log(np.exp(plain_logits(model, token_ids).double().numpy()).sum(-1)))
    found = log_normaliser(model, hidden.expand(40, *hidden.shape))
    assert found.shape == (40, len(pairs))
    assert (found - expected).abs().max() <= 1e-5
