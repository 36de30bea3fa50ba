"""Centroids, scores and patterns of a head (F26, F29): against numpy, and against what the model did."""

import numpy as np
import pytest
import torch

from analysis.activations import stack_tokens
from analysis.geometry import (
    Centroids,
    explained_share,
    final_scores,
    label_codes,
    label_of,
    option_pattern,
    options_and_rest,
    products,
    rotated,
    score_rule,
)
from analysis.nodes import Head
from analysis.run import record
from analysis.vectors import stack_positions, vectors_in

EXACT = 1e-5
HEADS = [Head(0, 3), Head(1, 0), Head(2, 2), Head(3, 1)]


@pytest.fixture
def prompts(random_prompt):
    return [random_prompt(seed) for seed in (1, 2, 3)]


def test_nearest_centroids_are_those_of_numpy():
    draw = torch.Generator().manual_seed(0)
    points, classes = torch.randn(60, 5, generator=draw), torch.randint(0, 4, (60,), generator=draw)
    points[:, 0] += classes
    fitted, judged = slice(0, 30), slice(30, None)
    x, y = points.double().numpy(), classes.numpy()
    means = np.stack([x[fitted][y[fitted] == one].mean(0) for one in range(4)])
    squares = ((x[judged][:, None] - means[None]) ** 2).sum(-1)
    expected = np.array([0, 1, 2, 3])[squares.argmin(-1)]
    centroids = Centroids.of(points[fitted], classes[fitted])
    assert centroids.nearest(points[judged]).tolist() == expected.tolist()
    hits = centroids.hits(points[judged], classes[judged])
    assert float(hits.mean()) == pytest.approx((expected == y[judged]).mean())
    assert 0.25 < float(hits.mean()) < 1


def test_a_class_without_centroid_is_not_judged_and_heads_are_apart():
    points = torch.tensor([[[0.0], [5.0]], [[1.0], [4.0]]])  # two heads, which order the classes differently
    centroids = Centroids.of(points, torch.tensor([7, 9]))
    assert centroids.nearest(torch.tensor([[[0.1], [0.1]]])).tolist() == [[7, 9]]
    hits = centroids.hits(points[:1].repeat(2, 1, 1), torch.tensor([7, 8]))
    assert hits[0].tolist() == [1, 1]
    assert hits[1].isnan().all()


@pytest.mark.parametrize("label", ["A", "10", "III", "é"])
def test_labels_have_numbers_of_their_own(label):
    assert label_of(int(label_codes([label])[0])) == label
    assert len(label_codes(["A", "B", "AB", "BA", "1"]).unique()) == 5


def test_scores_are_those_behind_the_pattern(model, prompts):
    """Of every family: with its scale, soft-cap and mask; the options' own share is rebuilt from them."""
    run, positions = record(model, stack_tokens(prompts)), stack_positions(prompts)
    for head in HEADS:
        scores = final_scores(run, head, score_rule(model, head.layer))
        pattern = run.pattern[head.layer][:, head.head]
        assert (scores.softmax(-1) - pattern).abs().max() <= EXACT
        rebuilt = option_pattern(*options_and_rest(scores, positions))
        assert (rebuilt - pattern.gather(1, positions)).abs().max() <= EXACT


def test_another_query_looks_as_it_does_at_home(model, prompts):
    """The same keys behind the query of another prompt: its own scores where the prompts are equal."""
    run, head = record(model, stack_tokens(prompts)), Head(2, 1)
    rule, query = score_rule(model, 2), run.query[2][:, 1]
    swapped = final_scores(run, head, rule, query.roll(1, 0))
    assert (swapped - final_scores(run, head, rule)).abs().max() > 1e-2
    twin = record(model, stack_tokens([prompts[0], prompts[0]]))
    theirs = twin.query[2][:, 1].flip(0)
    assert (final_scores(twin, head, rule, theirs) - final_scores(twin, head, rule)).abs().max() <= EXACT


def test_turned_again_they_are_what_attention_sees(model, prompts):
    run = record(model, stack_tokens(prompts))
    for head in HEADS:
        pre, post = (vectors_in(model, run, prompts, head, rope=rope) for rope in ("pre", "post"))
        again = rotated(model, head.layer, prompts, pre, "label")
        assert (again.query - post.query).abs().max() <= EXACT * 10
        assert (again.keys - post.keys).abs().max() <= EXACT * 10
        assert (products(again) - products(post)).abs().max() <= 1e-4


def test_share_of_the_variance_that_rebuilt_scores_carry():
    scores = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))
    assert float(explained_share(scores, scores + torch.arange(20.0)[:, None])) == pytest.approx(1, abs=1e-5)
    assert float(explained_share(scores, torch.zeros_like(scores))) == pytest.approx(0, abs=1e-6)
    centred = scores - scores.mean(-1, keepdim=True)
    assert float(explained_share(scores, centred / 2)) == pytest.approx(0.75, abs=1e-5)
    assert float(explained_share(scores, -scores)) < 0
