"""Categories of heads (F23): measures by hand, rules, thresholds, and planted heads of every kind."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analysis.activations import stack_tokens
from analysis.analyses.categories import Categories, CategoriesParameters, letter_order
from analysis.attention import by_role, head_attention
from analysis.attribution import logit_attribution
from analysis.categories import CATEGORIES, classify
from analysis.effects import node_effects
from analysis.errors import BadQuestion
from analysis.head_looks import WEIGHTINGS, HeadLooks, look_at_heads
from analysis.head_measures import balancing_weights, boosts, measure
from analysis.model import Certificate
from analysis.nodes import Head
from analysis.norms import freeze
from analysis.pair_runs import run_pairs
from analysis.prompts import PromptPair
from analysis.rules import MEANINGS, Condition, Thresholds
from analysis.run import record
from tests.analysis.planted import planted_heads, planted_model, planted_pairs, planted_questions
from tests.analysis.summaries import summary_of, values_of

EXACT = 1e-4
FAILED = Certificate(logits=1.0, attributions=0.0, patches=0.0, n_patches=8, tolerance=1e-4)
FAMILIES = ["llama", "gpt2", "gpt_neox", "gemma2", "qwen3"]


@pytest.fixture
def pairs_with_roles(pairs):
    """Four lines of label, content and line end after the first token, then a suffix of one token."""
    roles = [("bos",)]
    for letter in "ABCD":
        roles += [("label", f"label_{letter}"), ("content", f"content_{letter}")]
        roles += [("newline", f"newline_{letter}")]
    roles = tuple([*roles, ("suffix",)])
    return [
        replace(pair, clean=replace(pair.clean, roles=roles, label_positions=(1, 4, 7, 10))) for pair in pairs
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_all_heads_at_once_are_each_head_alone(family, tiny_model, pairs_with_roles):
    """Attention as the one-head analysis has it, effects and attributions as theirs."""
    model, pairs = tiny_model(family), pairs_with_roles
    prompts = [pair.clean for pair in pairs]
    looks = look_at_heads(model, run_pairs(model, pairs), prompts)
    attribution = logit_attribution(model, prompts)
    labels = [component.label for component in attribution.components]
    effects = node_effects(model, pairs)
    nodes = [str(node) for node in effects.nodes]
    for head in (Head(0, 1), Head(2, 2), Head(3, 3)):
        place = head.layer * model.n_heads + head.head
        for index, prompt in enumerate(prompts):
            shares = head_attention(model, prompt, head).shares
            for weighting, name in enumerate(WEIGHTINGS):
                assert name == ("raw", "value_weighted")[weighting]
                seen = [
                    getattr(looks, part)[index, weighting, place]
                    for part in ("labels", "contents", "newlines")
                ]
                expected = [
                    shares[weighting, [first, first + 3, first + 6, first + 9]] for first in (1, 2, 3)
                ]
                assert torch.allclose(torch.stack(seen), torch.stack(expected), atol=1e-5)
                suffix = by_role(shares[weighting], prompt.roles, ["suffix"])[0]
                assert abs(looks.suffix[index, weighting, place] - suffix) <= 1e-5
                assert abs(looks.sink[index, weighting, place] - shares[weighting, 0]) <= 1e-5
        row = labels.index(str(head))
        assert (looks.attribution[:, place] - attribution.values[:, row]).abs().max() <= EXACT
        column = nodes.index(str(head))
        assert (looks.total_effect[:, place] - effects.total_effect()[:, column]).abs().max() <= EXACT


@pytest.mark.parametrize("family", FAMILIES)
def test_incoming_logits_begin_with_the_embedding_and_miss_only_the_last_layer(family, tiny_model, pairs):
    """Read before each layer, with the norm's scale of the end: what comes later simply adds."""
    model = tiny_model(family)
    prompts = [pair.clean for pair in pairs]
    looks = look_at_heads(model, run_pairs(model, pairs), prompts)
    attribution = logit_attribution(model, prompts)
    last = [component.layer == model.n_layers - 1 for component in attribution.components]
    added = attribution.values[:, last].sum(1)
    assert (looks.incoming[:, -1] + added - attribution.logits).abs().max() <= EXACT
    run = record(model, stack_tokens(prompts))
    norm = freeze(model.parts.final_norm, run.final.resid_final)
    ids = torch.tensor([prompt.label_ids for prompt in prompts])
    embedded = model.uncapped_logits(norm(run.final.embedding) + norm.shift, ids)
    assert (looks.incoming[:, 0] - embedded).abs().max() <= EXACT


