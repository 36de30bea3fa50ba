"""Pages that stand by themselves: escaped, complete, and nothing in them asks a server."""

import json
import re
from html.parser import HTMLParser

import pytest
from dash import dcc, html

from frontend.figures.controls import go, link, segmented, select
from frontend.markup import data_block
from frontend.nodes import Node
from frontend.offline import html_of
from frontend.state import State
from frontend.static import document, plotly_for, recoloured, standalone
from frontend.theme import DARK, LIGHT
from tests.frontend.stored import HOSTILE, NAMES, hostile, stored


class Seen(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._data = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._data = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._data else data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_text_and_attributes_are_escaped() -> None:
    said = html.P([HOSTILE, 1, None, 2.5], title=HOSTILE, **{"aria-label": HOSTILE, "data-x": HOSTILE})
    (found,) = Seen(html_of(said)).elements
    assert found == ("p", {"title": HOSTILE, "aria-label": HOSTILE, "data-x": HOSTILE})
    assert Seen(html_of(said)).text == f"{HOSTILE}12.5"


def test_properties_become_attributes() -> None:
    cell = html.Td(
        "x",
        className="number",
        colSpan=2,
        hidden=True,
        draggable=None,
        style={"minWidth": "3px", "--w": "4%"},
    )
    assert html_of(cell) == '<td class="number" colspan="2" hidden style="min-width:3px;--w:4%">x</td>'
    assert html_of(html.Label("x", htmlFor="y")) == '<label for="y">x</label>'
    assert html_of([html.Br(), html.Span(""), "a < b"]) == "<br><span></span>a &lt; b"
    assert html_of(html.I(style={"background": LIGHT.accent})) == '<i style="background:var(--accent)"></i>'


def test_no_attribute_can_hold_a_script() -> None:
    assert "onclick" not in html_of(html.Div("x", **{"data-go": "{}", "aria-label": "x"}))
    assert html_of([html.Script("1"), html.Iframe(src="x"), dcc.Store(id="x", data="1")]) == ""


def test_what_asks_a_server_is_left_out_or_becomes_text() -> None:
    assert html_of(go("Measure", index=1)) == ""
    assert html_of(go("node", sort="node", className="sort")) == "<span>node</span>"
    chosen = html_of(segmented("view", {"a": "First", "b": "Second"}, "b", "What"))
    assert "Second" in chosen and "First" not in chosen and "<button" not in chosen
    assert "raw" in html_of(select("weighting", {"raw": "raw", "signed": "signed"}, "raw", "Weighting"))
    assert "signed" not in html_of(
        select("weighting", {"raw": "raw", "signed": "signed"}, "raw", "Weighting")
    )


def test_links_of_the_dashboard_lead_nowhere_or_where_the_file_says() -> None:
    away = link("L1H0", State(model="m", page="head", node=Node(1, 0)), className="node-link")
    assert html_of(away) == "<span>L1H0</span>"
    assert html_of(away, lambda href: f"#{href.split('/')[-1]}").startswith('<a class="node-link"')
    assert html_of(html.A("x", href="javascript:alert(1)")) == "<span>x</span>"
    assert html_of(html.A("x", href="//elsewhere.example/y")) == "<span>x</span>"
    assert html_of(html.A("x", href="data/x.json")) == '<a href="data/x.json">x</a>'


def test_what_scripts_draw_is_written_out() -> None:
    data = {
        "label": "Effects",
        "columns": [["token-name", HOSTILE, "token 0"]],
        "rows": [
            {"name": "L0H0", "own": True, "cells": [["square heat positive", "40%", HOSTILE, "L0H0 0"]]}
        ],
    }
    page = Seen(html_of(html.Div(**{"data-squares": json.dumps(data)})))
    _, square = page.named("td")  # the first is the corner
    assert square["aria-label"] == HOSTILE and square["style"] == "--w:40%" and square["tabindex"] == "0"
    assert HOSTILE in page.text and not page.named("img")


def test_data_inside_a_page_cannot_end_its_element() -> None:
    block = data_block({"text": HOSTILE})
    assert "</" not in block and json.loads(block) == {"text": HOSTILE}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_nothing_from_elsewhere(name: str) -> None:
    page = standalone(stored(name))
    seen = Seen(re.sub(r"<script>.*?</script>", "<script></script>", page, flags=re.DOTALL))
    assert not [
        attributes for _, attributes in seen.elements if attributes.get("src") or "srcset" in attributes
    ]
    assert not seen.named("link") and not seen.named("iframe") and not seen.named("button")[1:]
    assert all((place["href"] or "").startswith("#") for place in seen.named("a"))
    assert not re.search(r"url\(|@import", "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL)))
    assert "default-src 'none'" in page
    graphs = 'class="plot"' in page
    assert (len(page) > 1_000_000) == graphs, "plotly belongs to pages with a graph only"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_texts_stay_texts(name: str) -> None:
    page = standalone(hostile(name))
    seen = Seen(re.sub(r"<script>.*?</script>", "<script></script>", page, flags=re.DOTALL))
    assert not seen.named("img")
    kinds = [attributes.get("type") for attributes in seen.named("script")]
    graphs = page.count('class="plot"')
    drawn = 2 if "data-pattern=" in page or "data-thumbnails=" in page else 0
    assert kinds.count(None) == 2 + bool(graphs) + drawn and kinds.count("application/json") == 1 + graphs
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]


def test_a_page_says_what_it_shows_and_where_it_is_from() -> None:
    body = stored("paths")
    text = Seen(standalone(body)).text
    assert "Path effects" in text and body["key"][:12] in text and "certificate" in text
    assert "Share" not in text


def test_only_a_scene_takes_the_whole_library() -> None:
    assert plotly_for("<p>none</p>") == ""
    small, whole = (plotly_for(f'<div class="plot">{kind}</div>') for kind in ("", '{"type":"scatter3d"}'))
    assert 0 < len(small) < len(whole)


def test_every_light_colour_of_a_figure_has_its_dark_form() -> None:
    found = recoloured()
    assert found[LIGHT.accent] == DARK.accent and found[LIGHT.panel] == DARK.panel
    assert found["24,108,150"] == "92,178,222"
    for colour in (LIGHT.ink, LIGHT.muted, LIGHT.line, *LIGHT.letters):
        assert colour in found


def test_a_title_cannot_end_the_head() -> None:
    page = document(HOSTILE, "", [])
    assert not Seen(re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)).named("img")
