"""The built-in sets: balance, seeds, halves that share no vocabulary, layouts."""

import string
from collections import Counter
from typing import get_args

import pytest

from analysis.errors import BadQuestion
from analysis.generators import Split
from analysis.layout import LabelStyle, Layout, Stem
from analysis.question_sets import BUILTIN, LABEL_STYLES, arrange, draw
from analysis.questions import Option, Question, check, render

SPLITS: tuple[Split, ...] = get_args(Split)


def ask(set_id: str = "stated-facts", n: int = 32, seed: int = 0, **layout) -> list[Question]:
    return draw(set_id, split="held_out", n=n, seed=seed, layout=Layout(**layout))


def spread(counts: Counter, n_places: int) -> int:
    values = [counts[place] for place in range(n_places)]
    return max(values) - min(values)


@pytest.mark.parametrize("set_id", BUILTIN)
@pytest.mark.parametrize("style", LABEL_STYLES)
@pytest.mark.parametrize("n_options", [2, 3, 4, 5, 10])
def test_draws_are_balanced_and_can_be_asked(set_id: str, style: LabelStyle, n_options: int) -> None:
    questions = ask(set_id, n=31, n_options=n_options, label_style=style)
    assert spread(Counter(question.correct for question in questions), n_options) <= 1
    for question in questions:
        check(question)
        assert len(question.options) == n_options
    assert len({(question.text, question.answer) for question in questions}) == 31


def test_shuffled_labels_are_balanced_as_labels_too() -> None:
    questions = ask(n=32, label_style="shuffled")
    assert Counter(question.labels[question.correct] for question in questions) == dict.fromkeys("ABCD", 8)
    placed = Counter((question.correct, question.labels[question.correct]) for question in questions)
    assert set(placed.values()) == {2}  # place and letter are independent


def test_correct_letters_are_uniform() -> None:
    """4000 questions of one draw, and the first question of 800 draws: below 11.3 in 99 % of seeds."""
    many = draw("stated-facts", split="train", n=4000, seed=0, layout=Layout())
    assert Counter(question.correct for question in many) == dict.fromkeys(range(4), 1000)
    firsts = Counter(ask("categories", n=4, seed=seed)[0].correct for seed in range(800))
    assert sum((firsts[place] - 200) ** 2 / 200 for place in range(4)) < 11.3


@pytest.mark.parametrize("set_id", BUILTIN)
def test_the_seed_decides(set_id: str) -> None:
    assert ask(set_id) == ask(set_id)
    assert ask(set_id) != ask(set_id, seed=1)


def vocabulary(stems: tuple[Stem, ...]) -> tuple[set[str], set[str]]:
    return {stem.text for stem in stems}, {
        content for stem in stems for content in (stem.answer, *stem.distractors)
    }


@pytest.mark.parametrize("set_id", BUILTIN)
def test_the_halves_share_no_question(set_id: str) -> None:
    for train, held_out in zip(*(BUILTIN[set_id].stems(split) for split in SPLITS), strict=True):
        asked = [{(stem.text, stem.answer) for stem in half} for half in (train, held_out)]
        assert asked[0].isdisjoint(asked[1])
        assert [len(half) for half in asked] == [len(train), len(held_out)]


@pytest.mark.parametrize("set_id", [name for name in BUILTIN if name not in ("sums", "tiny-facts")])
def test_the_halves_share_no_options(set_id: str) -> None:
    for train, held_out in zip(*(BUILTIN[set_id].stems(split) for split in SPLITS), strict=True):
        assert vocabulary(train)[1].isdisjoint(vocabulary(held_out)[1])


def test_held_out_things_are_not_asked_about_in_training() -> None:
    for set_id in ("stated-facts", "memorised-facts"):
        for train, held_out in zip(*(BUILTIN[set_id].stems(split) for split in SPLITS), strict=True):
            assert vocabulary(train)[0].isdisjoint(vocabulary(held_out)[0])


def test_tiny_facts_share_words_but_no_pair_of_them() -> None:
    """What mcq-tiny is judged on holds no word that it has not read, and no fact that it has."""
    for train, held_out in zip(*(BUILTIN["tiny-facts"].stems(split) for split in SPLITS), strict=True):
        read, judged = vocabulary(train), vocabulary(held_out)
        assert read[0].isdisjoint(judged[0])
        assert read[1] == judged[1]
        assert len(held_out) * 3 == len(train)


def test_sums_and_orders_are_right() -> None:
    for question in ask("sums", n=60):
        a, b = question.text.removeprefix("What is ").removesuffix("?").split(" + ")
        assert int(question.answer) == int(a) + int(b)
    for question in ask("ordering", n=60):
        numbers = [int(content) for content in question.contents]
        assert int(question.answer) == (max(numbers) if "largest" in question.text else min(numbers))


