"""The server as a process: two services instead of one, death in mid sweep, the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis import Redis

from tests.conftest import Server, is_ready, until
from tests.end_to_end.conftest import TINY

SWEEP = {"analysis": "effects", "prompts": {"n": 200}}
LONG_S = 240  # a whole sweep, on a machine that does other things as well


def result(server: Server, key: str) -> dict[str, Any] | None:
    response = httpx2.get(f"{server.address}/api/results/{key}", timeout=60)
    return response.json() if response.status_code == 200 else None


def numbers(body: dict[str, Any]) -> dict[str, Any]:
    """A result without what a repeated computation may change."""
    return {name: body[name] for name in ("key", "spec", "n_done", "coordinates", "tables")}


def test_killed_in_mid_sweep_it_finishes_after_the_next_start(
    start_server: Callable[..., Server], data: Path
) -> None:
    server = start_server(data=data, HEADSCOPE_ANSWER_WITHIN_S="0", **TINY)
    until(lambda: is_ready(server))
    key = httpx2.post(f"{server.address}/api/results", json=SWEEP, timeout=60).json()["key"]
    job = until(lambda: in_the_middle(server, key), every=0.005)
    server.kill()
    assert 0 < job["done"] < job["total"]

    again = start_server(data=data, **TINY)
    until(lambda: is_ready(again))
    finished = until(lambda: result(again, key), seconds=LONG_S)
    assert finished["complete"] and finished["n_done"] == 200

    undisturbed = start_server(data=fresh(data), **TINY)
    until(lambda: is_ready(undisturbed))
    httpx2.post(f"{undisturbed.address}/api/results", json=SWEEP, timeout=60)
    assert numbers(until(lambda: result(undisturbed, key), seconds=LONG_S)) == numbers(finished)


def in_the_middle(server: Server, key: str) -> dict[str, Any] | None:
    job = httpx2.get(f"{server.address}/api/jobs/{key}", timeout=60).json()
    assert job["state"] in ("queued", "running"), "the sweep ended before it could be killed"
    return job if job["done"] >= 3 else None


def fresh(data: Path) -> Path:
    """Another data folder with the same models."""
    other = data.parent / "other"
    other.mkdir()
    (other / "models.json").write_bytes((data / "models.json").read_bytes())
    return other


def test_a_sweep_tells_how_far_it_is(start_server: Callable[..., Server], data: Path) -> None:
    server = start_server("--only", "api", data=data, HEADSCOPE_ANSWER_WITHIN_S="0", **TINY)
    until(lambda: is_ready(server))
    key = httpx2.post(f"{server.address}/api/results", json=SWEEP, timeout=60).json()["key"]
    with httpx2.stream("GET", f"{server.address}/api/jobs/{key}/events", timeout=LONG_S) as stream:
        names = [line.split()[1] for line in stream.iter_lines() if line.startswith("event:")]
    assert names[0] == "progress"
    assert "partial" in names
    assert names[-1] == "done"
    assert result(server, key)


def test_a_cancelled_sweep_stops_and_can_go_on(start_server: Callable[..., Server], data: Path) -> None:
    server = start_server("--only", "api", data=data, HEADSCOPE_ANSWER_WITHIN_S="0", **TINY)
    until(lambda: is_ready(server))
    key = httpx2.post(f"{server.address}/api/results", json=SWEEP, timeout=60).json()["key"]
    until(lambda: in_the_middle(server, key), every=0.005)
    assert httpx2.delete(f"{server.address}/api/jobs/{key}", timeout=60).json()["state"] == "cancelled"
    assert result(server, key) is None
    assert httpx2.get(f"{server.address}/api/jobs/{key}", timeout=60).json()["state"] == "cancelled"
    httpx2.post(f"{server.address}/api/results", json=SWEEP, timeout=60)
    assert until(lambda: result(server, key), seconds=LONG_S)["n_done"] == 200


@pytest.mark.redis
def test_page_and_api_as_two_services_over_redis(
    start_server: Callable[..., Server], data: Path, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    api = start_server("--only", "api", data=data, HEADSCOPE_REDIS_URL=redis_url, **TINY)
    page = start_server("--only", "page", data=data, HEADSCOPE_BACKEND_URL=api.address)
    until(lambda: is_ready(api))
    assert httpx2.get(f"{api.address}/", timeout=60).status_code == 404
    home = httpx2.get(f"{page.address}/", timeout=60)
    assert home.status_code == 200 and "headscope" in home.text
    through = httpx2.get(f"{page.address}/api/models", timeout=60)
    assert through.json() == httpx2.get(f"{api.address}/api/models", timeout=60).json()
    asked = httpx2.post(
        f"{page.address}/api/results", json={"analysis": "gate", "prompts": {"n": 4}}, timeout=60
    )
    body = until(lambda: result(page, asked.json()["key"]))
    assert body == result(api, asked.json()["key"])
    with Redis.from_url(redis_url) as redis:
        assert redis.keys("headscope:*")
    assert not list((data / "store").glob("**/*"))


def test_a_spec_from_the_command_line_has_the_numbers_of_the_server(
    start_server: Callable[..., Server], data: Path, tmp_path: Path
) -> None:
    spec = {"analysis": "effects", "prompts": {"n": 4}}
    server = start_server(data=data, HEADSCOPE_ANSWER_WITHIN_S="30", **TINY)
    until(lambda: is_ready(server))
    served = httpx2.post(f"{server.address}/api/results", json=spec, timeout=60).json()
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    command = [str(Path(sys.executable).parent / "headscope"), "run", str(tmp_path / "spec.json")]
    environment = {"HEADSCOPE_DATA": str(fresh(data)), **TINY, "PATH": "/usr/bin:/bin"}
    subprocess.run([*command, "--out", str(tmp_path / "out.json")], check=True, env=environment)
    assert numbers(json.loads((tmp_path / "out.json").read_text())) == numbers(served)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_beyond_loopback_it_does_not_start_by_accident(host: str, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "headscope"), "serve", "--host", host, "--port", "0"]
    outcome = subprocess.run(command, capture_output=True, text=True, env={"HEADSCOPE_DATA": str(tmp_path)})
    assert outcome.returncode == 2
    assert "HEADSCOPE_TRUSTED_NETWORK" in outcome.stderr


def test_a_taken_port_is_said(start_server: Callable[..., Server], data: Path) -> None:
    port = start_server("--only", "api", data=data, **TINY).address.rsplit(":", 1)[1]
    command = [str(Path(sys.executable).parent / "headscope"), "serve", "--port", port]
    outcome = subprocess.run(command, capture_output=True, text=True, env={"HEADSCOPE_DATA": str(data)})
    assert outcome.returncode == 2
    assert f"Port {port}" in outcome.stderr
