"""The page on prompts without a browser: drafts, drawings of pairs, an own mutation in the address."""

import asyncio
import json
from typing import Any

import pytest

from frontend import drafts, own, specs
from frontend.addresses import state_of
from frontend.client import BackendClient
from frontend.figures import alone, paper_heads
from frontend.figures.choices import options_of
from frontend.figures.question import question_card
from frontend.figures.texts import methods
from frontend.figures.workshop import checked, differences, file_problems, pair_list, preview, previewed
from frontend.panels.editor import keep
from frontend.panels.own import form_of, of_form
from frontend.panels.wants import section_specs, wants
from frontend.phrases import for_set
from frontend.state import State, href, parse
from frontend.theme import LIGHT
from tests.frontend.conftest import FakeApi, attribute, result, table, text_of, walk

Json = dict[str, Any]
TEXT: Json = {"clean": "a b", "corrupt": "a c", "answer": " x", "distractor": " y"}
OPTIONS = [{"label": "A", "content": "red"}, {"label": "B", "content": "pink"}]
QUESTION: Json = {"question": "Which?", "options": OPTIONS, "answer": 0}


def pair(**clean: Any) -> Json:
    return {"clean": QUESTION | clean, "corrupt": QUESTION | {"answer": 1}}


def read(*texts: str, answers: tuple[tuple[str, int | None], ...] = ((" x", 7), (" y", 8))) -> Json:
    """A prompt as the API tells it; equal texts are equal tokens."""
    tokens = [{"id": abs(hash(text)), "text": text, "start": 0, "end": 1, "special": False} for text in texts]
    said = [{"text": text, "id": id_, "token": text if id_ else ""} for text, id_ in answers]
    return {"text": "".join(texts), "tokens": tokens, "answers": said}


def check(clean: Json | None, corrupt: Json | None, aligned: Any, *remarks: Json) -> Json:
    usable = not any(remark["stops"] for remark in remarks)
    return {"clean": clean, "corrupt": corrupt, "aligned": aligned, "remarks": remarks, "usable": usable}


SAME = [(0, 0), (1, 1), (2, 2)]
CHECK = check(read("a", " <b>", "\n"), read("a", " c", "\n"), SAME)


def test_a_form_changes_what_it_names_and_nothing_else() -> None:
    assert drafts.filled(TEXT, {"clean": "z", "answer-1": None}) == TEXT | {"clean": "z", "distractor": ""}
    changed = drafts.filled(
        pair(subject="colors"), {"clean-question": "Who?", "clean-content-1": "blue", "clean-correct": "1"}
    )
    assert changed["clean"]["question"] == "Who?" and changed["clean"]["subject"] == "colors"
    assert (
        changed["clean"]["options"][1] == {"label": "B", "content": "blue"}
        and changed["clean"]["answer"] == 1
    )
    assert changed["corrupt"]["options"] == OPTIONS
    assert drafts.filled(pair(), {"prelude": "First."})["corrupt"]["prelude"] == "First."


def test_steps_of_the_form() -> None:
    three = drafts.changed(TEXT, "more")
    assert three["answers"] == [" x", " y", ""] and drafts.changed(three, "fewer") == TEXT
    longer = drafts.changed(pair(), "more")
    assert [side["options"][-1] for side in longer.values()] == [{"label": "C", "content": ""}] * 2
    assert drafts.changed(drafts.filled(longer, {"clean-correct": "2"}), "fewer")["clean"]["answer"] == 1
    swapped = drafts.changed(pair(), "swap:1")["corrupt"]
    assert [option["content"] for option in swapped["options"]] == ["pink", "red"] and swapped["answer"] == 1
    shown = drafts.with_shot(pair(), QUESTION | {"shots": [1], "prelude": "x"})
    assert shown["clean"]["shots"] == shown["corrupt"]["shots"] == [QUESTION]
    assert drafts.changed(shown, "unshot:0")["clean"]["shots"] == []
    assert drafts.changed(TEXT, "nothing") == TEXT
    assert drafts.changed(TEXT, "swap")["corrupt"] == TEXT["clean"]


