"""What a result will take, told before it is begun."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from backend.routes.strict import StrictRoute
from backend.schemas.spec import Spec
from backend.schemas.wire import ErrorBody, EstimateBody
from backend.services.state import State

router = APIRouter(prefix="/api/estimates", tags=["results"], route_class=StrictRoute)


@router.post(
    "", response_model=EstimateBody, responses={404: {"model": ErrorBody}, 422: {"model": ErrorBody}}
)
def estimate(spec: Spec, state: State) -> dict[str, Any]:
    """Time, memory, and whether it fits into what is free. Nothing is computed, and no model is loaded."""
    return asdict(state.results.estimate(spec))