def test_plain_hooks_see_the_same(tiny_model, pairs_with_roles):
    """Where the certificate has not passed."""
    model, pairs = tiny_model("gemma2"), pairs_with_roles
    exact, plain = (
        look_at_heads(m, run_pairs(m, pairs), [pair.clean for pair in pairs])
        for m in (model, model.with_certificate(FAILED))
    )
    for name, values in vars(exact).items():
        assert (values - getattr(plain, name)).abs().max() <= EXACT, name


def random_looks(n_pairs, seed=0):
    """Two layers of three heads, four answers."""
    draw = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(n_pairs, *shape, generator=draw)

    return HeadLooks(
        labels=rand(2, 6, 4),
        contents=rand(2, 6, 4),
        newlines=rand(2, 6, 4),
        suffix=rand(2, 6),
        sink=rand(2, 6),
        attribution=rand(6, 4),
        total_effect=rand(6),
        incoming=rand(2, 4),
    )


def test_measures_by_hand():
    """Each written out with loops, for one head."""
    looks, correct, head = random_looks(7), torch.tensor([0, 1, 1, 2, 3, 3, 3]), 4
    found = measure(looks, correct, "value_weighted")
    labels = looks.labels[:, 1, head]
    rows = torch.stack([labels[correct == c].mean(0) for c in range(4)])
    diagonal = torch.tensor([rows[c, c] / rows[c].sum() for c in range(4)])
    assert torch.allclose(found.label_mass[:, head], rows.sum(-1))
    assert torch.allclose(found.diagonal[:, head], diagonal)
    shares = labels / labels.sum(-1, keepdim=True)
    entropy = -(shares * shares.log()).sum(-1) / torch.tensor(4.0).log()
    assert torch.allclose(found.evenness[1, head], entropy[1:3].mean())
    contents = torch.stack([looks.contents[correct == c, 1, head].mean(0) for c in range(4)])
    own, others = contents.diagonal().mean(), (contents.sum() - contents.diagonal().sum()) / 12
    assert torch.allclose(found.content_ratio[head], own / others)
    net = looks.attribution[:, head] - looks.attribution[:, head].mean(-1, keepdim=True)
    by_correct = torch.stack([net[correct == c, c].mean() for c in range(4)])
    assert torch.allclose(found.net[:, head], by_correct)


def test_boost_is_the_correlation_of_what_is_added_with_what_is_there():
    looks = random_looks(40)
    centred = looks.incoming - looks.incoming.mean(-1, keepdim=True)
    adding = 3 * looks.incoming.repeat_interleave(3, dim=1) + 5  # layer 0 has heads 0 to 2
    always = torch.tensor([4.0, 0, 0, -4]).expand_as(adding)  # a letter that is always favoured says nothing
    looks = replace(looks, attribution=adding + always)
    assert torch.allclose(boosts(looks), torch.ones(6), atol=1e-5)
    assert torch.allclose(boosts(replace(looks, attribution=-adding)), -torch.ones(6), atol=1e-5)
    assert torch.allclose(
        boosts(replace(looks, incoming=looks.incoming + always[:, :2])), torch.ones(6), atol=1e-5
    )
    x, y = random_looks(40, seed=1).attribution[:, 5], centred[:, 1]
    x = x - x.mean(-1, keepdim=True)
    x, y = (x - x.mean(0)).flatten(), (y - y.mean(0)).flatten()
    looks = replace(looks, attribution=random_looks(40, seed=1).attribution)
    assert float(boosts(looks)[5]) == pytest.approx(
        float(torch.corrcoef(torch.stack([x, y]))[0, 1]), abs=1e-5
    )


def test_letters_count_alike_however_often_they_are_correct():
    """A head that always looks at A does not pass for one that knows: half of the prompts have A correct."""
    correct = torch.tensor([0, 0, 0, 0, 1, 2, 3])
    weights = balancing_weights(correct)
    values = torch.arange(7.0)
    expected = torch.stack([values[correct == c].mean() for c in range(4)]).mean()
    assert float((values * weights).mean()) == pytest.approx(float(expected))
    looks = random_looks(7)
    looks.labels[:] = torch.tensor([0.9, 0.0, 0.0, 0.0])
    assert measure(looks, correct, "raw").diagonal.mean() == 0.25


