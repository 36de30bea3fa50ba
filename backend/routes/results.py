"""Ask for a result by its spec, or read a stored one by its key."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse

from backend.errors import ApiError
from backend.routes.strict import StrictRoute
from backend.routes.users import User
from backend.schemas.names import Priority
from backend.schemas.spec import Spec
from backend.schemas.wire import Accepted, ErrorBody, RecordBody, RecordList, ResultBody
from backend.services.records import Wanted
from backend.services.state import State

router = APIRouter(prefix="/api/results", tags=["results"], route_class=StrictRoute)
KEY_PATTERN = "^[0-9a-f]{64}$"
Key = Annotated[str, Path(pattern=KEY_PATTERN, description="SHA-256 of the resolved spec.")]
IMMUTABLE = "private, max-age=31536000, immutable"


@router.post(
    "",
    response_model=ResultBody,
    responses={
        202: {"model": Accepted},
        404: {"model": ErrorBody},
        422: {"model": ErrorBody},
        429: {"model": ErrorBody},
    },
)
async def ask(spec: Spec, state: State, priority: Priority = "sweep", user: User = "") -> Response:
    """200 with the result if it is stored or takes under a second, otherwise 202 with its key and job."""
    within_s = state.settings.answer_within_s
    key, answer = await state.results.get_or_start(spec, priority, within_s, user)
    if isinstance(answer, bytes):
        return Response(answer, media_type="application/json", headers={"etag": f'"{key}"'})
    job = answer.snapshot(user)
    if job["state"] == "failed":
        raise failed(job["error"])
    return JSONResponse({"key": key, "job": job}, status_code=202, headers={"location": f"/api/jobs/{key}"})


@router.get("", response_model=RecordList, responses={404: {"model": ErrorBody}})
def list_results(
    state: State,
    model: str | None = None,
    analysis: str | None = None,
    prompts_of: Annotated[str | None, Query(pattern=KEY_PATTERN)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict:
    """What was asked for so far, newest first; `prompts_of` names a result whose prompts are wanted."""
    return {"results": state.results.records.listed(Wanted(model, analysis, prompts_of), limit)}


@router.get("/{key}", response_model=ResultBody, responses={304: {}, 404: {"model": ErrorBody}})
def read(key: Key, state: State, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The stored bytes. They never change, so a browser may keep them."""
    headers = {"etag": f'"{key}"', "cache-control": IMMUTABLE}
    if if_none_match and f'"{key}"' in if_none_match and state.results.has(key):
        return Response(status_code=304, headers=headers)
    stored = state.results.stored(key)
    if stored is None:
        raise ApiError(404, "unknown_key", "No stored result has this key; post its spec to compute it.")
    return Response(stored, media_type="application/json", headers=headers)


@router.get("/{key}/record", response_model=RecordBody, responses={404: {"model": ErrorBody}})
def read_record(key: Key, state: State) -> dict:
    """What was asked for, also where the numbers themselves have made room for others."""
    return state.results.records.of(key)


@router.post(
    "/{key}/again",
    status_code=202,
    response_model=Accepted,
    responses={404: {"model": ErrorBody}, 422: {"model": ErrorBody}, 429: {"model": ErrorBody}},
)
def again(key: Key, state: State, user: User = "") -> Response:
    """Compute the same spec anew, reading nothing stored; `details.again` of the result says how far off."""
    job = state.results.again(key, user)
    location = {"location": f"/api/jobs/{job.key}"}
    return JSONResponse({"key": job.key, "job": job.snapshot(user)}, status_code=202, headers=location)


def failed(error: dict[str, str]) -> ApiError:
    """A job that ended before anybody had to wait for it: the request's fault, unless it was the server's."""
    status = {"internal": 500, "worker_died": 503}.get(error["code"], 422)
    return ApiError(status, error["code"], error["message"])
