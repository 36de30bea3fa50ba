"""The address of a stored figure: its page names itself for previews, its files are its numbers."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from frontend.app import create_app
from frontend.client import BackendClient
from frontend.figures.texts import caption, posted
from frontend.state import State
from tests.frontend.conftest import FakeApi, result, table

Json = dict[str, Any]
KEY, GONE, UNKNOWN = "a" * 64, "b" * 64, "c" * 64
SPEC = {
    "schema": 1,
    "analysis": {"name": "paths", "version": 1},
    "model": {"id": "tiny <b>", "weights": "abc"},
    "prompts": {"set": "stated-facts", "n": 2, "index": None, "seed": 0, "pairs": "p", "shots": 0}
    | {"sampler": "swap_options", "n_options": 4, "format": "(A)"},
    "parameters": {"sender": "L0H1", "receivers": "all", "positions": "final", "metric": "centred_logit"},
}
RECORD = {
    "key": KEY,
    "analysis": "paths",
    "title": "Effect of one node",
    "model": "tiny <b>",
    "spec": posted(SPEC),
    "prompts": 'stated "facts", held out',
    "date": "2026-11-22T17:40:00+00:00",
    "n": 2,
    "stored": True,
}


@pytest.fixture
def body() -> Json:
    receivers = [{"label": "MLP0", "input": "mlp"}, {"label": "logits", "input": "logits"}]
    return result(
        key=KEY,
        spec=SPEC,
        coordinates={"receiver": receivers},
        tables={
            "path_effect": table(["receiver"], [-0.5, None], [-0.6, None], [-0.4, None]),
            "all_paths": table([], -0.75),
            "total_effect": table([], -0.75),
        },
        details={"sender": "L0H1", "metric": "centred_logit", "direction": "noising"},
        failures=[{"table": "path_effect", "where": "logits", "reason": "not finite"}],
    )


@pytest.fixture
def browser(api: FakeApi, client: BackendClient, body: Json) -> Iterator[TestClient]:
    api.answers |= {
        ("GET", f"/api/results/{KEY}"): (200, body),
        ("GET", f"/api/results/{KEY}/record"): (200, RECORD),
        ("GET", f"/api/results/{GONE}/record"): (200, RECORD | {"key": GONE, "stored": False}),
    }
    for key in (GONE, UNKNOWN):
        lost = {"error": {"code": "unknown_key", "message": "Nobody asked.", "request_id": "r2"}}
        api.answers[("GET", f"/api/results/{key}")] = (404, lost)
        api.answers.setdefault(("GET", f"/api/results/{key}/record"), (404, lost))
    server = FastAPI()
    create_app(server, client)
    with TestClient(server) as opened:
        yield opened


def test_a_preview_elsewhere_gets_title_words_and_picture(browser: TestClient, body: Json) -> None:
    page = browser.get(f"/f/{KEY}?view=direct").text
    assert "<title>Path effects: L0H1 · tiny &lt;b&gt; · stated &quot;facts&quot;, held out" in page
    assert '<meta property="og:image" content="http://testserver/f/' + KEY + '.png?view=direct">' in page
    said = caption(body, State(node=None)).split(":")[0].removesuffix("None")
    assert said.split(" of")[0] in page.split("og:description")[1]
    assert "<b>" not in page.split("<body>")[0]
    assert page.count("<title>") == 1 and page.count('name="description"') == 1


def test_other_addresses_keep_the_plain_page(browser: TestClient) -> None:
    assert "<title>headscope</title>" in browser.get("/").text
    missing = browser.get(f"/f/{UNKNOWN}")
    assert missing.status_code == 404 and "<title>headscope</title>" in missing.text
    assert browser.get("/f/nonsense").status_code == 404


def test_the_json_is_the_stored_one_byte_by_byte(api: FakeApi, browser: TestClient) -> None:
    exported = browser.get(f"/f/{KEY}.json")
    assert exported.content == browser.get(f"/f/{KEY}.json").content
    assert json.loads(exported.content)["key"] == KEY
    assert exported.headers["content-disposition"] == 'inline; filename="headscope-aaaaaaaa.json"'
    assert ("GET", f"/api/results/{KEY}") in api.asked


def test_the_csv_has_every_value_and_the_reason_of_a_missing_one(browser: TestClient) -> None:
    answer = browser.get(f"/f/{KEY}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="headscope-paths-L0H1-aaaaaaaa.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["table"] for row in rows} == {"path_effect", "all_paths", "total_effect"}
    effects = [row for row in rows if row["table"] == "path_effect"]
    assert [row["mean"] for row in effects] == ["-0.5", ""]
    assert effects[1]["reason"] == "not finite"
    one = list(csv.DictReader(io.StringIO(browser.get(f"/f/{KEY}.csv?table=all_paths").text)))
    assert len(one) == 1 and one[0]["mean"] == "-0.75"
    assert "path_effect" in browser.get(f"/f/{KEY}.csv?table=nothing").text


def test_words_and_code_are_plain_text(browser: TestClient) -> None:
    words = browser.get(f"/f/{KEY}.txt").text
    assert "n = 2 pairs" in words and "Methods." in words and "Wang et al. (2022)" in words
    code = browser.get(f"/f/{KEY}.py").text
    assert 'Client("http://testserver")' in code and KEY in code


def test_a_file_that_is_known_is_not_sent_again(browser: TestClient) -> None:
    first = browser.get(f"/f/{KEY}.txt")
    again = browser.get(f"/f/{KEY}.txt", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


def test_a_picture_is_drawn_in_the_chosen_colours(
    browser: TestClient, client: BackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    async def rendering(figure: Json, form: str, width: int, height: int, **_: Any) -> bytes:
        drawn.append((figure, form, width, height))
        return b"<svg/>"

    monkeypatch.setattr(client, "rendering", rendering)
    light = browser.get(f"/f/{KEY}.svg")
    browser.get(f"/f/{KEY}.pdf?theme=dark")
    assert light.content == b"<svg/>" and light.headers["content-type"] == "image/svg+xml"
    assert [form for _, form, _, _ in drawn] == ["svg", "pdf"]
    assert drawn[0][0] != drawn[1][0] and drawn[0][2] > 100 < drawn[0][3]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (f"/f/{KEY}.exe", 404, "png, svg, pdf"),
        (f"/f/{GONE}.csv", 410, "press Recompute"),
        (f"/f/{UNKNOWN}.csv", 404, "Nobody asked."),
    ],
)
def test_what_cannot_be_given_is_said_in_a_sentence(
    browser: TestClient, path: str, status: int, sentence: str
) -> None:
    answer = browser.get(path)
    assert answer.status_code == status and sentence in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
