"""Built-in and uploaded sets of questions."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request

from backend.schemas.wire import ErrorBody, PromptSetBody, PromptSetList
from backend.services.state import State

router = APIRouter(prefix="/api/prompt-sets", tags=["prompt sets"])
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "What is 1 + 1?,1,2,3,4,B\n"},
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"question": "What is 1 + 1?", "options": ["1", "2", "3", "4"], "answer": "B"}\n',
            },
        },
    }
}


@router.get("", response_model=PromptSetList)
def list_sets(state: State) -> dict:
    """The built-in sets first."""
    return {"prompt_sets": state.prompt_sets.bodies()}


@router.post(
    "",
    status_code=201,
    response_model=PromptSetBody,
    responses={415: {"model": ErrorBody}, 422: {"model": ErrorBody}},
    openapi_extra=UPLOAD,
)
async def upload(request: Request, state: State, content_type: Annotated[str, Header()] = "") -> dict:
    """A file in MMLU's CSV layout or as JSON lines; errors name their lines."""
    return await asyncio.to_thread(state.prompt_sets.add, await request.body(), content_type)
