"""Servers as processes, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.conftest import Server, serving
from tests.end_to_end.visitor import Visitor

SMALL = "mcq-tiny-letters-1000"
TINY = {"HEADSCOPE_DEFAULT_MODEL": "tiny", "HEADSCOPE_THREADS": "1"}
PATIENCE_MS = 60_000  # machines that run the tests are busy
CHROMIUM = shutil.which("chromium")


def with_tiny(folder: Path, tiny_folder: Path) -> Path:
    """A data folder whose operator listed the tiny model."""
    from backend.catalogue import add_model

    add_model(folder / "data", "tiny", tiny_folder)
    return folder / "data"


@pytest.fixture
def data(tmp_path: Path, tiny_folder: Path) -> Path:
    return with_tiny(tmp_path, tiny_folder)


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the demo model has been converted; the machine's own one where it is named."""
    named = os.environ.get("HEADSCOPE_TEST_DATA")
    return Path(named) if named else tmp_path_factory.mktemp("demo-data")


@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    """Chromium; a missing one is skipped here and fails in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the smallest model that has learned something, so that figures have their colours."""
    data = tmp_path_factory.mktemp("small")
    with serving(data, HEADSCOPE_DEFAULT_MODEL=SMALL, HEADSCOPE_THREADS="1") as running:
        yield running


@pytest.fixture(scope="package")
def tiny_server(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Server]:
    """A server on the tiny model: two layers of four heads, measured within seconds."""
    with serving(with_tiny(tmp_path_factory.mktemp("tiny"), tiny_folder), **TINY) as running:
        yield running


@pytest.fixture(scope="module")
def server(demo_data: Path) -> Iterator[Server]:
    """A server on the demo model; modules to whose visitors a smaller one is enough say so."""
    with serving(demo_data, HEADSCOPE_THREADS="2") as running:
        yield running


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    """Lets people in; what they complain of fails the test."""
    visitors: list[Visitor] = []

    def new(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, server, **options))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.leave()
