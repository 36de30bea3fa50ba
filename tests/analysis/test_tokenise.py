"""Tokens, their roles and the label tokens, over six kinds of tokenizers."""

from dataclasses import replace

import pytest
from transformers import PreTrainedTokenizerFast

from analysis.errors import BadQuestion, PromptTooLong, UnresolvedLabel
from analysis.layout import prelude_about, relabel
from analysis.questions import FORMATS, Option, Question, render
from analysis.roles import describe
from analysis.tokenise import tokenise
from tests.analysis.tokenizer_kinds import KINDS, bracket_merging, byte_level, line_end_merging, metaspace_bpe


def ask(contents: tuple[str, ...] = ("gray", "yellow", "pink", "red"), text: str = "") -> Question:
    options = tuple(Option(label, content) for label, content in zip("ABCD", contents, strict=False))
    return Question(text or "The bike is yellow. What color is the bike?", options, correct=1)


SHOT = replace(ask(), text="The hat is yellow. What color is the hat?")
QUESTIONS = {
    "plain": ask(),
    "prelude and shots": replace(ask(), prelude=prelude_about("colors"), shots=(SHOT, SHOT)),
    "letters only": replace(
        ask(), format=FORMATS["A."], shots=(replace(SHOT, format=FORMATS["A."]),), prelude="Choose.\n\n"
    ),
    "numbers": relabel(ask(), "1234"),
    "shuffled": relabel(ask(), "CADB"),
    "sentences": ask(("It is gray.", "It is  yellow?", 'The "pink" (one).', "Red, or café 🚲!")),
    "looks special": ask(("<s>", "</s> A", "<unk>x", "red"), "Is <s> yellow?\nOr </s>?"),
}


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerFast:
    return KINDS[request.param]()


@pytest.fixture(params=QUESTIONS)
def question(request: pytest.FixtureRequest, tokenizer: PreTrainedTokenizerFast) -> Question:
    asked = QUESTIONS[request.param]
    if asked.format.label_lead and len(tokenizer.tokenize("is A")) != len(tokenizer.tokenize("is")) + 1:
        pytest.skip("this tokenizer has no token for a space and a letter; see the test of refused labels")
    return asked


