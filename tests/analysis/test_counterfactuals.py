"""What holds for every pair of a sampler."""

from collections import Counter

import pytest

from analysis.counterfactuals import SAMPLERS, make_pairs
from analysis.errors import BadQuestion
from analysis.layout import Layout
from analysis.question_sets import draw
from analysis.questions import Question

LAYOUTS = [
    Layout(),
    Layout(n_options=2),
    Layout(label_style="random_letters"),
    Layout(label_style="shuffled"),
]


def drawn(layout: Layout, n: int = 60) -> list[Question]:
    return draw("stated-facts", split="held_out", n=n, seed=3, layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_swapped_options_differ_in_two_contents_only(layout: Layout) -> None:
    for clean, corrupt in make_pairs(drawn(layout), "swap_options", 0):
        assert (corrupt.text, corrupt.labels, corrupt.answer) == (clean.text, clean.labels, clean.answer)
        assert corrupt.correct != clean.correct
        differing = [
            place for place, content in enumerate(clean.contents) if corrupt.contents[place] != content
        ]
        assert sorted(differing) == sorted([clean.correct, corrupt.correct])
        assert sorted(corrupt.contents) == sorted(clean.contents)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("sampler", ["diff_letter", "same_letter"])
def test_the_other_question_is_answered_as_the_sampler_says(sampler: str, layout: Layout) -> None:
    for clean, corrupt in make_pairs(drawn(layout), sampler, 0):
        assert corrupt.text != clean.text
        assert corrupt.labels == clean.labels
        same = corrupt.labels[corrupt.correct] == clean.labels[clean.correct]
        assert same == (sampler == "same_letter")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_seed_decides(sampler: str) -> None:
    questions = drawn(Layout())
    assert make_pairs(questions, sampler, 1) == make_pairs(questions, sampler, 1)
    assert make_pairs(questions, sampler, 1) != make_pairs(questions, sampler, 2)
    assert [clean for clean, _ in make_pairs(questions, sampler, 1)] == questions


def test_the_swapped_place_is_any_other() -> None:
    places = Counter(
        (clean.correct, corrupt.correct)
        for clean, corrupt in make_pairs(drawn(Layout(), 240), "swap_options", 0)
    )
    assert len(places) == 12
    assert min(places.values()) >= 8  # 20 expected


def test_too_few_questions_and_unknown_samplers_are_refused() -> None:
    with pytest.raises(BadQuestion, match="another correct letter"):
        make_pairs(drawn(Layout(), 1), "diff_letter", 0)
    with pytest.raises(BadQuestion, match=r"'relabel'.*swap_options, diff_letter, same_letter"):
        make_pairs(drawn(Layout()), "relabel", 0)
