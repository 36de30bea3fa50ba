"""What several rooms' tests share: a tiny model in a folder, and servers as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.redis_server import redis_url  # noqa: F401
from tests.tiny import save_tiny

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["GOMP_SPINCOUNT"] = "10000"  # as the command line does


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random llama of two layers with a tokenizer of single bytes, as `save_pretrained` writes them."""
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    return folder


class Server:
    """`headscope serve` as a process of its own on a free port."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data, self._options = data, options
        self._environment = {**os.environ, "HEADSCOPE_DATA": str(data), **environment}
        self.process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> "Server":
        command = [str(Path(sys.executable).parent / "headscope"), "serve", "--port", "0", *self._options]
        self.process = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert "http://" in line, f"the server did not start: {line!r}"
        self.address = line.split()[-1]
        return self

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self._close()

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self._close()

    def _close(self) -> int:
        assert self.process and self.process.stdout
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code


def is_ready(server: Server) -> bool:
    """Whether its model is loaded; while it starts it may not answer at all."""
    try:
        return httpx2.get(f"{server.address}/api/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def serving(data: Path, **environment: str) -> Iterator[Server]:
    """A server whose model is loaded, and which ends when it is told to."""
    server = Server(data, **environment).start()
    try:
        until(lambda: is_ready(server), seconds=240)
        yield server
        assert server.stop() == 0
    finally:
        server.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers that end with the test."""
    servers: list[Server] = []

    def start(*options: str, data: Path = tmp_path / "data", **environment: str) -> Server:
        servers.append(Server(data, *options, **environment))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


def until(condition: Callable[[], object], *, seconds: float = 60, every: float = 0.1) -> object:
    """The first true value of `condition`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"nothing came within {seconds} s")
