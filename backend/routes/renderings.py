"""A plotly figure as PNG, SVG or PDF, drawn by Chromium on this machine."""

import asyncio
from concurrent.futures import Future, wait
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from backend.routes.results import IMMUTABLE, KEY_PATTERN
from backend.routes.strict import StrictRoute
from backend.schemas.figure import RenderingSpec
from backend.schemas.wire import ErrorBody, RenderingBody
from backend.services.renderings import media_type
from backend.services.state import State

router = APIRouter(prefix="/api/renderings", tags=["renderings"], route_class=StrictRoute)
Id = Annotated[str, Path(pattern=KEY_PATTERN, description="SHA-256 of the figure and how it is drawn.")]
ERRORS = {status: {"model": ErrorBody} for status in (404, 422, 429, 501, 504)}
KINDS = ("image/png", "image/svg+xml", "application/pdf")
PICTURE = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS}


@router.post("", response_model=RenderingBody, responses={202: {"model": RenderingBody}, **ERRORS})
async def draw(wanted: RenderingSpec, state: State) -> Response:
    """200 if the picture is there within a moment, otherwise 202; the id leads to its bytes either way."""
    options = wanted.model_dump(exclude={"figure"})
    figure = wanted.figure.model_dump()
    name, picture = await asyncio.to_thread(state.renderings.request, figure, options)
    await asyncio.to_thread(wait, [picture], state.settings.answer_within_s)
    return _told(name, picture)


@router.get(
    "/{rendering_id}",
    responses={200: {"content": PICTURE}, 202: {"model": RenderingBody}, **ERRORS},
    response_class=Response,
)
def read(rendering_id: Id, state: State) -> Response:
    """The bytes of the picture, or 202 while it is being drawn."""
    picture = state.renderings.picture(rendering_id)
    if not picture.done():
        return _told(rendering_id, picture)
    content = picture.result()
    return Response(content, media_type=media_type(content), headers={"cache-control": IMMUTABLE})


def _told(name: str, picture: Future[bytes]) -> Response:
    if not picture.done():
        return JSONResponse({"id": name, "state": "running"}, status_code=202)
    picture.result()  # raises what went wrong
    return JSONResponse({"id": name, "state": "done"})
