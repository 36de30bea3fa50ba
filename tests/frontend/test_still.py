"""Finished content as HTML: the tree of the components, escaped; what is addressed stays a component."""

import asyncio
from html.parser import HTMLParser
from typing import Any

import pytest
from dash import Input, Output, dcc, html, no_update
from hypothesis import given
from hypothesis import strategies as st

from frontend.markup import VOID, markup
from frontend.still import HTML, Page, finished, still, within
from tests.frontend.stored import HOSTILE

Tree = list[Any]
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=12)
TEXTS |= st.sampled_from([HOSTILE, "</div>", "<img src=x onerror=alert(1)>", '"', "'", "&amp;", "\n", "<!--"])
LEAVES = TEXTS | st.integers() | st.none() | st.booleans()


class Parsed(HTMLParser):
    """HTML as nested lists: name, attributes, what is inside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[Tree] = [["", {}]]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        here: Tree = [tag, {name: value or "" for name, value in attrs}]
        self.open[-1].append(here)
        if tag not in VOID:
            self.open.append(here)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        _add_text(self.open[-1], data)


def _add_text(inside: Tree, text: str) -> None:
    if len(inside) > 2 and isinstance(inside[-1], str):
        inside[-1] += text
    elif text:
        inside.append(text)


def tree_of(content: Any) -> Tree:
    """What React would make of components, in the same form."""
    root: Tree = ["", {}]
    _fill(root, content)
    return root


def _fill(inside: Tree, content: Any) -> None:
    if content is None or isinstance(content, bool):
        return
    if isinstance(content, list | tuple):
        for one in content:
            _fill(inside, one)
    elif isinstance(content, str | int):
        _add_text(inside, str(content))
    else:
        told = content.to_plotly_json()
        props = {name: value for name, value in told["props"].items() if name != "children"}
        named = {"class" if name == "className" else name: _said(name, props[name]) for name in props}
        here: Tree = [told["type"].lower(), named]
        inside.append(here)
        _fill(here, told["props"].get("children"))


def _said(name: str, value: Any) -> str:
    return (
        str(value).lower() if isinstance(value, bool) and name.startswith(("data-", "aria-")) else str(value)
    )


def _element(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    made = st.sampled_from([html.Div, html.Span, html.Td, html.B, html.Summary])
    told = st.fixed_dictionaries(
        {},
        optional={"title": TEXTS, "className": TEXTS, "aria-label": TEXTS, "data-x": TEXTS | st.booleans()},
    )
    return st.builds(lambda kind, content, props: kind(content, **props), made, inside, told)


@given(
    st.recursive(LEAVES | st.just(html.Br()), lambda inside: _element(inside | st.lists(inside, max_size=3)))
)
def test_the_html_is_the_tree_of_the_components(content: Any) -> None:
    assert Parsed(markup(content)).open == [tree_of(content)]


def test_properties_are_written_as_react_writes_them() -> None:
    cell = html.Td("x", colSpan=2, hidden=True, style={"minWidth": 3, "--w": "4%", "zIndex": 2, "top": None})
    assert markup(cell) == '<td colspan="2" hidden style="min-width:3px;--w:4%;z-index:2">x</td>'
    told: Any = {"aria-pressed": False, "data-full": True}
    press = html.Button("x", disabled=False, **told)
    assert markup(press) == '<button aria-pressed="false" data-full="true">x</button>'
    assert markup(html.Option("x", value="", selected=True)) == '<option selected value="">x</option>'
    assert markup(html.Pre("\n x")) == "<pre>\n\n x</pre>"
    assert markup(["a\0b\r", 2.0, 2.5]) == "ab&#13;22.5"


def test_no_script_gets_in() -> None:
    assert markup(html.A("x", href=" java\nscript:alert(1)")) == "<a>x</a>"
    assert "url" not in markup(html.I(style={"color": "red;background:url(x)"}))
    with pytest.raises(ValueError, match="Script"):
        markup(html.Div(html.Script("1")))
    with pytest.raises(ValueError, match="Store"):
        markup([dcc.Store(id="x")])


def test_an_element_of_elements_holds_their_html() -> None:
    table = html.Table(html.Tbody(html.Tr([html.Td(HOSTILE), html.Td(1)])), className="table")
    (drawn,) = still([table])
    told = drawn.to_plotly_json()["props"]
    assert told["className"] == "table" and told["children"] is None
    assert Parsed(told[HTML]).open == [tree_of(table.children)]
    assert table.children is not None, "what was given stays as it was"


def test_what_is_addressed_stays_a_component_and_so_does_what_is_around_it() -> None:
    kept = html.Div([html.P([html.B("a"), "b"]), html.Div(html.Span("c", id="c")), dcc.Graph(id="g")])
    first, second, third = still(kept).children
    assert getattr(first, HTML) == "<b>a</b>b" and first.children is None
    assert second.children.id == "c" and not hasattr(second, HTML)
    assert isinstance(third, dcc.Graph)


def test_texts_alone_stay_as_they_are() -> None:
    for plain in ("a", html.P("a"), html.P(["a", 1]), html.P(), None, no_update):
        assert still(plain) is plain


def test_answers_are_finished_by_what_they_are_for() -> None:
    outputs = {"html": Output("a", HTML), "body": Output("b", "children"), "data": [Output("c", "data")]}
    content = html.P(html.B("x"))
    told = finished(outputs, {"html": [content, "y"], "body": content, "data": [content]})
    assert told["html"] == "<p><b>x</b></p>y" and getattr(told["body"], HTML) == "<b>x</b>"
    assert told["data"] == [content]
    assert finished(outputs, no_update) is no_update and finished(outputs["html"], no_update) is no_update


def test_every_callback_of_the_page_answers_so() -> None:
    app = Page("x")

    @app.callback(Output("a", HTML), Output("b", "children"), Input("c", "data"))
    async def draw(_data: Any) -> Any:
        return html.B("x"), html.P(html.B("y"))

    first, second = asyncio.run(draw(None))
    assert first == "<b>x</b>" and getattr(second, HTML) == "<b>y</b>"


def test_an_element_begins_with_its_html() -> None:
    assert html.Div(id="x", **within([html.B("a"), "b"])).to_plotly_json()["props"][HTML] == "<b>a</b>b"
