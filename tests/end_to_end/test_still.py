"""Finished content in a real browser: there before it is painted; later only what differs is touched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash import html
from playwright.sync_api import Browser, Page

from frontend.figures.attributes import attrs
from frontend.figures.controls import segmented, select
from frontend.markup import markup
from tests.frontend.stored import HOSTILE

SCRIPT = Path(__file__).parents[2] / "frontend" / "assets" / "still.js"
CHOICES = {"a": "First", "b": "Second", "c": "Third"}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content('<div id="box"></div>')
    page.add_script_tag(path=str(SCRIPT))
    yield page
    page.close()


def put(page: Page, content: Any) -> None:
    """What the server says of the box now."""
    page.evaluate("html => document.getElementById('box').setAttribute('data-html', html)", markup(content))


def inside(page: Page) -> str:
    return page.evaluate("document.getElementById('box').innerHTML")


def test_it_is_there_before_anything_is_painted(page: Page) -> None:
    seen = page.evaluate(
        """async html => {
            const box = document.createElement('p');
            box.setAttribute('data-html', html);
            const frame = document.createElement('div');
            frame.append(box);
            document.body.append(frame);
            await Promise.resolve();
            return box.innerHTML;
        }""",
        markup([html.B("x"), " < y"]),
    )
    assert seen == "<b>x</b> &lt; y"


def test_rows_and_hostile_texts_stay_what_they_are(page: Page) -> None:
    page.set_content('<table><tbody id="box"></tbody></table>')
    put(page, [html.Tr([html.Th(HOSTILE, scope="row"), html.Td("1", title=HOSTILE)]) for _ in range(2)])
    assert page.locator("#box > tr > th + td").count() == 2
    assert page.locator("th").first.text_content() == HOSTILE
    assert page.locator("td").first.get_attribute("title") == HOSTILE
    assert page.locator("#box img, #box script").count() == 0 and not page.evaluate("window.__pwned")


def test_what_does_not_differ_is_not_touched(page: Page) -> None:
    def content(chosen: str, n: int) -> list[Any]:
        lines = html.Details([html.Summary("More"), html.P(f"{n} pairs")])
        tall = html.Div(
            html.Div(f"{n}", style={"height": 900}),
            className="scroll",
            style={"height": 90, "overflow": "auto"},
        )
        return [segmented("view", CHOICES, chosen, "What"), lines, html.Div([tall, html.B("x")])]

    put(page, content("a", 1))
    page.evaluate("document.querySelector('details').open = true")
    page.evaluate("document.querySelector('.scroll').scrollTop = 50")
    page.evaluate("window.kept = Array.from(document.querySelectorAll('#box *'))")
    page.get_by_role("button", name="Second").focus()
    put(page, content("b", 2))
    assert page.evaluate("kept.every(one => one.isConnected)")
    assert page.evaluate("document.activeElement.textContent") == "Second"
    assert page.get_by_role("button", pressed=True).all_text_contents() == ["Second"]
    assert page.locator("details[open] p").text_content() == "2 pairs"
    assert page.evaluate("document.querySelector('.scroll').scrollTop") == 50


def test_what_scripts_have_drawn_and_marked_is_left_alone(page: Page) -> None:
    put(
        page, [html.Div(**attrs(data_points="1")), html.Button("Copy", title="1"), html.P([html.B("x"), "1"])]
    )
    page.evaluate("""() => {
        document.querySelector('[data-points]').append(document.createElement('canvas'));
        document.querySelector('button').textContent = 'Copied';
        document.querySelector('button').classList.add('looked');
    }""")
    put(
        page, [html.Div(**attrs(data_points="2")), html.Button("Copy", title="2"), html.P([html.B("x"), "2"])]
    )
    assert page.locator('[data-points="2"] canvas').count() == 1
    assert page.locator('button.looked[title="2"]').text_content() == "Copied"
    assert page.locator("p").text_content() == "x2"
    put(page, html.Button("Paste"))
    assert inside(page) == "<button>Paste</button>"


def test_lists_show_what_the_server_says_even_after_a_choice_by_hand(page: Page) -> None:
    put(page, select("n", CHOICES, "a", "Which"))
    page.locator("select").select_option("c")
    put(page, select("n", CHOICES, "b", "Which"))
    assert page.locator("select").input_value() == "b"


@pytest.mark.parametrize(
    "steps",
    [
        ["x", html.B("y"), ["z", html.B("y")], "x"],
        [[html.B("1"), html.B("2"), html.B("3")], html.B("2"), [], [html.I("4"), html.B("5"), "6"]],
        [html.Div([html.P("a"), "b"]), html.Div("c"), html.Div(html.Ol(html.Li("d"))), html.P("e")],
        ["", html.P(), html.P("x"), html.P(["x", html.B("y")]), html.P("y")],
    ],
)
def test_every_way_leads_to_what_was_said_last(page: Page, steps: list[Any]) -> None:
    for step in steps:
        put(page, step)
        assert inside(page) == markup(step)


def test_an_element_that_gets_other_children_gives_back_its_own(page: Page) -> None:
    put(page, [html.B("x"), html.P("y")])
    page.evaluate("""() => {
        const box = document.getElementById('box');
        box.append(document.createElement('canvas'));
        box.removeAttribute('data-html');
    }""")
    assert inside(page) == "<canvas></canvas>"
