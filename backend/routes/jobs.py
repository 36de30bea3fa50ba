"""Watch or cancel an analysis in progress. A job's id is the key of its result."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.errors import ApiError
from backend.jobs import Job
from backend.routes.results import Key
from backend.schemas.wire import ErrorBody, JobBody
from backend.services.state import ServerState, State

router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses={404: {"model": ErrorBody}})


def found(key: str, state: ServerState) -> Job:
    """The job, or a 404."""
    job = state.engine.job(key)
    if job is None:
        raise ApiError(404, "unknown_job", "No job has this id; its result may be stored already.")
    return job


@router.get("/{key}", response_model=JobBody)
def read(key: Key, state: State) -> dict:
    """State, progress, and the result over the pairs done so far."""
    return found(key, state).snapshot()


@router.delete("/{key}", response_model=JobBody)
def cancel(key: Key, state: State) -> dict:
    """Stop before the next pair. Pairs that are done stay stored."""
    job = found(key, state)
    job.cancel()
    return job.snapshot()


@router.get("/{key}/events", response_class=EventSourceResponse)
async def events(key: Key, state: State) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `progress`, `partial`, then one of `done`, `failed`, `cancelled`."""
    async for event in found(key, state).subscribe():
        yield ServerSentEvent(event=event.name, data=event.data)
