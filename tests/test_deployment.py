"""docker-compose.yml and Dockerfile against the services that they start."""

import shlex
from pathlib import Path
from typing import Any

import yaml

from backend.cli import parser
from backend.settings import Settings

ROOT = Path(__file__).parents[1]


def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_redis_keeps_jobs_and_may_forget_results() -> None:
    command = shlex.split(services()["redis"]["command"])
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "volatile-lru"
    assert "--maxmemory" in options


def test_commands_are_commands_of_headscope() -> None:
    for name, part, port in (("backend", "api", 8051), ("frontend", "page", 8050)):
        command = services()[name]["command"]
        assert command[0] == "headscope"
        options = parser().parse_args(command[1:])
        assert (options.only, options.port, options.host) == (part, port, "0.0.0.0")


def test_every_variable_is_a_setting() -> None:
    known = {f"HEADSCOPE_{field.upper()}" for field in Settings.model_fields}
    for service in services().values():
        assert set(service.get("environment", {})) <= known


def test_the_page_reaches_the_backend_by_a_name_that_the_backend_answers(monkeypatch: Any) -> None:
    environment = services()["backend"]["environment"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    host = services()["frontend"]["environment"]["HEADSCOPE_BACKEND_URL"].split("//")[1].split(":")[0]
    assert host in services()
    assert host in Settings().hosts


def test_only_loopback_is_published() -> None:
    published = [port for service in services().values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8050:8050"]


def test_dockerfile_copies_every_room_and_uses_the_constraints() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for room in ("analysis", "backend", "cache", "frontend"):
        assert f"COPY {room} {room}" in text
    assert text.count("-c constraints.txt") == 2
    assert "USER headscope" in text