@given(
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.floats(0.05, 0.95),
    st.sampled_from([(0.0, 1.0), (-1.0, 1.0), 0.3]),
    st.sampled_from(["at least", "at most", "above"]),
)
def test_a_margin_never_falls_on_the_way_from_its_threshold(low, high, threshold, reach, relation):
    low, high = sorted((low, high))
    condition = Condition("x", torch.tensor([low, high]), threshold, relation, reach)
    first, second = condition.margin.tolist()
    assert -1 <= first <= 1 and -1 <= second <= 1
    assert second <= first if relation == "at most" else first <= second
    for met, margin in zip(condition.met.tolist(), (first, second), strict=True):
        assert margin >= 0 if met else margin <= 0


def test_margins_at_their_ends():
    ends = Condition("x", torch.tensor([0.0, 0.6, 1.0, torch.nan]), 0.6)
    assert ends.margin.tolist() == pytest.approx([-1, 0, 1, -1], abs=1e-6) and ends.met.tolist() == [
        False,
        True,
        True,
        False,
    ]
    ratio = Condition("x", torch.tensor([2.0, 4.0, torch.inf]), 2.0, reach=2.0)
    assert ratio.margin.tolist() == [0, 0.5, 1]
    assert Condition("x", torch.tensor([0.0]), 0.0, "above", 0.1).met.tolist() == [False]


@pytest.fixture(scope="module", params=["position", "letter"])
def planted(request):
    model = planted_model(request.param)
    return request.param, model


@pytest.mark.parametrize("labels", ["ABCD", "CADB", "DCBA"])
def test_planted_heads_are_all_recognised(labels, planted):
    """All 32, whatever order the letters stand in and however attention is weighted."""
    reads, model = planted
    pairs = planted_pairs(model, planted_questions(4, labels=labels))
    values = values_of(Categories(), model, pairs, CategoriesParameters())
    expected = {label: category for label, (category, _) in planted_heads(reads).items()}
    for weighting in WEIGHTINGS:
        summary = Categories().summarise(model, pairs, values, CategoriesParameters(weighting=weighting))
        found = {verdict["head"]: verdict["category"] for verdict in summary.details["verdicts"]}
        assert found == dict.fromkeys(found, "other") | expected
        assert set(found.values()) == {category.name for category in CATEGORIES}
        kinds = {verdict["head"]: verdict["kind"] for verdict in summary.details["verdicts"]}
        assert kinds["L2H1"] == "only B, if it is correct"
        assert kinds["L2H2"] == "only C, whatever is correct"
        assert kinds["L2H0"] is None


