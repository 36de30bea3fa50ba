"""JSON bodies read strictly: no NaN, no lone surrogates, no bad UTF-8, no endless nesting."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from backend.errors import ApiError


class StrictRequest(Request):
    """A request whose `json` refuses what the standard library would let through."""

    async def json(self) -> Any:
        """The body as JSON; raises a 400 that says where it stops being JSON."""
        try:
            return orjson.loads(await self.body())
        except orjson.JSONDecodeError as error:
            raise ApiError(400, "malformed_json", f"The body is not JSON: {error}.") from None


class StrictRoute(APIRoute):
    """A route that reads its body through `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict
