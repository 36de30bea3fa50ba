"""Puts a server together: API and page in one process, or each on its own. The one place that knows both."""

import os
import signal
import socket
import sys
import threading
from typing import Literal

import httpx2
import uvicorn
from starlette.types import ASGIApp

from backend.guard import Guard
from backend.settings import LOOPBACK, Settings

Part = Literal["all", "api", "page"]


class CannotServe(RuntimeError):
    """The server will not start; the message says what to change."""


def build(settings: Settings, part: Part) -> ASGIApp:
    """The ASGI application of one part, inside its guard. Imports are late: a page alone needs no torch."""
    if part == "page":
        from frontend.serve import create_frontend

        server = create_frontend(settings.backend_url)
        return Guard(server, settings.hosts, server.state.dash.csp_hashes, embedders=settings.embedders)
    from backend.app import create_api, create_state

    api = create_api(create_state(settings))
    if part == "api":
        return Guard(api, settings.hosts, list)
    from frontend.app import create_app
    from frontend.client import BackendClient

    within = httpx2.ASGITransport(app=api, raise_app_exceptions=False)
    page = create_app(api, BackendClient(httpx2.AsyncClient(transport=within, base_url="http://127.0.0.1")))
    return Guard(api, settings.hosts, page.csp_hashes, embedders=settings.embedders)


def serve(settings: Settings, part: Part) -> None:
    """Listen until told to stop; prints the address."""
    if settings.host not in LOOPBACK and not settings.trusted_network:
        raise CannotServe(
            f"{settings.host} can be reached from other machines, and headscope asks nobody for a password. "
            "Listen on 127.0.0.1, or set HEADSCOPE_TRUSTED_NETWORK=true if all who reach it may use it."
        )
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    print(f"headscope is at http://{host}:{port}", flush=True)  # noqa: T201
    config = uvicorn.Config(
        build(settings, part),
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    signal.signal(signal.SIGTERM, leave)  # uvicorn stops in order, then passes the signal on
    uvicorn.Server(config).run(sockets=[listener])


def leave(*_: object) -> None:
    """End the process. A thread in the middle of a long computation is not waited for; torch would take its
    end with the interpreter's for a crash.
    """
    if any(thread.daemon for thread in threading.enumerate() if thread is not threading.current_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    sys.exit(0)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotServe(
            f"Port {port} on {host} is taken or not allowed ({error.strerror}). "
            "Stop what uses it, or choose another: headscope serve --port 8060."
        ) from error
