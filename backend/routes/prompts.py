"""Prompts while they are typed, edited or uploaded: what the tokenizer of a model makes of them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from backend.routes.prompt_sets import UPLOAD
from backend.routes.strict import StrictRoute
from backend.schemas.prompts import CheckBody, CheckRequest, DrawBody, DrawRequest, PreviewBody
from backend.schemas.wire import ErrorBody
from backend.services.prompts import PromptChecks
from backend.services.state import State

router = APIRouter(tags=["prompts"])
strict = APIRouter(prefix="/api/prompts", tags=["prompts"], route_class=StrictRoute)


def _checks(state: State) -> PromptChecks:
    return PromptChecks(state.models, state.prompt_sets)


@strict.post("/check", response_model=CheckBody, responses={422: {"model": ErrorBody}})
def check(request: CheckRequest, state: State) -> dict:
    """Tokens, answers and alignment of one pair, and sentences on what is wrong. Nothing is run or kept."""
    return _checks(state).check(request)


@strict.post("/draw", response_model=DrawBody, responses={422: {"model": ErrorBody}})
def draw(request: DrawRequest, state: State) -> dict:
    """Some pairs of a draw, as they can be edited and as the tokenizer reads them."""
    return _checks(state).draw(request)


@router.post(
    "/api/prompt-sets/preview",
    response_model=PreviewBody,
    responses={415: {"model": ErrorBody}, 422: {"model": ErrorBody}},
    openapi_extra=UPLOAD,
)
async def preview(
    request: Request,
    state: State,
    content_type: Annotated[str, Header()] = "",
    model: Annotated[str | None, Query(max_length=200)] = None,
) -> dict:
    """What a file would become; nothing is kept."""
    return await asyncio.to_thread(_checks(state).preview, await request.body(), content_type, model)


router.include_router(strict)
