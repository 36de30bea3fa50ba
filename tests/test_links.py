"""Links of earlier versions open in this one and mean what they meant: see scripts/freeze_links.py.

When one of these fails, the change broke links that people have sent and printed. Read the old form too;
never freeze it anew.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from fastapi.testclient import TestClient

from frontend.nodes import Node
from frontend.state import DEFAULT, State, parse

Json = dict[str, Any]
LINKS = Path(__file__).parent / "fixtures" / "links"
RESULTS = sorted(path for path in LINKS.glob("*/*.json") if path.name != "addresses.json")
ADDRESSES = [
    entry for path in sorted(LINKS.glob("*/addresses.json")) for entry in orjson.loads(path.read_bytes())
]


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.fixture(scope="module")
def client(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that never loads its model."""
    from backend.app import create_api, create_state
    from backend.catalogue import add_model
    from backend.settings import Settings

    data = tmp_path_factory.mktemp("links")
    add_model(data, "tiny", tiny_folder)
    settings = Settings(data=data, default_model="tiny", threads=1, warm=False)
    with TestClient(create_api(create_state(settings))) as client:
        yield client
        assert client.get("/api/models/tiny").json()["state"] == "absent"


@pytest.mark.parametrize("path", RESULTS, ids=name)
def test_a_posted_spec_still_asks_for_the_same(path: Path, client: TestClient) -> None:
    """The same analysis of the very same prompts with the same parameters; later ones may have more."""
    from backend.schemas.spec import Spec
    from backend.services.specs import resolve

    link = orjson.loads(path.read_bytes())
    state = client.app.state.headscope  # pyright: ignore[reportAttributeAccessIssue]
    resolved = orjson.loads(
        orjson.dumps(resolve(Spec.model_validate(link["spec"]), state.models, state.prompt_sets).spec)
    )
    frozen = link["body"]["spec"]
    assert resolved["schema"] == frozen["schema"]
    assert resolved["analysis"]["name"] == frozen["analysis"]["name"]
    assert resolved["prompts"].items() >= frozen["prompts"].items()
    assert resolved["parameters"].items() >= frozen["parameters"].items()


@pytest.mark.parametrize("path", RESULTS, ids=name)
def test_a_stored_result_is_still_read(path: Path, client: TestClient) -> None:
    from backend.encoding import encode_result
    from backend.schemas.wire import RecordBody, ResultBody

    body = orjson.loads(path.read_bytes())["body"]
    stored = encode_result(body)
    client.app.state.headscope.store.put(body["key"], stored)  # pyright: ignore[reportAttributeAccessIssue]
    assert client.get(f"/api/results/{body['key']}").content == stored
    ResultBody.model_validate(body)
    record = RecordBody.model_validate(client.get(f"/api/results/{body['key']}/record").json())
    assert record.stored and record.analysis == body["spec"]["analysis"]["name"]


@pytest.mark.parametrize("entry", ADDRESSES, ids=lambda entry: entry["address"][:60])
def test_an_address_still_means_the_same(entry: Json) -> None:
    parts = urlsplit(entry["address"])
    state, problems = parse(parts.path, f"?{parts.query}")
    assert problems == []
    assert said(state).items() >= entry["state"].items()


def said(state: State) -> Json:
    """What of a state differs from the home page, as JSON."""
    found = {field.name: getattr(state, field.name) for field in fields(state)}
    changed = {name: value for name, value in found.items() if value != getattr(DEFAULT, name)}
    return orjson.loads(orjson.dumps({n: str(v) if isinstance(v, Node) else v for n, v in changed.items()}))


def test_every_analysis_is_frozen() -> None:
    from analysis.analyses import ANALYSES

    assert {path.stem for path in RESULTS} >= set(ANALYSES), "run scripts/freeze_links.py"