def test_tokens_that_differ_are_marked_and_named() -> None:
    assert differences(CHECK) == "Both have 3 tokens; they differ in 1 token: “·<b>” / “·c” at 1."
    drawn = checked(CHECK)
    marked = [part for part in walk(drawn) if "token-differs" in (getattr(part, "className", "") or "")]
    assert [text_of(part) for part in marked] == ["·<b>·c"]
    longer = check(read("a", "b"), read("a", "x", "b"), [(0, 0), (None, 1), (1, 2)])
    assert differences(longer) == "2 tokens and 3; they differ in 1 token: – / “x” at 1."
    assert differences(check(read("a"), read("a"), [(0, 0)])) == "Both have 1 token; they are the same."


def test_what_stops_a_pair_is_said_first_and_an_answer_without_a_token_has_none() -> None:
    remark = {"where": "clean", "message": "It is empty.", "stops": True}
    odd = check(read("a", answers=((" x", None), (" y", 8))), None, [], remark)
    text = text_of(checked(odd))
    assert text.startswith("Cannot be used. Clean prompt: It is empty.")
    assert "·xnot one token–" in text and "·y·y8" in text
    assert text_of(checked(check(None, None, [], remark))) == "Cannot be used. Clean prompt: It is empty."


def test_the_list_says_lengths_and_which_pair_is_shown() -> None:
    uneven = check(read("a"), read("a", "b"), [(0, 0), (None, 1)])
    drawn = [{"index": 4, "pair": TEXT, "check": CHECK}, {"index": 5, "pair": pair(), "check": uneven}]
    listed = pair_list(drawn, 5)
    assert text_of(listed) == "5a b3 tokens6Which?1 and 2 tokens"
    assert attribute(listed, "aria-current") == ["true"]
    assert [json.loads(change) for change in attribute(listed, "data-go")] == [{"index": "4"}, {"index": "5"}]


def test_a_file_is_shown_with_its_problems_or_its_first_prompts() -> None:
    problems = [
        {"line": 3, "message": "<b>", "expected": "a,b"},
        {"line": None, "message": "no", "expected": ""},
    ]
    assert text_of(file_problems(problems)) == (
        "Nothing was uploaded: 2 lines cannot be read.A line should look like a,blinewhat is wrong3<b>–no"
    )
    drawn = {"index": 0, "pair": TEXT, "check": CHECK}
    found = {"kind": "text", "n": 2, "n_checked": 2, "n_unusable": 1, "pairs": [drawn]}
    remark = {"line": 2, "message": "Too long.", "stops": True}
    assert text_of(preview(found | {"remarks": [remark]})) == (
        "2 pairs of texts read. This model cannot use 1 of the 2 that were checked.Line 2: Too long."
    )
    assert "·<b>·c" in text_of(previewed(found))
    assert "·c" not in text_of(previewed(found | {"kind": "questions"}))


def test_an_edited_pair_replaces_its_own_and_a_new_one_comes_last(
    api: FakeApi, client: BackendClient
) -> None:
    pairs = [TEXT | {"clean": str(number)} for number in range(3)]
    drawn = [{"index": at, "pair": one, "check": None} for at, one in enumerate(pairs)]
    api.answers["POST", "/api/prompts/draw"] = (200, {"n": 3, "kind": "text", "pairs": drawn})
    api.answers["POST", "/api/prompt-sets"] = (201, {"id": "text-1"})
    want = {"model": "tiny", "address": {"path": "/prompts", "search": "?n=3", "default": "tiny"}}
    edited = {"pair": TEXT, "index": 1, "want": want}
    change = asyncio.run(keep(client, edited, TEXT, "use"))
    assert (change["set"], change["n"], change["index"], change["page"]) == ("text-1", "3", "1", "map")
    assert asyncio.run(keep(client, edited | {"index": None}, TEXT, "stay"))["n"] == "4"
    alone = asyncio.run(keep(client, edited, TEXT, "alone"))
    assert (alone["n"], alone["index"], alone["own"], alone["mutation"]) == ("1", "0", "", "none")


