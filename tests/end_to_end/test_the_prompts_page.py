"""The page on prompts: a pair is edited, written and uploaded, the tokenizer answers, and the map follows."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Server
from tests.end_to_end.visitor import Visitor, ask

pytestmark = pytest.mark.browser
TEXTS = [
    {"clean": f"the {a} and {b} met; {b} saw", "corrupt": f"the {a} and {b} met; {a} saw"}
    | {"answer": a, "distractor": b}
    for a, b in ("xy", "ab")
]


@pytest.fixture(scope="module")
def server(tiny_server: Server) -> Server:
    return tiny_server


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    return visit()


def prompts_of(server: Server, page: Page, index: int) -> dict:
    """The pair that the address of the page stands for, as the API tells it."""
    named = re.search(r"set=([\w-]+)", page.url)
    n = re.search(r"[?&]n=(\d+)", page.url)
    assert named and n
    spec = {"analysis": "prompts", "prompts": {"set": named[1], "n": int(n[1])}}
    return ask(server, spec)["details"]["pairs"][index]


def test_a_question_is_edited_and_the_map_has_it(visitor: Visitor, server: Server) -> None:
    page = visitor.open("/?n=3&index=1")
    page.get_by_role("button", name="Edit this question").click()
    expect(page).to_have_url(re.compile(r"/prompts\?n=3&index=1$"))
    expect(page.locator(".pair-line[aria-current]")).to_contain_text("2")
    page.get_by_role("button", name="Edit this pair").click()
    said = page.locator("#editor-said")
    expect(said).to_contain_text("they differ in")
    page.locator("#editor").get_by_label("Question").first.fill("Where is the moon?")
    page.get_by_label("Label 1, clean prompt").fill("Q")
    expect(said).to_contain_text("The labels differ: Q, B, C, D and A, B, C, D")
    expect(said.locator(".answer-tokens tbody tr").first).to_contain_text("Q")
    page.get_by_role("button", name="swap the correct option with B").click()
    expect(said).not_to_contain_text("The labels differ")
    page.get_by_role("button", name="Add an example").click()
    expect(page.get_by_role("button", name="Remove example 1")).to_be_visible()
    page.get_by_role("button", name="Use these prompts").first.click()
    expect(page).to_have_url(re.compile(r"/\?set=pairs-\w+&n=3&index=1"))
    expect(page.locator("#question")).to_contain_text("Where is the moon?")
    pair = prompts_of(server, page, 1)
    assert "(Q) " in pair["clean"]["text"] and pair["corrupt"]["correct"] == 1
    assert pair["clean"]["text"].count("Answer: (") == 2  # the example is answered


def test_a_pair_of_texts_is_written_and_checked_while_typing(visitor: Visitor, server: Server) -> None:
    page = visitor.open("/prompts?n=3")
    page.get_by_role("button", name="Write a pair of texts").click()
    said = page.locator("#editor-said")
    expect(said).to_contain_text("Cannot be used. The prompt is empty.")
    page.get_by_label("Clean prompt").fill(TEXTS[0]["clean"])
    corrupt = page.get_by_role("textbox", name="Corrupt prompt", exact=True)
    corrupt.fill(TEXTS[0]["corrupt"] + "!")
    page.get_by_label("Answer", exact=True).fill("xx")
    page.get_by_label("Distractor", exact=True).fill("y")
    expect(said).to_contain_text("The answer “xx” is 2 tokens here (“x” + “x”); it must be one.")
    expect(said).to_contain_text("The prompts have 22 and 23 tokens.")
    page.get_by_role("button", name="Use this pair").click()
    expect(page.locator("#editor-notice")).to_contain_text("Not kept yet")
    corrupt.fill(TEXTS[0]["corrupt"])
    page.get_by_label("Answer", exact=True).fill("x")
    expect(said).to_contain_text("Both have 22 tokens; they differ in 1 token: “y” / “x” at 17.")
    expect(said.locator(".token-differs")).to_have_count(1)
    page.get_by_role("button", name="Use this pair").click()
    expect(page).to_have_url(re.compile(r"/\?set=text-\w+&n=1"))
    expect(page.locator("#question")).to_contain_text("answer“x”")
    expect(page.locator("h1").first).to_have_text("What puts the right answer on top?")
    expect(page.locator("#map-sentence")).to_contain_text("the correct answer’s centred logit")
    assert prompts_of(server, page, 0)["corrupt"]["text"] == TEXTS[0]["corrupt"]


def test_a_file_is_shown_before_it_is_kept_and_its_mistakes_name_their_lines(
    visitor: Visitor, server: Server, tmp_path: Path
) -> None:
    page = visitor.open("/prompts?n=3")
    field, said = page.get_by_label("A file of prompts"), page.locator("#upload-said")
    bad = tmp_path / "bad.csv"
    bad.write_text("What is 1?,one,two,A\nWhat?,a,b\nWhat is 2?,one,two,Z\n")
    field.set_input_files(bad)
    expect(said).to_contain_text("Nothing was uploaded: 2 lines cannot be read.")
    rows = said.locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["2", "3"] and "'Z' is not a letter from A to B" in rows[1]
    expect(said).to_contain_text("the letter of the correct one")
    expect(page.get_by_role("button", name="Use these prompts")).to_have_count(0)
    good = tmp_path / "good.jsonl"
    good.write_text("\n".join(map(json.dumps, [*TEXTS, TEXTS[0] | {"answer": "two"}])))
    field.set_input_files(good)
    expect(said).to_contain_text("3 pairs of texts read. This model cannot use 1 of the 3 that were checked.")
    expect(said).to_contain_text("Line 3: The answer “two” is 3 tokens here")
    expect(said.locator(".previewed")).to_have_count(3)
    said.get_by_role("button", name="Use these prompts").click()
    expect(page).to_have_url(re.compile(r"/\?set=text-\w+&n=3"))
    page.locator("#to-prompts").click()
    expect(page.locator("#drawn-title")).to_contain_text("a link to it works for everybody of this server")
    expect(page.locator(".pair-line")).to_have_count(3)
    expect(page.locator(".pair-line").nth(2)).to_contain_text("cannot be used")


def test_a_mutation_of_ones_own_stands_in_the_link_and_is_measured(visitor: Visitor) -> None:
    page = visitor.open("/prompts?n=3")
    page.get_by_label("Labels, with spaces between them").fill("W X Y")
    expect(page.get_by_label("A mutation of your own")).to_contain_text("3 labels")
    page.get_by_label("Labels, with spaces between them").fill("W X Y Z")
    page.get_by_label("After an option").fill("; ")
    expect(page.get_by_label("A mutation of your own").locator(".answer-tokens")).to_contain_text("W")
    page.get_by_role("button", name="Use this mutation").click()
    expect(page.locator("#drawn-title")).to_contain_text("own labels W X Y Z and separator")
    expect(page.locator("#prompts-chip")).to_contain_text("own labels W X Y Z")
    page.wait_for_url("**own=**")
    link = page.url
    again = visitor.open(link.removeprefix(visitor.server.address))
    expect(again.get_by_label("Labels, with spaces between them")).to_have_value("W X Y Z")
    expect(again.locator("#drawn-pair .answer-tokens")).to_contain_text("W")
    expect(again.locator("#prompts-chip")).to_contain_text("own labels W X Y Z")
    again.get_by_role("button", name="Without it").click()
    expect(again.locator("#prompts-chip")).not_to_contain_text("own labels")


def test_the_page_is_reached_and_used_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/prompts?n=14")
    lines: Callable[[], list[str]] = page.locator(".pair-line").all_inner_texts
    expect(page.locator(".pair-line")).to_have_count(12)
    page.locator(".pair-line").nth(3).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("index=3"))
    expect(page.locator(".pair-line[aria-current]")).to_contain_text("4")
    page.get_by_role("button", name="Later").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pair-line")).to_have_count(2)
    assert [line.split()[0] for line in lines()] == ["13", "14"]
