"""What can be asked."""

from fastapi import APIRouter

from backend.schemas.wire import AnalysisList
from backend.services.specs import describe_analyses

router = APIRouter(prefix="/api/analyses", tags=["analyses"])


@router.get("", response_model=AnalysisList)
def list_analyses() -> dict:
    """Every analysis with the JSON schema of its parameters and a spec that can be posted as it is."""
    return {"analyses": describe_analyses()}
