"""Servers as processes, and a real browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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