def test_every_token_has_known_roles(question: Question, tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = tokenise(question, tokenizer)
    assert len(prompt.token_ids) == len(prompt.roles) == len(prompt.token_texts)
    for roles in prompt.roles:
        assert roles and all(describe(role) for role in roles)
    special = [roles == ("bos",) for roles in prompt.roles]
    assert special == [id_ == 1 and place == 0 for place, id_ in enumerate(prompt.token_ids)]
    assert "suffix" in prompt.roles[-1]


def test_labels_are_found_where_they_stand(question: Question, tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = tokenise(question, tokenizer)
    for place, label in enumerate(question.labels):
        position = prompt.label_positions[place]
        right = "label_correct" if place == question.correct else "label_incorrect"
        assert prompt.token_texts[position].strip() == label
        assert str(tokenizer.decode([prompt.token_ids[position]])).strip() == label
        assert {"label", right, f"label_{label}"} <= set(prompt.roles[position])
    assert prompt.warnings == ()


def test_contents_lie_between_their_label_and_their_newline(
    question: Question, tokenizer: PreTrainedTokenizerFast
) -> None:
    prompt = tokenise(question, tokenizer)
    for option in question.options:
        mine = [place for place, roles in enumerate(prompt.roles) if f"content_{option.label}" in roles]
        assert mine == list(range(mine[0], mine[-1] + 1))
        assert "content_last" in prompt.roles[mine[-1]]
        assert f"newline_{option.label}" in prompt.roles[mine[-1]] + prompt.roles[mine[-1] + 1]
        if option.content.isascii():
            assert "".join(prompt.token_texts[place] for place in mine).strip() == option.content
    assert sum("content_last" in roles for roles in prompt.roles) == len(question.options)


def test_the_tokens_are_the_tokenizers_own(tokenizer: PreTrainedTokenizerFast) -> None:
    question = QUESTIONS["prelude and shots"]
    prompt = tokenise(question, tokenizer)
    whole = tokenizer(render(question))["input_ids"]
    assert list(prompt.token_ids) == whole[: len(prompt.token_ids)]
    assert [tokenizer.eos_token_id] * (len(whole) - len(prompt.token_ids)) == whole[len(prompt.token_ids) :]
    words = [word for word, roles in zip(prompt.token_texts, prompt.roles, strict=True) if roles != ("bos",)]
    assert "".join(words).lstrip(" ▁") == prompt.text  # ▁ stands before the text, not in it


def test_a_label_is_what_follows_the_prompt(question: Question, tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = tokenise(question, tokenizer)
    for label, id_ in zip(question.labels, prompt.label_ids, strict=True):
        text = prompt.text + question.format.label_lead + label
        longer = tokenizer(text, split_special_tokens=True)["input_ids"]
        assert longer[: len(prompt.token_ids) + 1] == [*prompt.token_ids, id_]
        assert str(tokenizer.decode([id_])).strip() == label
    assert prompt.answer_id == prompt.label_ids[question.correct]


def test_the_label_after_a_space_is_another_token_than_the_one_after_a_bracket() -> None:
    tokenizer = byte_level()
    bracket, space = tokenise(ask(), tokenizer), tokenise(QUESTIONS["letters only"], tokenizer)
    assert set(bracket.label_ids).isdisjoint(space.label_ids)


def test_a_merge_with_the_bracket_is_resolved_and_said() -> None:
    tokenizer = bracket_merging()
    prompt = tokenise(ask(), tokenizer)
    assert tokenizer.convert_ids_to_tokens(list(prompt.label_ids)) == ["A", "B", "C", "D"]
    assert [prompt.token_texts[place] for place in prompt.label_positions] == ["(A", "(B", "C", "D"]
    assert {"delimiter", "label"} <= set(prompt.roles[prompt.label_positions[0]])
    (warning,) = prompt.warnings
    assert "'(A'" in warning and "2 of 4" in warning


def test_a_merge_in_the_option_line_alone_is_said() -> None:
    """In Llama 3 "(A" is one token after a line's end, but not after a space."""
    tokenizer = line_end_merging(("\n(A)\n(B)\n" * 50,))
    prompt = tokenise(ask(), tokenizer)
    assert prompt.token_texts[prompt.label_positions[0]] == "(A"
    assert tokenizer.decode([prompt.label_ids[0]]) == "A"
    assert len(prompt.warnings) == 1


def test_a_label_of_several_tokens_is_refused() -> None:
    question = relabel(ask(), ["A", "B", "C", "éé"])
    with pytest.raises(UnresolvedLabel, match="'éé'"):
        tokenise(question, byte_level())
    with pytest.raises(UnresolvedLabel, match=r"'A' .*after 'Answer:'"):
        tokenise(QUESTIONS["letters only"], byte_level(merges=0))


def test_too_long_prompts_are_refused_with_both_numbers() -> None:
    with pytest.raises(PromptTooLong, match=r"has 9,\d+ characters; at most 8,192"):
        tokenise(ask(text="x" * 9000), byte_level())
    with pytest.raises(PromptTooLong, match=r"has \d+ tokens; at most 20 "):
        tokenise(ask(), byte_level(), max_tokens=20)


def test_words_that_look_special_stay_words() -> None:
    prompt = tokenise(QUESTIONS["looks special"], metaspace_bpe())
    assert prompt.token_ids.count(1) == 1  # only the token that begins
    assert 2 not in prompt.token_ids


def test_a_bad_question_is_refused() -> None:
    with pytest.raises(BadQuestion, match="no text"):
        tokenise(ask(text=" "), byte_level())


def test_an_unknown_role_has_no_meaning() -> None:
    with pytest.raises(KeyError):
        describe("importance_B")
