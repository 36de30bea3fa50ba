"""The real Redis server, started on a free port."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from redis import Redis, RedisError


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis server of our own; without the program the test is skipped, in CI it fails."""
    program = shutil.which("redis-server")
    if program is None:
        missing = "redis-server is not installed (apt-get install redis-server)."
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_answers(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 10
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError:
                assert time.monotonic() < deadline, "redis-server did not answer within 10 s"
                time.sleep(0.02)
