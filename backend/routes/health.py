"""Is the process alive; can it answer."""

from fastapi import APIRouter, Response

from backend.errors import ApiError
from backend.schemas.wire import ErrorBody, Health
from backend.services.state import State

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/healthz", response_model=Health)
async def healthz() -> dict:
    """The process is alive. Looks at nothing else."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Health, responses={503: {"model": ErrorBody}})
def readyz(state: State) -> dict:
    """The default model is loaded or waits to be asked for, the engine runs and the store works."""
    model = state.models.host(None)
    waits = model.state == "absent" and not state.settings.warm
    if model.state != "ready" and not waits:
        raise ApiError(
            503, "model_not_ready", model.message or f"{model.source.id} is {model.state}.", retry_after=5
        )
    if not state.engine.alive:
        raise ApiError(503, "engine_stopped", "A thread that computes has ended; restart the server.")
    state.store.check()
    return {"status": "ok"}


@router.api_route(
    "/{path:path}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    include_in_schema=False,
    response_model=None,
)
def unknown(path: str) -> Response:
    """Last of the API: without it the page would answer every unknown address with itself."""
    raise ApiError(404, "unknown_address", f"/api/{path} is not part of the API; see /api/openapi.json.")
