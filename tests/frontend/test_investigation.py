"""An investigation in one file: everything that is stored on the same prompts, as it is stored."""

import asyncio
import csv
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from frontend.client import BackendClient, Streamed
from frontend.errors import BackendError
from frontend.investigation import Found, bundle
from frontend.panels.investigation import address_of
from frontend.state import State, parse
from tests.frontend.stored import HOSTILE, NAMES, hostile, stored
from tests.frontend.test_static import Seen

Json = dict[str, Any]


class Shelf(BackendClient):
    """An API that has these bodies stored, and whose newest record comes first."""

    def __init__(self, bodies: dict[str, Json], gone: tuple[str, ...] = ()) -> None:
        self.bytes = {body["key"]: json.dumps(body, indent=1).encode() for body in bodies.values()}
        self.bodies, self.gone = bodies, gone

    async def records(
        self, model: str | None = None, analysis: str | None = None, prompts_of: str | None = None
    ) -> list[Json]:
        return [
            {
                "key": body["key"],
                "model": body["spec"]["model"]["id"],
                "spec": {**body["spec"], "analysis": name, "model": body["spec"]["model"]["id"]},
                "stored": name not in self.gone,
            }
            for name, body in self.bodies.items()
            if model in (None, body["spec"]["model"]["id"])
        ]

    async def forward(self, method: str, path: str, headers: Any, body: Any) -> Streamed:
        found = self.bytes[path.rsplit("/", 1)[-1]]

        async def chunks() -> AsyncIterator[bytes]:
            yield found[:100]
            yield found[100:]

        return Streamed(200, {}, chunks())


def place(**parts: Any) -> State:
    return State(model="tiny", set="ordering", n=4, **parts)


def unpacked(client: BackendClient, where: State | None = None) -> dict[str, str]:
    """The files of the zip, without its one folder."""
    name, content = asyncio.run(bundle(client, where or place()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {file.split("/")[0] for file in archive.namelist()} == {name.removesuffix(".zip")}
        return {file.split("/", 1)[1]: archive.read(file).decode() for file in archive.namelist()}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    notes = (("L0H1", "first line\nsecond <b>"), ("L1H3", "the mover"))
    return unpacked(Shelf({name: stored(name) for name in NAMES}), place(notes=notes))


@pytest.fixture(scope="module")
def page(files: dict[str, str]) -> Seen:
    return Seen(re.sub(r"<script>.*?</script>", "", files["index.html"], flags=re.DOTALL))


def test_every_stored_result_is_there_as_it_is_stored(files: dict[str, str]) -> None:
    for name in NAMES:
        body = stored(name)
        file = f"{name}-{body['key'][:12]}"
        assert files[f"data/{file}.json"] == json.dumps(body, indent=1)
        assert len(list(csv.DictReader(io.StringIO(files[f"tables/{file}.csv"])))) > 0
        assert body["key"] in files["README.txt"]


def test_the_library_is_there_once_and_nothing_is_asked_of_anybody(files: dict[str, str], page: Seen) -> None:
    assert [name for name in files if name.endswith(".js")] == ["plotly.min.js"]
    assert [script["src"] for script in page.named("script") if "src" in script] == ["plotly.min.js"]
    assert len(files["index.html"]) < 1_000_000
    for address in (element.get("href") for _, element in page.elements):
        assert address is None or address.startswith("#") or address in files


def test_every_node_of_the_map_is_a_link_with_its_number(page: Seen) -> None:
    body = stored("effects")
    nodes = [node["label"] for node in body["coordinates"]["node"]]
    cells = {cell["data-label"]: cell for cell in page.named("a") if "data-label" in cell}
    assert sorted(cells) == sorted(nodes)
    assert all(
        cell["href"] == f"#{label}" and "logits" in str(cell["title"]) for label, cell in cells.items()
    )


def test_a_head_that_was_computed_has_its_panel_and_says_so_on_the_map(page: Seen) -> None:
    about = {str(node) for name in NAMES for node in Found(b"", stored(name)).nodes}
    panels = {one["id"] for one in page.named("section") if "node" in str(one.get("class")).split()}
    assert about and panels == about | {"L0H1", "L1H3"}
    told = {str(cell["data-label"]): str(cell["title"]) for cell in page.named("a") if "data-label" in cell}
    assert {label for label, words in told.items() if "results of its own" in words} == about
    assert {label for label, words in told.items() if "has a note" in words} == panels - about


def test_notes_travel_and_stay_text(files: dict[str, str], page: Seen) -> None:
    assert "first line\nsecond <b>" in page.text and "the mover" in page.text
    assert files["notes.txt"].startswith("L0H1\nfirst line\nsecond <b>\n\nL1H3\nthe mover")


def test_a_result_whose_bytes_are_gone_is_left_out() -> None:
    found = unpacked(Shelf({name: stored(name) for name in ("effects", "paths")}, gone=("paths",)))
    assert not [name for name in found if "paths" in name] and "plotly.min.js" not in found


def test_other_prompts_of_the_model_are_not_this_investigation() -> None:
    with pytest.raises(BackendError, match="open the map first"):
        asyncio.run(bundle(Shelf({"effects": stored("effects")}), place(seed=5)))


def test_a_model_cannot_choose_where_the_file_lands() -> None:
    body = stored("effects")
    body["provenance"] |= {"model": "../../etc/<x>"}
    name, _ = asyncio.run(bundle(Shelf({"effects": body}), place()))
    assert re.fullmatch(r"headscope-[A-Za-z0-9._-]+-\d{4}-\d\d-\d\d\.zip", name) and ".." not in name


def test_hostile_texts_stay_texts() -> None:
    found = unpacked(Shelf({name: hostile(name) for name in NAMES}), place(notes=(("L0H0", HOSTILE),)))
    page = Seen(re.sub(r"<script>.*?</script>", "", found["index.html"], flags=re.DOTALL))
    assert not page.named("img") and HOSTILE in page.text
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_the_link_carries_prompts_choices_and_notes_and_no_page() -> None:
    shown, _ = parse("/m/tiny/L1H0", "?set=sums&metric=loss&notes=L0H0:why&measure=paths&pins=L0H0")
    address = address_of(shown)
    assert address.startswith("/investigation.zip?")
    again, problems = parse("/", address.split("?")[1])
    assert not problems and (again.model, again.set, again.metric) == ("tiny", "sums", "loss")
    assert again.notes == (("L0H0", "why"),) and not again.measure and not again.pins