def test_no_distractor_is_right_as_well() -> None:
    """Within a table every answer belongs to one question only."""
    for name in ("memorised-facts", "categories"):
        for split in SPLITS:
            for stems in BUILTIN[name].stems(split):
                right = {(stem.text, stem.answer) for stem in stems}
                for stem in stems:
                    assert not any((stem.text, wrong) in right for wrong in stem.distractors)


def test_what_the_sets_hold() -> None:
    for name in ("stated-facts", "memorised-facts"):
        assert BUILTIN[name].n_questions("train") >= 300
        assert BUILTIN[name].n_questions("held_out") >= 150


@pytest.mark.parametrize(
    ("style", "alphabet"),
    [
        ("letters", "ABCD"),
        ("shuffled", "ABCD"),
        ("numbers", "1234"),
        ("random_letters", string.ascii_uppercase[4:]),
    ],
)
def test_label_styles(style: LabelStyle, alphabet: str) -> None:
    questions = ask(label_style=style)
    assert all(set(question.labels) <= set(alphabet) for question in questions)
    in_order = [list(question.labels) == sorted(question.labels) for question in questions]
    assert all(in_order) == (style in ("letters", "numbers"))


def test_prelude_and_shots() -> None:
    for question in ask("memorised-facts", prelude=True, shots=5, format="A."):
        assert question.prelude.startswith("A highly knowledgeable and intelligent AI answers")
        assert question.prelude.endswith(f"about {question.subject}.\n\n")
        assert len(question.shots) == 5
        assert question.text not in [shot.text for shot in question.shots]
        assert render(question).count("\nAnswer:") == 6
        assert render(question).count("highly knowledgeable") == 1


@pytest.mark.parametrize(
    "layout",
    [
        Layout(n_options=1),
        Layout(n_options=11),
        Layout(format="[A]"),
        Layout(shots=6),
    ],
)
def test_layouts_that_do_not_exist_are_refused(layout: Layout) -> None:
    with pytest.raises(BadQuestion):
        draw("stated-facts", split="train", n=4, seed=0, layout=layout)


def test_too_many_questions_are_refused_with_the_number_there_is() -> None:
    with pytest.raises(BadQuestion, match=r"has \d+ such questions; n = 100000"):
        ask(n=100_000)
    with pytest.raises(BadQuestion, match="no question set 'mmlu'"):
        ask("mmlu")


def uploaded(n: int = 40) -> list[Question]:
    return [
        Question(
            f"Question {number}?",
            tuple(Option(label, f"{label.lower()}{number}") for label in "ABCD"),
            correct=0 if number % 3 else 2,
            subject="tests",
        )
        for number in range(n)
    ]


def test_own_questions_keep_the_order_of_their_options() -> None:
    for question in arrange(uploaded(), n=12, seed=0, layout=Layout()):
        assert [content[0] for content in question.contents] == list("abcd")
        assert question.answer[0] == ("a" if int(question.text[9:-1]) % 3 else "c")


def test_own_questions_are_picked_evenly() -> None:
    counts = Counter(question.correct for question in arrange(uploaded(), n=16, seed=0, layout=Layout()))
    assert counts[2] >= 4  # a quarter of 16, although they are a third of the file


def test_own_questions_lose_surplus_options_in_order() -> None:
    for question in arrange(uploaded(), n=12, seed=0, layout=Layout(n_options=3, label_style="numbers")):
        assert question.labels == ("1", "2", "3")
        assert list(question.contents) == sorted(question.contents)
        assert question.answer[0] == ("a" if int(question.text[9:-1]) % 3 else "c")


def test_own_questions_with_too_few_options_are_refused() -> None:
    with pytest.raises(BadQuestion, match="0 questions with 5 options or more"):
        arrange(uploaded(), n=4, seed=0, layout=Layout(n_options=5))
    shots = arrange(uploaded(), n=8, seed=0, layout=Layout(shots=2))
    assert all(len(question.shots) == 2 for question in shots)


@pytest.mark.parametrize("style", ["letters", "shuffled", "random_letters"])
def test_a_larger_draw_begins_with_the_smaller_one(style):
    from analysis.counterfactuals import make_pairs
    from analysis.question_sets import Layout, draw

    def pairs(n):
        drawn = draw("stated-facts", split="held_out", n=n, seed=3, layout=Layout(label_style=style))
        return make_pairs(drawn, "swap_options", 3)

    assert pairs(40)[:10] == pairs(10)
    assert {pair[0].correct for pair in pairs(4)} == {0, 1, 2, 3}
