"""Every error leaves as `{"error": {"code", "message", "request_id"}}`; statuses are decided here."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from analysis.errors import AnalysisError
from backend.engines.base import EngineError, QueueFull, code_of
from cache.store import StoreUnavailable

log = logging.getLogger(__name__)


class ApiError(Exception):
    """A request that cannot be answered; the message is a sentence for the person who asked."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra


def error_response(
    request: Request, status: int, code: str, message: str, extra: Mapping[str, Any] | None = None
) -> Response:
    """The one error envelope."""
    body = {"code": code, "message": message, "request_id": request_id(request), **(extra or {})}
    headers = {"cache-control": "no-store"}
    if "retry_after" in body:
        headers["retry-after"] = str(body["retry_after"])
    return Response(orjson.dumps({"error": body}), status, headers, "application/json")


def request_id(request: Request) -> str:
    """The id that the guard gave this request; in the log, the header and the error."""
    return request.scope.get("headscope.request_id") or uuid.uuid4().hex[:12]


def sentence(problem: Mapping[str, Any]) -> str:
    """One validation problem of pydantic as `prompts.n: Input should be ...`."""
    place = ".".join(str(part) for part in problem["loc"] if part != "body")
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def install_error_handlers(app: FastAPI) -> None:
    """Turn every exception of the API into the envelope."""

    @app.exception_handler(ApiError)
    async def _(request: Request, error: ApiError) -> Response:
        return error_response(request, error.status, error.code, error.message, error.extra)

    @app.exception_handler(AnalysisError)
    async def _(request: Request, error: AnalysisError) -> Response:
        return error_response(request, 422, code_of(error), str(error))

    @app.exception_handler(EngineError)
    async def _(request: Request, error: EngineError) -> Response:
        status = 429 if isinstance(error, QueueFull) else 503
        return error_response(request, status, code_of(error), str(error), {"retry_after": 30})

    @app.exception_handler(StoreUnavailable)
    async def _(request: Request, error: StoreUnavailable) -> Response:
        return error_response(request, 503, code_of(error), str(error), {"retry_after": 5})

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        problems = [sentence(problem) for problem in error.errors()]
        return error_response(request, 422, "invalid_request", "; ".join(problems[:5]))

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        message = (
            error.detail if error.detail != phrase else f"{phrase}: {request.method} {request.url.path}."
        )
        return error_response(request, error.status_code, phrase.lower().replace(" ", "_"), message)

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        log.exception("request %s failed", request_id(request), exc_info=error)
        message = "Something broke in the server; trying again may help. The log has the details."
        return error_response(request, 500, "internal", message)