def test_labels_in_another_order_for_every_question_change_nothing(planted):
    """Letters, not places, are compared, so single letters are still found."""
    reads, model = planted
    labels = ["ABCD", "CADB"]
    questions = [planted_questions(8, labels=labels[place // 4])[place] for place in range(8)]
    summary = summary_of(Categories(), model, planted_pairs(model, questions), CategoriesParameters())
    found = {verdict["head"]: verdict["category"] for verdict in summary.details["verdicts"]}
    assert all(found[label] == category for label, (category, _) in planted_heads(reads).items())
    assert summary.coordinates["answer"] == list("ABCD") and not summary.warnings


def test_answers_are_letters_only_where_all_questions_share_them(planted):
    _, model = planted
    same, mixed = (
        planted_pairs(model, planted_questions(1) + planted_questions(1, labels=labels))
        for labels in ("DCBA", "ABCE")
    )
    letters, order = letter_order(same)
    assert letters == list("ABCD") and order.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    letters, order = letter_order(mixed)
    assert letters[0] == "option 1" and order.tolist() == [[0, 1, 2, 3]] * 2


@pytest.fixture(scope="module")
def measured():
    model = planted_model()
    pairs = planted_pairs(model, planted_questions(8))
    return model, pairs, values_of(Categories(), model, pairs, CategoriesParameters())


def test_thresholds_move_verdicts_without_a_run(measured):
    model, pairs, values = measured
    assert Categories().computed_with(CategoriesParameters(label_mass=0.9, weighting="raw")) == {}

    def verdict(head, **thresholds):
        summary = Categories().summarise(model, pairs, values, CategoriesParameters(**thresholds))
        told = {one["name"]: one["value"] for one in summary.details["thresholds"]}
        assert all(told[name] == value for name, value in thresholds.items())
        return next(one for one in summary.details["verdicts"] if one["head"] == head)

    assert verdict("L2H5")["category"] == "suppressor"
    strict = verdict("L2H5", small_effect=2.0)
    assert strict["category"] == "other" and strict["confidence"] >= 0.5
    loose, usual = verdict("L1H0", content_ratio=0.5), verdict("L1H0", content_ratio=9.0)
    assert loose["category"] == usual["category"] == "content_gatherer"
    assert loose["confidence"] >= usual["confidence"] > 0.5
    assert verdict("L3H0", boost=1.0001)["category"] == "other"


def test_evidence_is_the_rule_that_decides(measured):
    model, pairs, values = measured
    summary = Categories().summarise(model, pairs, values, CategoriesParameters())
    for verdict in summary.details["verdicts"]:
        assert 0 <= verdict["confidence"] <= 1
        met = [one["met"] for one in verdict["evidence"]]
        assert all(met) if verdict["category"] != "other" else not all(met)
    correct = next(one for one in summary.details["verdicts"] if one["head"] == "L2H0")
    shown = {one["measure"]: one["value"] for one in correct["evidence"]}
    place = [node["label"] for node in summary.coordinates["head"]].index("L2H0")
    for name in ("label_mass", "diagonal_share"):
        assert shown[name] == pytest.approx(float(summary.tables[name].mean[place]))
    assert summary.tables["correct_by_label"].mean[place].diagonal().min() > 0.95
    assert [one["name"] for one in summary.details["thresholds"]] == [
        field.name for field in fields(Thresholds)
    ]
    assert set(MEANINGS) == {field.name for field in fields(Thresholds)}


def test_effects_have_intervals_around_the_balanced_mean(measured):
    model, pairs, values = measured
    uneven = [0, 1, 2, 3, 4, 5]  # A and B are correct twice
    few = {name: value[uneven] for name, value in values.items()}
    summary = Categories().summarise(model, [pairs[i] for i in uneven], few, CategoriesParameters())
    effects, correct = values["total_effect"][uneven], torch.tensor([0, 1, 2, 3, 0, 1])
    expected = torch.stack([effects[correct == c].mean(0) for c in range(4)]).mean(0)
    table = summary.tables["total_effect"]
    assert torch.allclose(table.mean, expected, atol=1e-5)
    low, high = table.low, table.high
    assert low is not None and high is not None
    assert (low <= table.mean + 1e-5).all() and (table.mean <= high + 1e-5).all() and (low < high).any()


def test_letters_that_no_prompt_has_are_told(measured):
    """The first figure of a run knows one pair: nothing about other letters is claimed."""
    model, pairs, values = measured
    first = {name: value[:1] for name, value in values.items()}
    summary = Categories().summarise(model, pairs[:1], first, CategoriesParameters())
    assert "B or C or D" in summary.warnings[0]
    kinds = {verdict["head"]: verdict["category"] for verdict in summary.details["verdicts"]}
    assert kinds["L2H3"] == "uniform" and kinds["L3H0"] == "other"
    evidence = next(one for one in summary.details["verdicts"] if one["head"] == "L3H0")["evidence"]
    assert all(one["value"] is None or one["value"] == one["value"] for one in evidence)


def test_a_wild_threshold_is_refused(measured):
    model, pairs, _ = measured
    for value in (-0.1, 11.0, float("nan")):
        with pytest.raises(BadQuestion, match="entropy"):
            Categories().check(model, pairs, CategoriesParameters(entropy=value))


def test_rules_are_asked_in_the_order_of_the_categories():
    """With thresholds of nothing every head is of the first kind."""
    looks = random_looks(8)
    looks = replace(
        looks, attribution=torch.eye(4).repeat(2, 1)[:, None].expand(8, 6, 4) + looks.attribution * 0.1
    )
    measures = measure(looks, torch.arange(8) % 4, "raw")
    nothing = Thresholds(**{field.name: 0.0 for field in fields(Thresholds)})
    assert {verdict.category for verdict in classify(measures, nothing, "ABCD")} == {"correct_letter"}


@pytest.mark.parametrize("family", FAMILIES)
def test_summary_on_every_family(family, tiny_model, pairs_with_roles):
    """Tables of all heads; the pair without a corrupt of its own roles does."""
    model = tiny_model(family)
    pairs = [PromptPair(pair.clean, pair.corrupt) for pair in pairs_with_roles]
    summary = summary_of(Categories(), model, pairs, CategoriesParameters())
    n_heads = model.n_layers * model.n_heads
    assert len(summary.details["verdicts"]) == len(summary.coordinates["head"]) == n_heads
    named = (
        "net_attribution",
        "total_effect",
        "label_mass",
        "diagonal_share",
        "entropy",
        "last_mass",
        "boost",
    )
    for name in (*named, "content_ratio", "newline_ratio"):
        assert summary.tables[name].mean.shape == (n_heads,) and summary.tables[name].mean.isfinite().all(), (
            name
        )
    assert summary.tables["diagonal_by_correct"].mean.shape == (n_heads, 4)
    assert summary.tables["correct_by_label"].mean.shape == (n_heads, 4, 4)
