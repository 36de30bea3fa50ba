"""Which pages may stand in a frame of which sites."""

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from backend.guard import Guard
from backend.settings import Settings

KEY = "a" * 64


def ancestors(address: str, *embedders: str) -> str:
    """The `frame-ancestors` of an address."""
    guarded = Guard(Starlette(), ["127.0.0.1"], lambda: ["'sha256-x'"], embedders=embedders)
    policy = TestClient(guarded, base_url="http://127.0.0.1").get(address).headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self' 'sha256-x'"
    return directives["frame-ancestors"]


def test_only_an_embedded_figure_may_stand_in_a_frame() -> None:
    for address in ("/", "/heads", f"/f/{KEY}", f"/f/{KEY}?embed=0", f"/f/{KEY}?xembed=1", "/?embed=1"):
        assert ancestors(address, "https://notes.example") == "'none'"
    assert ancestors(f"/f/{KEY}?embed=1") == "'self'"
    assert ancestors(f"/f/{KEY}?theme=dark&embed=1", "https://a.example", "http://b:81") == (
        "'self' https://a.example http://b:81"
    )


@pytest.mark.parametrize(
    "origin", ["*", "https://a.example/path", "https://a; script-src *", "a.example", ""]
)
def test_an_embedder_is_an_origin(origin: str) -> None:
    with pytest.raises(ValidationError):
        Settings(embedders=(origin,))


def test_embedders_are_read_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.setenv("HEADSCOPE_EMBEDDERS", '["https://a.example", "http://localhost:8888"]')
    monkeypatch.setenv("HEADSCOPE_WARM", "false")
    assert Settings().embedders == ("https://a.example", "http://localhost:8888")
    assert Settings().warm is False