@pytest.mark.parametrize(
    "text",
    [
        '{"labels":["W","X"]}',
        '{"closing":"","lead":"","prelude":"Ü \\n"}',
        '{"separator":"; ","suffix":"So:"}',
    ],
)
def test_an_own_mutation_survives_the_address(text: str) -> None:
    (place, problems) = parse("/prompts", href(State(page="prompts", own=text)).partition("?")[2])
    assert place.own == own.read(text) and not problems
    assert specs.gate(place)["prompts"]["own_mutation"] == json.loads(text)
    assert state_of(specs.gate(place)).own == place.own


@pytest.mark.parametrize(
    "text",
    [
        *('"x"', "[1]", "{", '{"colour":"red"}', '{"labels":["A"]}', '{"labels":3}', '{"labels":["A",""]}'),
        *('{"separator":""}', '{"suffix":""}', '{"opening":5}', '{"lead":"' + "x" * 201 + '"}', "[" * 9999),
    ],
)
def test_what_is_no_mutation_is_refused_by_the_address(text: str) -> None:
    with pytest.raises(ValueError):
        own.read(text)


def test_a_form_writes_line_ends_visibly() -> None:
    text = of_form({"labels": " W  X ", "separator": "\\n\\n", "lead": ""})
    assert json.loads(text) == {"labels": ["W", "X"], "separator": "\n\n"}
    assert form_of(text) == {"labels": "W X", "separator": "\\n\\n"}
    assert of_form({"labels": "", "lead": ""}) == "" and own.words(text) == "own labels W X and separator"


def test_sentences_about_plain_texts_speak_of_answers() -> None:
    said = "Letters: the correct letter’s centred logit."
    assert for_set(said, "indirect-object") == "Answers: the correct answer’s centred logit."
    assert for_set(said, "text-12") != said == for_set(said, "set-12")


def test_plain_texts_have_no_sections_about_labels() -> None:
    place, _ = parse("/m/tiny/L1H0", "?set=indirect-object")
    found = section_specs(place)
    assert "paths" in found and "knock" in found and not {"subspace", "nth_item", "bias"} & set(found)
    assert wants(place, "tiny")["want-verdict"] is None


def test_positions_are_those_that_the_prompts_have() -> None:
    texts = options_of("positions", State(set="text-1", positions="label"))
    assert {"final", "changed", "says_answer", "label"} <= set(texts) and "suffix" not in texts
    assert not {"changed", "says_answer"} & set(options_of("positions", State()))


def test_a_plain_text_is_read_with_its_answers() -> None:
    options = [{"label": text, "content": text} for text in (" x", " y")]
    told = {"question": "a <b>", "options": options, "correct": 0, "plain_text": True}
    text = text_of(question_card({"clean": told, "corrupt": told | {"question": "a c", "correct": 1}}))
    assert text.startswith("a <b>answer“·x”distractor“·y”") and "after it “·y” is right" in text


def test_methods_say_how_finished_pairs_came_about() -> None:
    prompts = specs.gate(State())["prompts"]
    said = {}
    for name in ("stated-facts", "indirect-object", "text-1", "pairs-1"):
        spec = {"analysis": "gate", "prompts": prompts | {"set": name}, "parameters": {}}
        said[name] = methods(result(spec=spec)).partition(". ")[0]
    assert said["stated-facts"].endswith("the correct option and another one change places")
    assert said["indirect-object"].endswith("each with its own corrupt prompt, drawn with seed 0")
    assert said["text-1"] == said["pairs-1"] and said["text-1"].endswith("taken as they were written")


def test_figures_of_plain_texts_have_no_labels() -> None:
    body = result(
        spec={"analysis": "attention", "prompts": {"set": "text-1"}},
        coordinates={
            "weighting": ["raw"],
            "role": [{"label": "says_answer", "meaning": "the answer itself"}],
            "answer": ["answer", "distractor"],
        },
        tables={"by_role": table(["weighting", "role"], [[0.75]])},
    )
    shown = text_of(alone.attention(body, State(), LIGHT))
    assert "says answer0.75" in shown and "abel" not in shown
    ((panel,),) = paper_heads.attention(body, State(), LIGHT)
    assert "kind of token" in str(panel.title)
