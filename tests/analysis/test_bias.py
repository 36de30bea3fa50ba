"""Selection bias (F39): PriDe's numbers, a planted preference found exactly, attributions that sum."""

from dataclasses import replace

import pytest
import torch

from analysis.analyses.attribution import Attribution
from analysis.analyses.base import NoParameters
from analysis.analyses.bias import Bias
from analysis.bias import debiased, label_prior, moved_on, recall, recall_std, right_in_every_order
from analysis.errors import PromptTooLong
from analysis.prompts import PromptPair
from analysis.questions import Option, Question
from tests.analysis.summaries import summary_of, values_of

EXACT = 1e-4
OBSERVED = [  # three questions in four cyclic orders, not normalised
    [[0.34, 0.23, 0.16, 0.15], [0.39, 0.42, 0.33, 0.37], [0.31, 0.43, 0.39, 0.15], [0.41, 0.16, 0.37, 0.2]],
    [[0.41, 0.31, 0.24, 0.28], [0.16, 0.19, 0.35, 0.34], [0.33, 0.27, 0.45, 0.44], [0.36, 0.35, 0.36, 0.27]],
    [[0.19, 0.37, 0.31, 0.24], [0.3, 0.42, 0.43, 0.26], [0.32, 0.25, 0.33, 0.25], [0.27, 0.42, 0.22, 0.34]],
]
ASKED = [0.21, 0.33, 0.18, 0.28]
# What the reference implementation's simple debiasing says to these.
PRIOR = [0.25828642982245076, 0.2555949816542696, 0.2648107678506441, 0.22130782064305365]
DEBIASED = [-0.20696163141676416, 0.25549856565216844, -0.38605863625648884, 0.23523501708907046]


def test_the_reference_implementation_says_the_same():
    observed = torch.tensor(OBSERVED, dtype=torch.double)
    prior = label_prior(observed.log().log_softmax(-1)).mean(0)
    assert (prior - torch.tensor(PRIOR, dtype=torch.double)).abs().max() <= 1e-9
    found = debiased(torch.tensor(ASKED, dtype=torch.double).log(), prior)
    assert (found - torch.tensor(DEBIASED, dtype=torch.double)).abs().max() <= 2e-9  # it adds 1e-10 to p
    assert float(prior.sum()) == pytest.approx(1, abs=1e-12)


def test_a_planted_preference_is_found_and_taken_away():
    """Logits = what the content says + what the label adds: the prior is the softmax of the latter."""
    draw = torch.Generator().manual_seed(0)
    content, added = torch.randn(50, 4, generator=draw).double(), torch.tensor([3.0, 0.0, -1.0, 0.5]).double()
    orders = torch.stack([content.roll(step, -1) for step in range(4)], 1)
    log_probs = (orders + added).log_softmax(-1)
    prior = label_prior(log_probs)
    assert torch.allclose(prior, added.softmax(-1).expand(50, 4), atol=1e-12)
    correct = content.argmax(-1)
    assert (log_probs[:, 0].argmax(-1) == correct).double().mean() < 0.6
    assert (debiased(log_probs[:, 0], prior.mean(0)).argmax(-1) == correct).all()
    assert right_in_every_order(orders, correct).all()
    assert not right_in_every_order(orders + added * 100, correct).any()


def test_contents_stand_once_at_every_label():
    options = tuple(Option(*pair) for pair in zip("ABCDE", ("v", "w", "x", "y", "z"), strict=True))
    question = Question("Which?", options, correct=3)
    orders = [question, *moved_on(question)]
    assert len(orders) == 5 and {order.answer for order in orders} == {"y"}
    assert all(order.labels == question.labels for order in orders)
    assert [order.correct for order in orders] == [3, 4, 0, 1, 2]
    for place in range(5):
        assert {order.contents[place] for order in orders} == set("vwxyz")


def test_recalls():
    correct, choices = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 1, 1])
    found = recall(choices, correct, 4).mean
    assert found[:3].tolist() == [0.5, 1.0, 0.0] and found[3].isnan()
    assert recall_std(found) == pytest.approx((1 / 6) ** 0.5)


@pytest.fixture
def permuted(pairs, random_prompt):
    """Pairs whose clean prompts stand in three more orders, one of them longer than the others."""
    variants = [random_prompt(30), random_prompt(31), random_prompt(32, n_tokens=17)]
    return [replace(pair, variants=tuple(variants)) for pair in pairs]


def test_both_parts_sum_to_the_net_attribution(model, permuted):
    found = summary_of(Bias(), model, permuted, NoParameters())
    tables = {name: table.mean for name, table in found.tables.items()}
    attribution = summary_of(Attribution(), model, permuted, NoParameters())
    components = [component["label"] for component in attribution.coordinates["component"]]
    rows = [components.index(node["label"]) for node in found.coordinates["node"]]
    net = attribution.tables["net"].mean[rows]
    assert (tables["prior_attribution"] + tables["content_attribution"] - net).abs().max() <= EXACT
    assert tables["prior_attribution"].abs().max() > 1e-2
    assert len(rows) == 4 * (4 + 1)  # every head and MLP
    assert float(tables["prior"].sum()) == pytest.approx(1, abs=1e-5)


def test_every_part_of_one_question_by_hand(tiny_model, permuted):
    """Each order alone through the attribution analysis, whatever their lengths."""
    model, pair = tiny_model("gpt2"), permuted[0]
    orders = [pair.clean, *pair.variants]
    alone = values_of(Attribution(), model, [PromptPair(each, each) for each in orders], NoParameters())
    to_label = alone["values"] - alone["values"].mean(-1, keepdim=True)
    prior = to_label.mean(0)
    logits = alone["values"].sum(1)
    found = Bias().compute(model, pair, NoParameters())
    assert (found["prior_attribution"] - prior).abs().max() <= EXACT
    assert (found["attribution"] - to_label[0]).abs().max() <= EXACT
    assert (found["logits"] - logits).abs().max() <= EXACT


def test_a_missing_order_is_refused(tiny_model, permuted):
    pair = replace(permuted[0], variants=(None, *permuted[0].variants[1:]))
    with pytest.raises(PromptTooLong, match="Not every order"):
        Bias().check(tiny_model("llama"), [pair], NoParameters())
