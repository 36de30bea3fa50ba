"""The models of the operator's list."""

from fastapi import APIRouter

from backend.schemas.wire import ErrorBody, ModelBody, ModelList
from backend.services.state import State

router = APIRouter(prefix="/api/models", tags=["models"])


@router.get("", response_model=ModelList)
def list_models(state: State) -> dict:
    """All of them, the default first."""
    return {"models": state.models.bodies()}


@router.get("/{model_id}", response_model=ModelBody, responses={404: {"model": ErrorBody}})
def read(model_id: str, state: State) -> dict:
    """State, dimensions and certificate of one model."""
    return state.models.host(model_id).body()
