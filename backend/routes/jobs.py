"""Watch or cancel an analysis in progress. A job's id is the key of its result."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.encoding import encode_result
from backend.errors import ApiError
from backend.jobs import Job
from backend.routes.results import Key
from backend.routes.users import User
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
def read(key: Key, state: State, user: User = "") -> Response:
    """State, progress, and the result over the pairs done so far."""
    return told(found(key, state), user)


@router.delete("/{key}", response_model=JobBody)
def cancel(key: Key, state: State, user: User = "") -> Response:
    """Wait for it no longer. Where nobody else does it stops at once; pairs that are done stay stored."""
    job = found(key, state)
    state.engine.cancel(key, user)
    return told(job, user)


def told(job: Job, user: str) -> Response:
    """A job as JSON, encoded at once: a partial result is thousands of numbers, asked for again and again."""
    return Response(encode_result(job.snapshot(user)), media_type="application/json")


@router.get("/{key}/events", response_class=EventSourceResponse)
async def events(key: Key, state: State) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `progress`, `partial`, then one of `done`, `failed`, `cancelled`."""
    async for event in found(key, state).subscribe():
        yield ServerSentEvent(event=event.name, data=event.data)
