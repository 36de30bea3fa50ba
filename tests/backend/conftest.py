"""One API over a tiny model, in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.conftest import until


@pytest.fixture(scope="module")
def api(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    from backend.app import create_api, create_state
    from backend.catalogue import add_model
    from backend.settings import Settings

    data = tmp_path_factory.mktemp("data")
    add_model(data, "tiny", tiny_folder)
    return create_api(create_state(Settings(data=data, default_model="tiny", threads=1)))


@pytest.fixture(scope="module")
def client(api: FastAPI) -> Iterator[TestClient]:
    """The API inside its guard, its model loaded."""
    from backend.guard import Guard

    with TestClient(Guard(api, ["127.0.0.1"], list), base_url="http://127.0.0.1") as client:
        until(lambda: client.get("/api/readyz").status_code == 200)
        yield client
