"""The page as a service of its own: Dash in front, everything under /api/ passed on to the backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from frontend.app import create_app
from frontend.client import BackendClient
from frontend.errors import BackendError

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_frontend(backend_url: str) -> FastAPI:
    """A server with the page and `/healthz`; `server.state.dash` is the Dash app."""
    client = BackendClient.at(backend_url)

    @asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        yield
        await client.close()

    server = FastAPI(
        title="headscope page", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )

    @server.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @server.api_route("/api/{path:path}", methods=METHODS)
    async def api(request: Request, path: str) -> Response:
        address = f"/api/{path}" + (f"?{request.url.query}" if request.url.query else "")
        try:
            answer = await client.forward(request.method, address, request.headers.items(), request.stream())
        except BackendError as error:
            problem = {"code": error.code, "message": str(error), "request_id": ""}
            return Response(orjson.dumps({"error": problem}), 502, media_type="application/json")
        return StreamingResponse(answer.chunks, answer.status, answer.headers)

    server.state.dash = create_app(server, client)
    return server
