"""Servers as processes, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.conftest import Server, is_ready, until
from tests.end_to_end.visitor import Visitor

SMALL = "mcq-tiny-letters-1000"
CHROMIUM = shutil.which("chromium")


@pytest.fixture
def data(tmp_path: Path, tiny_folder: Path) -> Path:
    """A data folder whose operator listed the tiny model."""
    from backend.catalogue import add_model

    add_model(tmp_path / "data", "tiny", tiny_folder)
    return tmp_path / "data"


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the demo model has been converted; the machine's own one where it is named."""
    named = os.environ.get("HEADSCOPE_TEST_DATA")
    return Path(named) if named else tmp_path_factory.mktemp("demo-data")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium; a missing one is skipped here and fails in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: apt-get install chromium")
    from playwright.sync_api import sync_playwright

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


@pytest.fixture(scope="module")
def server(demo_data: Path) -> Iterator[Server]:
    running = Server(demo_data, HEADSCOPE_THREADS="2").start()
    try:
        until(lambda: is_ready(running), seconds=120)
        yield running
        assert running.stop() == 0
    finally:
        running.kill()


@pytest.fixture(scope="session")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the smallest model that has learned something, so that figures have their colours."""
    folder = tmp_path_factory.mktemp("small-data")
    running = Server(folder, HEADSCOPE_DEFAULT_MODEL=SMALL, HEADSCOPE_THREADS="1").start()
    try:
        until(lambda: is_ready(running), seconds=120)
        yield running
        assert running.stop() == 0
    finally:
        running.kill()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def new(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, server, **options))
        return visitors[-1]

    yield new
    for visitor in visitors:
        visitor.page.context.close()
        assert not visitor.complaints
