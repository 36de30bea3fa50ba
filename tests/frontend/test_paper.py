"""Printed figures and tables: the result's numbers on numeric axes, named, escaped, nothing invented."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from frontend.figures.paper import DRAWN, paper
from frontend.figures.paper_page import WIDTH
from frontend.sheets import csv_text, sheet, sheets
from frontend.state import State
from frontend.theme import PALETTES, blend, strength
from tests.frontend.stored import HOSTILE, NAMES, hostile, stored

Json = dict[str, Any]


def texts(value: Any) -> Iterator[str]:
    """Every text of a figure."""
    if isinstance(value, str):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    ):
        yield from texts(one)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("scheme", PALETTES)
@pytest.mark.parametrize("name", NAMES)
def test_every_analysis_has_a_figure_of_its_own_size_on_numeric_axes(name: str, scheme: str) -> None:
    figure = paper(stored(name), None, PALETTES[scheme])
    json.dumps(figure, allow_nan=False)
    layout = figure["layout"]
    assert layout["width"] <= WIDTH and 60 < layout["height"] < 1400
    assert layout["paper_bgcolor"] == PALETTES[scheme].panel and "title" not in layout
    for trace in figure["data"]:
        places = [place for axis in "xy" for place in trace.get(axis) or ()]
        assert all(place is None or isinstance(place, int | float) for place in places), trace["type"]
        assert "hovertemplate" not in trace
    drawn = [box for name, box in layout.items() if name.startswith(("xaxis", "yaxis", "scene"))]
    assert drawn and all(0 <= end <= 1 for box in drawn for end in texts_of_domain(box))


def texts_of_domain(box: Json) -> list[float]:
    domain = box["domain"]
    return [*domain["x"], *domain["y"]] if isinstance(domain, dict) else domain


def test_what_a_later_version_stores_is_drawn_as_its_first_table() -> None:
    assert set(NAMES) <= set(DRAWN)
    body = stored("gate")
    body["spec"]["analysis"] = "of a later version"
    assert paper(body)["data"]


@pytest.mark.parametrize("name", NAMES)
def test_texts_of_prompts_cannot_become_markup(name: str) -> None:
    shown = list(texts(paper(hostile(name))))
    assert not [text for text in shown if "<img" in text or "<script" in text]


def test_the_map_has_the_dashboards_colours_and_a_symmetric_scale() -> None:
    body, palette = stored("effects"), PALETTES["light"]
    figure = paper(body, State(view="total"))
    means = [mean for mean in body["tables"]["total_effect"]["mean"] if mean is not None]
    largest = max(0.1, *(abs(mean) for mean in means))
    filled = [shape["fillcolor"] for shape in figure["layout"]["shapes"]]
    assert sorted(filled) == sorted(blend(palette, round(strength(mean, largest), 4)) for mean in means)
    (bar,) = [trace["marker"] for trace in figure["data"] if "colorbar" in trace.get("marker", {})]
    assert (bar["cmin"], bar["cmax"]) == (-1, 1) and bar["colorscale"][1] == [0.5, palette.zero]
    assert bar["colorbar"]["ticktext"][3] == "0.00"


def test_another_view_is_another_figure() -> None:
    found = [paper(stored("effects"), State(view=view)) for view in ("total", "direct", "attribution")]
    said = [trace["marker"]["colorbar"]["title"]["text"] for figure in found for trace in figure["data"][:1]]
    assert [words.split(",")[0] for words in said] == ["total effect", "direct", "attribution"]
    assert found[0]["layout"]["shapes"] != found[2]["layout"]["shapes"]


def test_bars_are_the_strongest_values_with_their_intervals() -> None:
    body = stored("paths")
    table = body["tables"]["path_effect"]
    order = sorted(range(len(table["mean"])), key=lambda at: -abs(table["mean"][at]))[:24]
    trace = paper(body)["data"][0]
    assert trace["x"] == [table["mean"][at] for at in order]
    ends = [max(0.0, table["high"][at] - table["mean"][at]) for at in order]
    assert trace["error_x"]["array"] == pytest.approx(ends)


def test_a_value_that_is_missing_is_a_dash_and_no_bar() -> None:
    body = stored("paths")
    for part in ("mean", "low", "high"):
        body["tables"]["path_effect"][part] = [None] * len(body["tables"]["path_effect"]["mean"])
    bars, dashes = paper(body)["data"]
    assert set(bars["x"]) == {None} and set(dashes["text"]) == {"–"}


def test_labels_that_repeat_keep_their_own_places() -> None:
    body = stored("attention")
    body["coordinates"]["answer"] = ["A"] * len(body["coordinates"]["answer"])
    layout = paper(body)["layout"]
    named = [
        axis for axis in layout.values() if isinstance(axis, dict) and set(axis.get("ticktext", [])) == {"A"}
    ]
    assert named and all(axis["tickvals"] == list(range(len(axis["ticktext"]))) for axis in named)


def test_the_legend_lists_a_name_once_and_several_panels_have_letters() -> None:
    figure = paper(stored("low_rank"))
    listed = [trace["name"] for trace in figure["data"] if trace["showlegend"]]
    assert listed and len(listed) == len(set(listed))
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert [title[:8] for title in titles[:2]] == ["<b>a</b>", "<b>b</b>"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_has_a_row_for_every_value_of_the_result(name: str) -> None:
    body = stored(name)
    found = sheets(body)
    for table in body["tables"]:
        rows, known = rows_of(found[table]), list(flat(body["tables"][table]["mean"]))
        assert [row["mean"] for row in rows] == ["" if value is None else repr(value) for value in known]
        assert all(bool(row["reason"]) == (row["mean"] == "") for row in rows)
    everything = rows_of(sheet(body))
    parts = {*body["tables"], *({"attention"} & found.keys())} or found
    assert len(everything) == sum(len(rows_of(found[name])) for name in parts)


def flat(values: Any) -> Iterator[Any]:
    for value in values if isinstance(values, list) else [values]:
        yield from flat(value) if isinstance(value, list) else [value]


def test_axes_are_columns_and_the_unit_of_several_metrics_is_each_ones_own() -> None:
    rows = rows_of(sheets(stored("low_rank"))["measured"])
    assert list(rows[0]) == ["metric", "kind", "basis", "rank", "mean", "low", "high", "unit", "reason"]
    assert {row["metric"]: row["unit"] for row in rows}["letter_loss"] == "nat"


def test_a_missing_value_is_an_empty_cell_with_the_servers_reason() -> None:
    body = stored("probes")
    body["tables"]["accuracy"]["mean"][1][0] = None
    body["failures"] = [{"table": "accuracy", "where": "1 position", "reason": "too few prompts"}]
    gone = [row for row in rows_of(sheets(body)["accuracy"]) if row["reason"]]
    assert [(row["layer"], row["target"], row["mean"], row["reason"]) for row in gone] == [
        ("1", "position", "", "too few prompts")
    ]


def test_what_a_spreadsheet_would_run_is_defused_and_numbers_stay_numbers() -> None:
    texts = ["=1+1", "+A1", "@x", "-2", "-2.5e-3", "-cmd", "\tx", " =2", "a,b", 'say "no"', "two\nlines"]
    rows = rows_of(csv_text([{"text": text} for text in texts]))
    shown = [row["text"] for row in rows]
    assert shown[:8] == ["'=1+1", "'+A1", "'@x", "-2", "-2.5e-3", "'-cmd", "'\tx", "' =2"]
    assert shown[8:] == texts[8:]
    assert csv_text([{"x": -2.5}]) == "x\r\n-2.5\r\n"


def test_prompts_go_into_a_sheet_with_their_answers() -> None:
    body = hostile("prompts")
    rows = rows_of(sheet(body))
    assert len(rows) == 2 * len(body["details"]["pairs"])
    assert rows[0]["text"] == HOSTILE and rows[1]["prompt"] == "corrupt"


def test_a_plain_text_shows_the_words_that_may_follow_and_no_options() -> None:
    body = stored("prompts")
    for pair in body["details"]["pairs"]:
        for prompt in (pair["clean"], pair["corrupt"]):
            prompt |= {"plain_text": True, "question": "Then Mary gave a book to"}
            prompt["options"] = [{"label": name, "content": ""} for name in (" John", " Mary")]
            prompt["correct"] = 0
    _, line, *_ = paper(body)["data"][0]["text"]
    assert line.strip() == "John / Mary   correct John; corrupt prompt John"


def test_where_answers_are_words_no_title_speaks_of_letters() -> None:
    body = stored("gate")
    assert "Letters" in str(paper(body)["layout"]["annotations"])
    body["spec"]["prompts"]["set"] = "indirect-object"
    said = str(paper(body)["layout"]["annotations"])
    assert "Answers" in said and "etter" not in said
