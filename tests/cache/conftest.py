"""Both stores for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from cache import Store, open_store


@pytest.fixture(params=["file", pytest.param("redis", marks=pytest.mark.redis)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "file":
        location: str | Path = tmp_path / "store"
    else:
        location = request.getfixturevalue("redis_url")
        with Redis.from_url(location) as client:
            client.flushdb()
    opened = open_store(location)
    yield opened
    opened.close()
